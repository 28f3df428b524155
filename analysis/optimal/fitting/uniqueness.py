"""Whether the best constants are unique, in the sup norm.

Over a narrow box that holds every optimum, |r| reaches the proved lower bound of the error only in some narrow clusters
of x. If there is one cluster more than there are constants, and the gradients of r there positively span the space
whatever point of the clusters and of the box is taken, then two optima would differ by a direction in which one of the
errors grows: the optimum is unique. A constant that moves r in no cluster is free: the optimum is not unique.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy as sp
from flint import arb, arb_mat, ctx

from analysis.activation.errors import Undecided
from analysis.activation.functions import derivative
from analysis.activation.parsing import X
from analysis.exact.pieces import pieces
from analysis.optimal.fitting.bound import Box
from analysis.optimal.fitting.continuity import Continuity, jumps_along
from analysis.optimal.fitting.homogeneous import homogeneous
from analysis.optimal.fitting.proof import everything
from analysis.optimal.fitting.residual import Residual
from analysis.rigorous import balls, intervals, tails
from analysis.rigorous.intervals import INF, Interval
from analysis.rigorous.norms import Norm

PRECISION = 96
WIDE = 1e-3  # relative width beyond which a constant is looked at as free
NARROWED = 1e-9  # relative width that a free constant is given
FINEST = 2**-14  # width of x at which an interval joins a cluster
COARSEST = 2.0
NEAREST, FARTHEST = 8, 1024  # where tails begin
PLACES = 8  # out of the points of a norm


@dataclass(frozen=True)
class Cluster:
    """An interval of x in which |r| may reach the error, and the gradient of |r| there."""

    x: Interval
    gradient: tuple[arb, ...]


def is_unique(residual: Residual, hull: Box, theta: np.ndarray, lower: float) -> bool | None:
    """True or False where proved. `hull` holds every optimum; no member has an error below `lower`."""
    theta = np.asarray(theta, float).tolist()  # numbers of numpy warn where they overflow
    if not _is_continuous(residual, hull):
        return None
    if any(not math.isfinite(one.high - one.low) for one in hull):
        wide = [i for i, one in enumerate(hull) if not math.isfinite(one.high - one.low)]
    else:
        wide = [i for i, one in enumerate(hull) if one.high - one.low > WIDE * max(abs(one.low), abs(one.high))]
    with ctx.workprec(PRECISION):
        try:
            clusters = _Clusters(residual, _narrow(hull, theta, wide), lower).found()
            if wide:
                return None if residual.required or _moves(residual, hull, clusters, wide) else False
            return True if _spans([c.gradient for c in clusters], len(hull)) else None
        except Undecided:
            return None


def is_only_zero(residual: Residual) -> bool:
    """Whether r, zero for some constants, is shown to be zero for no others: there are none, or r rises or falls in
    the only one at some x."""
    if len(residual.free) != 1:
        return not residual.free
    (symbol,) = residual.free
    (domain,) = everything(residual.free)
    for x in _places(residual.norm):
        member = residual.member.subs(X, x)
        if Continuity(member, residual.free, residual.free).holds((domain,)):
            slope = sp.expand(_with_sech(derivative(member, symbol)))
            if slope.is_positive or slope.is_negative:
                return True
    return False


def _with_sech(e: sp.Expr) -> sp.Expr:
    """tanh(u)^2 as 1 - sech(u)^2, with a positive symbol for each sech(u)^2, so that signs can be read off."""
    squares = {t: sp.Dummy("s", positive=True) for t in sorted(e.atoms(sp.tanh), key=sp.default_sort_key)}
    return e.xreplace({t**2: 1 - s for t, s in squares.items()})


def _places(norm: Norm) -> list[sp.Expr]:
    """Some exact x that count in the norm, where r is zero if its size in the norm is and it is continuous."""
    if norm.points is not None:
        return [sp.Rational(x) for x in norm.points[:: max(1, len(norm.points) // PLACES)].tolist()]
    low, high = norm.ends
    inside = [x for x in (1, -1, 2, -2) if low < x < high]
    if math.isfinite(low) and math.isfinite(high):
        inside.append((sp.Rational(low) + sp.Rational(high)) / 2)
    return [sp.sympify(x) for x in inside]


def _is_continuous(residual: Residual, hull: Box) -> bool:
    """Whether r is sure to be continuous, in x and in the constants of the hull."""
    parts = Continuity(residual.expression, (X, *residual.free), residual.free)
    return not jumps_along(residual.expression) and parts.holds((Interval(*residual.norm.ends), *hull))


def _narrow(hull: Box, theta: np.ndarray, wide: list[int]) -> Box:
    def about(value: float) -> Interval:
        return Interval(value * (1 - NARROWED), value * (1 + NARROWED))

    return tuple(about(theta[i]) if i in wide else one for i, one in enumerate(hull))


def _moves(residual: Residual, hull: Box, clusters: list[Cluster], wide: list[int]) -> bool:
    """Whether one of the wide constants moves r in a cluster, anywhere in the hull."""
    slopes = [derivative(residual.member, residual.free[i]) for i in wide]
    evaluate = intervals.evaluators(*slopes, variables=(X, *residual.free))
    return any(slope != (0, 0) for c in clusters for slope in evaluate(c.x, *hull))


def _spans(rows: list[tuple[arb, ...]], n: int) -> bool:
    """Whether zero is only in the interior of hulls of the vectors: of some n + 1 of them, and of no fewer.

    Vectors that overlap count as one. For any n + 1 of them the weights that give zero are their minors; these must
    be of one sign, for all vectors within the boxes, or two of them of opposite signs.
    """
    classes: list[tuple[arb, ...]] = []
    for row in rows:
        for i, other in enumerate(classes):
            if all(a.overlaps(b) for a, b in zip(row, other, strict=True)):
                classes[i] = tuple(a.union(b) for a, b in zip(row, other, strict=True))
                break
        else:
            classes.append(row)
    found = [_is_simplex(chosen) for chosen in itertools.combinations(classes, n + 1)]
    return any(found) and None not in found


def _is_simplex(rows: tuple[tuple[arb, ...], ...]) -> bool | None:
    """Whether zero lies inside the simplex of the vectors; None where the boxes leave it open."""
    count = len(rows)
    minors = [arb_mat([list(r) for i, r in enumerate(rows) if i != k]).det() * (-1) ** k for k in range(count)]
    above, below = any(m > 0 for m in minors), any(m < 0 for m in minors)
    if above and below:
        return False
    return True if all(m > 0 for m in minors) or all(m < 0 for m in minors) else None


class _Clusters:
    """Branch and bound over x for all constants of a narrow box at once."""

    def __init__(self, residual: Residual, box: Box, lower: float):
        self.residual, self.box, self.lower = residual, box, arb(lower)
        self.ends = [0.0, 0.0]
        self.balls = [arb(i.low).union(arb(i.high)) for i in box]
        variables = (X, *residual.free)
        r = residual.expression
        self.value = balls.evaluator(r, variables)
        self.slope = balls.evaluator(derivative(r, X), variables)

    def found(self) -> list[Cluster]:
        tails = [tail for which in (0, 1) if (tail := self._tail(which))]
        low, high = self.ends
        kept: list[arb] = []
        stack = [(low, high)]
        while stack:
            left, right = stack.pop()
            if self._is_below(left, right):
                continue
            if right - left <= FINEST * max(1.0, abs(left)):
                kept.append(arb(left).union(arb(right)))
                continue
            middle = (left + right) / 2
            stack += [(middle, right), (left, middle)]
        return [self._cluster(x) for x in _joined(kept)] + tails

    def _tail(self, which: int) -> Cluster | None:
        """Sets the end of what is subdivided; beyond it |r| is below, or the whole tail is a cluster."""
        end, direction = self.residual.norm.ends[which], (-1, 1)[which]
        self.ends[which] = end
        if math.isfinite(end):
            return None
        start = NEAREST
        while start <= FARTHEST:
            found = self._over_tail(direction, start)
            if found is not None and abs(found) < self.lower:
                self.ends[which] = float(direction * start)
                return None
            start *= 2
        self.ends[which] = float(direction * NEAREST)
        return self._tail_cluster(direction)

    def _tail_cluster(self, direction: int) -> Cluster:
        value = self._over_tail(direction, NEAREST)
        if value is None or value.contains(0):
            raise Undecided("the sign of the difference at infinity")
        sign, x = (1 if value > 0 else -1), _tail_interval(direction, NEAREST)
        gradient = self._slopes_over(x)
        if not all(math.isfinite(g.high - g.low) for g in gradient):
            raise Undecided("the gradient at infinity")
        return Cluster(x, tuple(sign * arb(g.low).union(arb(g.high)) for g in gradient))

    def _over_tail(self, direction: int, start: int) -> arb | None:
        """r over a tail for all members of the box, which lie between two members where r is monotone in them."""
        corners: list[list[float]] = [[], []]
        for slope, one in zip(self._slopes_over(_tail_interval(direction, start)), self.box, strict=True):
            if slope.low < 0 < slope.high:
                return None
            rising = slope.low >= 0
            corners[0].append(one.low if rising else one.high)
            corners[1].append(one.high if rising else one.low)
        found = None
        for corner in corners:
            values = {s: sp.Rational(v) for s, v in zip(self.residual.free, corner, strict=True)}
            ends = (sp.Integer(start), sp.oo) if direction > 0 else (-sp.oo, -sp.Integer(start))
            try:
                (piece,) = pieces(self.residual.expression.subs(values), X, *ends)
                limit, rest = tails.beyond(piece.expression, direction, start)
            except (Undecided, ValueError):  # no rule, or a kink in the tail
                return None
            values_there = balls.enclose(limit) + arb(0, 1) * rest
            found = values_there if found is None else found.union(values_there)
        return found

    def _slopes_over(self, x: Interval) -> list[Interval]:
        return intervals.evaluators(*self._slopes, variables=(X, *self.residual.free))(x, *self.box)

    def _is_below(self, left: float, right: float) -> bool:
        hull = arb(left).union(arb(right))
        try:
            direct = self.value(hull, *self.balls)
            if direct.is_finite() and abs(direct) < self.lower:
                return True
            if right - left > COARSEST:
                return False
            centred = self._centred(hull)
        except ZeroDivisionError:
            return False
        return centred.is_finite() and bool(abs(centred) < self.lower)

    def _cluster(self, x: arb) -> Cluster:
        value = self._centred(x)
        if not value.is_finite() or value.contains(0):
            raise Undecided(f"the sign of the difference near x = {x}")
        sign = 1 if value > 0 else -1
        gradient = self._kink_gradient(x, sign) or self._gradients(x, *self.balls)
        return Cluster(intervals.around(x), tuple(sign * g for g in gradient))

    def _centred(self, x: arb) -> arb:
        """r over x and the box: around the middle of both, by the slopes."""
        middle = x.mid()
        value = self.value(middle, *(b.mid() for b in self.balls))
        value += self.slope(x, *self.balls) * (x - middle)
        return value + sum(
            (g * (b - b.mid()) for g, b in zip(self._gradients(x, *self.balls), self.balls, strict=True)), arb(0)
        )

    @cached_property
    def _slopes(self) -> list[sp.Expr]:
        member = homogeneous(self.residual.member)
        return [homogeneous(derivative(member, s)) for s in self.residual.free]

    @cached_property
    def _gradients(self):
        return balls.evaluators(*self._slopes, variables=(X, *self.residual.free))

    def _kink_gradient(self, x: arb, sign: int) -> list[arb] | None:
        """The gradient of r at a moving kink in the cluster, if |r| is shown to fall on both sides of it."""
        for place in self.residual.kink_places:
            at = balls.evaluator(place, self.residual.free)(*self.balls)
            if place.free_symbols and x.contains(at) and self._falls(place, x, at, sign):
                slopes = [derivative(self.residual.expression.subs(X, place), s) for s in self.residual.free]
                return balls.evaluators(*slopes, variables=self.residual.free)(*self.balls)
        return None

    def _falls(self, place: sp.Expr, x: arb, at: arb, sign: int) -> bool:
        aside = sp.Symbol("v", positive=True)
        reach = arb(0).union((x - at).abs_upper())
        for direction in (-1, 1):
            beside = self.residual.expression.subs(X, place + direction * aside)
            slope = balls.evaluator(derivative(beside, aside), (aside, *self.residual.free))(reach, *self.balls)
            if not sign * slope < 0:
                return False
        return True


def _tail_interval(direction: int, start: int) -> Interval:
    return Interval(float(start), INF) if direction > 0 else Interval(-INF, -float(start))


def _joined(kept: list[arb]) -> list[arb]:
    joined: list[arb] = []
    for x in sorted(kept, key=lambda one: float(one.mid())):
        if joined and joined[-1].overlaps(x):
            joined[-1] = joined[-1].union(x)
        else:
            joined.append(x)
    return joined
