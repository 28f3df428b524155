"""What is found over many inputs: the largest error, where, by zones and by bins of the float line."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context

import numpy as np
import sympy as sp
from flint import arb

from analysis.deployed import precision_inputs as inputs
from analysis.deployed import precision_reference as reference
from analysis.deployed import precision_scan as scanning
from analysis.deployed.implementations import Arrays
from analysis.deployed.precision_inputs import CLOSE
from analysis.deployed.ulp import Exact, error, exponent, format_of
from analysis.rigorous import balls
from analysis.rigorous.balls import Pair

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
class Found:
    total: Zone
    enclosure: Pair
    zones: dict[str, Zone]
    subnormals: Zone
    failures: int
    failed: str | None
    profile: Profile


def scanned(expression: sp.Expr, call: Arrays, heard: Progress | None) -> Found:
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
    # as it was given there: code for vectors may give another result for one number alone
    known = [(error(part.given, exact(reference.number(part.worst)), kind), part.worst) for part in best]
    lower, worst = max(known, key=lambda pair: float(pair[0].mid()))
    failed = next((part.failed for part in parts if part.failures), None)
    total = _zone(parts)
    total = Zone(total.inputs, float(lower.mid()), reference.number(worst).hex(), total.mean_ulp)
    return Found(
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


def _zone(parts: Sequence[scanning.Part]) -> Zone:
    count = sum(part.patch.count - part.failures for part in parts)
    if not count:
        return Zone()
    worst = max(parts, key=lambda part: part.most)
    mean = math.fsum(part.sum for part in parts) / count
    return Zone(count, worst.most, reference.number(worst.worst).hex(), mean)


def compared(expression: sp.Expr, call: Arrays, dtype: str, x: np.ndarray, whole: bool) -> Found:
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
    return Found(
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


def profile_edges() -> list[int]:
    """The magnitudes, as bits of float32, with which the bins of a profile begin: fine where activations bend."""
    low, high = ((e + 127) << 23 for e in FINE)
    first, step = 1 << 23, (1 << 23) // STEPS
    coarse = COARSE << 23
    above = range(high, reference.LARGEST, coarse)
    return [0, first, *range(first + coarse - (1 << 23), low, coarse), *range(low, high, step), *above]
