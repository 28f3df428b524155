"""Floating-point arithmetic decided, not sampled: exact fractions, rounded to nearest with ties to even.

An elementary function is rounded correctly: its ball is narrowed until both ends round to the same number. Overflow is
out of scope: the checks stay far below it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from flint import arb, ctx, fmpq

from analysis.activation.errors import Undecided
from analysis.rigorous import balls

PRECISIONS = (64, 128, 256, 512, 1024)  # bits of the balls, in turn
Monotone = Callable[[Fraction], bool]


@dataclass(frozen=True)
class Format:
    """Binary numbers with `bits` bits of significand and no step finer than 2^finest."""

    name: str
    bits: int
    finest: int

    def ulp(self, value: Fraction) -> Fraction:
        """The step between neighbours in the binade of the value."""
        return (
            Fraction(2) ** max(_exponent(value) - self.bits + 1, self.finest) if value else Fraction(2) ** self.finest
        )

    def nearest(self, value: Fraction) -> Fraction:
        """The number of the format next to the exact value, the even one of two."""
        step = self.ulp(value)
        return round(value / step) * step

    def of(self, function: Callable[[arb], arb], x: Fraction) -> Fraction:
        """The correctly rounded value of a function at a number."""
        for bits in PRECISIONS:
            with ctx.workprec(bits):
                value = function(arb(fmpq(x.numerator, x.denominator)))
                if value.is_finite():
                    low, high = (self.nearest(balls.fraction(end)) for end in (value.lower(), value.upper()))
                    if low == high:
                        return low
        raise Undecided(f"how the value at {float(x)!r} rounds to {self.name}")

    def above(self, x: Fraction) -> Fraction:
        """The next larger number."""
        if x < 0 and self.ulp(x) * 2 ** (self.bits - 1) == -x:  # the first of its binade: the steps above it are finer
            return x + max(self.ulp(x) / 2, Fraction(2) ** self.finest)
        return x + self.ulp(x)

    def last(self, holds: Monotone, low: str, high: str) -> Fraction:
        """The largest number that satisfies a monotone condition, true at `low` and false at `high`, by bisection."""
        yes, no = (self.nearest(Fraction(end)) for end in (low, high))
        if not holds(yes) or holds(no):
            raise Undecided(f"where between {low} and {high} the condition changes")
        while (middle := self.nearest((yes + no) / 2)) not in (yes, no):
            yes, no = (middle, no) if holds(middle) else (yes, middle)
        return yes

    def show(self, x: Fraction) -> str:
        """The number, its hexadecimal form beside a decimal."""
        return f"{float(x).hex()} ({float(x):.9g})"


FLOAT16, FLOAT32, FLOAT64 = Format("float16", 11, -24), Format("float32", 24, -149), Format("float64", 53, -1074)


def _exponent(value: Fraction) -> int:
    """The e with 2^e <= |value| < 2^(e+1)."""
    top, bottom = abs(value.numerator), value.denominator
    guess = top.bit_length() - bottom.bit_length()
    return guess if Fraction(top, bottom) >= Fraction(2) ** guess else guess - 1
