"""What a second worker gains: the same sweep with one process and with two, here and on a Dask cluster.

`make sweeps` runs it, minutes: results/sweeps.json. Rounds are interleaved and the figure is the median of their
ratios, for the machine is seldom alone with it. A cluster is measured where `distributed` is installed: a scheduler and
worker processes on this machine, started before the clock.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.record import provenance, write

OUT = Path("results/sweeps.json")
PLAN = Path("benchmarks/sweeps.toml")
WORKERS = (1, 2)
PATIENCE = 60.0  # seconds until a cluster is up


def timed(*options: str) -> tuple[float, int]:
    """Seconds of one sweep into an empty folder, and how many tasks were answered."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "analysis", "sweep", str(PLAN), "--out", folder, "--json", *options]
        began = time.perf_counter()
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return time.perf_counter() - began, json.loads(done.stdout)["counts"].get("answered", 0)


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """The address of a scheduler with so many worker processes of one thread."""
    from distributed import Client

    with tempfile.TemporaryDirectory() as folder, ExitStack() as processes:
        known = Path(folder, "scheduler.json")

        def start(module: str, *options: str) -> None:
            command = [sys.executable, "-m", f"distributed.cli.{module}", "--scheduler-file", str(known), *options]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            processes.callback(process.wait)
            processes.callback(process.kill)

        start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        deadline = time.monotonic() + PATIENCE
        while not known.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        for _ in range(workers):
            start("dask_worker", "--no-nanny", "--nthreads", "1", "--no-dashboard", "--local-directory", folder)
        address = json.loads(known.read_text())["address"]
        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=PATIENCE)
        yield address


def measured(rounds: int, how: str) -> dict[str, Any]:
    """Seconds with one worker and with two, round by round, and the median of their ratios."""
    seconds: dict[int, list[float]] = {workers: [] for workers in WORKERS}
    answered = set()
    for number in range(rounds):
        for workers in WORKERS if number % 2 == 0 else reversed(WORKERS):
            if how == "processes":
                took, count = timed("--jobs", str(workers))
            else:
                with cluster(workers) as address:
                    took, count = timed("--scheduler", address)
            seconds[workers].append(took)
            answered.add(count)
            print(f"{how}: {workers} workers, {took:.1f} s, {count} answered", file=sys.stderr, flush=True)
    ratios = [one / two for one, two in zip(*seconds.values(), strict=True)]
    return {
        "how": how,
        "seconds": {str(workers): [round(s, 2) for s in took] for workers, took in seconds.items()},
        "answered": sorted(answered),
        "speedup": {"median": round(statistics.median(ratios), 3), "rounds": [round(r, 3) for r in ratios]},
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweeps", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--note", default="", help="what else the machine did meanwhile; is kept in the record")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    ways = ["processes"] + ["dask"] * (importlib.util.find_spec("distributed") is not None)
    record = {
        "what": "seconds of one sweep with one and with two workers, the start of Python and the figure included",
        "plan": str(PLAN),
        "note": options.note,
        **provenance("benchmarks.sweeps"),
        "scaling": [measured(options.rounds, how) for how in ways],
    }
    write(record, options.out)


if __name__ == "__main__":
    main()
