"""That no other constants are better in the sup norm: branch and bound over all constants that the family admits.

Boxes of constants, unbounded ones included, are discarded where the error is proved larger than that of the fit, and
settled where it is proved no smaller than it by more than the tolerance; others are halved. What is not discarded
holds every optimum.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp
from flint import arb

from analysis.activation.parsing import X
from analysis.exact.verdict import Verdict
from analysis.optimal.fitting import minimax
from analysis.optimal.fitting.bound import Box, Place
from analysis.optimal.fitting.charts import Chart, has_value, is_hard
from analysis.optimal.fitting.residual import Residual
from analysis.rigorous import balls
from analysis.rigorous.intervals import INF, Interval

GAP = {1: 1e-9}  # relative, that a proof is to reach
GAP_BEYOND = 1e-6
MOST_CONSTANTS = 3
MOST_BOXES = 20_000
REFINED = 600  # boxes spent on narrowing the set that holds every optimum
NARROW = 1e-8  # relative width at which that set is narrow enough
FINEST = 1e-13  # relative width of an interval that is not halved
SECTOR = 64.0  # two constants beyond this are looked at by their ratio
FARTHEST = 1e9  # an unbounded interval is not cut beyond
ASIDE = 0.3  # weight of a constant by which a box does not reach beyond the known optima
ABSCISSAS, OUT = 81, 60.0  # how many places x are tried, and how far out


@dataclass(frozen=True)
class Optimum:
    """A proved lower bound on the error of every member, its relative gap, and where every optimum lies.

    `lower` is 0 and `gap` 1 where nothing is proved; `box` has an interval for each free constant, perhaps unbounded:
    outside it the error is larger. `unique` is None where the search alone does not decide it.
    """

    lower: float
    gap: float
    box: Mapping[str, Interval]
    verdict: Verdict
    reason: str
    boxes: int = 0
    unique: bool | None = None

    @classmethod
    def undecided(cls, reason: str) -> Optimum:
        return cls(0.0, 1.0, {}, Verdict.UNDECIDED, reason)

    @property
    def tolerance(self) -> float:
        """The relative gap up to which constants count as best."""
        return GAP.get(len(self.box), GAP_BEYOND)

    def to_dict(self) -> dict:
        is_known = self.lower > 0 or self.gap == 0
        return {
            "verdict": str(self.verdict),
            "lower": balls.decimals(arb(float(self.lower)), 17)[0] if is_known else None,
            "gap": float(self.gap) if is_known else None,
            "reason": self.reason,
        }


def prove(residual: Residual, theta: np.ndarray, error: float) -> Optimum:
    """How close the error (an upper bound at theta) is to the least possible one in the sup norm."""
    if len(residual.free) > MOST_CONSTANTS:
        return Optimum.undecided(f"proofs are tried for {MOST_CONSTANTS} free constants at most")
    return Search(residual, theta, error).run()


class Search:
    """Boxes of constants for the sup norm; `root` is the chart of the constants themselves."""

    def __init__(self, residual: Residual, theta: np.ndarray, error: float):
        self.residual, self.theta, self.error = residual, np.asarray(theta, float), error
        self.tolerance = GAP.get(len(theta), GAP_BEYOND)
        self.goal = error * (1 - 0.25 * self.tolerance)
        self.root = _root(residual, self.theta)
        self.reference = self.root.reference(self.theta)
        self.settled: list[tuple[float, Chart, Box]] = []
        self.boxes = 0

    def run(self) -> Optimum:
        stack = [(self.root, self._everything())]
        while stack and self.boxes < MOST_BOXES:
            chart, box = stack.pop()
            self.boxes += 1
            bound = self._bound(chart, box)
            if bound > self.error:
                continue
            if bound >= self.goal:
                self.settled.append((bound, chart, box))
            else:
                stack += self._parts(chart, box)
        lower = min((b for b, _, _ in self.settled), default=self.error)
        if stack:
            lower = min(lower, *(self._bound(c, b) for c, b in stack))
        return self._answer(lower, stack)

    def _answer(self, lower: float, stack: list) -> Optimum:
        gap = (self.error - lower) / self.error
        names = [s.name for s in self.residual.free]
        hull = self._narrowed([(c, b) for _, c, b in self.settled] + stack)
        is_proved = gap <= self.tolerance
        reason = "" if is_proved else f"the gap after {self.boxes} boxes of constants is {gap:.2g}"
        verdict = Verdict.PROVED if is_proved else Verdict.UNDECIDED
        return Optimum(lower, gap, dict(zip(names, hull, strict=True)), verdict, reason, self.boxes)

    def _everything(self) -> Box:
        return everything(self.residual.free)

    def _bound(self, chart: Chart, box: Box) -> float:
        if chart.is_empty(box):
            return INF
        best = chart.bound(box, self.error)
        if best < self.goal and chart is self.root and self.reference and not is_hard(box):
            best = max(best, self.reference.bound(box))
        return best

    # halving

    def _parts(self, chart: Chart, box: Box) -> list[tuple[Chart, Box]]:
        far = [i for i, one in enumerate(box) if _is_far(one, i in chart.inverted)]
        if len(far) > 1:
            return self._sectors(chart, box, far)
        for small, large in itertools.permutations(range(len(box)), 2):
            if chart.may_multiply(small, large) and _is_small(box[small]) and _is_far(box[large]):
                return [(chart.product(small, large), (*box[:large], Interval(0.0, INF), *box[large + 1 :]))]
        i = self._widest(box) if is_hard(box) else self._steepest(chart, box)
        return self._halves(chart, box, self._widest(box) if i is None else i)

    def _halves(self, chart: Chart, box: Box, i: int) -> list[tuple[Chart, Box]]:
        cut = self._cut(box[i], i)
        halves = Interval(box[i].low, cut), Interval(cut, box[i].high)
        return [(chart, (*box[:i], half, *box[i + 1 :])) for half in halves]

    def _sectors(self, chart: Chart, box: Box, far: list[int]) -> list[tuple[Chart, Box]]:
        """The box by which of the far constants is the largest, the others as ratios to it."""
        parts = []
        for leader in far:
            others = [i for i in far if i != leader]
            new = [Interval(0.0, 1.0) if i in others else one for i, one in enumerate(box)]
            if leader not in chart.inverted:
                new[leader] = Interval(0.0, math.nextafter(1 / box[leader].low, INF))
            parts.append((chart.sector(leader, tuple(others)), tuple(new)))
        return parts

    def _widest(self, box: Box) -> int:
        widths = [
            self._compact(one.high, i) - self._compact(one.low, i) if one.low < FARTHEST else 0.0
            for i, one in enumerate(box)
        ]
        return int(np.argmax(widths))

    def _steepest(self, chart: Chart, box: Box) -> int | None:
        """The constant along which r varies most, at the places where it is largest; None where it hardly varies."""
        changes, _ = chart.variation(box, self.error)
        return int(np.argmax(changes)) if changes.max() > 0.1 * self.tolerance * self.error else None

    def _scale(self, i: int) -> float:
        return 1.37 * max(abs(float(self.theta[i])), 0.01)

    def _compact(self, value: float, i: int) -> float:
        """The constant on a scale from -1 to 1."""
        return math.copysign(1.0, value) if math.isinf(value) else value / (abs(value) + self._scale(i))

    def _cut(self, one: Interval, i: int) -> float:
        if math.isfinite(one.high - one.low) and one.low > 0 and one.high < 4 * one.low:
            return (one.low + one.high) / 2
        middle = (self._compact(one.low, i) + self._compact(one.high, i)) / 2
        return self._scale(i) * middle / (1 - abs(middle))

    # the set of optima

    def _narrowed(self, boxes: list[tuple[Chart, Box]]) -> Box:
        """An interval for each constant that holds every optimum: the hull of what is not discarded.

        Boxes that reach farthest beyond the known optima come first, those of other charts before all.
        """
        inner = [[t, t] for t in self.theta.tolist()]
        grid = minimax.base_grid(self.residual)
        ticket = itertools.count()
        queue: list = []
        done: list[Box] = [tuple(Interval(t, t) for t in self.theta.tolist())]

        def push(chart: Chart, box: Box) -> None:
            excess = max(self._reach(box, inner)) if chart is self.root else INF
            if excess > NARROW:
                heapq.heappush(queue, (-excess, next(ticket), chart, box))
            else:
                done.append(box)

        for chart, box in boxes:
            push(chart, box)
        for _ in range(REFINED):
            if not queue:
                break
            excess, _, chart, box = heapq.heappop(queue)
            if chart is self.root and max(self._reach(box, inner)) < -excess:
                push(chart, box)
                continue
            self.boxes += 1
            if self._bound(chart, box) > self.error:
                continue
            point = [_inside(one, t) for one, t in zip(box, self.theta.tolist(), strict=True)]
            if chart is self.root and self._seems_optimal(np.array(point), grid):
                inner = [[min(lo, t), max(hi, t)] for (lo, hi), t in zip(inner, point, strict=True)]
            parts = self._protruding_parts(chart, box, inner)
            done += [] if parts else [box]
            for part in parts:
                push(*part)
        if any(chart is not self.root for _, _, chart, _ in queue):
            return self._everything()
        remaining = [*done, *(box for _, _, _, box in queue), tuple(Interval(*ends) for ends in inner)]
        return tuple(
            Interval(min(o.low for o in ones), max(o.high for o in ones)) for ones in zip(*remaining, strict=True)
        )

    def _protruding_parts(self, chart: Chart, box: Box, inner: list) -> list[tuple[Chart, Box]]:
        """Halves along the steepest constant, or else along the one by which the box reaches out; none of a speck."""
        if chart is not self.root or is_hard(box):
            return self._parts(chart, box)
        i = self._steepest(chart, box)
        if i is None:
            reach = np.array(self._reach(box, inner))
            changes = chart.variation(box, self.error / 2)[1] * np.where(reach > NARROW, 1.0, ASIDE)
            i = int(np.argmax(changes if changes.max() > 0 else reach))
        is_speck = box[i].high - box[i].low <= FINEST * abs(box[i].high)
        return [] if is_speck else self._halves(chart, box, i)

    def _reach(self, box: Box, inner: list) -> list[float]:
        """How far the box reaches beyond the inner hull along each constant, on the compact scale."""
        found = []
        for i, (one, (low, high)) in enumerate(zip(box, inner, strict=True)):
            ends = ((low, one.low), (one.high, high))
            found.append(max(self._compact(far, i) - self._compact(near, i) for far, near in ends))
        return found

    def _seems_optimal(self, point: np.ndarray, grid: np.ndarray) -> bool:
        """Whether the error at the point is that of the fit, on a grid: it only saves work inside the set of optima."""
        if not self.residual.is_admissible(point) or np.abs(self.root.values(point[None, :])).max() > self.error:
            return False
        x = np.concatenate([grid, self.residual.kinks(point)])
        return bool(np.abs(self.residual(x, point)).max() <= self.error)


def everything(free: Sequence[sp.Symbol]) -> Box:
    """All values that the constants may take."""
    return tuple(Interval(-INF if s.is_nonnegative is not True else 0.0, INF) for s in free)


def _inside(one: Interval, wanted: float) -> float:
    """The wanted value if the interval holds it, else a value well inside."""
    if wanted in one:
        return wanted
    return (one.low + one.high) / 2 if math.isfinite(one.high) else 2 * one.low + 1


def _is_far(one: Interval, is_inverted: bool = False) -> bool:
    return one.low == 0 if is_inverted else one.high == INF and one.low >= SECTOR


def _is_small(one: Interval) -> bool:
    return one.low == 0 and one.high <= 1 / SECTOR


def _root(residual: Residual, theta: np.ndarray) -> Chart:
    """The chart of the constants themselves, with the abscissas and kinks at which the error is looked for."""
    still = [float(place) for place in residual.kink_places if not place.free_symbols]
    moving = [place for place in residual.kink_places if place.free_symbols]
    peaks = [b.x for b in minimax.branches(residual, theta, minimax.base_grid(residual)) if math.isfinite(b.x)]
    kinks = residual.kinks(theta)
    smooth = [x for x in peaks if not any(abs(x - k) <= 1e-9 * (1 + abs(k)) for k in kinks)]
    low, high = residual.norm.ends
    abscissas = np.unique(np.concatenate([_spread(low, high), smooth, still]))
    places = [Place(limit, Interval(0.0, 0.0), f"x = {end}") for end, limit in residual.limits]
    there = [(x, residual.expression.subs(X, x)) for x in moving]
    places += [Place(member, Interval(0.0, 0.0), x, x) for x, member in there if has_value(member)]
    inside = abscissas[(low <= abscissas) & (abscissas <= high)]
    movers = [x / 2 for x in moving]
    return Chart(residual.member, residual.target, residual.free, (low, high), inside, places, movers,
                 residual.required)  # fmt: skip


def _spread(low: float, high: float) -> np.ndarray:
    """Points of the domain that are denser around zero."""
    low = low if math.isfinite(low) else min(-OUT, high - OUT)
    high = high if math.isfinite(high) else max(OUT, low + OUT)
    return np.concatenate(
        [[low], np.clip(np.sinh(np.linspace(np.arcsinh(low), np.arcsinh(high), ABSCISSAS)), low, high), [high]]
    )
