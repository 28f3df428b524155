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
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Context
from functools import partial

import numpy as np
import sympy as sp
from flint import arb

from analysis.activation import functions, lookup
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.parsing import X
from analysis.activation.record import Activation
from analysis.activation.sheet import Line, Record, Sheet, Table, decimal
from analysis.deployed import precision_found as found_on
from analysis.deployed import precision_inputs as inputs
from analysis.deployed import precision_scan as scanning
from analysis.deployed.export import Export
from analysis.deployed.implementations import HALVES, OURS, Arrays, implementation
from analysis.deployed.kernel import Measured
from analysis.deployed.precision_found import Profile, Progress, Zone
from analysis.deployed.ulp import Exact, error, format_of
from analysis.exact.asymptotes import limit_at_infinity
from analysis.rigorous.balls import Pair

SAMPLES = 20_000


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
    code = implementation(of, activation, dtype, derivative, variant)
    whole = exhaustive or dtype in HALVES
    if whole and dtype == "float32":
        found = found_on.scanned(expression, code.call, heard)
    else:
        numbers = inputs.every(dtype) if whole else inputs.sampled(expression, dtype, format_of(dtype), count)
        found = found_on.compared(expression, code.call, dtype, numbers, whole)
    special = _special(expression, code.call, dtype) | {"subnormals": found.subnormals.to_dict()}
    if whole and dtype == "float32":
        special["nan"] |= {"right": not scanning.nan_inputs(code.call)}
    total = found.total
    names = {"function": activation.name, "of": code.name, "mark": code.mark}
    return Precision(
        **names, dtype=dtype, derivative=derivative, exhaustive=whole, total=total, enclosure=found.enclosure,
        zones=found.zones, special=special, failures=found.failures, failed_input=found.failed,
        seconds=time.perf_counter() - began, profile=found.profile,
    )  # fmt: skip


def in_header(code: Export) -> Export:
    """The same code, with what a sample of its inputs gives in the header; BadInput for a language that is not run."""
    kernel = code.kernel
    if code.language not in OURS:
        raise BadInput(f"expected --measure with --to {', '.join(OURS)}, got {code.language}")
    of = partial(precision, kernel.activation, kernel.dtype, variant=kernel.variant, of=code.language)
    slopes = (False, True) if kernel.derivative else (False,)
    return code.with_measured(measured(*(of(derivative=slope) for slope in slopes)))


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
