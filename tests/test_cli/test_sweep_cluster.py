"""A sweep on a real Dask cluster of two worker processes, one of which is killed at work."""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from tests.test_cli import sweeps

MISSING = importlib.util.find_spec("distributed") is None
pytestmark = [pytest.mark.extras, pytest.mark.skipif(MISSING, reason="needs the extra cluster: distributed")]


@pytest.fixture
def cluster(tmp_path):
    """The address of a scheduler, its two workers, and itself."""
    known = tmp_path / "scheduler.json"
    with ExitStack() as processes:

        def start(module, *options):
            command = [sys.executable, "-m", f"distributed.cli.{module}", "--scheduler-file", str(known), *options]
            process = subprocess.Popen(command, cwd=sweeps.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            processes.callback(process.wait)
            processes.callback(process.kill)
            return process

        scheduler = start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        deadline = time.monotonic() + 60
        while not known.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        folder = ("--local-directory", str(tmp_path))
        workers = [start("dask_worker", "--no-nanny", "--nthreads", "1", "--no-dashboard", *folder) for _ in range(2)]
        yield json.loads(known.read_text())["address"], workers, scheduler


def test_a_worker_is_killed_and_nothing_is_lost_and_nothing_done_twice(cluster, tmp_path):
    address, workers, _ = cluster
    out, plan = tmp_path / "out", sweeps.plan(tmp_path)
    sweep = sweeps.started(plan, "--out", out, "--scheduler", address)
    said = []
    for line in sweep.stderr:
        said.append(line.rstrip("\n"))
        if line.startswith("2/9"):
            break
    deadline = time.monotonic() + 60  # until both are at work: each has a server of its own, and that a command
    while not all(len(sweeps.children(w.pid)) > 1 for w in workers) and time.monotonic() < deadline:
        time.sleep(0.001)
    killed = sweeps.children(workers[0].pid)
    os.kill(workers[0].pid, signal.SIGKILL)
    said += sweep.stderr.read().splitlines()
    assert sweep.wait(timeout=120) == 0, "\n".join(said[-12:])
    assert len(killed) > 1
    told = [match[1] for line in said if (match := re.match(r"\d+/9  \d+ s left  answered  (.*)", line))]
    summary = json.loads((out / "summary.json").read_text())
    assert sorted(told) == sorted(task["asked"] for task in summary["tasks"])  # each once
    assert summary["counts"] == {"answered": 9}
    assert workers[0].wait() == -signal.SIGKILL
    assert not any(map(sweeps.runs, killed))

    alone = tmp_path / "alone"
    assert sweeps.started(plan, "--out", alone).wait(timeout=300) == 0
    assert sweeps.results(out) == sweeps.results(alone)


@pytest.mark.slow  # what distributed says on standard error when its scheduler dies depends on the moment
def test_without_its_scheduler_a_sweep_ends_and_keeps_what_came(cluster, tmp_path):
    address, _, scheduler = cluster
    sweep = sweeps.started(sweeps.plan(tmp_path), "--out", tmp_path / "out", "--scheduler", address)
    for line in sweep.stderr:
        if line.startswith("1/9"):
            break
    scheduler.kill()
    _, err = sweep.communicate(timeout=120)
    counts = json.loads((tmp_path / "out" / "summary.json").read_text())["counts"]
    assert sweep.returncode == 3
    assert counts["answered"] + counts["failed"] == 9
    assert len(list((tmp_path / "out").glob("fit*.json"))) == counts["answered"] >= 1
    assert "Traceback" not in err


def test_a_scheduler_that_is_not_there_is_one_line(run, tmp_path):
    arguments = (str(sweeps.plan(tmp_path)), "--out", str(tmp_path / "out"), "--scheduler", "tcp://127.0.0.1:1")
    status, out, err = run("sweep", *arguments)
    assert (status, out) == (2, "")
    assert "no Dask scheduler at tcp://127.0.0.1:1" in err.splitlines()[-1]
