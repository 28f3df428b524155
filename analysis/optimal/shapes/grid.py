"""The best continuous piecewise linear function with free knots, in the sup norm: globally, and fast.

N pieces reach the error E if and only if a path of N links lies in the tube f +- E, which a greedy walk decides
(`tube`). E is found by Newton's method for all links at once (`newton`), or between a tube that is passed and one that
is not (`bracket`). The path through the first is the design; the obstructions in the second prove that none is better
(`obstruction`). Links of one walk are carried over to the next, as far as they stay in its tube. On an infinite domain
the outer pieces are the asymptotes.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from analysis.activation.errors import BadInput
from analysis.optimal.shapes.contact import Contact
from analysis.optimal.shapes.curve import Curve, End, Line, Obstruction, Window
from analysis.optimal.shapes.linear import FARTHEST, MOST, Target
from analysis.optimal.shapes.newton import Chain, between
from analysis.optimal.shapes.tube import Walk

INF = math.inf
POINTS = 10  # of the grid for each piece of the design
SURVEY = 300  # gaps of the first look at the curvature
LUMP = 8  # times the mean mass of a gap: one with more is halved
EVENLY = 0.1  # of the mean density is everywhere: no part of the curve goes without points
FARTHER = 1e9  # may free knots be
PASSES = 1 + 1e-10  # times half a jump: with less, nothing passes it
HALVINGS = 40  # of a gap of the first look
FEW = 6  # links: fewer are walked anew
REACHES = 12  # guesses of the error, which says how far the grid goes, which says what error to expect
BEYOND = 0.25  # of a finite domain, on either side of which the curve is followed if it goes on


@dataclass(frozen=True)
class Attempt:
    """A walk through the tube of half-width `error`; `closing` holds the flattest and the steepest last link, if any.

    `excess` is how far the walk came beyond the end, negative if short of it, in shares of the knots' density.
    """

    error: float
    obstructions: tuple[Obstruction, ...]
    begin: Window
    end: End
    closing: tuple[Line | None, ...] = ()
    excess: float = 0.0
    apart: bool = False

    @property
    def arrives(self) -> bool:
        return bool(self.closing)


class Grid:
    """The curve of a target on as many points as a design with so many links needs, besides the asymptotes."""

    def __init__(self, target: Target, links: int, error: float, apart: bool = False, farthest: float = FARTHEST):
        self.target, self.links, self.apart = target, links, apart
        self.low, self.high = target.reach(error, farthest)
        self.beyond = target.beyond(error, (self.low, self.high))
        self.survey, self.mass = self._density(*self._extended(self.low, self.high))
        self.total = float(self.mass[-1])
        self.walked: Attempt | None = None
        self.known: tuple[Obstruction, ...] = ()  # the links of the last walk

    @classmethod
    def of(cls, target: Target, links: int, apart: bool = False, walked: Attempt | None = None) -> Grid:
        """For the error that so many links are expected to have; `apart` if they need not meet.

        `walked` is a walk through a tube of a like width, if one is known.
        """
        error = 1.0
        for _ in range(REACHES):
            found = cls(target, links, error, apart, FARTHER)
            if target.outer == (None, None) or found.expected() > error / 4:
                break
            error = found.expected()
        if walked:
            found.known = walked.obstructions
            walk, begin, end = Walk(found.curve, walked.error), found.begin(walked.error), found.end(walked.error)
            excess = found._excess(walk, begin, walked.obstructions, end)
            found.walked = replace(walked, begin=begin, end=end, excess=excess)
        return found

    def _extended(self, low: float, high: float) -> tuple[float, float]:
        """A little beyond finite ends, as far as f has values there: the walk then tells by how much it overshoots."""
        margin = BEYOND * (high - low)
        ends = []
        for end, infinite, direction in ((low, self.target.outer[0], -1), (high, self.target.outer[1], 1)):
            further = end + direction * margin
            jet = self.target.jet_at(end)
            steps = np.linspace(end, further, 16)
            goes_on = direction > 0 and infinite is None and all(math.isfinite(v) for x in steps for v in jet(x))
            ends.append(further if goes_on else end)
        return ends[0], ends[1]

    def _density(self, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
        """Abscissas and the integral of sqrt|f''| up to each, a measure of how many knots are due."""
        inner = [b for b in self.target.breaks if low < b < high]
        evenly, wide = (
            np.linspace(low, high, SURVEY + 1),
            np.sinh(np.linspace(math.asinh(low), math.asinh(high), SURVEY + 1)),
        )
        x = np.unique(np.concatenate([evenly, np.clip(wide, low, high), inner]))
        root = self._roots(x)
        for _ in range(HALVINGS):
            masses = root * np.diff(x)
            heavy = masses > LUMP * masses.sum() / SURVEY
            if not heavy.any():
                break
            x = np.sort(np.append(x, (x[1:][heavy] + x[:-1][heavy]) / 2))
            root = self._roots(x)
        mean = float(root @ np.diff(x)) / (high - low)
        root = root + (EVENLY * mean or 1.0)
        return x, np.concatenate([[0.0], np.cumsum(root * np.diff(x))])

    def _roots(self, x: np.ndarray) -> np.ndarray:
        """sqrt|f''| between neighbours."""
        roots = np.sqrt(abs(self.target.values((x[1:] + x[:-1]) / 2)[2]))
        return np.where(np.isfinite(roots), roots, 0.0)

    def expected(self) -> float:
        """The error of the links if the curve were nowhere bent the other way: each has 4 sqrt(E) of the mass."""
        return (self.due() / (4 * max(self.links, 1))) ** 2

    def due(self) -> float:
        """The mass of the domain itself."""
        return self.passed(self.high) - self.passed(self.low)

    def passed(self, x: float) -> float:
        return float(np.interp(x, self.survey, self.mass))

    @cached_property
    def curve(self) -> Curve:
        count = POINTS * (self.links + 2) + 1
        x = np.interp(np.linspace(0, self.total, count), self.mass, self.survey)
        special = (*self.target.breaks, self.low, self.high, *self._turns())
        inner = [b for b in special if x[0] <= b <= x[-1]]
        xs = np.unique(np.concatenate([x, inner, *self.beyond]))
        left, right = self.target.values(xs, "left")[0], self.target.values(xs)[0]
        left[0], right[-1] = right[0], left[-1]
        jets = [self.target.jet_at(m) for m in ((xs[1:] + xs[:-1]) / 2).tolist()]
        return Curve(xs.tolist(), np.minimum(left, right).tolist(), np.maximum(left, right).tolist(), jets)

    @property
    def largest(self) -> float:
        """The largest |f| where links touch it."""
        within = (abs(y) for x, y in zip(self.curve.xs, self.curve.high, strict=True) if self.low <= x <= self.high)
        return max(within)

    def _turns(self) -> list[float]:
        """Where f is at its farthest from an asymptote, for the asymptote to leave the tube there and not between."""
        found: list[float] = []
        for line in filter(None, self.target.lines):
            tilt = self.target.values(self.survey)[1] - line[0]
            for i in np.flatnonzero((tilt[1:] * tilt[:-1] <= 0) & (tilt[:-1] != 0)).tolist():
                low, high = self.survey[i : i + 2].tolist()
                jet = self.target.jet_at((low + high) / 2)
                for _ in range(HALVINGS):
                    middle = (low + high) / 2
                    low, high = (middle, high) if (jet(middle)[1] - line[0]) * tilt[i] > 0 else (low, middle)
                found.append(low)
        return found

    # the walk

    def attempt(self, error: float) -> Attempt:
        """Walks through the tube of that half-width."""
        links = self.links
        begin, end = self.begin(error), self.end(error)
        if self.target.jump and error <= self.target.half_jump * PASSES:
            return Attempt(error, (), begin, end, (), -self.total)
        if self.apart and begin.q >= end.x:  # the asymptotes alone are near enough
            return Attempt(error, (), begin, end, (None,), self.total, True)
        stop = End(end.x) if self.apart else end
        found: list[Obstruction] = []
        walk, pause, due = Walk(self.curve, error), 1, 1 if begin.slope is not None else 0
        while len(found) < links:
            if len(found) >= due and (carried := self._carried(begin, found, error)):
                found += (one for one in carried if one.x3 < end.x)
                due, pause = len(found) + 1, 1
            elif len(found) >= due:
                due, pause = len(found) + pause, 2 * pause
            window = self.window(begin, found)
            last = walk.farthest(window, stop)
            if not isinstance(last, Obstruction):
                excess = self._excess(walk, begin, found, end)
                closing = (self._onto(found, begin, end),) if last == (None, None) else last
                self.known = tuple(found)
                return Attempt(error, tuple(found), begin, end, closing, excess, self.apart)
            found.append(last)
        self.known = tuple(found)
        short = min(self.passed(found[-1].x3) - self.passed(end.x), 0.0)
        return Attempt(error, tuple(found), begin, end, (), short or -1e-3 * self.total / links, self.apart)

    def _excess(self, walk: Walk, begin: Window, found: Sequence[Obstruction], end: End) -> float:
        """How far a walk that arrives after those comes beyond the end, in shares of the density."""
        excess = self.passed(self.high) * (self.links - 1 - len(found)) / self.links
        free = walk.farthest(self.window(begin, found))
        if isinstance(free, Obstruction):
            excess += max(self.passed(free.x3) - self.passed(end.x), 0.0)
        return excess or self.total / self.links

    def _carried(self, begin: Window, found: Sequence[Obstruction], error: float) -> tuple[Obstruction, ...]:
        """The next links, from those of the last walk by Newton's method; as far as they stay in the tube."""
        window, like, links = self.window(begin, found), begin, list(self.known)
        if found:
            k = bisect_right([one.x3 for one in self.known], window.q)
            if not 0 < k < len(self.known):
                return ()
            before, after = self.known[k - 1].x3, self.known[k].x3
            share = (window.q - before) / (after - before)
            links = between(self.known[k - 1 :], share)
            if not links:
                return ()
            like = self.window(begin, [links.pop(0)])
        links = links[: self.links - 1 - len(found)]
        if len(links) < FEW or self.target.jump or like.side != window.side:
            return ()
        chain = Chain.of(self.target.values, self.target.breaks, like, None, links, self.apart)
        carried = replace(chain, start=window).carried(error) if chain else ()
        return carried[: self.curve.staying(window, carried, error, self.apart)]

    def _onto(self, found: Sequence[Obstruction], begin: Window, end: End) -> Line:
        """The last link where no wall bounds it: from the link before to the asymptote, where both are in the tube."""
        left, right = self.target.lines
        slope, intercept = left or right or (0.0, 0.0)
        before = found[-1].line if found else Line(slope, 0.0, intercept, math.nan, math.nan)
        if right is None:
            return before
        x, z = end.x, min((end.x + self.window(begin, found).q) / 2, end.last)
        y, onward = before.at(x), right[0] * z + right[1]
        return Line((onward - y) / (z - x) if z != x else math.nan, x, y, math.nan, math.nan)

    def window(self, begin: Window, found: Sequence[Obstruction]) -> Window:
        """From which the link after those begins."""
        window = found[-1].window if found else begin
        return Window(window.q, window.q, 0) if self.apart else window

    def unstopped(self, attempt: Attempt) -> list[Obstruction]:
        """A chain of all links, the last ones as if there were no end; shorter if there is no curve beyond it."""
        found, walk = list(attempt.obstructions[: self.links - 1]), Walk(self.curve, attempt.error)
        while len(found) < self.links:
            free = walk.farthest(self.window(attempt.begin, found))
            if not isinstance(free, Obstruction):
                break
            found.append(free)
        return found

    def bulge(self, line: Line, side: int, near: float, enough: float = INF) -> tuple[float, float]:
        """(height, abscissa) of the first local maximum of side*(f - line) from `near` on, if it is below `enough`."""
        curve, walls = self.curve, self.curve.high if side > 0 else self.curve.low
        first = i = curve.gap(near)
        best = -INF
        while i < len(curve.xs) and (value := side * (walls[i] - line.at(curve.xs[i]))) >= best:
            best, i = value, i + 1
            if best > enough:
                return INF, curve.xs[i - 1]
        top = Contact(curve, side, curve.xs[i - 1], curve.xs[first])
        top.settle(line.slope)
        return max((best, curve.xs[i - 1]), (side * (top.y - line.at(top.x)), top.x))

    def begin(self, error: float) -> Window:
        line = self.target.lines[0]
        if line is None:
            return Window(self.low, self.low, 0)
        x, side = self._leaves(line, error, 1)
        return Window(x, x, side) if self.apart else Window(self.curve.xs[0], x, side, line[0])

    def end(self, error: float) -> End:
        line, last = self.target.lines[1], self.curve.xs[-1]
        if line is None:
            return End(self.high)
        return End(*self._leaves(line, error, -1), last, line[0] * last + line[1], line[0])

    def _leaves(self, line: tuple[float, float], error: float, direction: int) -> tuple[float, int]:
        """Where an asymptote, coming from its end, leaves the tube, and through which wall."""
        curve, (slope, intercept) = self.curve, line
        order = range(len(curve.xs)) if direction > 0 else range(len(curve.xs) - 1, -1, -1)
        for i in order:
            above = curve.high[i] - slope * curve.xs[i] - intercept
            below = curve.low[i] - slope * curve.xs[i] - intercept
            if above > error or below < -error:
                side = 1 if above > error else -1
                return self._crossing(i, direction, side, line, error), side
        return (INF if direction > 0 else -INF), 0

    def _crossing(self, index: int, direction: int, side: int, line: tuple[float, float], error: float) -> float:
        """By bisection and Newton's method in the gap through which the line leaves."""
        curve, (slope, intercept) = self.curve, line
        outside, inside = curve.xs[index], curve.xs[max(index - direction, 0)]
        if index == 0 or inside == outside:
            return outside
        jet, x = curve.jet_between(outside, inside), outside
        for _ in range(60):
            value, tilt = jet(x)[:2]
            excess = side * (value - slope * x - intercept) - error
            if excess > 0:
                outside = x
            else:
                inside = x
            tilt = side * (tilt - slope)
            step = excess / tilt if tilt else INF
            if abs(step) <= 4e-16 * abs(x) or abs(outside - inside) <= 4e-16 * abs(x):
                break
            low, high = min(inside, outside), max(inside, outside)
            x = x - step if low < x - step < high else (low + high) / 2
        return x


def fewest_links(target: Target, error: float) -> Attempt:
    """The walk through the tube of half-width `error` with as few links as it takes."""
    grid = Grid(target, 1, error, farthest=FARTHER)
    grid.links = min(MOST, 8 + 2 * round(grid.total / (4 * math.sqrt(error))))
    while True:
        found = grid.attempt(error)
        if found.arrives:
            return found
        if grid.links >= MOST:
            raise BadInput(f"expected a tolerance that {MOST} pieces can keep, got {error:g}")
        grid = Grid(target, 1, error, farthest=FARTHER)
        grid.links = min(2 * len(found.obstructions), MOST)
