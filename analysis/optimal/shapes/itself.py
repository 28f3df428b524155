"""A target that is itself a spline of the shape asked for: it is its own best design."""

from __future__ import annotations

from itertools import pairwise

import sympy as sp

from analysis.activation.parsing import X
from analysis.exact.breakpoints import jump
from analysis.exact.pieces import Piece, spots
from analysis.optimal.designs import Polynomials
from analysis.optimal.shapes.basis import Shape
from analysis.optimal.shapes.linear import Target


def already(target: Target, shape: Shape, pieces: int) -> Polynomials | None:
    """The target: it has no more pieces, of no higher degree, is as smooth, has no value apart; or None."""
    found = target.pieces
    if len(found) > pieces or not all(piece.expression.is_polynomial(X) for piece in found):
        return None
    rows = [sp.Poly(piece.expression, X).all_coeffs()[::-1] for piece in found]
    if any(len(row) > shape.degree + 1 for row in rows):
        return None
    if spots(target.expression, X, target.lower, target.upper):
        return None
    if not all(_joins(left, right, order) for left, right in pairwise(found) for order in range(shape.smooth + 1)):
        return None
    padded = tuple(tuple(row + [sp.S.Zero] * (shape.degree + 1 - len(row))) for row in rows)
    return Polynomials(tuple(piece.lower for piece in found[1:]), padded)


def _joins(left: Piece, right: Piece, order: int) -> bool:
    """Whether the derivative of that order has no jump where the two meet."""
    before, after = (sp.diff(piece.expression, X, order) for piece in (left, right))
    return jump(before, after, X, right.lower) == 0
