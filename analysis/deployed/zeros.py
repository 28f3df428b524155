"""Zeros that no float hits exactly: beside them forms cancel, and a polynomial times the distance takes over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import mpmath
import sympy as sp

from analysis.activation import functions
from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.exact.pieces import Piece
from analysis.rigorous import roots

DIGITS = 60
AT_ZERO = mpmath.mpf(10) ** -25  # a zero nearer to zero is there, and a form finds it by its factor x
INWARD, OUTWARD = sp.Rational(17, 10), sp.Rational(1, 2)  # of the distance from zero: how far a quotient reaches
SHARES = (1, 2, 4, 8, 16)  # the reach is divided by, until the degree is enough
DEGREE = 15  # of a quotient at most
PLACES = 33  # at which the error of a quotient is compared with its size


@dataclass(frozen=True)
class Factored:
    """f(x) = (x - root) (c[0] + c[1] d + c[2] d^2 + ...) with d = x - centre, for |d| < radius, near-minimax.

    The centre is in sixteenths, so that d is exact but for x near zero.
    """

    centre: float
    radius: float
    coefficients: tuple[mpmath.mpf, ...]


@dataclass(frozen=True)
class Zero:
    """A simple zero of an expression, and the ends of what is its own: kinks, or half of the way to the next zero."""

    expression: sp.Expr
    root: mpmath.mpf
    lower: float
    upper: float

    def taylor(self, terms: int) -> tuple[mpmath.mpf, ...]:
        """c[0], c[1], ... of f = c[0] d + c[1] d^2 + ... with d = x - root."""
        with mpmath.workdps(DIGITS):
            return tuple(mpmath.taylor(high_precision(self.expression), self.root, terms)[1:])

    def factored(self, relative: float) -> Factored | None:
        """f/(x - root) as a polynomial of degree `DEGREE` at most, to this relative error, as far as that reaches.

        Twice as far as zero is away towards zero, half as far in the other direction, or a share of that.
        """
        for share in SHARES:
            found = _factored(self, sp.Rational(1, share), relative)
            if found is not None:
                return found
        return None


@lru_cache(maxsize=64)
def _factored(zero: Zero, share: sp.Rational, relative: float) -> Factored | None:
    root = float(zero.root)
    ends = sorted(root * (1 - float(share * reach)) for reach in (INWARD, -OUTWARD))
    low, high = max(ends[0], zero.lower), min(ends[1], zero.upper)
    centre = round(8 * (low + high)) / 16
    radius = min(centre - low, high - centre)
    if not abs(root - centre) < radius:
        return None
    f = high_precision(zero.expression)
    with mpmath.workdps(DIGITS):
        slope = zero.taylor(1)[0]

        def quotient(d: mpmath.mpf) -> mpmath.mpf:
            away = centre + d - zero.root
            return slope if abs(away) < mpmath.mpf(10) ** -30 else f(centre + d) / away

        for degree in range(2, DEGREE + 1):
            found, error = mpmath.chebyfit(quotient, [-radius, radius], degree + 1, error=True)
            sizes = [abs(quotient(x)) for x in mpmath.linspace(-radius, radius, PLACES)]
            if error <= relative * min(sizes):
                return Factored(centre, radius, tuple(reversed(found)))
    return None


def zeros(expression: sp.Expr, piece: Piece, is_number: Callable[[sp.Rational], bool]) -> Iterator[Zero]:
    """Those inside the piece at which the sign changes; not x = 0, and none for which `is_number` holds."""
    try:
        found = roots.sign_changes(expression, piece.lower, piece.upper)
    except (Undecided, ZeroDivisionError, TypeError):
        return
    places = sorted({float(enclosed.x) for enclosed in found} | ({0.0} if expression.subs(X, 0) == 0 else set()))
    middles = [float(piece.lower), *((a + b) / 2 for a, b in pairwise(places)), float(piece.upper)]
    f = high_precision(expression)
    with mpmath.workdps(DIGITS):
        for enclosed in found:
            guess = mpmath.mpf(str(enclosed.x.mid().str(40, radius=False)))
            if abs(guess) < AT_ZERO:
                continue
            root = mpmath.findroot(f, guess)
            if not is_number(sp.Rational(str(mpmath.nstr(root, 40)))):
                i = places.index(float(enclosed.x))
                yield Zero(expression, root, middles[i], middles[i + 1])


def high_precision(expression: sp.Expr) -> Callable[[mpmath.mpf], mpmath.mpf]:
    """The function in mpmath."""
    return sp.lambdify(X, functions.elementary(expression), "mpmath")
