"""Formats in which constants ship, as lattices of numbers.

1/8          multiples of 1/8; any positive fraction
dyadic:N     multiples of 2^-N
integer      multiples of 1
float16, bfloat16, float32    normal binary floating point with 11, 8 and 24 significant bits
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from analysis.activation.errors import BadInput

FLOATS = {"float16": (11, -14, 15), "bfloat16": (8, -126, 127), "float32": (24, -126, 127)}  # bits, exponents
EXPECTED = "1/8, dyadic:N, integer, float16, bfloat16 or float32"
FINEST = 200  # dyadic:N


@dataclass(frozen=True)
class Lattice:
    """The multiples of `step`, or the floating-point numbers of a format where step is zero."""

    name: str
    step: Fraction = Fraction(0)

    @classmethod
    def of(cls, text: str) -> Lattice:
        """The lattice that --round names."""
        if text in FLOATS:
            return cls(text)
        if text == "integer":
            return cls(text, Fraction(1))
        dyadic, fraction = re.fullmatch(r"dyadic:(\d{1,3})", text), re.fullmatch(r"([1-9]\d{,8})/([1-9]\d{,8})", text)
        if dyadic and int(dyadic[1]) <= FINEST:
            return cls(text, Fraction(1, 2 ** int(dyadic[1])))
        if fraction:
            return cls(text, Fraction(int(fraction[1]), int(fraction[2])))
        raise BadInput(f"expected --round {EXPECTED}, got {text!r}")

    @property
    def largest(self) -> Fraction | None:
        """The largest number of a floating-point format."""
        if self.step:
            return None
        bits, _, most = FLOATS[self.name]
        return Fraction(2) ** (most + 1) - Fraction(2) ** (most + 1 - bits)

    def holds(self, value: float) -> bool:
        """Whether the value is a lattice point."""
        return self.below(value) == Fraction(value)

    def below(self, value: float | Fraction) -> Fraction | None:
        """The largest lattice point that is not above the value; None below all of a floating-point format."""
        largest = self.largest
        if largest is not None and not -largest <= value <= largest:
            return largest if value > 0 else None
        if math.isinf(value):
            return None
        step = self._step_at(value)
        return math.floor(Fraction(value) / step) * step

    def above(self, value: float | Fraction) -> Fraction | None:
        """The smallest lattice point that is not below the value; None above all of a floating-point format."""
        point = self.below(-value)
        return None if point is None else -point

    def around(self, value: float | Fraction, count: int) -> list[Fraction]:
        """`count` lattice points on either side, as far as there are any, and the value itself where it is one."""
        points: set[Fraction] = set()
        for first, onward in ((self.below(value), self.before), (self.above(value), self.after)):
            point, left = first, count + (first == value)
            while point is not None and left:
                points.add(point)
                point, left = onward(point), left - 1
        return sorted(points)

    def before(self, point: Fraction) -> Fraction | None:
        """The lattice point before, None where there is none."""
        after = self.after(-point)
        return None if after is None else -after

    def after(self, point: Fraction) -> Fraction | None:
        """The next lattice point, None where there is none."""
        if point == self.largest:
            return None
        step = self._step_at(point)
        # Below a power of two that is negative the floats lie closer than above it.
        finer = self._step_at(point + step / 4)
        return point + min(step, finer)

    def _step_at(self, value: float | Fraction) -> Fraction:
        if self.step:
            return self.step
        bits, least, _ = FLOATS[self.name]
        exponent = max(math.frexp(abs(float(value)))[1] - 1, least) if value else least
        return Fraction(2) ** (exponent - bits + 1)
