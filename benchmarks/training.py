"""What an activation does to a network: the paired studies of analysis/training, recorded in results/training.json.

`make study` runs it, in the environment with the extra `train`: two processes of one thread. Every run that is done is
a line of the journal in build/training, so a study that was stopped goes on where it was; `--record` makes the record
of what there is without running more.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from analysis.training import plan
from analysis.training.journal import Journal
from benchmarks.record import provenance, write

OUT, BUILD = Path("results/training.json"), Path("build/training")
# glibc returns every large block to the system at once, and an operation on tensors then costs several times as much.
MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**30), "OMP_NUM_THREADS": "1"}
LIBRARIES = ("torch", "numpy", "scipy", "mnist1d", "scikit-learn")


def _prepared() -> None:
    import torch

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


def _done(job: tuple[plan.Configuration, Path]) -> tuple[plan.Configuration, dict[str, Any], float]:
    from analysis.training import study

    began = time.process_time()
    return job[0], study.run(*job), time.process_time() - began


def carried_out(stages: list[list[plan.Configuration]], journal: Journal, cache: Path, processes: int) -> None:
    """Runs what the journal has not, stage by stage, a line of progress for each run."""
    total = sum(map(len, stages))
    os.environ.update(MEMORY)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the processes of the pool end as well
    began = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(processes, _prepared) as pool:
        for stage in stages:
            jobs = [(configuration, cache) for configuration in stage if configuration not in journal]
            for configuration, result, seconds in pool.imap_unordered(_done, jobs):
                journal.add(configuration, result, seconds)
                known = sum(c in journal for one in stages for c in one)
                passed = time.monotonic() - began
                print(f"[{known}/{total}] {passed:.0f} s: {_said(configuration)}", file=sys.stderr, flush=True)


def _said(configuration: plan.Configuration) -> str:
    names = ("kind", "function", "source", "target", "epochs", "method")
    recipe = plan.recipe_of(configuration)
    changed = [f"{recipe.network}", recipe.data, f"{recipe.batch} {recipe.noise} {recipe.mixup} {recipe.schedule}"]
    return " ".join([str(configuration[name]) for name in names if name in configuration] + changed)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--build", type=Path, default=BUILD)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--record", action="store_true", help="only make the record of what the journal holds")
    options = parser.parse_args()
    size = plan.Size()
    journal = Journal(options.build / "journal.jsonl")
    if not options.record:
        carried_out(plan.stages(size), journal, options.build, options.processes)
    from analysis.training import summary

    origin = provenance("benchmarks.training") | {"command": "make study"}
    origin["versions"] |= {name: version(name) for name in LIBRARIES}
    record, samples = summary.of(size, journal)
    write({"what": "accuracy of networks over their activation, paired over seeds", **origin, **record}, options.out)
    for name, values in samples.items():
        path = options.out.with_name(f"preactivations_{name.replace(' ', '_')}.csv")
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.write_text("".join(f"{value:.6g}\n" for value in values), encoding="utf-8")
        draft.replace(path)


if __name__ == "__main__":
    main()
