"""`design --shape table:int8`: the int8 to int8 table of a quantised runtime, and the best scale of its output.

The input q stands for x = input_scale (q - input_zero), the entry t for output_scale (t - output_zero), and each
of the 256 entries is rounded correctly,

    t(q) = clamp(round(f(x)/output_scale) + output_zero, -128, 127)

with ties to even, as in ONNX's QuantizeLinear and torch.quantize_per_tensor. Scales are exact numbers.

The best output scale is found exactly. While no quotient f(x)/s passes a half, the levels k(q) = round(f(x)/s) stay as
they are and the error max |f(x) - s k(q)| is convex in s: the smallest of it over all such intervals of s, with the
levels that 256 codes and a zero point leave, is the least error there is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import sympy as sp
from flint import arb, ctx, fmpq

from analysis.activation.errors import BadInput
from analysis.activation.parsing import X
from analysis.activation.record import Activation
from analysis.activation.sheet import Line, Record, Sheet, Table, decimal
from analysis.exact.normal import sign
from analysis.exact.pieces import value_on
from analysis.exact.verdict import Verdict
from analysis.optimal.designs import Bound, Clock, Cost
from analysis.rigorous import balls
from analysis.rigorous.balls import Pair

LOW, HIGH = -128, 127
BITS = (128, 512, 2048)  # at which a quotient is enclosed until it is on one side of a half
DEFAULT = (-8.0, 8.0)
GAP = 1e-4  # relative: an error so near to the least counts as least; a scale in float32 loses no more
ROUNDING = 64 * np.finfo(float).eps  # times the largest value: what the search may lose to rounding
SHOWN = 16
CHUNK = 2000  # intervals of the scale at once
HALVINGS = 60
Number = Fraction | float | int | str


@dataclass(frozen=True)
class Int8Table(Record):
    """The table, its certified error over the 256 inputs, and the least error that any output scale has."""

    target: Activation
    input_scale: Fraction
    input_zero: int
    output_scale: Fraction
    output_zero: int
    entries: tuple[int, ...]
    error: Pair
    worst: int
    lower: float
    best_scale: float
    best_zero: int
    seconds: float = field(default=0.0, compare=False)

    @property
    def gap(self) -> float:
        upper = float(self.error[1])
        return upper / self.lower - 1 if self.lower > 0 else 0.0 if upper == 0 else math.inf

    @property
    def verdict(self) -> Verdict:
        """Whether no output scale and zero point have a smaller error."""
        return Verdict.PROVED if self.gap <= GAP else Verdict.REFUTED if self.lower > 0 else Verdict.UNDECIDED

    def to_dict(self) -> dict:
        """The JSON of `actapprox design --shape table:int8`; entries in the order of the inputs -128 to 127."""
        return {
            "target": self.target.name,
            "shape": "table:int8",
            "input_scale": float(self.input_scale),
            "input_zero": self.input_zero,
            "output_scale": float(self.output_scale),
            "output_zero": self.output_zero,
            "table": list(self.entries),
            "error": list(self.error),
            "worst_input": self.worst,
            "optimum": {
                "verdict": str(self.verdict),
                "lower": Bound(self.lower).text,
                "gap": self.gap if math.isfinite(self.gap) else None,
                "output_scale": self.best_scale,
                "output_zero": self.best_zero,
            },
            "cost": Cost(table_bytes=len(self.entries)).to_dict(),
            "seconds": round(self.seconds, 3),
        }

    def sheet(self) -> Sheet:
        low, high = self.error
        at = float(self.input_scale * (self.worst - self.input_zero))
        lines = (
            Line(
                "error",
                f"{decimal(float(high), 9)} (largest over the 256 inputs, at q = {self.worst}, x = {decimal(at)})",
            ),
            Line("certified", f"it is in [{low}, {high}]"),
            Line("input", f"x = {decimal(float(self.input_scale), 9)} {_from('q', self.input_zero)}"),
            Line("output", f"y = {decimal(float(self.output_scale), 9)} {_from('t', self.output_zero)}"),
            Line("best output", self._standing()),
            Line("cost", f"{len(self.entries)} table_bytes"),
        )
        rows = tuple(
            (str(LOW + k), *(str(t) for t in self.entries[k : k + SHOWN])) for k in range(0, len(self.entries), SHOWN)
        )
        headings = ("from q =", *(f"+{k}" for k in range(SHOWN)))
        return Sheet(f"int8 table for {self.target.name}", lines, (Table(headings, rows, texts=0),))

    def _standing(self) -> str:
        if self.verdict is Verdict.PROVED:
            share = decimal(max(self.gap, 0.0), 2)
            return f"PROVED: no output scale and zero point have an error smaller by more than {share} of it"
        best = f"scale {decimal(self.best_scale, 9)} and zero point {self.best_zero}"
        return f"{self.verdict}: {best} have the error {decimal(self.lower, 9)}, which is proved the least"


def _from(code: str, zero: int) -> str:
    return f"({code} {'-' if zero >= 0 else '+'} {abs(zero)})"


def int8(
    target: Activation,
    input_scale: Number | None = None,
    input_zero: int | None = None,
    output_scale: Number | None = None,
    output_zero: int | None = None,
    domain: tuple[float, float] = DEFAULT,
) -> Int8Table:
    """The table for these scales and zero points; what is not given is chosen.

    The input then covers the domain, and the output has the least error (scales are float32 numbers).
    """
    clock = Clock()
    step, zero = _input(input_scale, input_zero, domain)
    x = [step * (q - zero) for q in range(LOW, HIGH + 1)]
    values = _Values(target, x)
    if output_zero is not None:
        _check_code(output_zero, "output_zero")
    least = _Scales(values.floats).best()
    if output_scale is not None:
        scale = _positive(output_scale, "output_scale")
        output_zero = values.zero_for(scale) if output_zero is None else output_zero
    else:
        chosen = least if output_zero is None else _Scales(values.floats, output_zero).best()
        scale, output_zero = values.nearby(chosen), chosen.zero
    entries = tuple(values.entry(k, scale, output_zero) for k in range(len(x)))
    error, worst = values.error(entries, scale, output_zero)
    lower = max(float(least.error) - values.noise, 0.0)
    return Int8Table(
        target,
        step,
        zero,
        scale,
        output_zero,
        entries,
        error,
        LOW + worst,
        lower,
        float(least.scale),
        least.zero,
        clock.seconds(),
    )


def _input(input_scale: Number | None, input_zero: int | None, domain: tuple[float, float]) -> tuple[Fraction, int]:
    low, high = domain
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise BadInput(f"expected a finite domain LO,HI with LO < HI for an int8 table, got {low:g},{high:g}")
    step = (
        _positive(input_scale, "input_scale")
        if input_scale is not None
        else Fraction(float(np.float32((high - low) / 255)))
    )
    zero = input_zero if input_zero is not None else min(max(round(LOW - Fraction(low) / step), LOW), HIGH)
    _check_code(zero, "input_zero")
    return step, zero


def _positive(value: Number, name: str) -> Fraction:
    try:
        exact = Fraction(value)
    except (ValueError, OverflowError, ZeroDivisionError):
        exact = Fraction(0)
    if exact <= 0:
        raise BadInput(f"expected a positive number for {name}, got {value}")
    return exact


def _check_code(value: int, name: str) -> None:
    if not (isinstance(value, int) and LOW <= value <= HIGH):
        raise BadInput(f"expected an integer from {LOW} to {HIGH} for {name}, got {value}")


class _Values:
    """f at the 256 inputs: in balls, exactly where a ball is not enough, and as floats."""

    def __init__(self, target: Activation, x: list[Fraction]):
        self.target, self.x = target, x
        self.known: dict[int, list[arb]] = {}
        for at, ball in zip(x, self.balls(BITS[0]), strict=True):
            if not ball.is_finite():
                raise BadInput(f"expected a target with a value at every input, got none at x = {float(at):g}")
        self.floats = np.array([float(ball.mid()) for ball in self.balls(BITS[0])])
        self.noise = ROUNDING * float(abs(self.floats).max())

    def balls(self, bits: int) -> list[arb]:
        if bits not in self.known:
            evaluate = balls.evaluator(self.target.expression)
            with ctx.workprec(bits):
                self.known[bits] = [evaluate(_ball(at)) for at in self.x]
        return self.known[bits]

    def entry(self, k: int, scale: Fraction, zero: int) -> int:
        return min(max(self._rounded(k, scale) + zero, LOW), HIGH)

    def _rounded(self, k: int, scale: Fraction) -> int:
        """f/scale to the nearest integer, ties to even."""
        for bits in BITS:
            with ctx.workprec(bits):
                above = self.balls(bits)[k] / _ball(scale) + arb(1) / 2
                if not above.contains_integer():
                    return math.floor(balls.fraction(above.mid()))
        below = math.floor(float(above.mid()) + 0.25) - 1
        middle = (below + Fraction(1, 2)) * scale
        exact = value_on(self.target.expression, X, sp.Rational(self.x[k].numerator, self.x[k].denominator))
        side = sign(exact - sp.Rational(middle.numerator, middle.denominator))
        return below + (below % 2 if side == 0 else int(side > 0))

    def zero_for(self, scale: Fraction) -> int:
        """The zero point that leaves as much of the range inside as there is room for."""
        values = self.floats
        least, most = (round(float(end) / float(scale)) for end in (values.min(), values.max()))
        return min(
            max(LOW - min(least, 0) if most - least <= HIGH - LOW else round(-0.5 - (most + least) / 2), LOW), HIGH
        )

    def nearby(self, least: _Least) -> Fraction:
        """The float32 scale with the smallest error near the best one."""
        near = np.float32(least.scale)
        tried = [np.nextafter(near, np.float32(0)), near, np.nextafter(near, np.float32(np.inf))]
        values = self.floats
        return Fraction(float(min(tried, key=lambda s: _error(values, float(s), least.zero))))

    def error(self, entries: tuple[int, ...], scale: Fraction, zero: int) -> tuple[Pair, int]:
        """The enclosed largest error, and the place of it."""
        with ctx.workprec(BITS[0]):
            sizes = [
                abs(ball - _ball(scale * (t - zero))) for ball, t in zip(self.balls(BITS[0]), entries, strict=True)
            ]
            worst = max(range(len(sizes)), key=lambda k: float(sizes[k].mid()))
            total = sizes[0]
            for size in sizes:
                total = total.max(size)
            low, high = balls.decimals(total)
            return ("0" if low.startswith("-") else low, high), worst


def _ball(value: Fraction) -> arb:
    return arb(fmpq(value.numerator, value.denominator))


def _error(values: np.ndarray, scale: float, zero: int) -> float:
    codes = np.clip(np.round(values / scale), LOW - zero, HIGH - zero)
    return float(abs(values - scale * codes).max())


@dataclass(frozen=True)
class _Least:
    error: float
    scale: float
    zero: int


class _Scales:
    """The least error over all scales, for one zero point or for any."""

    def __init__(self, values: np.ndarray, zero: int | None = None):
        self.values, self.zero = values, zero
        self.low, self.high = min(values.min(), 0.0), max(values.max(), 0.0)

    def best(self) -> _Least:
        size = float(abs(self.values).max())
        if size == 0:
            return _Least(0.0, 1.0, self.zero or 0)
        best = _Least(size, 3 * size, self.zero or 0)  # every level is zero
        start = self._smallest(0.0)
        for scale in start * np.linspace(1, 1.02, 21):  # to have something to compare with
            best = min(best, self._at(scale), key=lambda one: one.error)
        low = self._smallest(best.error)
        cuts = self._cuts(low, 2 * size)
        for a, b in self._promising(cuts, best.error):
            best = min(best, self._cell(a, b), key=lambda one: one.error)
        return best

    def _smallest(self, error: float) -> float:
        """The scale below which one end of the range is cut off by more than the error."""
        if self.zero is None:
            return max(self.high - self.low - 2 * error, 1e-3 * (self.high - self.low)) / (HIGH - LOW)
        ends = ((self.high - error, HIGH - self.zero), (-self.low - error, self.zero - LOW))
        return max(*(end / levels for end, levels in ends if levels), 1e-3 * (self.high - self.low) / (HIGH - LOW))

    def _cuts(self, low: float, high: float) -> np.ndarray:
        """The scales at which some quotient passes a half."""
        sizes = abs(self.values)[self.values != 0]
        most = math.ceil(float(sizes.max()) / low)
        cuts = (sizes[:, None] / (np.arange(most + 1) + 0.5)).ravel()
        return np.unique(np.concatenate([[low, high], cuts[(cuts > low) & (cuts < high)]]))

    def _promising(self, cuts: np.ndarray, error: float) -> list[tuple[float, float]]:
        """The intervals on which the error may be smaller, whatever is cut off."""
        found = []
        for part in range(0, len(cuts) - 1, CHUNK):
            a, b = cuts[part : part + CHUNK], cuts[part + 1 : part + CHUNK + 1]
            a = a[: len(b)]
            middle = (a + b) / 2
            levels = np.round(self.values / middle[:, None])
            least = (abs(self.values - middle[:, None] * levels) - (b - a)[:, None] / 2 * abs(levels)).max(axis=1)
            found += [(float(a[k]), float(b[k])) for k in np.nonzero(least <= error)[0]]
        return found

    def _at(self, scale: float) -> _Least:
        return self._cell(scale, scale)

    def _cell(self, a: float, b: float) -> _Least:
        """The least error for scales in [a, b], the levels being those of the middle, with each way to cut them."""
        levels = np.round(self.values / ((a + b) / 2))
        first, last = int(min(levels.min(), 0)), int(max(levels.max(), 0))
        excess = max(last - first - (HIGH - LOW), 0)
        zeros = range(LOW - first - excess, LOW - first + 1) if self.zero is None else [self.zero]
        found = [
            _Least(*_convex(self.values, np.clip(levels, LOW - zero, HIGH - zero), a, b), zero)
            for zero in zeros
            if LOW <= zero <= HIGH
        ]
        return min(found, key=lambda one: one.error, default=_Least(math.inf, b, 0))


def _convex(values: np.ndarray, levels: np.ndarray, a: float, b: float) -> tuple[float, float]:
    """The least of max |values - s levels| over s in [a, b], and such an s: by the slope of the largest."""
    for _ in range(HALVINGS):
        middle = (a + b) / 2
        if middle in (a, b):
            break
        rest = values - middle * levels
        k = int(abs(rest).argmax())
        if -math.copysign(1.0, rest[k]) * levels[k] > 0:
            b = middle
        else:
            a = middle
    return min((float(abs(values - s * levels).max()), s) for s in (a, b))
