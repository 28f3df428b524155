"""A piecewise function taken apart: exact breakpoints, and between them expressions without kinks.

clip, relu, step, abs, max, min, sign and Piecewise change their branch where an argument crosses a threshold. Those
points are found exactly, innermost function first; between neighbours one interior point decides the branch.

The pieces are open intervals. Where a function jumps, its value at the point itself may be that of neither side, and
is kept apart as a `Spot`: it counts for a supremum, and not for an integral or a derivative.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import sympy as sp

from analysis.activation.errors import BadInput, Undecided
from analysis.activation.functions import clip, relu, squareplus, step
from analysis.activation.parsing import X
from analysis.exact.asymptotes import limit_at
from analysis.exact.equations import zeros
from analysis.exact.normal import is_zero, sign, tidy

JUMPING = (step, sp.sign, sp.Heaviside, sp.Piecewise)
SWITCHING = (clip, relu, sp.Abs, sp.Max, sp.Min, *JUMPING)


Signs = Callable[[sp.Expr], int]
_SIGNS = {sp.Lt: (-1,), sp.Le: (-1, 0), sp.Eq: (0,), sp.Ge: (0, 1), sp.Gt: (1,), sp.Ne: (-1, 1)}  # of left - right


@dataclass(frozen=True)
class Piece:
    """`expression`, analytic on the open interval (lower, upper)."""

    lower: sp.Expr
    upper: sp.Expr
    expression: sp.Expr

    @property
    def inside(self) -> sp.Expr:
        """An exact point of the open interval."""
        return interior_point(self.lower, self.upper)


@dataclass(frozen=True)
class Spot:
    """The value at a point that not all pieces beside it tend to; `alone` if none of them does."""

    x: sp.Expr
    value: sp.Expr
    alone: bool


def interior_point(lower: sp.Expr, upper: sp.Expr) -> sp.Expr:
    if lower == -sp.oo and upper == sp.oo:
        return sp.S.Zero
    if lower == -sp.oo:
        return upper - 1
    if upper == sp.oo:
        return lower + 1
    return (lower + upper) / 2


def pieces(expression: sp.Expr, x: sp.Symbol = X, lower: sp.Expr = -sp.oo, upper: sp.Expr = sp.oo) -> tuple[Piece, ...]:
    """The function on (lower, upper) as pieces from left to right, neighbours with the same expression joined.

    They are not joined across a spot. Free constants are allowed where their assumptions suffice to order the
    breakpoints; else Undecided with the reason.
    """
    return _taken_apart(expression, x, lower, upper)[0]


def spots(expression: sp.Expr, x: sp.Symbol = X, lower: sp.Expr = -sp.oo, upper: sp.Expr = sp.oo) -> tuple[Spot, ...]:
    """The points of [lower, upper] at which the function has a value, and is not continuous on [lower, upper]."""
    return _taken_apart(expression, x, lower, upper)[1]


@lru_cache(maxsize=1024)
def _taken_apart(
    expression: sp.Expr, x: sp.Symbol, lower: sp.Expr, upper: sp.Expr
) -> tuple[tuple[Piece, ...], tuple[Spot, ...]]:
    found = split(expression, x, lower, upper)
    apart = tuple(_spots(expression, x, found)) if expression.has(*JUMPING) else ()
    return tuple(_join(found, {spot.x for spot in apart})), apart


def _spots(expression: sp.Expr, x: sp.Symbol, found: list[Piece]) -> Iterator[Spot]:
    """Only a function that jumps makes some: all others are continuous, and so is what is made of them."""
    for left, right in pairwise([None, *found, None]):
        beside = [(piece, side) for piece, side in ((left, -1), (right, 1)) if piece]
        at = left.upper if left else found[0].lower
        value = sp.nan if at.is_infinite else value_on(expression, x, at)
        if value.has(sp.nan, sp.zoo, sp.oo, sp.I):  # the function has no value there
            continue
        agrees = [_tends_to(value, piece, x, at, side) for piece, side in beside]
        if not all(agrees):
            yield Spot(at, value, all(known is False for known in agrees))


def _tends_to(value: sp.Expr, piece: Piece, x: sp.Symbol, at: sp.Expr, side: int) -> bool | None:
    """Whether the piece tends to the value at an end, from the side of it; None where that is not decided."""
    try:
        limit = value_at(piece.expression, x, at, side)
        return limit == value or (not limit.is_infinite and sign(limit - value) == 0)
    except Undecided:
        return None


def value_on(expression: sp.Expr, x: sp.Symbol, at: sp.Expr) -> sp.Expr:
    """The value at the very point, where branches may change; nan or infinite where there is none."""
    if not expression.has(*SWITCHING):
        return expression.xreplace({x: at})
    if isinstance(expression, SWITCHING):
        return value_on(_branch(expression, lambda part: sign(value_on(part, x, at))), x, at)
    return expression.func(*(value_on(argument, x, at) for argument in expression.args))


def value_at(expression: sp.Expr, x: sp.Symbol, at: sp.Expr, side: int = 1) -> sp.Expr:
    """The value of a piece at an end, or the limit from the side of it, where the expression itself has no value."""
    value = expression.subs(x, at)
    return limit_at(expression, at, side, x) if value.has(sp.nan, sp.zoo, sp.oo) else value


def split(expression: sp.Expr, x: sp.Symbol = X, lower: sp.Expr = -sp.oo, upper: sp.Expr = sp.oo) -> list[Piece]:
    """As `pieces`, but every point where a branch may change separates, whether or not the sides then agree."""
    node = _innermost_switch(expression, x)
    if node is None:
        _check_analytic(expression, x, lower, upper)
        return [Piece(lower, upper, expression)]
    crossings = _crossings(node, x, lower, upper)
    order = _ordered([point for points in crossings.values() for point in points])
    signs, points = _Signs(x, crossings, order), [equal[0] for equal in order]
    found = []
    for k, (left, right) in enumerate(zip([lower, *points], [*points, upper], strict=True)):
        branch = _branch(node, signs.between(k, interior_point(left, right)))
        found += split(expression.xreplace({node: branch}), x, left, right)
    return found


def _innermost_switch(expression: sp.Expr, x: sp.Symbol) -> sp.Expr | None:
    """A switching function of x whose own arguments do not switch, or None."""
    for node in sp.postorder_traversal(expression):
        if isinstance(node, SWITCHING) and node.has(x):
            return node
    return None


def switches(node: sp.Expr) -> list[sp.Expr]:
    """The functions whose sign decides the branch."""
    if isinstance(node, clip):
        z, lo, hi = node.args
        return [z - lo, z - hi]
    if isinstance(node, sp.Max | sp.Min):
        return [a - b for i, a in enumerate(node.args) for b in node.args[i + 1 :]]
    if isinstance(node, sp.Piecewise):
        return [_difference(c) for _, condition in node.args for c in condition.atoms(sp.core.relational.Relational)]
    return [node.args[0]]


@lru_cache(maxsize=4096)
def _difference(relation: sp.core.relational.Relational) -> sp.Expr:
    return relation.lhs - relation.rhs


def _crossings(node: sp.Expr, x: sp.Symbol, lower: sp.Expr, upper: sp.Expr) -> dict[sp.Expr, list[sp.Expr]]:
    """The switches of the node that depend on x, each with its zeros in (lower, upper)."""
    crossings: dict[sp.Expr, list[sp.Expr]] = {}
    for switch in switches(node):
        if switch in crossings or not switch.has(x) or is_zero(switch):
            continue
        found = zeros(switch, x, lower, upper)
        if found.open:
            raise Undecided(f"the zeros of {switch}, where {node} changes its branch")
        for zero in found.exact:
            if zero.condition != sp.true:
                raise Undecided(f"whether {zero.x} lies between {lower} and {upper}")
        crossings[switch] = [zero.x for zero in found.exact]
    return crossings


def _ordered(points: list[sp.Expr]) -> list[list[sp.Expr]]:
    """Ascending, equal points together; binary insertion, as every comparison is exact and may be undecided."""
    ordered: list[list[sp.Expr]] = []
    for point in dict.fromkeys(points):
        low, high = 0, len(ordered)
        while low < high:
            middle = (low + high) // 2
            side = sign(point - ordered[middle][0])
            if side == 0:
                ordered[middle].append(point)
                break
            low, high = (middle + 1, high) if side > 0 else (low, middle)
        else:
            ordered.insert(low, [point])
    return ordered


class _Signs:
    """The signs of switches between neighbouring crossings, each looked at once between two zeros of its own."""

    def __init__(self, x: sp.Symbol, crossings: dict[sp.Expr, list[sp.Expr]], order: list[list[sp.Expr]]):
        self.x = x
        places = {point: k for k, equal in enumerate(order) for point in equal}
        self.own = {switch: sorted(places[point] for point in points) for switch, points in crossings.items()}
        self.known: dict[tuple[sp.Expr, int], int] = {}

    def between(self, k: int, point: sp.Expr) -> Signs:
        """Those in the interval before the k-th crossing, which has the point inside."""

        def sign_of(switch: sp.Expr) -> int:
            if switch not in self.own:
                return 0 if is_zero(switch) else sign(switch.subs(self.x, point))
            key = switch, bisect_left(self.own[switch], k)
            if key not in self.known:
                self.known[key] = sign(switch.subs(self.x, point))
            return self.known[key]

        return sign_of


def _branch(node: sp.Expr, at: Signs) -> sp.Expr:
    """What the node is where its switches have these signs."""
    if isinstance(node, clip):
        z, lo, hi = node.args
        return lo if at(z - lo) <= 0 else hi if at(z - hi) >= 0 else z
    if isinstance(node, sp.Max | sp.Min):
        better = 1 if isinstance(node, sp.Max) else -1
        best = node.args[0]
        for candidate in node.args[1:]:
            if at(candidate - best) == better:
                best = candidate
        return best
    if isinstance(node, sp.Piecewise):
        return next((value for value, condition in node.args if _holds(condition, at)), sp.nan)
    z = node.args[0]
    negative, zero, positive = {
        relu: (sp.S.Zero, sp.S.Zero, z),
        step: (sp.S.Zero, sp.S.One, sp.S.One),
        sp.Heaviside: (sp.S.Zero, node.args[-1], sp.S.One),
        sp.sign: (sp.S.NegativeOne, sp.S.Zero, sp.S.One),
        sp.Abs: (-z, sp.S.Zero, z),
    }[type(node)]
    return (zero, positive, negative)[at(z)]


def _holds(condition: sp.Basic, at: Signs) -> bool:
    if condition in (sp.true, sp.false):
        return bool(condition)
    if isinstance(condition, sp.And | sp.Or):
        return (all if isinstance(condition, sp.And) else any)(_holds(c, at) for c in condition.args)
    return at(_difference(condition)) in _SIGNS[type(condition)]


def is_analytic_for_all_constants(found: tuple[Piece, ...], x: sp.Symbol = X) -> bool:
    """Whether nothing in the pieces may become singular for some values of the free constants."""
    return all(
        base.is_positive or base.free_symbols <= {x}
        for piece in found
        for node in sp.postorder_traversal(piece.expression)
        if (base := _base(node)) is not None and base.has(x)
    )


def _base(node: sp.Basic) -> sp.Expr | None:
    """What must not be zero where the node is analytic."""
    if isinstance(node, sp.log):
        return node.args[0]
    if isinstance(node, squareplus):
        return None if node.args[1].is_positive else node.args[0] ** 2 + node.args[1]
    if isinstance(node, sp.Pow) and not isinstance(node, sp.exp) and not (node.exp.is_Integer and node.exp >= 0):
        return node.base
    return None


def _check_analytic(expression: sp.Expr, x: sp.Symbol, lower: sp.Expr, upper: sp.Expr) -> None:
    """Refuses what is not real and analytic on (lower, upper): poles, and roots or logarithms of what changes sign."""
    for node in sp.postorder_traversal(expression):
        base = _base(node)
        if base is None or not base.has(x) or base.is_positive or base.free_symbols != {x}:
            continue
        found = zeros(base, x, lower, upper)
        edges = [lower, *(zero.x for zero in found.exact), upper]
        if not (isinstance(node, sp.Pow) and node.exp.is_Integer):
            for left, right in pairwise(edges):
                if not found.open and sign(base.subs(x, interior_point(left, right))) < 0:
                    raise BadInput(f"expected real values for every x, but {node} is not real on ({left}, {right})")
        if found.exact or found.open:
            where = f"x = {found.exact[0].x}" if found.exact else f"the zeros of {found.open[0]}"
            raise Undecided(f"{node} may be singular at {where}")


def _join(found: list[Piece], apart: set[sp.Expr]) -> list[Piece]:
    joined: list[Piece] = []
    for piece in found:
        last = joined[-1] if joined and piece.lower not in apart else None
        if last and (last.expression == piece.expression or is_zero(last.expression - piece.expression)):
            joined[-1] = Piece(last.lower, piece.upper, last.expression)
        else:
            joined.append(piece)
    return joined


def derivative_pieces(found: tuple[Piece, ...], x: sp.Symbol = X, order: int = 1) -> tuple[Piece, ...]:
    """The pieces of the derivative, with the same breakpoints."""
    return tuple(Piece(p.lower, p.upper, sp.diff(p.expression, x, order)) for p in found)


def as_piecewise(found: tuple[Piece, ...], x: sp.Symbol = X, short: Callable[[sp.Expr], sp.Expr] = tidy) -> sp.Expr:
    """One sympy expression from the pieces, each shortened; a breakpoint takes the piece at its left."""
    arms = [(short(p.expression), x <= p.upper if p.upper != sp.oo else True) for p in found]
    return sp.Piecewise(*arms)
