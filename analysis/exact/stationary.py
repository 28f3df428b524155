"""Extrema and inflections: the points where f' or f'' changes sign, in closed form where one exists.

An extremum is strict, or a plateau (an interval on which f is constant) that both neighbouring slopes leave upwards
(minimum) or downwards (maximum). Where f' is zero at points without a closed form, the equation is reported instead,
to be enclosed by `analysis.rigorous`. With free constants each point carries the condition under which it is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import sympy as sp

from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.exact.asymptotes import limit_at_infinity
from analysis.exact.breakpoints import value_at
from analysis.exact.equations import between, zeros
from analysis.exact.normal import is_zero, sign, tidy
from analysis.exact.pieces import Piece, pieces

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
    """Extrema and inflections of a function; the lists are complete up to the zeros of `equations`."""

    minima: tuple[Point, ...]
    maxima: tuple[Point, ...]
    inflections: tuple[Point, ...]
    equations: tuple[Equation, ...]


def stationary(expression: sp.Expr, x: sp.Symbol = X) -> Stationary:
    """Extrema and inflections of the function on R."""
    return stationary_of(pieces(expression, x), x)


def stationary_of(found: tuple[Piece, ...], x: sp.Symbol = X) -> Stationary:
    points: list[Point] = []
    equations: list[Equation] = []
    for order in (1, 2):
        for piece in found:
            inner, unsolved = _inside_piece(piece, x, order)
            points += inner
            equations += unsolved
    points += _at_breakpoints(found, x) + _plateaus(found, x)

    def pick(kind: Kind) -> tuple[Point, ...]:
        return _from_left_to_right(p for p in points if p.kind == kind)

    return Stationary(pick("minimum"), pick("maximum"), pick("inflection"), tuple(equations))


def _inside_piece(piece: Piece, x: sp.Symbol, order: int) -> tuple[list[Point], list[Equation]]:
    derivative = sp.diff(piece.expression, x, order)
    if is_zero(derivative):
        return [], []
    found = zeros(derivative, x, piece.lower, piece.upper)
    points = []
    for zero in found.exact:
        if change := _sign_change(derivative, x, zero.x):
            kind: Kind = "inflection" if order == 2 else "minimum" if change > 0 else "maximum"
            points.append(Point(kind, zero.x, tidy(piece.expression.subs(x, zero.x)), zero.condition))
    return points, [Equation(order, factor, piece.lower, piece.upper) for factor in found.open]


def _sign_change(g: sp.Expr, x: sp.Symbol, at: sp.Expr) -> int:
    """1 if g, analytic and zero at the point, goes from - to +; -1 from + to -; 0 if it keeps its sign."""
    for order in range(1, 12):
        g = sp.diff(g, x)
        if (s := sign(tidy(g.subs(x, at)))) != 0:
            return s if order % 2 else 0
    raise Undecided(f"the order of the zero at {at}")


def _sided_sign(piece: Piece, x: sp.Symbol, at: sp.Expr, side: int, order: int) -> int:
    """The sign of the order-th derivative of the piece just left (side -1) or right (side 1) of its end."""
    g = sp.diff(piece.expression, x, order)
    if is_zero(g):
        return 0
    for k in range(12):
        if (s := sign(tidy(value_at(g, x, at)))) != 0:
            return s * side**k
        g = sp.diff(g, x)
    raise Undecided(f"the sign of derivative {order} beside {at}")


def _at_breakpoints(found: tuple[Piece, ...], x: sp.Symbol) -> list[Point]:
    points = []
    for left, right in pairwise(found):
        at = left.upper
        value = tidy(value_at(right.expression, x, at))
        if not _continuous(left, right, x, at, 0):
            continue
        points += _kink_extremum(left, right, x, at, value)
        if _continuous(left, right, x, at, 1):
            signs = _sided_sign(left, x, at, -1, 2), _sided_sign(right, x, at, 1, 2)
            if signs[0] * signs[1] < 0:
                points.append(Point("inflection", at, value))
    return points


def _kink_extremum(left: Piece, right: Piece, x: sp.Symbol, at: sp.Expr, value: sp.Expr) -> list[Point]:
    try:
        before, after = _sided_sign(left, x, at, -1, 1), _sided_sign(right, x, at, 1, 1)
    except Undecided:
        return _conditional_kink(left, right, x, at, value)
    if before * after >= 0:
        return []
    return [Point("minimum" if before < 0 else "maximum", at, value)]


def _conditional_kink(left: Piece, right: Piece, x: sp.Symbol, at: sp.Expr, value: sp.Expr) -> list[Point]:
    """The extremum at a kink whose slopes depend on free constants, with the condition on them."""
    slopes = [tidy(value_at(sp.diff(p.expression, x), x, at)) for p in (left, right)]
    points = []
    kinds: tuple[tuple[Kind, int], ...] = (("minimum", 1), ("maximum", -1))
    for kind, s in kinds:
        condition = sp.And(between(s * slopes[0], -sp.oo, sp.S.Zero), between(s * slopes[1], sp.S.Zero, sp.oo))
        if condition != sp.false:
            points.append(Point(kind, at, value, condition))
    return points


def _continuous(left: Piece, right: Piece, x: sp.Symbol, at: sp.Expr, order: int) -> bool:
    values = [value_at(sp.diff(p.expression, x, order), x, at) for p in (left, right)]
    difference = tidy(values[1] - values[0])
    return bool(difference.is_zero) if difference.free_symbols else sign(difference) == 0


def _plateaus(found: tuple[Piece, ...], x: sp.Symbol) -> list[Point]:
    """Constant pieces whose neighbours leave to the same side; an unbounded one counts if it attains a global bound."""
    points = []
    for i, piece in enumerate(found):
        if not is_zero(sp.diff(piece.expression, x)):
            continue
        sides = set()
        if i > 0:
            sides.add(-_sided_sign(found[i - 1], x, piece.lower, -1, 1))
        if i + 1 < len(found):
            sides.add(_sided_sign(found[i + 1], x, piece.upper, 1, 1))
        if sides not in ({1}, {-1}):
            continue
        side = sides.pop()
        bounded = piece.lower != -sp.oo and piece.upper != sp.oo
        if bounded or _stays_beyond(found, x, piece, side):
            points.append(Point("minimum" if side > 0 else "maximum", _interval(piece), piece.expression))
    return points


def _interval(piece: Piece) -> sp.Interval:
    return sp.Interval(piece.lower, piece.upper)


def _stays_beyond(found: tuple[Piece, ...], x: sp.Symbol, plateau: Piece, side: int) -> bool:
    """Whether side*(f - plateau) >= 0 is seen at every breakpoint, exact extremum and end of the line."""

    def goes_beyond(value: sp.Expr) -> bool:
        return side * sign(value - plateau.expression) < 0

    for piece, end in ((found[0], -1), (found[-1], 1)):
        if goes_beyond(limit_at_infinity(piece.expression, end, x)):
            return False
    for piece in found:
        ends = [value_at(piece.expression, x, end) for end in (piece.lower, piece.upper) if end.is_finite]
        if any(map(goes_beyond, [*ends, *(point.value for point in _inside_piece(piece, x, 1)[0])])):
            return False
    return True


def _from_left_to_right(points) -> tuple[Point, ...]:
    points = list(points)
    if all(p.x.is_number for p in points if isinstance(p.x, sp.Expr)):
        points.sort(key=lambda p: p.x.evalf(30) if isinstance(p.x, sp.Expr) else p.x.start)
    return tuple(points)
