"""Exact infimum, supremum and Lipschitz constant, where every candidate for them is known exactly.

An extreme value is taken at an extremum, at a breakpoint, from one side of it, or in the limit; the largest slope at an
inflection, at a breakpoint from one side, or in the limit.
"""

from __future__ import annotations

import sympy as sp

from analysis.activation.parsing import X
from analysis.exact.asymptotes import limit_at_infinity
from analysis.exact.pieces import Piece, Spot, value_at
from analysis.exact.stationary import Stationary


def values(
    found: tuple[Piece, ...], points: Stationary, apart: tuple[Spot, ...] = (), x: sp.Symbol = X
) -> list[sp.Expr] | None:
    """Exact numbers, perhaps infinite, with inf f the least and sup f the largest; None if not all are known."""
    if any(equation.order == 1 for equation in points.equations):
        return None
    extremes = [point.value for point in (*points.minima, *points.maxima)]
    return _ends(found, 0, x) + extremes + [spot.value for spot in apart]


def slopes(
    found: tuple[Piece, ...], points: Stationary, apart: tuple[Spot, ...] = (), x: sp.Symbol = X
) -> list[sp.Expr] | None:
    """Exact numbers, perhaps infinite, the largest in size of which is sup |f'|; None if not all are known."""
    if any(equation.order == 2 for equation in points.equations):
        return None
    inside = [
        sp.diff(piece.expression, x).subs(x, point.x)
        for point in points.inflections
        for piece in found
        if _holds(piece, point.x)
    ]
    return _ends(found, 1, x) + inside


def _ends(found: tuple[Piece, ...], order: int, x: sp.Symbol) -> list[sp.Expr]:
    """The one-sided values or limits of the derivative at the ends of every piece."""
    ends = []
    for piece in found:
        g = sp.diff(piece.expression, x, order)
        for end, direction in ((piece.lower, -1), (piece.upper, 1)):
            inward = -direction
            ends.append(value_at(g, x, end, inward) if end.is_finite else limit_at_infinity(g, direction, x))
    return ends


def _holds(piece: Piece, at: sp.Expr) -> bool:
    return bool(piece.lower.evalf(30) <= at.evalf(30) <= piece.upper.evalf(30))
