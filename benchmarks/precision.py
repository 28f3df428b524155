"""Errors in ulp of kernels, ours and those of libraries, over all float32 inputs: results/precision.json.

`make exhaustive` runs it; an entry that is there already, of the very same code, is not measured again, so that a run
that was interrupted goes on. What needs a package that is not installed is left out, and said. Notebook 07 reads it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from analysis.activation import lookup
from analysis.activation.errors import Undecided
from analysis.deployed import precision_reference as reference
from analysis.deployed.compiled import compiler_version
from analysis.deployed.implementations import implementation
from analysis.deployed.precision import precision
from analysis.deployed.precision_found import profile_edges
from benchmarks.record import provenance, write

OUT = Path("results/precision.json")
SAMPLES = 50_000  # where not all inputs are tried
DIGITS = 5


@dataclass(frozen=True)
class Plan:
    """One measurement."""

    function: str
    of: str = "c"
    derivative: bool = False
    variant: str = "accurate"
    dtype: str = "float32"


def _both(function: str, of: str = "c", **options: str) -> list[Plan]:
    return [Plan(function, of, slope, **options) for slope in (False, True)]


PLANS = [
    *_both("mish"),
    *_both("mish", variant="fast"),
    *_both("mish", "torch:F.mish"),
    *_both("mish", "jax:nn.mish"),
    *_both("mish", "numpy:naive"),
    *_both("mish", "numpy"),
    *(
        plan
        for dtype in ("float16", "bfloat16")
        for of in ("c", "torch:F.mish")
        for plan in _both("mish", of, dtype=dtype)
    ),
    *_both("mish", "numpy:naive", dtype="float16"),
    *(plan for of in ("c", "torch:F.mish", "numpy:naive") for plan in _both("mish", of, dtype="float64")),
    *(Plan("aptx(alpha=1, beta=1000000, gamma=1/2)", of, dtype="float16") for of in ("c", "numpy:naive")),
    *(Plan("softplus", of, dtype=dtype) for dtype in ("float16", "float32") for of in ("c", "numpy:naive")),
    *(plan for f in ("silu", "gelu", "tanh") for plan in _both(f)),
    Plan("softplus", derivative=True),
    *(Plan(f, f"torch:F.{f}") for f in ("silu", "gelu", "softplus")),
    *(plan for f in ("silu", "gelu", "tanh", "softplus") for plan in _both(f, variant="fast")),
    *_both("mish", "torch"),
    *_both("mish", "jax"),
    *(
        plan
        for f in ("silu", "gelu", "tanh", "softplus", "gelu_tanh", "hard_mish")
        for plan in _both(f, dtype="float64")
    ),
]


def measured(plan: Plan, sample: bool) -> dict[str, Any]:
    """The entry of a plan; for a person a line goes to standard error."""
    found = precision(
        plan.function, plan.dtype, exhaustive=plan.dtype == "float32" and not sample, derivative=plan.derivative,
        variant=plan.variant, of=plan.of, count=SAMPLES,
    )  # fmt: skip
    low, high = found.enclosure
    what = f"the derivative of {plan.function}" if plan.derivative else plan.function
    said = f"{found.of}: {found.total.max_ulp} ulp, in [{low}, {high}], {found.failures} failures"
    print(f"{what}, {plan.dtype}, {said}, {found.seconds:.0f} s", file=sys.stderr, flush=True)
    profile = [None if value is None else float(f"{value:.{DIGITS}g}") for value in found.profile]
    return {"asked": vars(plan), "mark": found.mark} | found.to_dict() | {"profile": profile}


def record(entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    edges = [reference.number(bits) for bits in profile_edges()]
    return {
        "what": "errors in units in the last place (the spacing at the exact value); a profile holds the largest error "
        "between neighbouring edges, for x > 0 and then for x < 0",
        **provenance("benchmarks.precision"),
        "command": "python -m benchmarks.precision",  # whatever part of it was measured in the last run
        "compiler": compiler_version(),
        "libraries": {name: _version(name) for name in ("torch", "jax", "numpy", "scipy")},
        "edges": edges,
        "entries": list(entries),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _is_known(entry: dict[str, Any], plan: Plan, sample: bool) -> bool:
    """Whether the entry is of this plan, as exact as asked for, and of the code as it is now where that can be made."""
    if entry["asked"] != vars(plan) or (plan.dtype == "float32" and not sample and not entry["exhaustive"]):
        return False
    try:
        made = implementation(plan.of, lookup.function(plan.function), plan.dtype, plan.derivative, plan.variant)
    except Undecided:
        return True
    return made.mark == entry["mark"]


def _read(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8"))["entries"] if path.exists() else []


def _put(entry: dict[str, Any], path: Path) -> None:
    """Into the record, which another run may have gone on with, in the order of the plans."""
    others = [old for old in _read(path) if old["asked"] != entry["asked"]]
    order = [vars(plan) for plan in PLANS]
    kept = sorted((e for e in (*others, entry) if e["asked"] in order), key=lambda e: order.index(e["asked"]))
    write(record(kept), path)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.precision", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--of", metavar="CODE", help="only what is missing of this code, such as c")
    parser.add_argument("--next", type=int, metavar="N", help="measure at most N that are missing")
    parser.add_argument(
        "--sample", action="store_true", help="draw inputs for what is missing; it then stays to be done"
    )
    options = parser.parse_args()
    left = options.next
    for plan in (plan for plan in PLANS if options.of in (None, plan.of)):
        if left == 0:
            break
        if any(_is_known(entry, plan, options.sample) for entry in _read(options.out)):
            continue
        try:
            _put(measured(plan, options.sample), options.out)
        except Undecided as reason:
            print(f"{plan}: left out, {reason}", file=sys.stderr)
        left = None if left is None else left - 1


if __name__ == "__main__":
    main()
