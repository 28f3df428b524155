"""Errors and constants in print against the best of their shape, with proved bounds: results/literature.json.

`make frontiers` runs it: a few minutes. Notebook 06 reads the record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from analysis.optimal.judgement import all_judged
from benchmarks.record import provenance, write

OUT = Path("results/literature.json")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.literature", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    entries = []
    for found in all_judged():
        entries.append(found.to_dict())
        print(found.printed.name, found.printed.target, found.standing, file=sys.stderr, flush=True)
    record = {
        "what": "approximations in print, measured again where their constants are, against the best of their shape",
        **provenance("benchmarks.literature"),
        "entries": entries,
    }
    write(record, options.out)


if __name__ == "__main__":
    main()
