"""Lower bounds of the sup norm over a whole box of constants, from single places x and from references.

A place is a fixed x, a kink or any other x(theta), or a limit at infinity: |r| there bounds the sup norm from below for
every member. Floating point picks the place; ball arithmetic, or intervals where the box has no bound, proves it.
A reference (de la Vallee Poussin 1919) is a convex combination of signed places whose gradients cancel: it bounds the
sup norm to second order near the optimum. Slopes are used only where r is continuous in the constants.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp
from flint import arb, ctx
from scipy import optimize

from analysis.activation import lowering
from analysis.activation.errors import Undecided
from analysis.activation.functions import derivative
from analysis.activation.lowering import Program
from analysis.activation.parsing import X
from analysis.exact.asymptotes import asymptote
from analysis.optimal.fitting.bound import Bound, Box, Place, ball, float_below, middle, radius
from analysis.optimal.fitting.continuity import Continuity, Requirement
from analysis.optimal.fitting.homogeneous import gates_joined, homogeneous
from analysis.rigorous import balls, intervals, tails
from analysis.rigorous.intervals import INF, Interval

PRECISION = 72  # bits of the balls: the constants are doubles, gaps some 1e-10
TRIED = 3  # places per box that are tried in balls
ACTIVE = 1e-7  # relative distance to the largest |r| within which a place may take part in a reference
NEAREST_TAIL, FAR = 4, 32  # between these the tail of the target begins, at a moving place
RATIOS = tuple(sp.Rational(r) for r in (0.25, 0.5, 1, 2, 4))  # of x to an unbounded constant
LARGE = 1e9  # stands for infinity where floating point picks the place


class Chart:
    """The residual over boxes in some coordinates: the constants themselves, or one of them and ratios to it."""

    def __init__(self, member: sp.Expr, target: sp.Expr, symbols: Sequence[sp.Symbol], domain: tuple[float, float],
                 abscissas: np.ndarray, places: Sequence[Place] = (), movers: Sequence[sp.Expr] = (),
                 required: Sequence[Requirement] = ()):  # fmt: skip
        self.member, self.target, self.symbols, self.domain = homogeneous(member), target, tuple(symbols), domain
        self.abscissas, self.places, self.movers = abscissas, tuple(places), tuple(movers)
        self.required = tuple(required)
        self.inverted: frozenset[int] = frozenset()  # which coordinates are one over a constant
        self.products: frozenset[tuple[int, int]] = frozenset()  # which are products with another one

    # floating point: where to look

    @cached_property
    def _float_programs(self) -> dict[sp.Expr, Program]:
        return {}

    def _float(self, member: sp.Expr, x: Any, constants: Any) -> np.ndarray:
        if member not in self._float_programs:
            self._float_programs[member] = Program.of(member, variables=(X, *self.symbols))
        (value,) = self._float_programs[member].run(lowering.NUMPY, [x, *constants])
        return value

    def values(self, corners: np.ndarray) -> np.ndarray:
        """r at the abscissas, shape (corners, abscissas)."""
        with np.errstate(all="ignore"):
            member = self._float(self.member, self.abscissas[None, :], corners.T[:, :, None])
        return member - self._target_values

    @cached_property
    def _target_values(self) -> np.ndarray:
        return lowering.evaluator(self.target)(self.abscissas)

    def promising(self, box: Box) -> list[tuple[float, int, Any]]:
        """(estimate of the bound, sign, place) for the places with the largest |r| of one sign at all corners."""
        corners = _corners(box)
        found = [*_signed(self.values(corners), self.abscissas), *self._signed_places(self._within(box), corners)]
        return sorted(found, key=lambda one: -one[0])[:TRIED]

    def _within(self, box: Box) -> list[Place]:
        """The places that lie in the domain for all constants of the box."""
        return [p for p in self.places if self.is_there(p, box)]

    def is_there(self, place: Any, box: Box) -> bool:
        """Whether the place lies in the domain for all constants of the box."""
        return not isinstance(place, Place) or place.x is None or self._is_inside(place.x, box)

    def _is_inside(self, x: sp.Expr, box: Box) -> bool:
        if not self.is_continuous(x, Interval(0.0, 0.0), box):  # for some constants there may be no such place
            return False
        if self.domain == (-INF, INF):
            return True
        range_ = self._range(x, box)
        return self.domain[0] <= range_.low and range_.high <= self.domain[1]

    def variation(self, box: Box, least: float) -> tuple[np.ndarray, np.ndarray]:
        """How much r changes along each constant at the abscissas where it is largest, and where it may be `least`."""
        values = self.values(_corners(box))
        sizes = np.abs(values)
        largest = np.argsort(-sizes.min(axis=0))[:TRIED]
        return self._changes(values[:, largest]), self._changes(values[:, sizes.max(axis=0) >= least])

    def _changes(self, values: np.ndarray) -> np.ndarray:
        n = len(self.symbols)
        cube = values.reshape((2,) * n + (-1,))
        return np.array([np.abs(np.diff(cube, axis=i)).max(initial=0.0) for i in range(n)])

    def _signed_places(self, places: Sequence[Place], corners: np.ndarray) -> list[tuple[float, int, Any]]:
        found = []
        with np.errstate(all="ignore"):
            for place in places:
                at = self._float(place.member, np.zeros(len(corners)), corners.T)
                rest = place.rest.low if sum(place.rest) < 0 else place.rest.high
                found += _signed(np.broadcast_to(at, len(corners))[:, None] + rest, [place])
        return found

    # places that move with an unbounded constant

    def _moving(self, box: Box) -> Iterator[tuple[float, int, Any]]:
        """What `promising` gives, for places that move with a constant; found one by one, for the algebra is slow."""
        unbounded = [s for s, one in zip(self.symbols, box, strict=True) if one.high == INF or one.low == 0]
        steps = [r * side * s**power for s in unbounded for r in RATIOS for side in (-1, 1) for power in (1, -1)]
        corners = _corners(box)
        for x in (*self.movers, *steps):
            place = self._at_mover(x, box)
            if place:
                yield from self._signed_places([place], corners)

    def _at_mover(self, x: sp.Expr, box: Box) -> Place | None:
        """r at x, an expression in the constants, over the box: by the target's asymptote where x is far out."""
        if not self._is_inside(x, box) or not has_value(self._member_at(x)):
            return None
        range_ = self._range(x, box)
        if math.isfinite(range_.high - range_.low):
            (rest,) = self._target_program(range_)
            return Place(self._member_at(x), rest, x)
        direction, nearest = (1, range_.low) if range_.low > 0 else (-1, -range_.high)
        if nearest < NEAREST_TAIL:
            return None
        line, bound = self._beyond(direction, int(min(nearest, FAR)))
        return None if line is None else Place(self._member_at(x, line), Interval(-bound, bound), x)

    def _range(self, x: sp.Expr, box: Box) -> Interval:
        if x not in self._ranges:
            self._ranges[x] = intervals.evaluators(x, variables=self.symbols)
        return self._ranges[x](*box)[0]

    @cached_property
    def _ranges(self) -> dict[sp.Expr, Callable]:
        return {}

    @cached_property
    def _target_program(self):
        return intervals.evaluators(-self.target)

    @cached_property
    def _members(self) -> dict:
        return {}

    def _member_at(self, x: sp.Expr, line: sp.Expr = sp.S.Zero) -> sp.Expr:
        """The member less the line, at x."""
        key = x, line
        if key not in self._members:
            self._members[key] = homogeneous(self.member.subs(X, x) - line.subs(X, x))
        return self._members[key]

    @cached_property
    def _tails(self) -> dict:
        return {}

    def _beyond(self, direction: int, start: int) -> tuple[sp.Expr | None, float]:
        """The target's asymptote, and a bound of the rest for direction*x >= start."""
        key = direction, start
        if key not in self._tails:
            self._tails[key] = None, 0.0
            line = asymptote(self.target, direction)
            if line is not None:
                linear = line.slope * X + line.intercept
                with contextlib.suppress(Undecided):
                    rest = tails.beyond(self.target - linear, direction, start)[1]
                    self._tails[key] = linear, math.nextafter(float(rest.upper()), INF)
        return self._tails[key]

    # balls and intervals: the proof

    @cached_property
    def _programs(self) -> dict:
        return {}

    def program(self, member: sp.Expr, arithmetic) -> tuple[Callable, Callable]:
        key = member, arithmetic
        if key not in self._programs:
            variables = (X, *self.symbols)
            slopes = [homogeneous(derivative(member, s)) for s in self.symbols]
            self._programs[key] = (
                arithmetic.evaluators(member, variables=variables),
                arithmetic.evaluators(*slopes, variables=variables),
            )
        return self._programs[key]

    def is_continuous(self, member: sp.Expr, x: Interval, box: Box) -> bool:
        """Whether the member at x is sure to be continuous in the constants over the box."""
        if member not in self._continuities:
            self._continuities[member] = Continuity(member, (X, *self.symbols), self.symbols)
        return self._continuities[member].holds((x, *box))

    @cached_property
    def _continuities(self) -> dict[sp.Expr, Continuity]:
        return {}

    def is_empty(self, box: Box) -> bool:
        """Whether no constants of the box are admissible."""
        return any(r.is_broken(self._range(r.part, box)) for r in self.required)

    @cached_property
    def _targets(self) -> dict:
        return {}

    def target_at(self, x: float, arithmetic) -> Any:
        key = x, arithmetic
        if key not in self._targets:
            with ctx.workprec(PRECISION):
                value = -balls.evaluator(self.target)(arb(x))
                self._targets[key] = value if arithmetic is balls else intervals.around(value)
        return self._targets[key]

    def at(self, place: Any, box: Box, arithmetic=balls, form: sp.Expr | None = None) -> Bound:
        """r at the place, which is one or a number x, over the box; `form` is the member or what equals it."""
        number = (lambda v: Interval(v, v)) if arithmetic is intervals else arb
        if isinstance(place, Place):
            member, x = place.member, 0.0
            rest: Any = place.rest if arithmetic is intervals else ball(place.rest)
        else:
            member, x = form or self.member, float(place)
            rest = self.target_at(x, arithmetic)
        is_continuous = self.is_continuous(member, Interval(x, x), box)
        return Bound(arithmetic, box, number(x), rest, *self.program(member, arithmetic), is_continuous)

    def least_size(self, box: Box, sign: int, place: Any) -> float:
        """A proved lower bound of sign*r at the place over the box."""
        arithmetic = intervals if is_hard(box) else balls
        forms = self._forms if arithmetic is intervals and not isinstance(place, Place) else self._forms[:1]
        with ctx.workprec(PRECISION):
            return max(float_below(self.at(place, box, arithmetic, form).least(sign)) for form in forms)

    @cached_property
    def _forms(self) -> list[sp.Expr]:
        """The member, and the same with gates joined to their arguments: either may be the one that is bounded."""
        joined = gates_joined(self.member)
        return [self.member] + [joined] * (joined != self.member)

    def bound(self, box: Box, enough: float) -> float:
        """A proved lower bound of the sup norm over the box, from single places; stops when it exceeds `enough`."""
        best = self._best(box, self.promising(box), 0.0, enough)
        if best <= enough and is_hard(box):
            best = self._best(box, (one for one in self._moving(box) if one[0] > enough), best, enough)
        return best

    def _best(self, box: Box, places: Iterable[tuple[float, int, Any]], best: float, enough: float) -> float:
        for estimate, sign, place in places:
            if estimate > best:
                best = max(best, self.least_size(box, sign, place))
            if best > enough:
                break
        return best

    def gradients(self, place: Any, box: Box) -> list[arb]:
        return self.at(place, box).slopes

    # references

    def reference(self, theta: np.ndarray) -> Reference | None:
        """The convex combination of signed active places whose gradient is least, at theta."""
        point = tuple(Interval(float(t), float(t)) for t in theta)
        corner = np.asarray(theta, float)[None, :]
        found = [*_signed(self.values(corner), self.abscissas), *self._signed_places(self._within(point), corner)]
        if not found:
            return None
        top = max(found, key=lambda one: one[0])[0]
        active = [(sign, place) for size, sign, place in found if size >= (1 - ACTIVE) * top]
        with ctx.workprec(PRECISION):
            rows = np.array([[sign * float(g) for g in self.gradients(place, point)] for sign, place in active])
        if not np.isfinite(rows).all():
            return None
        weights = _cancelling(rows * np.abs(theta))
        if weights is None:
            return None
        return Reference(self, tuple((w, s, p) for w, (s, p) in zip(weights, active, strict=True) if w > 1e-9))

    # other coordinates

    def sector(self, leader: int, others: tuple[int, ...]) -> Chart:
        """The chart of one over the leading constant, and of the ratios of others to it; names are kept."""
        inverse = self.symbols[leader]
        new = {} if leader in self.inverted else {inverse: 1 / inverse}
        for i in others:
            ratio = self.symbols[i]
            new[ratio] = inverse / ratio if i in self.inverted else ratio / inverse
        chart = self._renamed(new)
        chart.inverted = (self.inverted - set(others)) | {leader}
        return chart

    def product(self, small: int, large: int) -> Chart:
        """The chart of the product of two constants in place of the large one, for where 0 * oo would be open."""
        chart = self._renamed({self.symbols[large]: self.symbols[large] / self.symbols[small]})
        chart.products = self.products | {(small, large)}
        return chart

    def may_multiply(self, small: int, large: int) -> bool:
        return bool(self.symbols[small].is_positive) and (small, large) not in self.products

    def _renamed(self, new: Mapping[sp.Symbol, sp.Expr]) -> Chart:
        key = frozenset(new.items())
        if key not in self._charts:

            def renamed(e: sp.Expr) -> sp.Expr:
                return homogeneous(e.subs(new, simultaneous=True))

            places = [Place(renamed(p.member), p.rest, p.label, p.x and renamed(p.x)) for p in self.places]
            movers = [sp.factor(x.subs(new, simultaneous=True)) for x in self.movers]
            required = [Requirement(sp.factor(r.part.subs(new, simultaneous=True)), r.kind) for r in self.required]
            self._charts[key] = Chart(renamed(self.member), self.target, self.symbols, self.domain,
                                      self.abscissas, places, movers, required)  # fmt: skip
        return self._charts[key]

    @cached_property
    def _charts(self) -> dict[frozenset, Chart]:
        return {}


@dataclass(frozen=True)
class Reference:
    """Weights, signs and places; the weights are rescaled to the sum one, in balls."""

    chart: Chart
    terms: tuple[tuple[float, int, Any], ...]

    def bound(self, box: Box) -> float:
        """A proved lower bound of the sup norm over a bounded box: value in the middle less the slopes' sum aside."""
        if not all(self.chart.is_there(place, box) for _, _, place in self.terms):
            return -INF
        with ctx.workprec(PRECISION):
            total = sum((arb(w) for w, _, _ in self.terms), arb(0))
            centre = tuple(middle(i) for i in box)
            value, slopes = arb(0), [arb(0)] * len(box)
            for weight, sign, place in self.terms:
                share = arb(weight) / total * sign
                value += share * self.chart.at(place, centre).value_at(centre)
                steep = self.chart.at(place, box).slopes
                slopes = [a + share * b for a, b in zip(slopes, steep, strict=True)]
            aside = sum((abs(s) * radius(i) for s, i in zip(slopes, box, strict=True)), arb(0))
            return float_below(value - aside)


def has_value(member: sp.Expr) -> bool:
    """Whether the member, with a place put in, is more than a pole."""
    return not member.has(sp.zoo, sp.nan, sp.oo, -sp.oo, sp.AccumBounds)


def is_hard(box: Box) -> bool:
    """Whether the box is without a bound, or ends at zero, where an expression may have a pole."""
    return any(not math.isfinite(i.high - i.low) or i.low == 0 or i.high == 0 for i in box)


def _corners(box: Box) -> np.ndarray:
    """The corners, shape (2^n, n), with large and small numbers in place of infinity and zero."""
    corners = np.clip(np.array(list(itertools.product(*box))), -LARGE, LARGE)
    return np.where(corners == 0, 1 / LARGE, corners)


def _signed(values: np.ndarray, places: Any) -> list[tuple[float, int, Any]]:
    """For values of shape (corners, places): the places where all corners have one sign, with the least size."""
    low, high = values.min(axis=0), values.max(axis=0)
    score = np.where(low > 0, low, np.where(high < 0, -high, 0.0))
    best = np.flatnonzero(score > 0)
    if len(best) > 2 * TRIED:
        best = best[np.argsort(-score[best])[: 4 * TRIED]]
    return [(float(score[i]), 1 if low[i] > 0 else -1, places[i]) for i in best]


def _cancelling(rows: np.ndarray) -> np.ndarray | None:
    """Weights of the convex combination of the rows that is least in the 1-norm; None where they differ too much."""
    count, n = rows.shape
    cost = np.concatenate([np.zeros(count), np.ones(n)])
    a = np.vstack([np.hstack([rows.T, -np.eye(n)]), np.hstack([-rows.T, -np.eye(n)])])
    found = optimize.linprog(cost, A_ub=a, b_ub=np.zeros(2 * n), A_eq=[[1.0] * count + [0.0] * n], b_eq=[1.0])
    return found.x[:count] if found.success else None
