"""That no other constants are better in a mean square: l2, gaussian, grid and samples.

F(theta) is the integral of w r^2. A lower bound of the integral F over a bounded window is one of F, so that tails need
no bound; the window is so wide that the loss is far below the gap that is asked for. Over a window, cells X_i with
moments of w that are proved give, for whole boxes of constants at once (`analysis.rigorous.columns`):

  value      F >= sum of W_i rho_i^2 less what the slope of r may take away, rho_i = min |r(x_i)|: where it exceeds the
             error squared, the box holds no better member;
  gradient   2 sum of W_i r r_j, r and its derivative enclosed over the cell: where some direction excludes zero, the
             box holds no local minimum;
  convexity  one box around theta, in which the Hessian is positive definite, 2 integral of w (r_j r_l + r r_jl) and
             2 w r [r_x] k_j k_l at each kink k(theta) of r that moves. In coordinates in which it is nearly the unit
             matrix with least eigenvalue m, F >= F(theta) - |grad F(theta)|^2/(2m), and the members as good as theta
             are no farther than R from it.

Why this is enough: let every constant that is admitted lie in a box of one of the three kinds, and that ball of radius
R inside the convex box. Suppose that F <= error^2 somewhere outside the ball. The least such value outside is taken,
as boxes near infinity and near the edge of what is admitted are of the first kind; it is not taken in the convex box,
whose members outside the ball are worse, so that it is a local minimum in a box of the second kind: a contradiction.
"""

from __future__ import annotations

import itertools
import math
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy as sp
from flint import arb, ctx
from scipy import linalg

from analysis.activation.errors import Undecided
from analysis.activation.functions import clip, derivative, relu, sigmoid, softplus, step
from analysis.activation.parsing import X
from analysis.exact.pieces import SWITCHING
from analysis.exact.verdict import Verdict
from analysis.optimal.fitting.bound import Box
from analysis.optimal.fitting.charts import Chart, is_hard
from analysis.optimal.fitting.continuity import Continuity, arm, check_arms
from analysis.optimal.fitting.moments import PRECISION, Cells, Weight
from analysis.optimal.fitting.moving import KinkTerms, ball
from analysis.optimal.fitting.proof import GAP, GAP_BEYOND, Optimum, Search, everything
from analysis.optimal.fitting.quadrature import quadrature
from analysis.optimal.fitting.region import Region, curvatures, integrated, narrowed, products, square_below, turned
from analysis.optimal.fitting.residual import Residual
from analysis.rigorous import balls, columns, integral, intervals
from analysis.rigorous.columns import Column
from analysis.rigorous.intervals import INF, Interval

SECONDS = 20.0  # of the processor, so that a busy machine decides as much
MOST_BOXES = 400_000
BATCH = 48  # boxes that are looked at in one pass
NARROWEST = 1e-7  # on the compact scale: halving does not help
ANCHOR = sp.Rational(1, 16)  # -x where the size of a member is told from its rate
WINDOWS = {"gaussian": (8.5, 13.0), "l2": (24.0, 48.0, 96.0)}  # in standard deviations, in x
HIGHEST = 9  # power of x that tails are compared with
LEVELS = ((64, INF), (256, 30.0))  # how many cells, for boxes up to which size
POINTS = 4096, 0.1  # the same for a grid or samples, each point a cell: between two of them no kink is in the way
FINE = 768  # cells for the convex box
WIDEST, SHRINK, SHRINKS = 8.0, 0.75, 40  # the convex box: its first radius in terms of r, and how it shrinks
LEAST = 0.05  # eigenvalue that the Hessian, nearly the unit matrix at theta, has in the convex box


def prove(residual: Residual, theta: np.ndarray, error: float) -> Optimum:
    """How close the error (an upper bound at theta, in the unit of the norm) is to the least possible one.

    `unique` is True where proved, else None.
    """
    if error == 0:
        return Optimum(0.0, 0.0, {}, Verdict.PROVED, "")
    try:
        _check(residual)
        return _Proof(residual, np.asarray(theta, float), error).run()
    except Undecided as reason:
        return Optimum.undecided(f"open is {reason}")


def _check(residual: Residual) -> None:
    """Undecided unless r is continuous, and its gradient wherever no kink moves."""
    for node in sp.preorder_traversal(residual.expression):
        if isinstance(node, step | sp.sign | sp.Heaviside):
            raise Undecided(f"whether the difference, with {node}, is continuous")
        if isinstance(node, sp.Piecewise):
            check_arms(node)
        elif (
            isinstance(node, SWITCHING)
            and node.has(X)
            and node.has(*residual.free)
            and not isinstance(node, clip | relu)
        ):
            raise Undecided(f"the second derivative by constants of {node}")
    box = [Interval(*residual.norm.ends), *everything(residual.free)]
    if not Continuity(residual.expression, (X, *residual.free), residual.free).holds(box):
        raise Undecided("whether the difference is continuous for all constants")


# theta itself


def _put(expression: sp.Expr, residual: Residual, theta: np.ndarray) -> sp.Expr:
    return expression.subs({s: sp.Rational(float(t)) for s, t in zip(residual.free, theta, strict=True)})


def _inner_square(residual: Residual, f: sp.Expr, window: tuple[float, float]) -> arb:
    """The integral of w f^2 over the window."""
    norm = residual.norm
    if norm.points is not None:
        evaluate = balls.evaluator(f)
        values = (evaluate(arb(float(x))) for x in norm.points)
        return sum((v * v for v in values), arb(0)) / len(norm.points)
    ends = (sp.Rational(window[0]), sp.Rational(window[1]))
    size = integral.l2(f, *ends) if norm.kind == "l2" else integral.gaussian(f, norm.sigma, *ends)
    return size.lower.union(size.upper) ** 2


def _gradient(residual: Residual, theta: np.ndarray, window: tuple[float, float]) -> list[arb]:
    """2 integral of w r r_j, from 4 r r_j = (r + r_j)^2 - (r - r_j)^2."""
    r = _put(residual.expression, residual, theta)
    found = []
    for symbol in residual.free:
        slope = _put(derivative(residual.expression, symbol), residual, theta)
        more, less = (_inner_square(residual, r + sign * slope, window) for sign in (1, -1))
        found.append((more - less) / 2)
    return found


# the search


@dataclass(frozen=True)
class Convex:
    """A box around theta in which the Hessian, in the coordinates e of theta' = theta + turn^T e, is at least m."""

    box: Box
    least: arb


@dataclass(frozen=True)
class Waiting:
    """A box that is to be halved, and a lower bound of F over it."""

    chart: Chart
    box: Box
    bound: float


class _Proof(Search):
    def __init__(self, residual: Residual, theta: np.ndarray, error: float):
        self.residual, self.theta, self.error = residual, theta, error
        self.tolerance = GAP.get(len(theta), GAP_BEYOND)
        self.root = Chart(residual.member, residual.target, residual.free, residual.norm.ends, np.array([0.0]))
        self.regions: dict[Chart, Region] = {}
        self.anchored: dict[Chart, Chart] = {}
        with ctx.workprec(PRECISION):
            square = error if residual.norm.is_discrete else (arb(error) ** 2).upper()
            self.goal = math.nextafter(float(square), INF)  # of F
            self.window, self.square = self._window()
            self.gradient = _gradient(residual, theta, self.window)
        places = zip(residual.kinks(theta), residual.kink_places, strict=True)
        self.kinks = [float(k) for k, place in places if place.free_symbols]
        (coarse, far), (fine, near) = LEVELS
        self.levels = [(self._cells(coarse), far), (self._cells(fine, self.kinks), near)]
        if residual.norm.points is not None and fine < len(residual.norm.points) <= POINTS[0]:
            self.levels.append((self._cells(POINTS[0]), POINTS[1]))
        self.turn = _turn(residual, theta)
        self.boxes = 0

    def run(self) -> Optimum:
        convex = self._convex()
        remaining = self._search(convex)
        return self._answer_of(convex, remaining)

    # the window

    def _window(self) -> tuple[tuple[float, float], arb]:
        """The ends of the window, and F over it at theta: a wider one until the loss is small."""
        norm = self.residual.norm
        scale = norm.sigma if norm.kind == "gaussian" else 1.0
        windows = [(max(norm.lower, -r * scale), min(norm.upper, r * scale)) for r in WINDOWS.get(norm.kind, (INF,))]
        here, found = _put(self.residual.expression, self.residual, self.theta), None
        for window in (w for w in windows if w[0] < w[1]):
            found = window, _inner_square(self.residual, here, window)
            if found[1].lower() >= self.goal * (1 - 0.2 * self.tolerance):
                break
        if found is None:
            raise Undecided("a domain so far out")
        return found

    def _cells(self, count: int, kinks: Sequence[float] = ()) -> Cells:
        return Cells.of(self.residual, self.window, count, kinks)

    # boxes

    def _search(self, convex: Convex) -> list[Waiting]:
        """What is left when all is discarded that can be; it stops where halving is seen not to help."""
        deadline = time.process_time() + SECONDS
        waiting = [Waiting(self.root, self._everything(), 0.0)]
        while waiting and self.boxes < MOST_BOXES and time.process_time() < deadline:
            batch, waiting = waiting[-BATCH:], waiting[:-BATCH]
            self.boxes += len(batch)
            left = self._left(batch, convex)
            if any(self._is_narrow(one.box) for one in left):
                return waiting + left
            waiting += [Waiting(*part, one.bound) for one in left for part in self._parts(one.chart, one.box)]
        return waiting

    def _is_narrow(self, box: Box) -> bool:
        return min(self._compact(one.high, i) - self._compact(one.low, i) for i, one in enumerate(box)) < NARROWEST

    def _left(self, batch: list[Waiting], convex: Convex) -> list[Waiting]:
        """The boxes that must be halved: not in the convex one, nor discarded by their values or slopes."""
        left = []
        for chart, boxes in _by_chart(batch):
            if chart is self.root:
                boxes = [b for b in boxes if not _lies_in(b, convex.box)]
            bounds: dict[Box, float] = {}
            for cells, most in self.levels:
                is_tried = [most == INF or is_hard(b) or (chart is self.root and self._size(b) < most) for b in boxes]
                chosen, rest = _parted(boxes, is_tried)
                kept = self._kept(cells, chart, chosen)
                boxes = rest + [one.box for one in kept]
                bounds |= {one.box: one.bound for one in kept}
            left += [Waiting(chart, box, bounds.get(box, 0.0)) for box in boxes]
        return left

    def _kept(self, cells: Cells, chart: Chart, boxes: list[Box]) -> list[Waiting]:
        if not boxes:
            return []
        lower, values = self._bounds(cells, chart, boxes)
        keep = lower <= self.goal
        chosen = np.flatnonzero(keep & np.array([chart is self.root and not is_hard(b) for b in boxes]))
        if len(chosen):
            near = [boxes[i] for i in chosen]
            keep[chosen[self._has_slope(cells, near, [_rows_of(v, chosen) for v in values])]] = False
        return [Waiting(chart, boxes[i], float(lower[i])) for i in np.flatnonzero(keep)]

    def _size(self, box: Box) -> float:
        """The largest width, in terms of the change of r against r."""
        return max((one.high - one.low) * s for one, s in zip(box, self.sensitivity, strict=True)) / math.sqrt(
            self.goal
        )

    def _region(self, chart: Chart) -> Region:
        if chart not in self.regions:
            self.regions[chart] = Region(chart)
        return self.regions[chart]

    def _bounds(self, cells: Cells, chart: Chart, boxes: list[Box]) -> tuple[np.ndarray, tuple[Column, Column, Column]]:
        with np.errstate(all="ignore"):
            values = self._region(chart).difference(cells, _stacked(boxes))
            return square_below(cells, *values), values

    def _has_slope(self, cells: Cells, boxes: list[Box], values: Sequence[Column]) -> np.ndarray:
        """For each box, whether F is proved to have a slope of one sign in one of the directions."""
        found = np.zeros(len(boxes), bool)
        with np.errstate(all="ignore"):
            r = values[0], narrowed(cells, *values), values[2]
            slopes, kinked = self._turned_slopes(cells, boxes)
            for slope in slopes:
                along = columns.total(products(cells, r, slope, kinked))
                found |= (along.low > 0) | (along.high < 0)
        return found

    def _turned_slopes(self, cells: Cells, boxes: list[Box]) -> tuple[list[tuple[Column, ...]], np.ndarray]:
        """r_e for each turned coordinate e: at x, over the cell, its slope over it; and the cells where it may jump."""
        region, stacked = self._region(self.root), _stacked(boxes)
        kinked = np.zeros((len(boxes), len(cells.mass.low)), bool)
        for k in region.places(cells.x, *stacked):
            kinked |= (k.low <= cells.over.high) & (k.high >= cells.over.low)
        at, over = region.slopes(cells.x, *stacked), region.slopes(cells.over, *stacked)
        parts = (turned(self.turn, v) for v in (at, over, region.twists(cells.over, *stacked)))
        return list(zip(*parts, strict=True)), kinked

    def _sectors(self, chart: Chart, box: Box, far: list[int]) -> list[tuple[Chart, Box]]:
        """By the size at a place, where there is one, since no ratio tells s from exp(beta) where both are far."""
        if chart in self.anchored.values():
            i = self._widest(box)
            cut = self._cut(box[i], i)
            halves = Interval(box[i].low, cut), Interval(cut, box[i].high)
            return [(chart, (*box[:i], half, *box[i + 1 :])) for half in halves]
        for i in far:
            if anchored := self._anchored(chart, i, far):
                return [(anchored, (*box[:i], Interval(0.0, INF), *box[i + 1 :]))]
        return super()._sectors(chart, box, far)

    def _anchored(self, chart: Chart, i: int, far: list[int]) -> Chart | None:
        """The chart in which a factor s of sigmoid(u), u linear in x, is in units of 1/sigmoid(u) at x = -ANCHOR.

        sigmoid(u)/sigmoid(v) = exp(u - v) sigmoid(-u)/sigmoid(-v).
        """
        s, others = chart.symbols[i], {chart.symbols[j] for j in far if j != i}
        for node in chart.member.atoms(sigmoid):
            (u,) = node.args
            stand_in = chart.member.xreplace({node: sp.Symbol("u") / s})
            if not s.is_positive or stand_in.has(s) or not u.free_symbols & others or sp.diff(u, X).has(X):
                continue
            if chart not in self.anchored:
                v = u.subs(X, -ANCHOR)
                ratio = sp.exp(sp.factor(u - v)) * sigmoid(-u) / sigmoid(-v)
                found = Chart(chart.member, chart.target, chart.symbols, chart.domain, chart.abscissas)
                found.member = chart.member.xreplace({node: ratio})  # as it stands: u - v must remain factored
                self.anchored[chart] = found
            return self.anchored[chart]
        return None

    def _steepest(self, chart: Chart, box: Box) -> int:
        widths = [(one.high - one.low) * s for one, s in zip(box, self.sensitivity, strict=True)]
        return int(np.argmax(widths)) if chart is self.root else self._widest(box)

    @cached_property
    def sensitivity(self) -> np.ndarray:
        """The roots of the Hessian's diagonal at theta."""
        inverse = np.linalg.inv(self.turn)
        return np.sqrt((inverse**2).sum(axis=1))

    # the convex box

    def _convex(self) -> Convex:
        cells = self._cells(FINE, self.kinks)
        kinks = KinkTerms(self.root, self.residual.norm, self.window)
        for shrunk in range(SHRINKS):
            radii = WIDEST * SHRINK**shrunk * math.sqrt(self.goal) / self.sensitivity
            box = tuple(Interval(float(t - r), float(t + r)) for t, r in zip(self.theta, radii, strict=True))
            if not self._is_admitted(box):
                continue
            hessian = self._hessian(cells, kinks, box)
            if hessian is not None and (least := _least_eigenvalue(hessian)) > LEAST:
                return Convex(box, least)
        raise Undecided("whether the error is convex around these constants")

    def _is_admitted(self, box: Box) -> bool:
        return all(one.low > 0 for one, s in zip(box, self.residual.free, strict=True) if s.is_nonnegative)

    def _hessian(self, cells: Cells, kinks: KinkTerms, box: Box) -> np.ndarray | None:
        """The Hessian of F over the window in the turned coordinates, a matrix of balls."""
        total = kinks.over(box, self.turn)
        if total is None:
            return None
        region, boxes, n = self._region(self.root), _stacked([box]), len(box)
        with np.errstate(all="ignore"):
            r = narrowed(cells, *region.difference(cells, boxes))
            slopes, kinked = self._turned_slopes(cells, [box])
            bends = _square_matrix(region.curvatures(cells.over, *boxes), n)
            bends = [turned(self.turn, row) for row in bends]
            bends = [turned(self.turn, column) for column in zip(*bends, strict=True)]
            for i, j in itertools.product(range(n), range(n)):
                outer = columns.total(products(cells, slopes[i], slopes[j], kinked))
                bent = integrated(cells, columns.multiply(r, bends[i][j]))
                total[i, j] += ball(_only(outer)) + ball(_only(bent))
        return total

    # the answer

    def _answer_of(self, convex: Convex, remaining: list[Waiting]) -> Optimum:
        with ctx.workprec(PRECISION):
            lower = self._lower(convex, remaining)
            root = lower if self.residual.norm.is_discrete else lower.sqrt().lower()
            bound = max(0.0, math.nextafter(float(root), -INF)) if lower > 0 else 0.0
            hull = self._hull(convex)
        gap = (self.error - bound) / self.error
        is_complete = not remaining and hull is not None
        is_proved = is_complete and gap <= self.tolerance
        verdict = Verdict.PROVED if is_proved else Verdict.UNDECIDED
        box = hull if is_complete and hull else self._everything()
        names = [s.name for s in self.residual.free]
        reason = "" if is_proved else self._reason(remaining, gap)
        unique = True if is_proved and hull and self._is_strict(hull, convex.least) else None
        return Optimum(bound, gap, dict(zip(names, box, strict=True)), verdict, reason, self.boxes, unique)

    def _is_strict(self, hull: Box, least: arb) -> bool:
        """Whether F itself is strictly convex over the hull: what the tails of r r_jl may take away is less than m."""
        with ctx.workprec(PRECISION):
            ends = zip((-1, 1), self.window, self.residual.norm.ends, strict=True)
            tails = [self._tail_bend(hull, side, abs(start)) for side, start, end in ends if start != end]
            return self.residual.norm.is_discrete or bool(sum(tails, arb(0)) < least)

    def _tail_bend(self, hull: Box, side: int, start: float) -> arb:
        """A bound of the norm of 2 integral of w r r_jl over side*x > start, in the turned coordinates."""
        over = Interval(start, INF) if side > 0 else Interval(-INF, -start)
        places = self._region(self.root).places(Column(0.0, 0.0), *(Column(*one) for one in hull))
        if any(max(side * float(k.low), side * float(k.high)) >= start for k in places):
            return arb.pos_inf()
        still = [float(k) for k in self.residual.kink_places if not k.free_symbols]
        if any(side * k >= start for k in still):
            return arb.pos_inf()
        bends = curvatures(self._region(self.root)._slopes, self.residual.free)
        (of_r, power), *grown = [self._growth(e, over, hull) for e in (self.residual.expression, *bends)]
        if all(size == 0 for size, _ in grown):
            return arb(0)
        largest = sum((size * Weight(self.residual.norm).beyond(start, power + p) for size, p in grown), arb(0))
        return 4 * of_r * largest * sum((arb(c) ** 2 for c in self.turn.ravel()), arb(0))

    def _growth(self, expression: sp.Expr, over: Interval, hull: Box) -> tuple[arb, int]:
        """(G, p) with |expression| <= G |x|^p over the tail and the box."""
        there = _on_tail(expression, over)
        for power in range(HIGHEST):
            (range_,) = intervals.evaluators(sp.expand(there / X**power), variables=(X, *self.residual.free))(
                over, *hull
            )
            if math.isfinite(range_.high - range_.low):
                return ball(range_).abs_upper(), power
        return arb.pos_inf(), 0

    def _lower(self, convex: Convex, remaining: list[Waiting]) -> arb:
        """Of F: boxes that are discarded by their slope hold no least value."""
        inside = (self.square - self._slope_squared() / (2 * convex.least)).lower()
        return inside.min(arb(min((one.bound for one in remaining), default=self.goal)))

    def _slope_squared(self) -> arb:
        """An upper bound of |turn gradient|^2."""
        rows = (sum((arb(c) * g for c, g in zip(row, self.gradient, strict=True)), arb(0)) for row in self.turn)
        return sum((slope.abs_upper() ** 2 for slope in rows), arb(0)).upper()

    def _hull(self, convex: Convex) -> Box | None:
        """A box inside the convex one that holds its members as good as theta: m e^2/2 - |g| e <= error^2 - F."""
        slope_squared, spare = self._slope_squared(), (arb(self.goal) - self.square).upper().max(arb(0))
        radius = (slope_squared.sqrt() + (slope_squared + 2 * convex.least * spare).sqrt()) / convex.least
        ends = []
        for j, t in enumerate(self.theta):
            length = sum((arb(c) ** 2 for c in self.turn[:, j]), arb(0)).sqrt()
            ends.append(intervals.around(arb(float(t)) + radius * length * arb(0, 1)))
        inside = all(a.low < b.low and b.high < a.high for a, b in zip(convex.box, ends, strict=True))
        return tuple(ends) if inside else None

    def _reason(self, remaining: list[Waiting], gap: float) -> str:
        if remaining:
            return f"{len(remaining)} boxes of constants are left after {self.boxes}, the gap is {gap:.2g}"
        return f"the gap is {gap:.2g}"


def _on_tail(expression: sp.Expr, over: Interval) -> sp.Expr:
    """The expression with the arms that hold over the tail, in which softplus leaves the power of x that it follows."""
    inside = sp.Rational(over.low + 1 if over.high == INF else over.high - 1)
    arms = expression.replace(lambda e: isinstance(e, sp.Piecewise), lambda e: arm(e, inside))
    return arms.replace(softplus, lambda z: z + softplus(-z)) if over.high == INF else arms


def _turn(residual: Residual, theta: np.ndarray) -> np.ndarray:
    """Rows that make the Hessian at theta nearly the unit matrix: a choice of coordinates in floating point."""

    def gradient(t: np.ndarray) -> np.ndarray:
        x, w = quadrature(residual.norm, residual.kinks(t))
        return 2 * (w * residual(x, t)) @ residual.gradient(x, t)

    steps = 1e-4 * (np.abs(theta) + 1e-3)
    rows = [
        (gradient(theta + h * e) - gradient(theta - h * e)) / (2 * h)
        for h, e in zip(steps, np.eye(len(theta)), strict=True)
    ]
    hessian = (np.array(rows) + np.array(rows).T) / 2
    try:
        return linalg.solve_triangular(np.linalg.cholesky(hessian), np.eye(len(theta)), lower=True)
    except (np.linalg.LinAlgError, ValueError):
        raise Undecided("the second derivatives at these constants, which show no strict minimum") from None


def _least_eigenvalue(matrix: np.ndarray) -> arb:
    """A lower bound by Gershgorin's discs."""
    n = len(matrix)
    if not all(entry.is_finite() for entry in matrix.ravel()):
        return arb(-1)
    rows = [matrix[i, i] - sum((abs(matrix[i, j]) for j in range(n) if j != i), arb(0)) for i in range(n)]
    return arb(min(float(row.lower()) for row in rows) * (1 - 1e-15))


def _only(entry: Column) -> Interval:
    return Interval(float(entry.low[0]), float(entry.high[0]))


def _square_matrix(upper: Sequence[Column], n: int) -> list[list[Column]]:
    index = {pair: k for k, pair in enumerate(itertools.combinations_with_replacement(range(n), 2))}
    return [[upper[index[min(i, j), max(i, j)]] for j in range(n)] for i in range(n)]


def _parted(boxes: list[Box], chosen: Sequence[bool]) -> tuple[list[Box], list[Box]]:
    pairs = list(zip(boxes, chosen, strict=True))
    return [b for b, c in pairs if c], [b for b, c in pairs if not c]


def _stacked(boxes: Sequence[Box]) -> list[Column]:
    ends = np.array(boxes, float)  # (boxes, constants, 2)
    return [Column(ends[:, i, :1], ends[:, i, 1:]) for i in range(ends.shape[1])]


def _rows_of(values: Column, chosen: np.ndarray) -> Column:
    return Column(*(end[chosen] for end in np.broadcast_arrays(*values)))


def _by_chart(batch: Sequence[Waiting]) -> list[tuple[Chart, list[Box]]]:
    groups: dict[Chart, list[Box]] = defaultdict(list)
    for one in batch:
        groups[one.chart].append(one.box)
    return list(groups.items())


def _lies_in(box: Box, other: Box) -> bool:
    return all(b.low <= a.low and a.high <= b.high for a, b in zip(box, other, strict=True))
