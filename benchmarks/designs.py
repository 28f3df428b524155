"""What an optimal design costs, in milliseconds, and how pwlf and baryrat's BRASIL compare: results/designs.json.

Rounds are interleaved: in each, every subject is measured with one tool and then with the other, and what is reported
are medians and quartiles, for ratios of the ratios within a round. Both tools are asked for the same thing on the same
domain; pwlf fits 1,000 samples in the mean square, as its users do, and its error is then certified like ours. They
live in an environment of their own, whose interpreter is `--rivals`; where they are missing, their figures are empty.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import sympy as sp

from analysis.activation import catalogue
from analysis.activation.errors import BadInput, Undecided
from analysis.optimal.design import design
from analysis.optimal.designs import Design
from analysis.rigorous.comparison import compare
from analysis.rigorous.norms import Norm
from benchmarks.distances import quartiles
from benchmarks.record import provenance, write

OUT = Path("results/designs.json")
RIVALS = Path(".venv-extras/bin/python")
TARGET, CORE = "mish", (-8.0, 8.0)
SIZES = (8, 64, 1024)
SLOW = 1000  # pieces from which on a round is measured only twice
SEGMENTS = {4: "fit", 8: "fit", 16: "fitfast"}  # how pwlf is asked: 16 segments are beyond its global search
DEGREES = range(3, 7)
TOLERANCE = 1e-4

PWLF = """
import json, sys, time
import numpy as np, pwlf
x = np.linspace({low!r}, {high!r}, 1000)
y = x * np.tanh(np.log1p(np.exp(x)))
start = time.perf_counter()
model = pwlf.PiecewiseLinFit(x, y)
breaks = model.{how}({segments})
seconds = time.perf_counter() - start
print(json.dumps([seconds, list(map(float, breaks)), list(map(float, model.predict(breaks))), pwlf.__version__]))
"""

BRASIL = """
import json, sys, time, warnings
from importlib.metadata import version
import numpy as np, baryrat
warnings.simplefilter("ignore")
f = lambda x: x * np.tanh(np.log1p(np.exp(x)))
start = time.perf_counter()
r, info = baryrat.brasil(f, ({low!r}, {high!r}), {degree}, info=True)
seconds = time.perf_counter() - start
print(json.dumps([seconds, bool(info.converged), float(info.error), version("baryrat")]))
"""


def asked(python: Path, program: str, **values: Any) -> list[Any] | None:
    """What a rival prints as its last line; None where it cannot be run."""
    low, high = CORE
    command = [str(python), "-c", program.format(low=low, high=high, **values)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return json.loads(done.stdout.splitlines()[-1])


def timed(call: Callable[[], Design]) -> tuple[float, Design]:
    start = time.perf_counter()
    found = call()
    return 1e3 * (time.perf_counter() - start), found


def summary(found: Design, times: Sequence[float]) -> dict[str, Any]:
    """A design of ours: its error, the proved bound, its time."""
    return {
        "pieces": found.pieces,
        "error": found.error,
        "gap": float(f"{found.gap:.2g}"),
        "optimum": str(found.verdict),
        "milliseconds": quartiles(times),
    }


# beside rivals


def linear_beside(python: Path, segments: int, rounds: int) -> dict[str, Any]:
    """Free knots in both norms, and pwlf with as many segments, certified in both."""
    norms = {kind: Norm(kind, *CORE) for kind in ("sup", "l2")}
    ours: dict[str, list[float]] = {kind: [] for kind in norms}
    best, theirs, rival = {}, [], None
    for norm in norms.values():  # warm
        design(TARGET, "pwl", pieces=segments, norm=norm)
    for _ in range(rounds):
        for kind, norm in norms.items():
            spent, best[kind] = timed(lambda norm=norm: design(TARGET, "pwl", pieces=segments, norm=norm))
            ours[kind].append(spent)
        rival = asked(python, PWLF, how=SEGMENTS[segments], segments=segments)
        if rival:
            theirs.append(1e3 * rival[0])
    row: dict[str, Any] = {"segments": segments, "rounds": rounds}
    row |= {kind: summary(best[kind], ours[kind]) for kind in norms}
    row["pwlf"] = rival and {
        "method": SEGMENTS[segments],
        "milliseconds": quartiles(theirs),
        **{kind: compare(TARGET, interpolant(*rival[1:3]), norm=norm).distance for kind, norm in norms.items()},
    }
    row["ratio"] = rival and {
        kind: quartiles([b / a for a, b in zip(ours[kind], theirs, strict=True)]) for kind in norms
    }
    return row


def interpolant(breaks: Sequence[float], values: Sequence[float]) -> str:
    """The formula of the piecewise linear function through points."""
    exact = [(sp.Rational(x), sp.Rational(y)) for x, y in zip(breaks, values, strict=True)]
    arms = []
    for (x, y), (z, w) in pairwise(exact):
        slope = (w - y) / (z - x)
        arms.append((f"{slope}*x + ({y - slope * x})", z))
    *inner, (last, _) = arms
    return "{" + "; ".join([*(f"{arm}, x < {z}" for arm, z in inner), last]) + "}"


def rational_beside(python: Path, degree: int, rounds: int) -> dict[str, Any]:
    norm, ours, theirs, rival = Norm("sup", *CORE), [], [], None
    for _ in range(rounds):
        spent, found = timed(lambda: design(TARGET, f"rational:{degree},{degree}", norm=norm))
        ours.append(spent)
        rival = asked(python, BRASIL, degree=degree)
        if rival:
            theirs.append(1e3 * rival[0])
    return {
        "degree": degree,
        **summary(found, ours),
        "brasil": rival and {"converged": rival[1], "error": rival[2], "milliseconds": quartiles(theirs)},
        "ratio": rival and quartiles([b / a for a, b in zip(ours, theirs, strict=True)]),
    }


# alone


def by_size(rounds: int) -> list[dict[str, Any]]:
    """The time for each number of pieces, all of them in every round; 1024 in two rounds only."""
    times: dict[int, list[float]] = {size: [] for size in SIZES}
    found: dict[int, Design] = {}
    design(TARGET, "pwl", pieces=SIZES[0], norm=Norm("sup", *CORE))
    for i in range(rounds):
        for size in SIZES:
            if size < SLOW or i < 2:
                spent, found[size] = timed(
                    lambda size=size: design(TARGET, "pwl", pieces=size, norm=Norm("sup", *CORE))
                )
                times[size].append(spent)
    return [summary(found[size], times[size]) for size in SIZES]


def by_target(rounds: int) -> list[dict[str, Any]]:
    """From a tolerance to the fewest pieces on the whole line, for every function of the catalogue."""
    rows = []
    for entry in catalogue.FUNCTIONS:
        try:
            design(entry.name, "pwl", tolerance=TOLERANCE)
            times, found = zip(
                *(timed(lambda name=entry.name: design(name, "pwl", tolerance=TOLERANCE)) for _ in range(rounds)),
                strict=True,
            )
        except (BadInput, Undecided) as reason:
            rows.append({"target": entry.name, "reason": str(reason)})
            continue
        rows.append({"target": entry.name, "fewest": str(found[-1].fewest), **summary(found[-1], times)})
    return rows


# the record


def measured(python: Path, rounds: int, slow: int) -> dict[str, Any]:
    made = provenance("benchmarks.designs")
    made["versions"] |= rival_versions(python)
    return {
        "what": "optimal designs: milliseconds warm in one process, beside pwlf and BRASIL on the same domain",
        **made,
        "target": TARGET,
        "domain": list(CORE),
        "rounds": rounds,
        "sizes": by_size(rounds),
        "tolerance": TOLERANCE,
        "targets": by_target(min(rounds, 5)),
        "linear": [
            linear_beside(python, n, slow if how == "fit" and n > 4 else min(rounds, 3)) for n, how in SEGMENTS.items()
        ],
        "rational": [rational_beside(python, d, min(rounds, 5)) for d in DEGREES],
    }


def rival_versions(python: Path) -> dict[str, str | None]:
    """Of the rivals, None for those that are missing, which is said."""
    program = "import json; from importlib.metadata import version; print(json.dumps(version({name!r})))"
    found = {}
    for name in ("pwlf", "baryrat"):
        try:
            done = subprocess.run(
                [str(python), "-c", program.format(name=name)], capture_output=True, text=True, check=True
            )
            found[name] = json.loads(done.stdout)
        except (OSError, subprocess.CalledProcessError):
            print(f"{name} is not installed for {python}: its figures are left empty", file=sys.stderr)
            found[name] = None
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.designs", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument(
        "--slow", type=int, default=1, help="rounds beside pwlf's global search with 8 segments: minutes each"
    )
    parser.add_argument("--rivals", type=Path, default=RIVALS, help="the interpreter that has pwlf and baryrat")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    write(measured(options.rivals, options.rounds, options.slow), options.out)


if __name__ == "__main__":
    main()
