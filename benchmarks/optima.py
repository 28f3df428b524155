"""The best constants of every catalogued family for Mish, Swish and GELU, with their proofs: results/optima.json.

`make optima` runs it: minutes, as each entry is proved anew. Notebook 04 reads the record.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

from analysis.activation.catalogue import FAMILIES
from analysis.activation.errors import BadInput, OutOfTime, Undecided
from analysis.optimal.fitting.constants import fit
from analysis.rigorous.norms import Norm
from benchmarks.record import provenance, write

OUT = Path("results/optima.json")
TARGETS = ("mish", "silu", "gelu")
NORMS = ("sup", "l2", "gaussian")
FORMATS = ("integer", "1/8", "dyadic:5", "float16")
ROUNDED = ("hard_gate",)
NOT_FITTED = ("lerp",)  # combines two activations that are to be named
PATIENCE = 120  # seconds for one entry
KEYS = (
    *("family", "target", "norm", "round", "constants", "exact", "error", "estimate"),
    *("optimum", "unique", "optimal_set", "published", "note"),
)


def entry(job: tuple[str, str, str, str | None]) -> dict[str, Any]:
    """One fit as its record; where it fails or takes too long, the reason."""
    family, target, norm, round_ = job
    signal.signal(signal.SIGALRM, _out_of_time)
    signal.alarm(PATIENCE)
    try:
        found = fit(family, target, Norm(norm), round=round_).to_dict()
        return {key: found[key] for key in KEYS}
    except (BadInput, Undecided, OutOfTime) as reason:
        return {"family": family, "target": target, "norm": norm, "round": round_, "note": str(reason)}
    finally:
        signal.alarm(0)


def _out_of_time(*_: Any) -> None:
    raise OutOfTime(f"no answer within {PATIENCE} s")


def jobs() -> list[tuple[str, str, str, str | None]]:
    names = [family.name for family in FAMILIES if family.name not in NOT_FITTED]
    free: list[tuple[str, str, str, str | None]] = [(f, t, n, None) for t, n, f in product(TARGETS, NORMS, names)]
    return free + [(f, t, n, r) for t, n, f, r in product(TARGETS, NORMS, ROUNDED, FORMATS)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.optima", description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    entries = []
    with ProcessPoolExecutor(options.jobs) as pool:
        for found in pool.map(entry, jobs()):
            entries.append(found)
            verdict = found.get("optimum", {}).get("verdict", found["note"])
            print(*(found[k] for k in ("target", "norm", "family", "round")), verdict, file=sys.stderr, flush=True)
    record = {
        "what": "best constants of catalogued families, with certified errors and proved lower bounds",
        **provenance("benchmarks.optima"),
        "entries": entries,
    }
    write(record, options.out)


if __name__ == "__main__":
    main()
