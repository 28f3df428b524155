"""kill -9 at random moments of a sweep: what was announced is there and whole, and the next run completes the rest."""

import json
import random
import shutil
import signal
import time

import pytest

from tests.test_cli import sweeps


def announced(err: str) -> list[str]:
    return [line.split("  answered  ")[1] for line in err.splitlines() if "  answered  " in line]


def check(out, said: list[str]) -> int:
    """Everything in the folder is whole, and everything announced is in the folder; how many results there are."""
    found = [json.loads(path.read_text()) for path in out.glob("fit-*.json")]
    assert all(answer["formula"] for answer in found)
    assert len(found) >= len(said)
    return len(found)


@pytest.mark.parametrize(
    ("kills", "seed"),
    [pytest.param(2, 1, marks=pytest.mark.proof), pytest.param(50, 2, marks=pytest.mark.slow, id="fifty")],
)
def test_killed_at_random_moments(tmp_path, kills, seed):
    moments = random.Random(seed)
    plan, whole, out = sweeps.plan(tmp_path), tmp_path / "whole", tmp_path / "out"
    began = time.monotonic()
    assert sweeps.started(plan, "--out", whole, "--jobs", "2").wait(timeout=300) == 0
    lasted = time.monotonic() - began
    expected = sweeps.results(whole)
    done = hit = completed = 0
    while hit < kills or completed == 0:
        last = hit >= kills
        sweep = sweeps.started(plan, "--out", out, "--jobs", "2")
        if not last:
            time.sleep(moments.uniform(0, lasted))
        below = sweeps.children(sweep.pid) if sweep.poll() is None else []
        if not last:
            sweep.kill()
        _, err = sweep.communicate(timeout=300)
        hit += sweep.returncode == -signal.SIGKILL
        time.sleep(0.1)
        assert not any(map(sweeps.runs, below))  # its processes end with it
        if out.exists():
            now = check(out, announced(err))
            assert now >= done  # nothing that was there is gone
            done = now
        if sweep.returncode == 0:
            completed += 1
            assert sweeps.results(out) == expected
            assert not list(out.glob(".*"))
            shutil.rmtree(out)
            done = 0
    assert hit >= kills
