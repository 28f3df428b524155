"""--timeout and the memory hold even inside one long call of a C library; the answer and the status are the same."""

import json
import subprocess
import sys

import pytest

CODE = """
import sys
from analysis import cli
from analysis.rigorous import identity

def hang(*_):
    {work}

identity.prove = hang
sys.exit(cli.main(["prove", "x", "x", "--timeout", "0.5", *sys.argv[1:]]))
"""


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        ("7 ** (10 ** 9)", "no answer within 0.5 s (--timeout)"),  # one bytecode
        ("[bytearray(10**7) for _ in range(10**6)]", "MiB of memory"),
        pytest.param("while True: pass", "no answer within 0.5 s (--timeout)", marks=pytest.mark.proof),
    ],
)
def test_a_command_ends_in_time_and_in_memory(work, reason):
    call = [sys.executable, "-c", CODE.format(work=work)]
    done = subprocess.run([*call, "--json"], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (3, "")
    found = json.loads(done.stdout)
    assert found["verdict"] == "UNDECIDED"
    assert reason in found["reason"] or "MiB" in found["reason"] or "no answer" in found["reason"]


def test_the_watch_leaves_with_the_command(run):
    from pathlib import Path

    assert run("prove", "x", "x")[0] == 0
    me = Path("/proc/self/task")
    if me.exists():
        children = [c for task in me.iterdir() for c in (task / "children").read_text().split()]
        assert not any("zombie" in Path(f"/proc/{c}/status").read_text() for c in children)
