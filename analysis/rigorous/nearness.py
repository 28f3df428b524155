"""How close to zero a function is that may well be zero: a bound on |f| over an interval, from values at few points.

f is interpolated at n + 1 Chebyshev points of an interval. If f is analytic in the Bernstein ellipse of parameter rho
around it and |f| <= M there, then (Trefethen, Approximation Theory and Approximation Practice, theorems 8.2 and 15.2)

    |f| <= (1 + 2/pi log(n + 1)) max |f(nodes)| + 4 M rho^-n/(rho - 1),

and M comes from one complex ball. Equality is never shown this way: the bound is a number above zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise

import sympy as sp
from flint import acb, arb, ctx

from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.exact.pieces import Piece
from analysis.rigorous import balls
from analysis.rigorous.holomorphic import continuation

BITS = 256
DEGREE = 64
RHO = 4
FIRST_WIDTH = 2  # of the intervals at the start
HALVINGS = 6


def is_within(f: sp.Expr, tolerance: arb, lower: arb, upper: arb) -> bool:
    """Whether |f| <= tolerance on [lower, upper] is shown, for an f without kinks and without free constants."""
    if f.free_symbols - {X}:
        return False
    with ctx.workprec(BITS):
        try:
            values, off_the_line = balls.evaluator(f), continuation(f)
        except (Undecided, KeyError):
            return False
        parts = max(1, math.ceil(float(upper - lower) / FIRST_WIDTH))
        width = (upper - lower) / parts
        ends = [lower + k * width for k in range(parts)] + [upper]
        return all(_is_small(values, off_the_line, tolerance, a, b, HALVINGS) for a, b in pairwise(ends))


def on(pieces: Sequence[Piece], lower: sp.Rational, upper: sp.Rational) -> list[tuple[Piece, arb, arb]]:
    """The pieces that meet [lower, upper], each with enclosures of the ends of what it has in common with it."""
    found = []
    for piece in pieces:
        a = balls.enclose(lower) if piece.lower == -sp.oo else balls.enclose(lower).max(balls.enclose(piece.lower))
        b = balls.enclose(upper) if piece.upper == sp.oo else balls.enclose(upper).min(balls.enclose(piece.upper))
        if not a >= b:
            found.append((piece, a, b))
    return found


def _is_small(values: Callable, off_the_line: Callable, tolerance: arb, a: arb, b: arb, halvings: int) -> bool:
    middle, half = (a + b) / 2, (b - a).abs_upper() / 2
    if _bound(values, off_the_line, middle, half) <= tolerance:
        return True
    if halvings == 0:
        return False
    return all(
        _is_small(values, off_the_line, tolerance, left, right, halvings - 1)
        for left, right in ((a, middle), (middle, b))
    )


def _bound(values: Callable, off_the_line: Callable, middle: arb, half: arb) -> arb:
    """An upper bound of |f| within `half` of the middle; not finite where f may not be analytic nearby."""
    long, short = arb(RHO * RHO + 1) / (2 * RHO), arb(RHO * RHO - 1) / (2 * RHO)
    around = acb(middle + _ball(half * long), _ball(half * short))
    most = abs(off_the_line(around, True))
    if not most.is_finite():
        return arb("inf")
    largest = arb(0)
    for node in _nodes(ctx.prec):
        largest = largest.max(abs(values(middle + half * node)))
    lebesgue = 1 + 2 / arb.pi() * arb(DEGREE + 1).log()
    return (lebesgue * largest + 4 * most * arb(RHO) ** -DEGREE / (RHO - 1)).abs_upper()


def _ball(radius: arb) -> arb:
    return arb(0, radius.abs_upper())


@lru_cache(maxsize=4)
def _nodes(_bits: int) -> list[arb]:
    return [(arb.pi() * (2 * k + 1) / (2 * DEGREE + 2)).cos() for k in range(DEGREE + 1)]
