"""What a certified sup distance costs, in milliseconds, and how Sollya's `infnorm` compares: results/distances.json.

Rounds are interleaved: in each, every subject is measured with one tool and then with the other, and what is reported
are medians and quartiles, for ratios of the ratios within a round. Our time is for the whole domain, Sollya's for its
compact core only, since it has no whole line; its process start is not counted.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import sympy as sp

from analysis.activation import lookup, lowering
from analysis.activation.parsing import X
from analysis.exact.pieces import Piece, pieces
from analysis.optimal.fitting import constants
from analysis.optimal.fitting import proof as optimality
from analysis.rigorous.distance import supremum
from benchmarks import sollya
from benchmarks.record import provenance, write

OUT = Path("results/distances.json")
TOLERANCE = 1e-12
TOLERANCES = [10.0**-k for k in range(3, 31, 3)]
CORE = 4  # Sollya's domain is [-CORE, CORE], where ours is the whole line
DEGREES = range(3, 9)
INNER = 0.01  # seconds of one timing of ours, at least
REPEATS = 3  # of one timing of Sollya's

FIRST = ("mish", "hard_mish")
PAIRS = (
    ("mish", "hard_swish"),
    ("mish", "silu"),
    ("mish", "relu"),
    ("mish", "approx_mish"),
    ("silu", "hard_swish"),
    ("gelu", "quick_gelu"),
    ("gelu", "gelu_tanh"),
    ("tanh", "hard_tanh"),
    ("softplus", "relu"),
)


@dataclass(frozen=True)
class Subject:
    """sup |f| over (lower, upper)."""

    kind: str  # "pair" or "interpolant"
    left: str
    right: str
    f: sp.Expr
    lower: sp.Expr = -sp.oo
    upper: sp.Expr = sp.oo

    @classmethod
    def pair(cls, left: str, right: str) -> Subject:
        return cls("pair", left, right, lookup.expression(f"{left} - ({right})"))

    @classmethod
    def interpolant(cls, name: str, degree: int) -> Subject:
        """A function minus its interpolant in the Chebyshev points of [-CORE, CORE], with coefficients in double."""
        f = lookup.function(name).expression
        fitted = np.polynomial.Chebyshev.interpolate(lowering.evaluator(f), degree, [-CORE, CORE])
        coefficients = fitted.convert(kind=np.polynomial.Polynomial).coef
        polynomial = sum(sp.Rational(float(c)) * X**k for k, c in enumerate(coefficients))
        ends = sp.Integer(-CORE), sp.Integer(CORE)
        return cls("interpolant", name, f"interpolant of degree {degree}", f - sp.horner(polynomial), *ends)

    def certified(self, tolerance: float = TOLERANCE):
        return supremum(self.f, self.lower, self.upper, tolerance)

    def core(self) -> tuple[Piece, ...]:
        """The compact pieces for Sollya."""
        return pieces(self.f, X, max(self.lower, sp.Integer(-CORE)), min(self.upper, sp.Integer(CORE)))


def subjects() -> list[Subject]:
    return [Subject.pair(*pair) for pair in (FIRST, *PAIRS)] + [Subject.interpolant("mish", d) for d in DEGREES]


# timing


def milliseconds(call: Callable[[], Any]) -> float:
    """The mean over as many calls as take INNER seconds."""
    start, count = time.perf_counter(), 0
    while (spent := time.perf_counter() - start) < INNER:
        call()
        count += 1
    return 1e3 * spent / count


def quartiles(values: Sequence[float]) -> dict[str, float]:
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    return {"median": float(f"{median:.4g}"), "quartiles": [float(f"{low:.4g}"), float(f"{high:.4g}")]}


def compared(subject: Subject, rounds: int, with_sollya: bool) -> dict[str, Any]:
    """One subject: its distance, our time, Sollya's time and settings, and the ratio."""
    found = subject.certified()
    calls = sollya.fastest(subject.core(), TOLERANCE) if with_sollya else []
    ours, theirs, norms = [], [], []
    for _ in range(rounds):
        ours.append(milliseconds(subject.certified))
        if calls:
            norms = sollya.run(calls, REPEATS)
            theirs.append(1e3 * sum(norm.seconds for norm in norms))
    return {
        "kind": subject.kind,
        "left": subject.left,
        "right": subject.right,
        "domain": [str(subject.lower), str(subject.upper)],
        "distance": found.pair(),
        "milliseconds": quartiles(ours),
        "sollya": _rival(calls, norms, theirs) if calls else None,
        "ratio": quartiles([b / a for a, b in zip(ours, theirs, strict=True)]) if calls else None,
    }


def _rival(calls: list[sollya.Call], norms: list[sollya.Norm], times: list[float]) -> dict[str, Any]:
    """Its answer is the largest norm; pieces that are smaller need not be narrow."""
    low, high = max(norm.low for norm in norms), max(norm.high for norm in norms)
    settings = [
        {"formula": c.formula, "domain": [c.low, c.high], "prec": c.precision, "diam": c.diameter} for c in calls
    ]
    return {"milliseconds": quartiles(times), "relative_width": float(f"{(high - low) / high:.2g}"), "pieces": settings}


def by_tolerance(subject: Subject, rounds: int) -> list[dict[str, Any]]:
    """Our time for each tolerance, all of them in every round."""
    times: dict[float, list[float]] = {tolerance: [] for tolerance in TOLERANCES}
    for _ in range(rounds):
        for tolerance, measured in times.items():
            subject.certified(tolerance)  # what is prepared for each precision
            measured.append(milliseconds(partial(subject.certified, tolerance)))
    return [
        {"tolerance": tolerance, "distance": subject.certified(tolerance).pair(), "milliseconds": quartiles(measured)}
        for tolerance, measured in times.items()
    ]


COLD = """
import time
start = time.perf_counter()
from analysis.activation import lookup
from analysis.rigorous.distance import supremum
imported = time.perf_counter()
supremum(lookup.expression({text!r}))
print(imported - start, time.perf_counter() - imported)
"""


def cold(left: str, right: str, rounds: int) -> dict[str, Any]:
    """The first call of a new process: the imports, and the call itself with all that later calls find prepared."""
    command = [sys.executable, "-c", COLD.format(text=f"{left} - ({right})")]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() for _ in range(rounds)]
    imports, calls = np.array(runs, float).T * 1e3
    return {"imports": quartiles(imports), "call": quartiles(calls)}


def proof(family: str, target: str, rounds: int) -> dict[str, Any]:
    """That the best constants in the sup norm are best: the branch and bound alone, the fit being at hand."""
    found = constants.fit(family, target)
    residual, theta, error = found.residual, np.array(list(found.constants.values())), float(found.error[1])
    times = [milliseconds(lambda: optimality.prove(residual, theta, error)) for _ in range(rounds)]
    return {"family": family, "target": target, "gap": found.optimum.gap, "milliseconds": quartiles(times)}


# the record


def measured(rounds: int, with_sollya: bool, chosen: Sequence[Subject] | None = None) -> dict[str, Any]:
    rival = sollya.version() if with_sollya else None
    if with_sollya and rival is None:
        print("Sollya is not installed (Debian: apt install sollya): its figures are left empty", file=sys.stderr)
    made = provenance("benchmarks.distances")
    made["versions"]["sollya"] = rival
    rows = []
    for subject in subjects() if chosen is None else chosen:
        rows.append(compared(subject, rounds, rival is not None))
        print(_line(rows[-1]), file=sys.stderr)
    return {
        "what": "certified sup distances: milliseconds warm in one process, and Sollya's infnorm on the compact core",
        **made,
        "rounds": rounds,
        "tolerance": TOLERANCE,
        "suprema": rows,
        "tolerances": by_tolerance(Subject.pair(*FIRST), rounds),
        "cold": cold(*FIRST, min(rounds, 5)),
        "proof": proof("hard_gate", "mish", min(rounds, 5)),
    }


def _line(row: dict[str, Any]) -> str:
    ours = f"{row['left']} - {row['right']}: {row['milliseconds']['median']:.3g} ms"
    if not row["sollya"]:
        return ours
    return (
        f"{ours}, Sollya {row['sollya']['milliseconds']['median']:.3g} ms, {row['ratio']['median']:.3g} times as long"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.distances", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--without-sollya", action="store_true")
    options = parser.parse_args()
    write(measured(options.rounds, not options.without_sollya), options.out)


if __name__ == "__main__":
    main()
