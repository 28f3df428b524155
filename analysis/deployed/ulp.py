"""Errors in units in the last place, of numbers in a float type against exact values that Arb encloses.

The unit is the spacing of the type at the exact value (Goldberg 1991, Kahan): 2^(max(e, lowest) - precision + 1) for
2^e <= |f(x)| < 2^(e+1), and so that of the subnormal numbers at the bottom. A correctly rounded result is off by at
most half of it. Where f(x) lies beyond the largest number, infinity is right.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp
from flint import arb, ctx

from analysis.activation.errors import BadInput, Undecided
from analysis.activation.parsing import X, excerpt
from analysis.deployed import forms
from analysis.deployed.forms import Format
from analysis.exact.pieces import value_on
from analysis.rigorous import balls

FORMATS = forms.FORMATS | {"float16": Format(11, -14, 15), "bfloat16": Format(8, -126, 127)}
BITS = 160  # of an exact value
MOST_BITS = 5120  # that are tried to tell a value from zero
NOTHING = arb(2) ** -2048  # below it no float type sees anything


def format_of(dtype: str) -> Format:
    """The float type of that name, or BadInput."""
    if dtype not in FORMATS:
        raise BadInput(f"expected a dtype out of {', '.join(FORMATS)}, got {excerpt(str(dtype))}")
    return FORMATS[dtype]


def exponent(value: arb) -> int | None:
    """e with 2^e <= |value| < 2^(e+1) at the middle of the ball; None at zero."""
    mantissa, power = value.mid().man_exp()
    return abs(int(mantissa)).bit_length() + int(power) - 1 if mantissa else None


def spacing(value: arb, kind: Format) -> int:
    """k where 2^k is the unit in the last place at the value."""
    e = exponent(value)
    return max(kind.lowest if e is None else e, kind.lowest) - kind.precision + 1


@dataclass(frozen=True)
class Exact:
    """A function at floating-point numbers, which are exact."""

    expression: sp.Expr

    def __call__(self, x: float) -> arb:
        """f(x) to `BITS`/2 bits, relatively, or below 2^-2048; Undecided where neither is found."""
        evaluate, bits = _evaluator(self.expression), BITS
        while bits <= MOST_BITS:
            with ctx.workprec(bits):
                value = evaluate(arb(x))
                if value.rel_accuracy_bits() >= BITS // 2 or abs(value) < NOTHING:
                    return value
            bits *= 2
        known = value_on(self.expression, X, sp.Rational(x))
        if known.is_zero:
            return arb(0)
        raise Undecided(f"the value of {self.expression} at x = {x!r}")


@lru_cache(maxsize=64)
def _evaluator(expression: sp.Expr) -> Callable[[arb], arb]:
    return balls.evaluator(expression)


def error(y: float, exact: arb, kind: Format) -> arb:
    """|y - exact| in units in the last place; nan where y is nan, or infinite while the exact value is in range."""
    with ctx.workprec(BITS):
        size, limit = abs(exact), arb(2) ** (kind.highest + 1)
        if math.isinf(y):
            if size >= limit and (y > 0) == (exact > 0):
                return arb(0)
            if size < limit - arb(2) ** (kind.highest - kind.precision):  # rounds to a finite number
                return arb("nan")
        if math.isnan(y):
            return arb("nan")
        given = arb(y) if math.isfinite(y) else math.copysign(1, y) * limit
        return abs(given - exact) * arb(2) ** -spacing(exact, kind)
