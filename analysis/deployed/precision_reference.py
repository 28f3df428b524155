"""Polynomials in double that enclose a function at every float32 number, each with a proved bound on its error.

The line of floats is cut into patches. On a patch f is its Taylor polynomial of degree `DEGREE` about a number of
double, from Arb's jets; its remainder is f^(n)(ball)/n! T^n with the ball of the whole patch, and what evaluating it in
double adds is at most (2n + 1) 2^-53 sum |c_k| T^k (Horner's rule; Higham 2002, section 5.1, and the rounding of the
coefficients), as (x - centre) scale is exact. Towards infinity it is the asymptote, with the certified supremum of what
is left. A patch is halved, down to single numbers, until the sum of these is below `TARGET` units in the last place of
f. So the reference shares nothing with the code that is measured, not even an exponential.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import sympy as sp
from flint import arb, ctx

from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.deployed.precision_inputs import decoded
from analysis.deployed.ulp import BITS, FORMATS, Exact, exponent
from analysis.exact.asymptotes import asymptote
from analysis.exact.pieces import Piece, pieces
from analysis.rigorous import balls
from analysis.rigorous.distance import supremum

DEGREE = 9
TARGET = 2.0**-20  # units in the last place
KIND = FORMATS["float32"]
LARGEST = 0x7F7FFFFF  # the bits of the largest number
NEGATIVE = 0x80000000  # the bit of the sign
TAILS = [2**k for k in (*range(3, 9), 16, 32, 64)]  # where the asymptote may take over
MOST = 2_000  # patches of one sign
NEAR_ZERO = 2.0**-5  # patches up to here are expanded about zero
RATIO = 2.0**20  # of the ends of a patch: x - centre is exact
ROUNDING = (2 * DEGREE + 3) * 2.0**-53 * 1.001
UNDERFLOW = 2.0**-1000  # more than all underflow in double adds


@dataclass(frozen=True)
class Patch:
    """f(x) = sum c_k ((x - centre) scale)^k, scale a power of two, for `count` numbers, whose bits follow `first`.

    `error` bounds what the polynomial in double is off by, in units in the last place of f on the patch.
    """

    first: int
    count: int
    centre: float
    scale: float
    coefficients: tuple[float, ...]
    error: float
    is_normal: bool  # |f| is at least the least normal number, on the whole patch

    @property
    def last(self) -> int:
        return self.first + self.count - 1

    def cut(self, bits: int) -> tuple[Patch, Patch]:
        """What is before the number with these bits, and from it on."""
        before = bits - self.first
        return replace(self, count=before), replace(self, first=bits, count=self.count - before)


def number(bits: int) -> float:
    """The float32 number with these bits."""
    return float(decoded(np.array([bits]), "float32")[0])


@lru_cache(maxsize=8)
def patches(expression: sp.Expr) -> tuple[Patch, ...]:
    """Patches for all finite float32 numbers, by their bits. Undecided where there is a number without one."""
    return tuple(patch for sign in (0, 1) for patch in _Side(expression, sign).patches())


@dataclass(frozen=True)
class _Side:
    """One sign: numbers by their magnitudes, 0 to `LARGEST` as bits; `sign` is the bit."""

    expression: sp.Expr
    sign: int

    def x(self, magnitude: int) -> float:
        return number(magnitude | self.sign * NEGATIVE)

    def patches(self) -> Iterator[Patch]:
        covered = [self._single(0)]
        for piece in pieces(self.expression):
            low, high = (piece.lower, piece.upper) if not self.sign else (-piece.upper, -piece.lower)
            first, last = max(1, _first_above(low)), min(LARGEST, _first_from(high) - 1)
            if first <= last:
                covered += self._covered(piece, first, last, is_open=bool(high.is_infinite))
        covered.sort(key=lambda patch: patch.first)
        following = self.sign * NEGATIVE
        for patch in covered:  # kinks that are floats stand alone
            yield from (self._single(bits & ~NEGATIVE) for bits in range(following, patch.first))
            yield patch
            following = patch.first + patch.count
        if following != (LARGEST | self.sign * NEGATIVE) + 1:
            raise Undecided(f"a reference for {self.expression} at large x")

    def _covered(self, piece: Piece, first: int, last: int, is_open: bool) -> list[Patch]:
        found = []
        tail = self._tail(piece, first) if is_open else None
        if tail is not None:
            found.append(tail)
            last = (tail.first & ~NEGATIVE) - 1
        taylor = _Taylor(piece.expression)
        waiting = [(first, last)]
        while waiting:
            if len(found) > MOST:
                raise Undecided(f"a reference for {self.expression}: more than {MOST} patches")
            low, high = waiting.pop()
            if low > high:
                continue
            patch = self._single(low) if low == high else self._fitted(taylor, low, high)
            if patch is not None:
                found.append(patch)
            else:
                middle = _middle(low, high)
                waiting += [(low, middle), (middle + 1, high)]
        return found

    def _single(self, magnitude: int) -> Patch:
        """The value at one number."""
        value = Exact(self.expression)(self.x(magnitude))
        rounded = float(value.mid())
        e = exponent(value)
        error = abs(rounded) * 2.0**-52 / _unit(e)
        coefficients = (rounded,) + (0.0,) * DEGREE
        bits = magnitude | self.sign * NEGATIVE
        return Patch(bits, 1, self.x(magnitude), 1.0, coefficients, error, e is not None and e >= KIND.lowest)

    def _fitted(self, taylor: _Taylor, low: int, high: int) -> Patch | None:
        ends = sorted((self.x(low), self.x(high)))
        least, most = sorted(map(abs, ends))
        centre = 0.0 if most <= NEAR_ZERO else (ends[0] + ends[1]) / 2
        if centre and most > RATIO * least:
            return None
        for about in (centre, (ends[0] + ends[1]) / 2) if not centre and most <= RATIO * least else (centre,):
            found = taylor.about(about, *ends)
            if found is not None:
                return Patch(low | self.sign * NEGATIVE, high - low + 1, about, *found)
        return None

    def _tail(self, piece: Piece, first: int) -> Patch | None:
        """The asymptote, from the nearest place of `TAILS` on at which it is as good as `TARGET` asks."""
        direction = -1 if self.sign else 1
        line = asymptote(piece.expression, direction)
        if line is None or not (line.slope.is_Rational and line.intercept.is_Rational):
            return None
        rest = piece.expression - line.slope * X - line.intercept
        slope, intercept = float(line.slope), float(line.intercept)
        for start in TAILS:
            beginning = _first_above(sp.Integer(start))
            if beginning <= first:
                continue
            low, high = (sp.Integer(start), sp.oo) if direction > 0 else (-sp.oo, -sp.Integer(start))
            try:
                upper = supremum(rest, low, high, tol=0.5).upper if rest != 0 else arb(0)
            except (Undecided, ZeroDivisionError):
                return None
            least = abs(intercept + slope * direction * start) if slope * direction * intercept >= 0 else 0.0
            if slope and not least:
                continue
            size = least if least else 0.0
            unit = _unit(math.frexp(size)[1] - 1 if size else None)
            error = float(upper.abs_upper()) * 1.001 / unit + (ROUNDING * 2.0**24 if size else 0.0)
            if error <= TARGET:
                bits = beginning | self.sign * NEGATIVE
                coefficients = (intercept, slope) + (0.0,) * (DEGREE - 1)
                return Patch(bits, LARGEST - beginning + 1, 0.0, 1.0, coefficients, error, size >= 2.0**KIND.lowest)
        return None


class _Taylor:
    """Taylor polynomials of an analytic expression with their errors."""

    def __init__(self, expression: sp.Expr):
        self.jet = balls.jet(expression, DEGREE + 1)
        self.factorials = [math.factorial(k) for k in range(DEGREE + 2)]

    def about(self, centre: float, low: float, high: float) -> tuple[float, tuple[float, ...], float, bool] | None:
        """Scale, coefficients, their error in units in the last place on [low, high], and whether f is normal there.

        None where the error is above `TARGET`, or f is normal on a part only.
        """
        reach = max(abs(low - centre), abs(high - centre))
        scale = 2.0 ** -math.frexp(reach)[1]
        with ctx.workprec(BITS):
            hull = arb(low).union(arb(high))
            try:
                over = self.jet(hull if low <= centre <= high else hull.union(arb(centre)))[DEGREE + 1]
                values = self.jet(arb(centre))
            except ZeroDivisionError:
                return None
            if not values[0].is_finite() or abs(values[0]) > 2.0 ** (KIND.highest + 1):
                return None
            *exact, _ = [v / n / arb(scale) ** k for k, (v, n) in enumerate(zip(values, self.factorials, strict=True))]
            remainder = abs(over) * arb(reach) ** (DEGREE + 1) / self.factorials[-1]
            if not all(value.is_finite() for value in (remainder, *exact)):
                return None
            remainder = arb(0, remainder.abs_upper())
            moved, total = (hull - arb(centre)) * arb(scale), arb(0)
            for value in reversed(exact):
                total = total * moved + value
            least, most = (float(end) for end in ((total + remainder).abs_lower(), (total + remainder).abs_upper()))
            is_normal = least >= 2.0**KIND.lowest
            if not is_normal and most >= 2.0**KIND.lowest:
                return None
            rounded = [float(value.mid()) for value in exact]
            lost = sum((abs(v - arb(r)) for v, r in zip(exact, rounded, strict=True)), abs(remainder))
            absolute = 1.001 * float(lost.abs_upper()) + ROUNDING * sum(map(abs, rounded)) + UNDERFLOW
            error = absolute / _unit(math.frexp(least)[1] - 1 if least else None)
            return (scale, tuple(rounded), error, is_normal) if error <= TARGET else None


def _unit(e: int | None) -> float:
    """The spacing of float32 at 2^e."""
    return 2.0 ** (max(KIND.lowest if e is None else e, KIND.lowest) - KIND.precision + 1)


def _middle(low: int, high: int) -> int:
    """Where to cut: at the beginning of a binade where there is one in between, else in half."""
    middle = (low + high) // 2
    start = (middle >> 23) << 23
    return start - 1 if low < start <= high else middle


def _first_above(value: sp.Expr) -> int:
    """The magnitude bits of the least number > value; 0 where all are."""
    return _first(value, strictly=True)


def _first_from(value: sp.Expr) -> int:
    """The magnitude bits of the least number >= value; one more than `LARGEST` where there is none."""
    return _first(value, strictly=False)


def _first(value: sp.Expr, strictly: bool) -> int:
    if value.is_infinite:
        return LARGEST + 1 if value > 0 else 0
    if value.is_negative or (value.is_zero and not strictly):
        return 0
    low, high = 0, LARGEST + 1
    while low < high:
        middle = (low + high) // 2
        place = sp.Rational(number(middle))
        if bool(place > value) or (not strictly and bool(sp.Eq(place, value))):
            high = middle
        else:
            low = middle + 1
    return low
