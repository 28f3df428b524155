"""`precision`: the error of evaluated code in units in the last place, and where it is.

With `exhaustive`, and always in the types with 16 bits, all finite inputs are measured. The maximum is then enclosed:
from below by the error at `worst_input`, which Arb computes, from above because every other input was compared with a
reference whose own error is proved (`precision_reference` for float32; Arb itself for 16 bits). Otherwise inputs are
drawn (`precision_inputs`), each compared with Arb, and the upper end is infinite: a sample proves nothing about the
rest. The unit is defined in `ulp`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Context

import numpy as np
import sympy as sp
from flint import arb

from analysis.activation import functions, lookup
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.parsing import X
from analysis.activation.record import Activation
from analysis.activation.sheet import Line, Record, Sheet, Table, decimal
from analysis.deployed import precision_inputs as inputs
from analysis.deployed import precision_reference as reference
from analysis.deployed import precision_scan as scanning
from analysis.deployed.implementations import HALVES, Arrays, implementation
from analysis.deployed.kernel import Measured
from analysis.deployed.precision_inputs import CLOSE
from analysis.deployed.ulp import Exact, error, exponent, format_of
from analysis.exact.asymptotes import limit_at_infinity
from analysis.rigorous import balls
from analysis.rigorous.balls import Pair

SAMPLES = 20_000
ZONES = ("normal", "underflow", "near_zero")
CANDIDATES = 3  # whose errors Arb computes again
FINE = (-2, 7)  # binades that a profile shows in `STEPS` steps each
STEPS = 16
COARSE = 16  # binades in one bin elsewhere

Progress = Callable[[int], None]
Profile = tuple[float | None, ...]


@dataclass(frozen=True)
class Zone:
    """The largest error, its input, the mean, and how many inputs, of a zone; without inputs the rest is None."""

    inputs: int = 0
    max_ulp: float | None = None
    worst_input: str | None = None
    mean_ulp: float | None = None

    def to_dict(self) -> dict:
        return vars(self).copy()


@dataclass(frozen=True)
class Precision(Record):
    """What was measured; `profile` holds the largest error on each bin of `profile_edges`."""

    function: str
    of: str
    mark: str
    dtype: str
    derivative: bool
    exhaustive: bool
    total: Zone
    enclosure: Pair
    zones: dict[str, Zone]
    special: dict[str, dict]
    failures: int
    failed_input: str | None
    seconds: float
    profile: Profile = field(default=(), repr=False)

    def to_dict(self) -> dict:
        """The JSON of `actapprox precision`."""
        return {
            "function": self.function,
            "derivative": self.derivative,
            "of": self.of,
            "dtype": self.dtype,
            "exhaustive": self.exhaustive,
            **self.total.to_dict(),
            "enclosure": list(self.enclosure),
            "failures": self.failures,
            "failed_input": self.failed_input,
            "zones": {name: zone.to_dict() for name, zone in self.zones.items()},
            "special": self.special,
            "seconds": round(self.seconds, 3),
        }

    def sheet(self) -> Sheet:
        what = f"the derivative of {self.function}" if self.derivative else self.function
        tried = "all finite inputs" if self.exhaustive else f"{self.total.inputs} inputs"
        low, high = self.enclosure
        said = (
            f"in [{low}, {high}] ulp, proved" if self.exhaustive else f"at least {low} ulp; not all inputs were tried"
        )
        lines = [
            Line("error", f"{_shown(self.total.max_ulp)} ulp at x = {self.total.worst_input}"),
            Line("maximum", said),
            Line("mean", f"{_shown(self.total.mean_ulp)} ulp"),
        ]
        if self.failures:
            lines.append(
                Line("failures", f"{self.failures} finite inputs give nan or inf, such as {self.failed_input}")
            )
        rows = [
            (name.replace("_", " "), str(z.inputs), _shown(z.max_ulp), z.worst_input or "", _shown(z.mean_ulp))
            for name, z in self.zones.items()
        ]
        ends = [
            (name, said["gives"], "as it should be" if said["right"] else f"expected {said['expected']}")
            for name, said in self.special.items()
            if "gives" in said
        ]
        tables = (
            Table(("zone", "inputs", "max ulp", "at x", "mean ulp"), tuple(rows)),
            Table(("x", "gives", ""), tuple(ends), 3),
        )
        return Sheet(f"{what} in {self.dtype}: {self.of}, {tried}", tuple(lines), tables)


def precision(
    function: str | Activation,
    dtype: str = "float32",
    *,
    exhaustive: bool = False,
    derivative: bool = False,
    variant: str = "accurate",
    of: str = "c",
    count: int = SAMPLES,
    heard: Progress | None = None,
) -> Precision:
    """The error of an implementation (see `implementations`) of a function or of its derivative.

    `heard` is told, now and then, how many inputs are done. Raises BadInput for what is no function, type or
    implementation, Undecided where a compiler or a package is missing, or no reference is found.
    """
    activation = lookup.function(function)
    expression = functions.derivative(activation.expression, X) if derivative else activation.expression
    format_of(dtype)
    if exhaustive and dtype == "float64":
        raise BadInput("expected --exhaustive with a type of at most 32 bits, got float64")
    if count < 1:
        raise BadInput(f"expected a positive number of inputs, got {count}")
    began = time.perf_counter()
    measured = implementation(of, activation, dtype, derivative, variant)
    whole = exhaustive or dtype in HALVES
    if whole and dtype == "float32":
        found = _scanned(expression, measured.call, heard)
    else:
        numbers = inputs.every(dtype) if whole else inputs.sampled(expression, dtype, format_of(dtype), count)
        found = _compared(expression, measured.call, dtype, numbers, whole)
    special = _special(expression, measured.call, dtype) | {"subnormals": found.subnormals.to_dict()}
    if whole and dtype == "float32":
        special["nan"] |= {"right": not scanning.nan_inputs(measured.call)}
    total = found.total
    names = {"function": activation.name, "of": measured.name, "mark": measured.mark}
    return Precision(
        **names, dtype=dtype, derivative=derivative, exhaustive=whole, total=total, enclosure=found.enclosure,
        zones=found.zones, special=special, failures=found.failures, failed_input=found.failed,
        seconds=time.perf_counter() - began, profile=found.profile,
    )  # fmt: skip


def measured(*found: Precision) -> Measured:
    """What a header says: of the value, and of the derivative if it was measured too."""
    value = next(one for one in found if not one.derivative)
    slope = next((one for one in found if one.derivative), None)
    if value.total.max_ulp is None or value.total.worst_input is None:
        raise Undecided(f"the error of {value.function}: no input gave a number")
    largest = _rounded_up(value)
    if slope is None:
        return Measured(largest, value.total.worst_input, value.total.inputs)
    return Measured(largest, value.total.worst_input, value.total.inputs, _rounded_up(slope), slope.total.worst_input)


def _rounded_up(found: Precision) -> float:
    """The upper end of the enclosure in four digits; of a sample the lower end, which is all that is known."""
    end = found.enclosure[1] if found.exhaustive else found.enclosure[0]
    return float(Context(prec=4, rounding=ROUND_CEILING).create_decimal(end))


def profile_edges() -> list[int]:
    """The magnitudes, as bits of float32, with which the bins of a profile begin: fine where activations bend."""
    low, high = ((e + 127) << 23 for e in FINE)
    first, step = 1 << 23, (1 << 23) // STEPS
    coarse = COARSE << 23
    above = range(high, reference.LARGEST, coarse)
    return [0, first, *range(first + coarse - (1 << 23), low, coarse), *range(low, high, step), *above]


# what is found on all inputs of a kind


@dataclass(frozen=True)
class _Found:
    total: Zone
    enclosure: Pair
    zones: dict[str, Zone]
    subnormals: Zone
    failures: int
    failed: str | None
    profile: Profile


def _scanned(expression: sp.Expr, call: Arrays, heard: Progress | None) -> _Found:
    """All of float32, by patches."""
    zeros = inputs.zeros(expression)
    near = [(zero - float(CLOSE), zero + float(CLOSE)) for zero in zeros]
    bins = _bins()
    places = {*bins, *(_bits(end) for ends in near for end in ends)}
    patches = scanning.cut(reference.patches(expression), list(places))
    parts = scanning.scan(call, patches, heard=heard)

    def zone(part: scanning.Part) -> str:
        ends = [reference.number(part.patch.first), reference.number(part.patch.last)]
        if any(low <= min(ends) and max(ends) <= high for low, high in near):
            return "near_zero"
        return "normal" if part.patch.is_normal else "underflow"

    zones = {name: _zone([part for part in parts if zone(part) == name]) for name in ZONES}
    small = [
        p for p in parts if 0 < p.patch.first & ~reference.NEGATIVE and p.patch.last & ~reference.NEGATIVE < bins[1]
    ]
    counted = [part for part in parts if part.patch.count > part.failures]
    upper = max(math.nextafter(part.most + part.patch.error, math.inf) for part in counted)
    kind, exact = format_of("float32"), Exact(expression)
    best = sorted(counted, key=lambda part: part.most)[-CANDIDATES:]
    known = [(_error_at(part.worst, call, exact, kind), part.worst) for part in best]
    lower, worst = max(known, key=lambda pair: float(pair[0].mid()))
    failed = next((part.failed for part in parts if part.failures), None)
    total = _zone(parts)
    total = Zone(total.inputs, float(lower.mid()), reference.number(worst).hex(), total.mean_ulp)
    return _Found(
        total,
        (balls.decimals(lower, 8)[0], str(Context(prec=8, rounding=ROUND_CEILING).create_decimal_from_float(upper))),
        zones,
        _zone(small),
        sum(part.failures for part in parts),
        None if failed is None else reference.number(failed).hex(),
        _profile(bins, [part.patch.first for part in parts], [part.most for part in parts]),
    )


def _bins() -> list[int]:
    """The bits with which the bins of a profile begin, in ascending order."""
    return [edge | sign for sign in (0, reference.NEGATIVE) for edge in profile_edges()]


def _profile(bins: Sequence[int], bits: Sequence[int] | np.ndarray, errors: Sequence[float] | np.ndarray) -> Profile:
    """The largest of the errors in each bin; None where there is none."""
    found = np.full(len(bins), -1.0)
    np.fmax.at(found, np.searchsorted(bins, bits, "right") - 1, errors)
    return tuple(None if most < 0 else float(most) for most in found)


def _bits(x: float) -> int:
    return int(np.float32(x).view(np.uint32))


def _error_at(bits: int, call: Arrays, exact: Exact, kind) -> arb:
    x = np.array([reference.number(bits)], np.float32)
    return error(float(call(x)[0]), exact(float(x[0])), kind)


def _zone(parts: Sequence[scanning.Part]) -> Zone:
    count = sum(part.patch.count - part.failures for part in parts)
    if not count:
        return Zone()
    worst = max(parts, key=lambda part: part.most)
    mean = math.fsum(part.sum for part in parts) / count
    return Zone(count, worst.most, reference.number(worst.worst).hex(), mean)


def _compared(expression: sp.Expr, call: Arrays, dtype: str, x: np.ndarray, whole: bool) -> _Found:
    """The inputs x, each with Arb."""
    kind, exact = format_of(dtype), Exact(expression)
    y = np.asarray(call(x), np.float64)
    values = [exact(float(v)) for v in x]
    errors = [error(float(v), value, kind) for v, value in zip(y, values, strict=True)]
    sizes = np.array([float(e) for e in errors])
    zeros = np.array(inputs.zeros(expression))
    wide = x.astype(np.float64)
    close = (np.abs(wide[:, None] - zeros[None, :]) <= float(CLOSE)).any(axis=1)
    exponents = (exponent(value) for value in values)
    normal = np.array([e is not None and e >= kind.lowest for e in exponents], bool)
    where = {"normal": normal & ~close, "underflow": ~normal & ~close, "near_zero": close}
    failed = np.isnan(sizes)
    total = _zone_of(wide, sizes)
    lower = errors[int(np.nanargmax(sizes))] if total.inputs else arb(0)
    pair = balls.decimals(lower, 8)
    return _Found(
        total,
        (pair[0], pair[1] if whole else "inf"),
        {name: _zone_of(wide[mask], sizes[mask]) for name, mask in where.items()},
        _zone_of(*(a[(np.abs(wide) < 2.0**kind.lowest) & (wide != 0)] for a in (wide, sizes))),
        int(failed.sum()),
        float(wide[failed][0]).hex() if failed.any() else None,
        _profile(_bins(), x.view(np.uint32), sizes) if dtype == "float32" else (),
    )


def _zone_of(x: np.ndarray, errors: np.ndarray) -> Zone:
    x, errors = x[~np.isnan(errors)], errors[~np.isnan(errors)]
    if not x.size:
        return Zone()
    worst = int(np.argmax(errors))
    return Zone(x.size, float(errors[worst]), float(x[worst]).hex(), float(errors.mean()))


# inputs that are no numbers, or zero


def _special(expression: sp.Expr, call: Arrays, dtype: str) -> dict[str, dict]:
    """What inf, -inf, nan and -0.0 give, and what the limits, nan and f(0) are in the type."""
    expected = {"inf": _limit(expression, 1), "-inf": _limit(expression, -1), "nan": math.nan}
    expected["-0.0"] = float(Exact(expression)(0.0).mid())
    storage = "float32" if dtype == "bfloat16" else dtype
    x = np.array([float(name) for name in expected], storage)
    with np.errstate(all="ignore"):
        y = np.asarray(call(x), np.float64)
    found = {}
    for name, gives in zip(expected, y, strict=True):
        should = expected[name]
        right = None if should is None else _same(float(gives), should, dtype)
        found[name] = {
            "gives": _hex(float(gives)),
            "expected": None if should is None else _hex(should),
            "right": right,
        }
    return found


def _limit(expression: sp.Expr, direction: int) -> float | None:
    try:
        return float(limit_at_infinity(expression, direction))
    except (Undecided, TypeError):
        return None


def _same(gives: float, should: float, dtype: str) -> bool:
    """Within a unit in the last place; the sign of a zero does not count."""
    if math.isnan(should) or math.isinf(should):
        return math.isnan(gives) if math.isnan(should) else gives == should
    found = error(gives, arb(should), format_of(dtype))
    return bool(found <= 1)


def _hex(value: float) -> str:
    return value.hex() if math.isfinite(value) else str(value)


def _shown(value: float | None) -> str:
    return "" if value is None else decimal(value, 5)
