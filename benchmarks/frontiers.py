"""The frontiers of error and cost for Mish, Swish and GELU, over all shapes and stand-ins: results/frontiers.json.

`make frontiers` runs it: about a minute for each target. Notebook 06 reads the record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from analysis.optimal.frontier import frontier
from benchmarks.record import provenance, write

OUT = Path("results/frontiers.json")
TARGETS = ("mish", "silu", "gelu")


def entry(target: str) -> dict[str, Any]:
    """One frontier as its record: what `actapprox frontier --json` answers."""
    found = frontier(target)
    print(target, f"{len(found.best)} of {len(found.candidates)}", file=sys.stderr, flush=True)
    return found.to_dict()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.frontiers", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    record = {
        "what": "designs and published stand-ins for a target: errors certified on the line, and counted operations",
        **provenance("benchmarks.frontiers"),
        "entries": [entry(target) for target in TARGETS],
    }
    write(record, options.out)


if __name__ == "__main__":
    main()
