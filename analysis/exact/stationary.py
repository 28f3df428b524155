"""Extrema and inflections: the points where f' or f'' changes sign, in closed form where one exists.

An extremum is strict, or a plateau (an interval on which f is constant) that f leaves upwards on both sides (minimum)
or downwards (maximum). Where f' is zero at points without a closed form, the equation is reported instead, to be
enclosed by `analysis.rigorous`. With free constants each point carries the condition under which it is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import sympy as sp

from analysis.activation.errors import Undecided
from analysis.activation.functions import elementary
from analysis.activation.parsing import X
from analysis.exact.asymptotes import limit_at_infinity
from analysis.exact.equations import Zero, between, zeros
from analysis.exact.normal import is_zero, sign, tidy
from analysis.exact.pieces import Piece, Spot, is_analytic_for_all_constants, pieces, spots, value_at

Kind = Literal["minimum", "maximum", "inflection"]


@dataclass(frozen=True)
class Point:
    """f has `kind` at the exact x (a sympy Interval for a plateau) with the exact value, if `condition` holds."""

    kind: Kind
    x: sp.Basic
    value: sp.Expr
    condition: sp.Basic = sp.true


@dataclass(frozen=True)
class Equation:
    """`factor` = 0 on (lower, upper) holds every further zero there of f' (order 1) or f'' (order 2)."""

    order: int
    factor: sp.Expr
    lower: sp.Expr
    upper: sp.Expr


@dataclass(frozen=True)
class Stationary:
    """Extrema and inflections of a function; the lists are complete up to the zeros of `equations`, and up to `doubts`.

    Doubts are what could not be decided; each names extrema or inflections that may be missing.
    """

    minima: tuple[Point, ...]
    maxima: tuple[Point, ...]
    inflections: tuple[Point, ...]
    equations: tuple[Equation, ...]
    doubts: tuple[str, ...] = ()


def stationary(expression: sp.Expr, x: sp.Symbol = X) -> Stationary:
    """Extrema and inflections of the function on R."""
    return stationary_of(pieces(expression, x), x, spots(expression, x))


def stationary_of(found: tuple[Piece, ...], x: sp.Symbol = X, apart: tuple[Spot, ...] = ()) -> Stationary:
    survey = _Survey(found, x, {spot.x: spot.value for spot in apart})
    for order in (1, 2):
        for i in range(len(found)):
            survey.look_inside(i, order)
    survey.look_at_breakpoints()
    survey.look_at_plateaus()

    def pick(kind: Kind) -> tuple[Point, ...]:
        return _from_left_to_right(p for p in survey.points if p.kind == kind)

    lists = pick("minimum"), pick("maximum"), pick("inflection")
    return Stationary(*lists, tuple(survey.equations), tuple(survey.doubts))


class _Survey:
    """What is found from left to right; `values` are those at breakpoints that not all pieces beside tend to."""

    def __init__(self, found: tuple[Piece, ...], x: sp.Symbol, values: dict[sp.Expr, sp.Expr]):
        self.found, self.x, self.values = found, x, values
        self.points: list[Point] = []
        self.equations: list[Equation] = []
        self.doubts: list[str] = []
        if not is_analytic_for_all_constants(found, x):
            self.doubts.append("constants for which a root, a logarithm or a quotient is singular")

    def look_inside(self, i: int, order: int) -> None:
        piece = self.found[i]
        derivative = sp.diff(piece.expression, self.x, order)
        if is_zero(derivative):
            return
        found = zeros(derivative, self.x, piece.lower, piece.upper)
        for zero in found.exact:
            if change := _sign_change(derivative, self.x, zero.x):
                kind: Kind = "inflection" if order == 2 else "minimum" if change > 0 else "maximum"
                value = tidy(piece.expression.subs(self.x, zero.x))
                condition = zero.condition if order == 2 else self._closed(zero, i, change)
                self.points.append(Point(kind, zero.x, value, condition))
        self.equations += [Equation(order, factor, piece.lower, piece.upper) for factor in found.open]

    def _closed(self, zero: Zero, i: int, up: int) -> sp.Basic:
        """The condition for lower < x < upper, with equality where the point stays an extremum at the end itself.

        It does where f leaves upwards (`up` = 1), or downwards, beyond the end as well.
        """
        piece, conditions = self.found[i], []
        for side, lower, upper in ((-1, piece.lower, sp.oo), (1, -sp.oo, piece.upper)):
            condition = between(zero.x, lower, upper)
            if condition != sp.true and self._goes_on(i, side, up):
                condition = sp.And(*(relation.weak for relation in sp.And.make_args(condition)))
            conditions.append(condition)
        return sp.And(*conditions)

    def _goes_on(self, i: int, side: int, up: int) -> bool:
        """Whether up*(f - f(end)) > 0 just beyond an end of the piece."""
        end = self.found[i].upper if side > 0 else self.found[i].lower
        if end.is_infinite:
            return False
        try:
            value = value_at(self.found[i].expression, self.x, end, -side)
            return end not in self.values and _rise(self.found[i + side], self.x, end, side, value) == up
        except Undecided:
            self.doubts.append(f"constants for which an extremum lies at {end}")
            return False

    def look_at_breakpoints(self) -> None:
        for left, right in pairwise(self.found):
            at = left.upper
            value = self.values.get(at)
            if value is None:
                if not _continuous(left, right, self.x, at, 0):
                    continue  # there is no value, or free constants decide whether there is a jump
                self._inflection_between(left, right)
                value = tidy(value_at(right.expression, self.x, at))
            try:
                before, after = _rise(left, self.x, at, -1, value), _rise(right, self.x, at, 1, value)
            except Undecided:
                self._conditional_extremum(left, right, value)
                continue
            if before * after > 0:
                self.points.append(Point("minimum" if before > 0 else "maximum", at, value))

    def _inflection_between(self, left: Piece, right: Piece) -> None:
        at = left.upper
        if _continuous(left, right, self.x, at, 1):
            signs = _sided_sign(left, self.x, at, -1, 2), _sided_sign(right, self.x, at, 1, 2)
            if signs[0] * signs[1] < 0:
                self.points.append(Point("inflection", at, tidy(value_at(right.expression, self.x, at))))

    def _conditional_extremum(self, left: Piece, right: Piece, value: sp.Expr) -> None:
        """The extremum at a kink whose slopes depend on free constants, with the condition on them.

        Where a slope is zero an extremum inside the piece has come to its end, which knows of it (`_closed`), unless
        the whole piece is then constant.
        """
        at, sides = left.upper, ((left, -1), (right, 1))
        derivatives = [sp.diff(piece.expression, self.x) for piece, _ in sides]
        slopes = [tidy(value_at(d, self.x, at, side)) for d, (_, side) in zip(derivatives, sides, strict=True)]
        if at in self.values or any(not d.has(self.x) and _is_open(d) for d in derivatives):
            self.doubts.append(f"constants for which an extremum lies at {at}")
        if at in self.values:
            return
        kinds: tuple[tuple[Kind, int], ...] = (("minimum", 1), ("maximum", -1))
        for kind, s in kinds:
            condition = sp.And(between(s * slopes[0], -sp.oo, sp.S.Zero), between(s * slopes[1], sp.S.Zero, sp.oo))
            if condition != sp.false:
                self.points.append(Point(kind, at, value, condition))

    def look_at_plateaus(self) -> None:
        """Constant pieces left to the same side; an unbounded one counts if it attains a global bound."""
        for i, piece in enumerate(self.found):
            if not is_zero(sp.diff(piece.expression, self.x)):
                continue
            sides = {self._leaves(i, side) for side, end in ((-1, piece.lower), (1, piece.upper)) if end.is_finite}
            if sides not in ({1}, {-1}):
                continue
            side = sides.pop()
            bounded = piece.lower.is_finite and piece.upper.is_finite
            if bounded or self._stays_beyond(piece, side):
                self.points.append(Point("minimum" if side > 0 else "maximum", self._interval(piece), piece.expression))

    def _leaves(self, i: int, side: int) -> int:
        """The sign of f - c beyond an end of a piece on which f is c: at the very end, or else just beside it."""
        piece = self.found[i]
        end = piece.upper if side > 0 else piece.lower
        there = sign(self.values[end] - piece.expression) if end in self.values else 0
        return there or _rise(self.found[i + side], self.x, end, side, piece.expression)

    def _interval(self, piece: Piece) -> sp.Interval:
        """With those ends at which f still has the value."""
        is_open = [end in self.values and sign(self.values[end] - piece.expression) != 0 for end in _ends(piece)]
        return sp.Interval(piece.lower, piece.upper, *is_open)

    def _stays_beyond(self, plateau: Piece, side: int) -> bool:
        """Whether side*(f - plateau) >= 0 everywhere: at every breakpoint, extremum and end of the line."""

        def goes_beyond(value: sp.Expr) -> bool:
            return side * sign(value - plateau.expression) < 0

        seen = [limit_at_infinity(p.expression, end, self.x) for p, end in ((self.found[0], -1), (self.found[-1], 1))]
        seen += self.values.values()
        seen += [point.value for point in self.points if point.kind != "inflection"]
        for piece in self.found:
            beside = zip(_ends(piece), (1, -1), strict=True)
            seen += [value_at(piece.expression, self.x, end, side) for end, side in beside if end.is_finite]
        if any(map(goes_beyond, seen)):
            return False
        if any(equation.order == 1 for equation in self.equations):
            self.doubts.append(f"whether f goes beyond {plateau.expression}, its value on {self._interval(plateau)}")
            return False
        return True


def _sign_change(g: sp.Expr, x: sp.Symbol, at: sp.Expr) -> int:
    """1 if g, analytic and zero at the point, goes from - to +; -1 from + to -; 0 if it keeps its sign."""
    for order in range(1, 12):
        g = sp.diff(g, x)
        if (s := _sign_at(g, x, at)) != 0:
            return s if order % 2 else 0
    raise Undecided(f"the order of the zero at {at}")


def _sign_at(g: sp.Expr, x: sp.Symbol, at: sp.Expr) -> int:
    """The sign there; algebra with roots of polynomials that have no better name takes long, digits do not."""
    value = g.subs(x, at)
    if value.has(sp.CRootOf) and _is_apart_from_zero(digits := elementary(value).evalf(30, maxn=400)):
        return 1 if digits > 0 else -1
    return sign(tidy(value))


def _is_apart_from_zero(digits: sp.Expr) -> bool:
    """By sympy's own account of the error, as in `normal.sign`."""
    return bool(digits.is_Float and digits._prec > 1 and abs(digits) > sp.Float("1e-20"))


def _sided_sign(piece: Piece, x: sp.Symbol, at: sp.Expr, side: int, order: int) -> int:
    """The sign of the order-th derivative of the piece just left (side -1) or right (side 1) of its end."""
    g = sp.diff(piece.expression, x, order)
    if is_zero(g):
        return 0
    for k in range(12):
        if (s := sign(tidy(value_at(g, x, at, side)))) != 0:
            return s * side**k
        g = sp.diff(g, x)
    raise Undecided(f"the sign of derivative {order} beside {at}")


def _rise(piece: Piece, x: sp.Symbol, at: sp.Expr, side: int, value: sp.Expr) -> int:
    """The sign of f - value just left (side -1) or right (side 1) of an end of the piece."""
    gap = tidy(value_at(piece.expression, x, at, side) - value)
    return sign(gap) or side * _sided_sign(piece, x, at, side, 1)


def _continuous(left: Piece, right: Piece, x: sp.Symbol, at: sp.Expr, order: int) -> bool:
    """Whether both sides tend to the same, perhaps to the same infinity."""
    before, after = (value_at(sp.diff(p.expression, x, order), x, at, side) for p, side in ((left, -1), (right, 1)))
    if before.is_infinite or after.is_infinite:
        return before == after
    difference = tidy(after - before)
    return bool(difference.is_zero) if difference.free_symbols else sign(difference) == 0


def _is_open(value: sp.Expr) -> bool:
    """Whether free constants decide its sign."""
    try:
        sign(value)
    except Undecided:
        return True
    return False


def _ends(piece: Piece) -> tuple[sp.Expr, sp.Expr]:
    return piece.lower, piece.upper


def _from_left_to_right(points) -> tuple[Point, ...]:
    points = list(points)
    if all(p.x.is_number for p in points if isinstance(p.x, sp.Expr)):
        points.sort(key=lambda p: p.x.evalf(30) if isinstance(p.x, sp.Expr) else p.x.start)
    return tuple(points)
