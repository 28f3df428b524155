"""`bench`: nanoseconds per element, beside ReLU in the same C and a memory copy, in interleaved rounds, one thread."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.activation import lookup
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.record import Activation
from analysis.activation.sheet import Line, Record, Sheet, Table, decimal
from analysis.deployed import benchmark_subjects as subjects
from analysis.deployed import machine
from analysis.deployed.benchmark_rounds import Spread, rounds
from analysis.deployed.benchmark_subjects import Arrays, Subject
from analysis.deployed.export import Export, export

FUNCTIONS = ("mish", "silu", "gelu", "hard_mish", "hard_swish")
ROUNDS = 11
UNIT = "c accurate relu forward"  # what ratios are to


@dataclass(frozen=True)
class Timing:
    """Nanoseconds per element, and the ratio to ReLU within a round."""

    code: str
    function: str
    work: str
    dtype: str
    size: int
    ns: Spread
    ratio: Spread

    def to_dict(self) -> dict[str, Any]:
        return vars(self) | {"ns": self.ns.to_dict(), "ratio": self.ratio.to_dict()}


@dataclass(frozen=True)
class Bench(Record):
    """All timings, the number of rounds, the machine, and what was left out with the reason."""

    timings: tuple[Timing, ...]
    rounds: int
    machine: dict[str, Any]
    left_out: tuple[str, ...]
    seconds: float

    def to_dict(self) -> dict:
        """The JSON of `actapprox bench`."""
        return {
            "rounds": self.rounds,
            "machine": self.machine,
            "timings": [timing.to_dict() for timing in self.timings],
            "left_out": list(self.left_out),
            "seconds": round(self.seconds, 3),
        }

    def sheet(self) -> Sheet:
        lines = [
            Line("machine", f"{self.machine['processor']}, {' '.join(self.machine['features'])}"),
            Line("compiler", f"{self.machine['compiler']}, {self.machine['flags']}"),
        ]
        tables = []
        for dtype, size in dict.fromkeys((t.dtype, t.size) for t in self.timings):
            rows = [_row(t) for t in self.timings if (t.dtype, t.size) == (dtype, size)]
            headings = ("function", "code", f"work, {size} x {dtype}", "ns/element", "times ReLU", "quartiles")
            tables.append(Table(headings, tuple(rows), 3))
        return Sheet(
            f"Medians of {self.rounds} interleaved rounds, one thread", tuple(lines), tuple(tables), self.left_out
        )


def _row(timing: Timing) -> tuple[str, ...]:
    low, high = timing.ratio.quartiles
    numbers = decimal(timing.ns.median, 3), decimal(timing.ratio.median, 3)
    return timing.function, timing.code, timing.work, *numbers, f"{decimal(low, 3)} to {decimal(high, 3)}"


def bench(
    functions: Sequence[str | Activation] = FUNCTIONS,
    *,
    dtypes: Sequence[str] = ("float32",),
    sizes: Sequence[int] = (100_000,),
    count: int = ROUNDS,
    compile_: bool = False,
    quick: bool = False,
) -> Bench:
    """Times of our C (accurate, fast) and NumPy, of the straightforward NumPy, and of PyTorch where it is installed.

    With `quick` only C is timed, forward. `compile_` adds torch.compile. Raises BadInput for what is no function, type
    or size, Undecided without a compiler.
    """
    if count < 1:
        raise BadInput(f"expected a positive number of rounds, got {count}")
    began = time.perf_counter()
    chosen = [lookup.function(function) for function in functions]
    left_out: list[str] = []
    timings: list[Timing] = []
    for dtype in dtypes:
        for size in sizes:
            arrays = Arrays.made(dtype, size)
            found = _subjects(chosen, arrays, compile_, quick, left_out)
            timings += timed(found, arrays, count)
    seconds = time.perf_counter() - began
    return Bench(tuple(timings), count, machine.described(), tuple(dict.fromkeys(left_out)), seconds)


def timed(found: Sequence[Subject], arrays: Arrays, count: int) -> list[Timing]:
    """A timing of each subject, one of which is `UNIT`."""
    measured = rounds({subject.name: subject.calls for subject in found}, count)
    unit = measured[UNIT]
    return [
        Timing(
            one.code, one.function, one.work, arrays.x.dtype.name, arrays.x.size,
            Spread.of([1e9 * seconds / arrays.x.size for seconds in measured[one.name]]),
            Spread.of([a / b for a, b in zip(measured[one.name], unit, strict=True)]),
        )
        for one in found
    ]  # fmt: skip


def _subjects(
    chosen: Sequence[Activation], arrays: Arrays, compile_: bool, quick: bool, left_out: list[str]
) -> list[Subject]:
    relu = lookup.function("relu")
    all_ = [relu, *(f for f in chosen if f.expression != relu.expression)]
    found = [subjects.copy(arrays), *kernels(all_, arrays, derivative=not quick, left_out=left_out)]
    if quick:
        return found
    for function in all_:
        found += subjects.in_numpy(function, arrays)
    if importlib.util.find_spec("torch") is None:
        left_out.append("torch is not installed")
        return found
    for function in all_:
        if function.name in subjects.TORCH:
            found += subjects.in_torch(function.name, arrays, compile_)
    return found


def kernels(
    chosen: Sequence[Activation],
    arrays: Arrays,
    *,
    derivative: bool,
    left_out: list[str],
    names: Mapping[Activation, str] | None = None,
) -> list[Subject]:
    """Both variants in C; the fast one only where its code differs. What has no kernel is left out, with the reason."""
    made: list[Export] = []
    called: list[str] = []
    for i, function in enumerate(chosen):
        known = set()
        for variant in ("accurate", "fast"):
            try:
                one = export(function, "c", dtype=arrays.x.dtype.name, derivative=derivative, variant=variant,
                             name=f"k{i}_{variant}")  # fmt: skip
            except Undecided as reason:
                left_out.append(f"{function.name}: {reason}")
                continue
            code = str(one.source).split("*/", 1)[1].replace(f"k{i}_{variant}", "")
            if code not in known:
                made.append(one)
                called.append((names or {}).get(function, function.name))
            known.add(code)
    return subjects.in_c(made, called, arrays)
