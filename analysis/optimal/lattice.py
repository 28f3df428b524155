"""Formats in which constants ship, as lattices of numbers.

1/8          multiples of 1/8; any positive fraction
dyadic:N     multiples of 2^-N
fixed:I.F    two's complement with I integer bits, the sign among them, and F fractional bits: the multiples of 2^-F
             from -2^(I - 1) to 2^(I - 1) - 2^-F, in words of I + F bits (fixed:4.12 has 16)
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
EXPECTED = (
    "1/8, dyadic:N, fixed:I.F (I integer bits, the sign among them, and F fractional ones), integer, float16, bfloat16"
    " or float32"
)
FINEST = 200  # dyadic:N
WIDEST = 64  # bits of fixed:I.F


@dataclass(frozen=True)
class Lattice:
    """The multiples of `step`, or the floating-point numbers of a format where step is zero.

    `ends` are the least and the largest number, None where there is no end.
    """

    name: str
    step: Fraction = Fraction(0)
    ends: tuple[Fraction, Fraction] | None = None

    @classmethod
    def of(cls, text: str) -> Lattice:
        """The lattice that --round names."""
        if text in FLOATS:
            bits, _, most = FLOATS[text]
            largest = Fraction(2) ** (most + 1) - Fraction(2) ** (most + 1 - bits)
            return cls(text, Fraction(0), (-largest, largest))
        if text == "integer":
            return cls(text, Fraction(1))
        if (dyadic := re.fullmatch(r"dyadic:(\d{1,3})", text)) and int(dyadic[1]) <= FINEST:
            return cls(text, Fraction(1, 2 ** int(dyadic[1])))
        if fixed := re.fullmatch(r"fixed:(\d{1,2})\.(\d{1,2})", text):
            whole, fractional = int(fixed[1]), int(fixed[2])
            if 1 <= whole and whole + fractional <= WIDEST:
                step, beyond = Fraction(1, 2**fractional), Fraction(2) ** (whole - 1)
                return cls(text, step, (-beyond, beyond - step))
            raise BadInput(
                f"expected --round fixed:I.F with I at least 1, the sign, and I + F at most {WIDEST}, got {text!r}"
            )
        if fraction := re.fullmatch(r"([1-9]\d{,8})/([1-9]\d{,8})", text):
            return cls(text, Fraction(int(fraction[1]), int(fraction[2])))
        raise BadInput(f"expected --round {EXPECTED}, got {text!r}")

    @property
    def least(self) -> Fraction | None:
        """The least number of a format that has one."""
        return self.ends and self.ends[0]

    @property
    def largest(self) -> Fraction | None:
        """The largest number of a format that has one."""
        return self.ends and self.ends[1]

    def holds(self, value: float | Fraction) -> bool:
        """Whether the value is a lattice point."""
        return math.isfinite(value) and self.below(value) == Fraction(value)

    def reaches(self, value: float | Fraction) -> bool:
        """Whether the value is within half a step of the range."""
        if self.ends is None or not math.isfinite(value):
            return self.ends is None and math.isfinite(value)
        low, high = self.ends
        return low - self._step_at(low) / 2 <= value <= high + self._step_at(high) / 2

    def nearest(self, value: float | Fraction) -> Fraction:
        """The nearest lattice point. Raises BadInput for a value out of range."""
        if not self.reaches(value):
            raise BadInput(f"expected a format that reaches {float(value):g}, got {self.range}")
        exact = Fraction(value)
        return min(self.around(exact, 1), key=lambda point: abs(point - exact))

    @property
    def range(self) -> str:
        """The name and from where to where the format goes."""
        if self.ends is None:
            return self.name
        low, high = (float(end) for end in self.ends)
        return f"{self.name}, which goes from {low:.9g} to {high:.9g}"

    def below(self, value: float | Fraction) -> Fraction | None:
        """The largest lattice point that is not above the value; None below all of a format that has an end."""
        if self.ends is not None and not self.ends[0] <= value <= self.ends[1]:
            return self.largest if value > 0 else None
        if math.isinf(value):
            return None
        step = self._step_at(value)
        return math.floor(Fraction(value) / step) * step

    def above(self, value: float | Fraction) -> Fraction | None:
        """The smallest lattice point that is not below the value; None above all of a format that has an end."""
        if self.ends is not None and not self.ends[0] <= value <= self.ends[1]:
            return self.least if value < 0 else None
        if math.isinf(value):
            return None
        step = self._step_at(value)
        return math.ceil(Fraction(value) / step) * step

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
        return None if point == self.least else point - self._gap(-point)

    def after(self, point: Fraction) -> Fraction | None:
        """The next lattice point, None where there is none."""
        return None if point == self.largest else point + self._gap(point)

    def _gap(self, point: Fraction) -> Fraction:
        """How far the next point is from a point."""
        step = self._step_at(point)
        # Below a power of two that is negative the floats lie closer than above it.
        return min(step, self._step_at(point + step / 4))

    def _step_at(self, value: float | Fraction) -> Fraction:
        if self.step:
            return self.step
        bits, least, _ = FLOATS[self.name]
        exponent = max(math.frexp(abs(float(value)))[1] - 1, least) if value else least
        return Fraction(2) ** (exponent - bits + 1)
