"""Nanoseconds per element of kernels, and the price of an error in nanoseconds: results/benchmark.json.

`make bench` runs it: our C in both variants, our NumPy, the straightforward NumPy and PyTorch where it is installed,
beside ReLU and a memory copy, in interleaved rounds; then every stand-in of results/frontiers.json in our C. Notebook
08 draws the record, and claims T16 and T17 of the ledger read it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from analysis.activation import lookup
from analysis.activation.errors import Undecided
from analysis.activation.record import Activation
from analysis.deployed import machine
from analysis.deployed.benchmark import FUNCTIONS, bench, kernels, timed
from analysis.deployed.benchmark_subjects import Arrays
from analysis.optimal.design import design
from benchmarks.record import provenance, write

OUT = Path("results/benchmark.json")
FRONTIERS = Path("results/frontiers.json")
SIZES = (1_000, 100_000, 10_000_000)
MAIN = 100_000
DTYPES = ("float32", "float64")
TARGETS = ("mish", "silu", "gelu")
ROUNDS = {1_000: 11, MAIN: 15, 10_000_000: 5}  # at each size
AT_LENGTH = ("mish",)  # at the largest size
CLOSE = 1e-3
COMMAND = "actapprox bench mish silu hard_mish"

Entry = dict[str, Any]


def price(target: str, candidates: Sequence[Entry], rounds: int) -> Entry:
    """The kernels of a target and of its stand-ins, with their certified errors: error None is the target itself."""
    activation = lookup.function(target)
    known = {activation: {"name": target, "kind": "itself", "error": None}}
    for one in candidates:
        function = Activation(one["name"], lookup.expression(one["formula"]), one["formula"])
        known[function] = {"name": one["name"], "kind": one["kind"], "error": float(one["error"][1])}
    arrays, left_out = Arrays.made("float32", MAIN), []
    labels = {function: f"{i} {function.name}" for i, function in enumerate(known)}
    relu = Activation("relu", lookup.expression("relu(x)"), "relu(x)")
    made = kernels([relu, *known], arrays, derivative=False, left_out=left_out, names=labels | {relu: "relu"})
    facts = {labels[function]: about for function, about in known.items()}
    points = [
        facts[t.function] | {"variant": t.code.removeprefix("c ")} | {"ns": t.ns.to_dict(), "ratio": t.ratio.to_dict()}
        for t in timed(made, arrays, rounds)
        if t.function in facts
    ]
    print(f"price of {target}: {len(points)} kernels", file=sys.stderr, flush=True)
    return {"target": target, "dtype": "float32", "size": MAIN, "points": points, "left_out": left_out}


def candidates(target: str) -> list[Entry]:
    """All stand-ins of the recorded frontier; for Mish one with quadratic pieces within `CLOSE` as well."""
    entries = json.loads(FRONTIERS.read_text(encoding="utf-8"))["entries"]
    found = list(next(entry for entry in entries if entry["target"] == target)["candidates"])
    if target == "mish":
        best = design(target, "pwq", tolerance=CLOSE).to_dict()
        found.append(
            {"name": f"pwq, {best['pieces']} pieces", "kind": "pwq"} | {k: best[k] for k in ("formula", "error")}
        )
    return found


# what was asked for


class Found:
    """The medians of a run."""

    def __init__(self, timings: Sequence[Entry], prices: Sequence[Entry]):
        self.timings, self.prices = timings, prices

    def ratio(self, code: str, function: str, work: str = "forward", dtype: str = "float32", size: int = MAIN) -> float:
        """Times ReLU; KeyError where it was not measured."""
        asked = {"code": code, "function": function, "work": work, "dtype": dtype, "size": size}
        for timing in self.timings:
            if all(timing[key] == value for key, value in asked.items()):
                return timing["ratio"]["median"]
        raise KeyError(" ".join(map(str, asked.values())))

    def faster(self, ours: tuple[str, ...], theirs: tuple[str, ...], **options: Any) -> float:
        """How many times as fast ours is, each given as code, function, work."""
        return self.ratio(*theirs, **options) / self.ratio(*ours, **options)

    def close(self, kind: str) -> float:
        """The cheapest stand-in of that kind for Mish within `CLOSE`, times ReLU."""
        points = [p for entry in self.prices if entry["target"] == "mish" for p in entry["points"]]
        found = [p["ratio"]["median"] for p in points if p["kind"] == kind and p["error"] <= CLOSE]
        if not found:
            raise KeyError(f"no {kind} within {CLOSE:g} in the record")
        return min(found)


C, FAST, TORCH = "c accurate", "c fast", "torch"
ONCE = "gradient in one pass"
# what, the bound, whether it is an upper one, and how it is found
MEASURES: list[tuple[str, float, bool, Callable[[Found], float]]] = [
    ("hard_mish in C, times ReLU", 1.3, True, lambda f: f.ratio(C, "hard_mish")),
    ("hard_swish in C, times ReLU", 1.3, True, lambda f: f.ratio(C, "hard_swish")),
    ("cheapest pwl for Mish within 1e-3, times ReLU", 2.5, True, lambda f: f.close("pwl")),
    ("cheapest pwq for Mish within 1e-3, times ReLU", 2.5, True, lambda f: f.close("pwq")),
    ("cheapest gate for Mish within 1e-3, times ReLU", 2.5, True, lambda f: f.close("gate")),
    ("Mish in C, accurate, times ReLU", 12, True, lambda f: f.ratio(C, "mish")),
    ("Mish in C, accurate, times as fast as F.mish", 3, False, lambda f: f.faster((C, "mish"), (TORCH, "mish"))),
    ("Mish in C, fast, times ReLU", 6, True, lambda f: f.ratio(FAST, "mish")),
    ("Mish in C, fast, times as fast as F.mish", 5, False, lambda f: f.faster((FAST, "mish"), (TORCH, "mish"))),
    (
        "Mish in C, fast, with gradient in one pass, times as fast as torch forward and backward", 8, False,
        lambda f: f.faster((FAST, "mish", ONCE), (TORCH, "mish", "gradient")),
    ),
    (
        "Mish in C, fast, with gradient in two passes, times as fast as torch forward and backward", 8, False,
        lambda f: f.faster((FAST, "mish", "gradient"), (TORCH, "mish", "gradient")),
    ),
    *(
        (f"Mish in our NumPy, {variant}, {size:.0e} elements, times as fast as the formula", 1, False,
         partial(Found.faster, ours=(f"numpy {variant}", "mish"), theirs=("numpy naive", "mish"), size=size))
        for variant in ("accurate", "fast")
        for size in SIZES[1:]
    ),
]  # fmt: skip


def measures(found: Found) -> list[Entry]:
    """Each as it was found, and whether the bound is kept; null where it was not measured."""
    rows = []
    for what, bound, is_upper, how in MEASURES:
        try:
            value = float(f"{how(found):.3g}")
        except KeyError as reason:
            rows.append(
                {"what": what, "bound": bound, "upper": is_upper, "found": None, "kept": None, "why": reason.args[0]}
            )
            continue
        kept = value <= bound if is_upper else value >= bound
        rows.append({"what": what, "bound": bound, "upper": is_upper, "found": value, "kept": kept, "why": ""})
    return rows


def claims(found: Found) -> Entry:
    """What T16 and T17 of the ledger may say: medians of the ratios to ReLU in our C, fast where that is."""

    def quickest(name: str, dtype: str, size: int = MAIN) -> float:
        try:
            return found.ratio(FAST, name, dtype=dtype, size=size)
        except KeyError:  # one code is both variants
            return found.ratio(C, name, dtype=dtype, size=size)

    names = ("hard_mish", "silu", "mish")
    ratios = {dtype: {name: quickest(name, dtype) for name in names} for dtype in DTYPES}
    said = {d: ", ".join(f"{name} {value:.3g}" for name, value in values.items()) for d, values in ratios.items()}

    def judged(name: str) -> str:
        where = [dtype for dtype, values in ratios.items() if values[name] < values["mish"]]
        return f"cheaper than Mish in {' and '.join(where)}" if where else "not cheaper than Mish"

    sizes = {size: [quickest("mish", dtype, size) for dtype in DTYPES] for size in SIZES}
    shown = {size: f"{pair[0]:.3g} in float32, {pair[1]:.3g} in float64" for size, pair in sizes.items()}
    return {
        "T16": {
            "reason": f"Swish is {judged('silu')}, hard_mish {judged('hard_mish')}; times ReLU in C, float32: "
            f"{said['float32']}",
            "evidence": [
                {"what": f"times ReLU in {d}, {MAIN} elements, C, one thread", "value": text, "command": COMMAND}
                for d, text in said.items()
            ],
        },
        "T17": {
            "reason": f"on this CPU, in C, Mish takes {shown[MAIN]} times ReLU at {MAIN} elements; at {max(SIZES)}, "
            f"where memory is the limit, {shown[max(SIZES)]}; the 1.2 of the thread is for a GPU",
            "evidence": [
                {"what": f"Mish, times ReLU, {size} elements", "value": text, "command": COMMAND}
                for size, text in shown.items()
            ],
        },
    }


def measured(share: float = 1.0) -> Entry:
    """The whole record; `share` of the rounds, for a trial."""
    before = os.getloadavg()[0]
    rounds = {size: max(1, round(share * count)) for size, count in ROUNDS.items()}
    timings, left_out = [], []
    for size, count in rounds.items():
        functions = AT_LENGTH if size > MAIN else FUNCTIONS
        found = bench(functions, dtypes=DTYPES, sizes=[size], count=count, compile_=size == MAIN).to_dict()
        timings += found["timings"]
        left_out += found["left_out"]
        print(f"{size} elements: {len(found['timings'])} timings, {found['seconds']} s", file=sys.stderr, flush=True)
    prices = [price(target, candidates(target), rounds[MAIN]) for target in TARGETS]
    medians = Found(timings, prices)
    return {
        "what": "nanoseconds per element, medians and quartiles of interleaved rounds, time of one thread; ratios are "
        "to ReLU in the same C, within a round; inputs are normal with standard deviation 3",
        **provenance("benchmarks.kernels"),
        "machine": machine.described(),
        "load": [round(before, 1), round(os.getloadavg()[0], 1)],
        "rounds": rounds,
        "timings": timings,
        "left_out": sorted(set(left_out)),
        "price": prices,
        "measures": measures(medians),
        "claims": claims(medians),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--share", type=float, default=1.0, help="of the rounds, for a trial; default: 1")
    options = parser.parse_args()
    try:
        write(measured(options.share), options.out)
    except Undecided as reason:
        sys.exit(f"actapprox: {reason}")


if __name__ == "__main__":
    main()
