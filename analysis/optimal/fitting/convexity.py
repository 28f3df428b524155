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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import sympy as sp
from flint import arb, ctx
from scipy import linalg

from analysis.activation.errors import Undecided
from analysis.activation.functions import clip, derivative, relu, sigmoid, softplus, step
from analysis.activation.parsing import X
from analysis.exact.pieces import SWITCHING, switches
from analysis.exact.verdict import Verdict
from analysis.optimal.fitting.charts import Box, Chart, homogeneous, is_hard
from analysis.optimal.fitting.continuity import Continuity, arm, check_arms
from analysis.optimal.fitting.proof import GAP, GAP_BEYOND, Optimum, Search, everything
from analysis.optimal.fitting.quadrature import quadrature
from analysis.optimal.fitting.residual import Residual
from analysis.rigorous import balls, columns, integral, intervals
from analysis.rigorous.columns import Column
from analysis.rigorous.intervals import INF, Interval
from analysis.rigorous.norms import Norm

SECONDS = 20.0  # of the processor, so that a busy machine decides as much
MOST_BOXES = 400_000
BATCH = 48  # boxes that are looked at in one pass
NARROWEST = 1e-7  # on the compact scale: halving does not help
ANCHOR = sp.Rational(1, 16)  # -x where the size of a member is told from its rate
PRECISION = 128
WINDOWS = {"gaussian": (8.5, 13.0), "l2": (24.0, 48.0, 96.0)}  # in standard deviations, in x
HIGHEST = 9  # power of x that tails are compared with
LEVELS = ((64, INF), (256, 30.0))  # how many cells, for boxes up to which size
FINE = 768  # cells for the convex box
NEAREST, FARTHEST = 1e-3, 10.0  # how near the kinks at theta cells come, and from how far
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


# cells


@dataclass(frozen=True)
class Cells:
    """Cells with a place x inside, the moments of the weight, and the target there; each array has one row a cell.

    `mass` is the integral of w, `right` and `left` are the integrals of w |x' - x| on that side of x.
    """

    x: Column
    over: Column
    mass: Column
    right: Column
    left: Column
    target: Column
    target_over: Column
    target_slope: Column

    @classmethod
    def of(cls, residual: Residual, window: tuple[float, float], count: int, kinks: Sequence[float] = ()) -> Cells:
        with ctx.workprec(PRECISION):
            rows = list(_rows(residual, window, count, kinks))
            bound = _target_bounds(residual.target)
            targets = [bound(x, over) for x, over, *_ in rows]
        x, over, mass, right, left = (columns.column(c) for c in zip(*rows, strict=True))
        return cls(x, over, mass, right, left, *(columns.column(c) for c in zip(*targets, strict=True)))

    @cached_property
    def aside(self) -> Column:
        """x' - x over the cell."""
        return columns.add(self.over, columns.negative(self.x))


def _rows(residual: Residual, window: tuple[float, float], count: int, kinks: Sequence[float]):
    norm = residual.norm
    if norm.points is not None:
        groups = np.array_split(np.sort(norm.points), min(count, len(norm.points)))
        for group in groups:
            yield _row(_Points(group, len(norm.points)), float(group[0]), float(np.mean(group)), float(group[-1]))
        return
    weight = _Weight(norm)
    for low, high in pairwise(_edges(residual, window, count, kinks)):
        yield _row(weight, float(low), float(low + high) / 2, float(high))


def _row(weight, low: float, x: float, high: float) -> tuple[Interval, ...]:
    x = min(max(x, low), high)
    right, left = weight.first(x, high), weight.first(x, low)
    return Interval(x, x), Interval(low, high), weight.mass(low, high), right, left


def _edges(residual: Residual, window: tuple[float, float], count: int, kinks: Sequence[float]) -> np.ndarray:
    """About `count` cells, narrower near zero, with the kinks that stay among them, and ever narrower at `kinks`."""
    scale = residual.norm.sigma if residual.norm.kind == "gaussian" else 1.0
    low, high = np.arcsinh(np.array(window) / scale)
    edges = scale * np.sinh(np.linspace(low, high, count + 1))
    still = [float(k) for k in residual.kink_places if not k.free_symbols]
    steps = np.geomspace(NEAREST, FARTHEST, count // 4) * scale
    near = [k + side * steps for k in kinks for side in (-1, 1)]
    edges = np.concatenate([edges[1:-1], still, [0.0], *near])
    return np.unique([*edges[(window[0] < edges) & (edges < window[1])], *window])


class _Weight:
    """Moments of the density of the norm; of dx with sigma None."""

    def __init__(self, norm: Norm):
        self.sigma = arb(norm.sigma) if norm.kind == "gaussian" else None

    def density(self, x: arb) -> arb:
        if self.sigma is None:
            return arb(1)
        return (-((x / self.sigma) ** 2) / 2).exp() / (self.sigma * (2 * arb.pi()).sqrt())

    def beyond(self, start: float, power: int) -> arb:
        """The integral of w x^power over x > start > 0: sigma^n 2^(n/2 - 1)/sqrt(pi) Gamma((n + 1)/2, z)."""
        if self.sigma is None:
            return arb.pos_inf()
        half = arb(power + 1) / 2
        scale = self.sigma**power * arb(2) ** (half - arb(1.5)) / arb.pi().sqrt()
        return (scale * ((start / self.sigma) ** 2 / 2).gamma_upper(half)).upper()

    def mass(self, low: float, high: float) -> Interval:
        return intervals.around(self._mass(arb(low), arb(high)))

    def _mass(self, low: arb, high: arb) -> arb:
        if self.sigma is None:
            return high - low
        scale = self.sigma * arb(2).sqrt()
        if low > 0:
            return ((low / scale).erfc() - (high / scale).erfc()) / 2
        return ((-high / scale).erfc() - (-low / scale).erfc()) / 2

    def first(self, x: float, end: float) -> Interval:
        """The integral of w |x' - x| between x and the end."""
        at, to = arb(x), arb(end)
        if self.sigma is None:
            return intervals.around((to - at) ** 2 / 2)
        moment = self.sigma**2 * (self.density(at) - self.density(to)) - at * self._mass(at, to)
        return intervals.around(abs(moment))


class _Points:
    """Moments of a group of points out of `count` equal ones."""

    def __init__(self, group: np.ndarray, count: int):
        self.group, self.count = group, count

    def mass(self, _low: float, _high: float) -> Interval:
        return intervals.around(arb(len(self.group)) / self.count)

    def first(self, x: float, end: float) -> Interval:
        beyond = (abs(arb(float(p)) - arb(x)) for p in self.group if (p - x) * (end - x) > 0)
        return intervals.around(sum(beyond, arb(0)) / self.count)


def _target_bounds(target: sp.Expr) -> Callable[[Interval, Interval], tuple[Interval, Interval, Interval]]:
    """A function from x and its cell to the target at x, over the cell, and its slope over the cell."""
    slope, curvature = derivative(target, X), derivative(target, X, 2)
    point, hull = balls.evaluators(target, slope), balls.evaluators(target, slope, curvature)
    is_smooth = not target.has(*SWITCHING)

    def enclose(x: Interval, over: Interval) -> tuple[Interval, Interval, Interval]:
        at, cell = arb(x.low), arb(over.low).union(arb(over.high))
        (value_at, slope_at), (value, steep, bend) = point(at), hull(cell)
        steep = _meet(steep, slope_at + bend * (cell - at)) if is_smooth else steep
        value = _meet(value, value_at + steep * (cell - at))
        return intervals.around(value_at), intervals.around(value), intervals.around(steep)

    return enclose


def _meet(a: arb, b: arb) -> arb:
    """The narrower of two enclosures."""
    return b if b.is_finite() and (not a.is_finite() or b.rad() < a.rad()) else a


# r over cells and boxes


class _Region:
    """The difference and its derivatives over cells and boxes of constants, which come with the shape (boxes, 1)."""

    def __init__(self, chart: Chart):
        self.chart = chart
        self.value = self._lowered([chart.member])
        self.values = self._lowered([chart.member, homogeneous(derivative(chart.member, X))])

    def _lowered(self, expressions: Sequence[sp.Expr]) -> Callable[..., list[Column]]:
        return columns.evaluators(*expressions, variables=(X, *self.chart.symbols))

    @cached_property
    def _slopes(self) -> list[sp.Expr]:
        return [homogeneous(derivative(self.chart.member, s)) for s in self.chart.symbols]

    @cached_property
    def slopes(self) -> Callable[..., list[Column]]:
        """The derivatives by the constants."""
        return self._lowered(self._slopes)

    @cached_property
    def twists(self) -> Callable[..., list[Column]]:
        """Their slopes in x."""
        return self._lowered([homogeneous(derivative(s, X)) for s in self._slopes])

    @cached_property
    def curvatures(self) -> Callable[..., list[Column]]:
        """The second derivatives by the constants, of the upper triangle."""
        return self._lowered(_curvatures(self._slopes, self.chart.symbols))

    @cached_property
    def places(self) -> Callable[..., list[Column]]:
        """Where r may have a kink that moves."""
        return self._lowered(_moving_places(self.chart))

    def difference(self, cells: Cells, boxes: Sequence[Column]) -> tuple[Column, Column, Column]:
        """r at the places, over the cells, and its slope over the cells."""
        (at,) = self.value(cells.x, *boxes)
        over, slope = self.values(cells.over, *boxes)
        minus = (cells.target, cells.target_over, cells.target_slope)
        first, second, third = (
            columns.add(a, columns.negative(t)) for a, t in zip((at, over, slope), minus, strict=True)
        )
        return first, second, third


def _curvatures(slopes: Sequence[sp.Expr], symbols: Sequence[sp.Symbol]) -> list[sp.Expr]:
    pairs = itertools.combinations_with_replacement(range(len(slopes)), 2)
    return [homogeneous(derivative(slopes[i], symbols[j])) for i, j in pairs]


def _moving_switches(chart: Chart) -> Iterator[tuple[sp.Expr, int, sp.Expr, sp.Expr]]:
    """(node, sign, switch, place): node = c + sign max(sign switch, 0) near a place that moves with the constants."""
    for node in dict.fromkeys(n for n in sp.preorder_traversal(chart.member) if isinstance(n, clip | relu)):
        for sign, switch in zip((1, -1), switches(node), strict=False):
            slope = sp.diff(switch, X)
            if not switch.has(X) or not switch.free_symbols - {X}:
                continue
            if slope.has(X) or switch.has(*SWITCHING):
                raise Undecided(f"where {node} changes its branch")
            yield node, sign, switch, sp.cancel(-switch.subs(X, 0) / slope)


def _moving_places(chart: Chart) -> list[sp.Expr]:
    """The x, in terms of the constants, at which the member may have a kink that moves."""
    return list(dict.fromkeys(place for *_, place in _moving_switches(chart)))


def _below(cells: Cells, at: Column, over: Column, slope: Column) -> np.ndarray:
    """A lower bound of the sum over cells of the integral of w r^2.

    On a cell on which r = rho at x and r' lies in s, r^2 >= 2 rho r - rho^2, whose integral is at least
    rho (W rho + 2 (s.low right - s.high left)); and it is at least W min r^2.
    """
    is_up = at.low > 0
    rho = np.where(is_up, at.low, np.where(at.high < 0, -at.high, 0.0))
    low, high = np.where(is_up, slope.low, -slope.high), np.where(is_up, slope.high, -slope.low)
    right, left, level = low * cells.right.low, high * cells.left.low, rho * cells.mass.low
    # What is taken off covers the roundings of the line, and that the moments are known to 2^-52 of their size.
    line = level + 2 * (right - left) - 4e-15 * (level + np.abs(right) + np.abs(left))
    least = np.maximum(np.maximum(over.low, -over.high), 0.0)
    # Terms are not negative (a nan, of an unbounded slope, is passed over), so that all roundings are relative.
    terms = np.fmax(np.fmax(rho * line, least * least * cells.mass.low), 0.0)
    return terms.sum(axis=-1) * (1 - 1e-12)


def _narrow(cells: Cells, at: Column, over: Column, slope: Column) -> Column:
    """r over the cells, the better of the direct and the centred form."""
    return columns.meet(over, columns.add(at, columns.multiply(slope, cells.aside)))


def _turned(matrix: np.ndarray, values: Sequence[Column]) -> list[Column]:
    """The rows of the matrix times the vector of columns."""
    return [_sum(columns.scale(c, v) for c, v in zip(row, values, strict=True) if c != 0) for row in matrix]


def _sum(terms) -> Column:
    first, *others = terms
    for other in others:
        first = columns.add(first, other)
    return first


def _product(cells: Cells, a: Sequence[Column], b: Sequence[Column], kinked: np.ndarray) -> Column:
    """The integral of 2 w a b over each cell, a and b each at x, over the cell, and their slopes over it.

    By the mean value theorem from x, except where b may jump inside the cell.
    """
    twice = Column(2 * cells.mass.low, 2 * cells.mass.high)
    direct = columns.multiply(twice, columns.multiply(a[1], b[1]))
    slope = columns.add(columns.multiply(a[2], b[1]), columns.multiply(a[1], b[2]))
    right, left = (columns.multiply(slope, Column(2 * m.low, 2 * m.high)) for m in (cells.right, cells.left))
    lean = columns.add(right, columns.negative(left))
    centred = columns.add(columns.multiply(twice, columns.multiply(a[0], b[0])), lean)
    better = columns.meet(direct, centred)
    return Column(np.where(kinked, direct.low, better.low), np.where(kinked, direct.high, better.high))


def _integrated(cells: Cells, density: Column) -> Column:
    return columns.total(columns.multiply(density, Column(2 * cells.mass.low, 2 * cells.mass.high)))


# the kinks that move


@dataclass(frozen=True)
class Kink:
    """A zero of a switch s of clip or relu: the measure that the second derivatives of r have there.

    `place` is k(theta), `value` is r at k, `factor` times the outer product of `slopes` is that measure.
    """

    place: sp.Expr
    value: sp.Expr
    factor: sp.Expr
    slopes: tuple[sp.Expr, ...]


def _moving_kinks(chart: Chart) -> list[Kink]:
    """From r(node) with node = c +- max(+- s, 0): r_jl has +- r'(node) s_j s_l/|s_x| at s = 0."""
    found = []
    stand_in = sp.Symbol("u", real=True)
    for node, sign, switch, place in _moving_switches(chart):
        outer = derivative(chart.member.xreplace({node: stand_in}), stand_in).xreplace({stand_in: node})
        factor = homogeneous((sign * outer / abs(sp.diff(switch, X))).subs(X, place))
        value = homogeneous(chart.member.subs(X, place)) - chart.target.subs(X, place)
        slopes = tuple(sp.cancel(sp.diff(switch, s).subs(X, place)) for s in chart.symbols)
        found.append(Kink(place, value, factor, slopes))
    return found


class _KinkTerms:
    """What the moving kinks add to the Hessian over a box."""

    def __init__(self, chart: Chart, norm: Norm, window: tuple[float, float]):
        self.norm, self.window, self.symbols, self.weight = norm, window, chart.symbols, _Weight(norm)
        self.kinks = _moving_kinks(chart)

    def over(self, box: Box, turn: np.ndarray) -> np.ndarray | None:
        """A matrix of balls; None where a kink may meet one of the points of the norm."""
        n = len(box)
        found = np.array([[arb(0) for _ in range(n)] for _ in range(n)])
        with ctx.workprec(PRECISION):
            for kink in self.kinks:
                (k,) = self._evaluate(kink.place)(*box)
                if self.norm.points is not None:
                    if ((self.norm.points >= k.low) & (self.norm.points <= k.high)).any():
                        return None
                elif k.high >= self.window[0] and k.low <= self.window[1]:
                    found = found + self._term(kink, k, box, turn)
        return found

    def _term(self, kink: Kink, k: Interval, box: Box, turn: np.ndarray) -> np.ndarray:
        size = 2 * self.weight.density(_ball(k)) * self._value(kink.value, box) * self._at(kink.factor, box)
        if k.low < self.window[0] or k.high > self.window[1]:
            size = size.union(arb(0))
        slopes = [self._at(s, box) for s in kink.slopes]
        along = [sum((arb(c) * s for c, s in zip(row, slopes, strict=True)), arb(0)) for row in turn]
        return np.array([[size * a * b for b in along] for a in along])

    def _evaluate(self, *expressions: sp.Expr) -> Callable:
        return intervals.evaluators(*expressions, variables=self.symbols)

    def _at(self, expression: sp.Expr, box: Box) -> arb:
        return _ball(self._evaluate(expression)(*box)[0])

    def _value(self, expression: sp.Expr, box: Box) -> arb:
        """By the mean-value form."""
        middle = tuple(Interval(m, m) for m in ((i.low + i.high) / 2 for i in box))
        total = self._at(expression, middle)
        for symbol, one, m in zip(self.symbols, box, middle, strict=True):
            total += self._at(derivative(expression, symbol), box) * (_ball(one) - m.low)
        return total


def _ball(interval: Interval) -> arb:
    if not math.isfinite(interval.high - interval.low):
        return arb(0, math.inf)
    return arb(interval.low).union(arb(interval.high))


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
        self.regions: dict[Chart, _Region] = {}
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

    def _region(self, chart: Chart) -> _Region:
        if chart not in self.regions:
            self.regions[chart] = _Region(chart)
        return self.regions[chart]

    def _bounds(self, cells: Cells, chart: Chart, boxes: list[Box]) -> tuple[np.ndarray, tuple[Column, Column, Column]]:
        with np.errstate(all="ignore"):
            values = self._region(chart).difference(cells, _stacked(boxes))
            return _below(cells, *values), values

    def _has_slope(self, cells: Cells, boxes: list[Box], values: Sequence[Column]) -> np.ndarray:
        """For each box, whether F is proved to have a slope of one sign in one of the directions."""
        found = np.zeros(len(boxes), bool)
        with np.errstate(all="ignore"):
            r = values[0], _narrow(cells, *values), values[2]
            slopes, kinked = self._turned_slopes(cells, boxes)
            for slope in slopes:
                along = columns.total(_product(cells, r, slope, kinked))
                found |= (along.low > 0) | (along.high < 0)
        return found

    def _turned_slopes(self, cells: Cells, boxes: list[Box]) -> tuple[list[tuple[Column, ...]], np.ndarray]:
        """r_e for each turned coordinate e: at x, over the cell, its slope over it; and the cells where it may jump."""
        region, stacked = self._region(self.root), _stacked(boxes)
        kinked = np.zeros((len(boxes), len(cells.mass.low)), bool)
        for k in region.places(cells.x, *stacked):
            kinked |= (k.low <= cells.over.high) & (k.high >= cells.over.low)
        at, over = region.slopes(cells.x, *stacked), region.slopes(cells.over, *stacked)
        parts = (_turned(self.turn, v) for v in (at, over, region.twists(cells.over, *stacked)))
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
        kinks = _KinkTerms(self.root, self.residual.norm, self.window)
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

    def _hessian(self, cells: Cells, kinks: _KinkTerms, box: Box) -> np.ndarray | None:
        """The Hessian of F over the window in the turned coordinates, a matrix of balls."""
        total = kinks.over(box, self.turn)
        if total is None:
            return None
        region, boxes, n = self._region(self.root), _stacked([box]), len(box)
        with np.errstate(all="ignore"):
            r = _narrow(cells, *region.difference(cells, boxes))
            slopes, kinked = self._turned_slopes(cells, [box])
            bends = _square_matrix(region.curvatures(cells.over, *boxes), n)
            bends = [_turned(self.turn, row) for row in bends]
            bends = [_turned(self.turn, column) for column in zip(*bends, strict=True)]
            for i, j in itertools.product(range(n), range(n)):
                outer = columns.total(_product(cells, slopes[i], slopes[j], kinked))
                bent = _integrated(cells, columns.multiply(r, bends[i][j]))
                total[i, j] += _ball(_only(outer)) + _ball(_only(bent))
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
        bends = _curvatures(self._region(self.root)._slopes, self.residual.free)
        (of_r, power), *grown = [self._growth(e, over, hull) for e in (self.residual.expression, *bends)]
        if all(size == 0 for size, _ in grown):
            return arb(0)
        largest = sum((size * _Weight(self.residual.norm).beyond(start, power + p) for size, p in grown), arb(0))
        return 4 * of_r * largest * sum((arb(c) ** 2 for c in self.turn.ravel()), arb(0))

    def _growth(self, expression: sp.Expr, over: Interval, hull: Box) -> tuple[arb, int]:
        """(G, p) with |expression| <= G |x|^p over the tail and the box."""
        there = _on_tail(expression, over)
        for power in range(HIGHEST):
            (range_,) = intervals.evaluators(sp.expand(there / X**power), variables=(X, *self.residual.free))(
                over, *hull
            )
            if math.isfinite(range_.high - range_.low):
                return _ball(range_).abs_upper(), power
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
