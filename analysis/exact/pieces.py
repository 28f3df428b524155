"""A piecewise function taken apart: exact breakpoints, and between them expressions without kinks.

clip, relu, step, abs, max, min, sign and Piecewise change their branch where an argument crosses a threshold. Those
points are found exactly, innermost function first; between neighbours one interior point decides the branch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import sympy as sp

from analysis.activation.errors import BadInput, Undecided
from analysis.activation.functions import clip, relu, step
from analysis.activation.parsing import X
from analysis.exact.equations import zeros
from analysis.exact.normal import is_zero, sign, tidy

SWITCHING = (clip, relu, step, sp.Abs, sp.Max, sp.Min, sp.sign, sp.Heaviside, sp.Piecewise)


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


def interior_point(lower: sp.Expr, upper: sp.Expr) -> sp.Expr:
    if lower == -sp.oo and upper == sp.oo:
        return sp.S.Zero
    if lower == -sp.oo:
        return upper - 1
    if upper == sp.oo:
        return lower + 1
    return (lower + upper) / 2


@lru_cache(maxsize=1024)
def pieces(expression: sp.Expr, x: sp.Symbol = X, lower: sp.Expr = -sp.oo, upper: sp.Expr = sp.oo) -> tuple[Piece, ...]:
    """The function on (lower, upper) as pieces from left to right, neighbours with the same expression joined.

    Free constants are allowed where their assumptions suffice to order the breakpoints; else Undecided with the reason.
    """
    return tuple(_join(split(expression, x, lower, upper)))


def split(expression: sp.Expr, x: sp.Symbol = X, lower: sp.Expr = -sp.oo, upper: sp.Expr = sp.oo) -> list[Piece]:
    """As `pieces`, but every point where a branch may change separates, whether or not the sides then agree."""
    node = _innermost_switch(expression, x)
    if node is None:
        _check_analytic(expression, x, lower, upper)
        return [Piece(lower, upper, expression)]
    points = _ordered(_crossings(node, x, lower, upper))
    found = []
    for left, right in zip([lower, *points], [*points, upper], strict=True):
        branch = _branch(node, x, interior_point(left, right))
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
        return [c.lhs - c.rhs for _, condition in node.args for c in condition.atoms(sp.core.relational.Relational)]
    return [node.args[0]]


def _crossings(node: sp.Expr, x: sp.Symbol, lower: sp.Expr, upper: sp.Expr) -> list[sp.Expr]:
    points: dict[sp.Expr, None] = {}
    for switch in switches(node):
        if not switch.has(x) or is_zero(switch):
            continue
        found = zeros(switch, x, lower, upper)
        if found.open:
            raise Undecided(f"the zeros of {switch}, where {node} changes its branch")
        for zero in found.exact:
            if zero.condition != sp.true:
                raise Undecided(f"whether {zero.x} lies between {lower} and {upper}")
            points.setdefault(zero.x)
    return list(points)


def _ordered(points: list[sp.Expr]) -> list[sp.Expr]:
    """Ascending, equal points merged; insertion, as every comparison is exact and may be undecided."""
    ordered: list[sp.Expr] = []
    for point in points:
        place = 0
        while place < len(ordered) and (side := sign(point - ordered[place])) >= 0:
            if side == 0:
                break
            place += 1
        else:
            ordered.insert(place, point)
    return ordered


def _branch(node: sp.Expr, x: sp.Symbol, point: sp.Expr) -> sp.Expr:
    """What the node is near a point at which none of its switches is zero."""

    def at(e: sp.Expr) -> int:
        return 0 if is_zero(e) else sign(e.subs(x, point))

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
        return next(value for value, condition in node.args if _holds(condition, x, point))
    positive = at(node.args[0]) > 0
    z = node.args[0]
    return {
        relu: (sp.S.Zero, z),
        step: (sp.S.Zero, sp.S.One),
        sp.Heaviside: (sp.S.Zero, sp.S.One),
        sp.sign: (sp.S.NegativeOne, sp.S.One),
        sp.Abs: (-z, z),
    }[type(node)][positive]


def _holds(condition: sp.Basic, x: sp.Symbol, point: sp.Expr) -> bool:
    if condition in (sp.true, sp.false):
        return bool(condition)
    if isinstance(condition, sp.And | sp.Or):
        return (all if isinstance(condition, sp.And) else any)(_holds(c, x, point) for c in condition.args)
    side = sign((condition.lhs - condition.rhs).subs(x, point))
    if isinstance(condition, sp.Lt | sp.Le):
        side = -side
    return side > 0


def _check_analytic(expression: sp.Expr, x: sp.Symbol, lower: sp.Expr, upper: sp.Expr) -> None:
    """Refuses what is not real and analytic on (lower, upper): poles, and roots or logarithms of what changes sign."""
    for node in sp.postorder_traversal(expression):
        if isinstance(node, sp.log):
            base = node.args[0]
        elif isinstance(node, sp.Pow) and not node.exp.is_nonnegative and not isinstance(node, sp.exp):
            base = node.base
        elif isinstance(node, sp.Pow) and not node.exp.is_Integer:
            base = node.base
        else:
            continue
        if not base.has(x) or base.is_positive or base.free_symbols != {x}:
            continue
        found = zeros(base, x, lower, upper)
        edges = [lower, *(zero.x for zero in found.exact), upper]
        if isinstance(node, sp.log) or not node.exp.is_Integer:
            for left, right in pairwise(edges):
                if not found.open and sign(base.subs(x, interior_point(left, right))) < 0:
                    raise BadInput(f"expected real values for every x, but {node} is not real on ({left}, {right})")
        if found.exact or found.open:
            where = f"x = {found.exact[0].x}" if found.exact else f"the zeros of {found.open[0]}"
            raise Undecided(f"{node} may be singular at {where}")


def _join(found: list[Piece]) -> list[Piece]:
    joined: list[Piece] = []
    for piece in found:
        last = joined[-1] if joined else None
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
