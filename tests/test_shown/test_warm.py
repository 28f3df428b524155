"""Copies of a warm process draw what runners of their own draw, end as they do, and leave nothing behind."""

import os
import signal
import socket
from pathlib import Path

import pytest

from analysis.shown import warm

pytestmark = pytest.mark.build

HANGS = "open('../started', 'w').write(str(__import__('os').getppid()))\nimport time\ntime.sleep(60)"


def processes_of(folder: Path) -> list[int]:
    """The processes that work in the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink().is_relative_to(folder):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_what_it_draws_is_what_a_runner_of_its_own_draws(drawn):
    before = drawn.files("figures")
    (drawn.root / "figures/one.svg").unlink()
    result = drawn.run("one", "--build", "build/cold", "--figures", "figures")
    assert result.returncode == 0, result.stderr
    assert drawn.files("figures") == before
    assert drawn.files("build/cold")["one.ipynb"] == drawn.files("build/mish")["one.ipynb"]


def test_make_asks_it_and_a_runner_alone_does_without(drawn):
    drawn.draws("one", "import sys\nvalue = 'papermill' in sys.modules")
    assert drawn.ran(drawn.make("figures")) == ["one"]
    assert drawn.files("figures")["one.svg"] == b"mish True"
    assert drawn.run("one").returncode == 0
    assert drawn.files("figures")["one.svg"] == b"mish False"


@pytest.mark.proof
def test_an_interruption_leaves_no_folder_of_its_own(drawn, tmp_path):
    (scratch := tmp_path / "t").mkdir()
    drawn.draws("one", HANGS)
    process = drawn.start("figures", TMPDIR=str(scratch))
    drawn.wait(lambda: (drawn.root / "started").exists())
    os.killpg(process.pid, signal.SIGINT)
    assert drawn.finish(process).returncode != 0
    drawn.wait(lambda: not processes_of(drawn.root))
    assert [path.name for path in scratch.iterdir() if path.is_dir()] == []


def test_a_question_alone_starts_nothing(drawn):
    assert drawn.make("figures", "-q").returncode == 0
    drawn.draws("one", "value = 9")
    assert drawn.make("figures", "-q").returncode == 1
    assert "warm beside" not in drawn.make("figures", "-n").stdout


@pytest.mark.proof
def test_nothing_runs_on_when_make_has_ended(drawn):
    drawn.draws("one", "value = 8")
    assert drawn.ran(drawn.make("figures", "-j2")) == ["one"]
    drawn.wait(lambda: not processes_of(drawn.root))


@pytest.mark.proof
def test_a_runner_that_ends_takes_its_copy_and_the_kernel_along(drawn):
    before = drawn.files("figures")
    drawn.draws("one", HANGS)
    process = drawn.start("figures")
    drawn.wait(lambda: (drawn.root / "started").exists() and (drawn.root / "started").read_text())
    (runner,) = (pid for pid in processes_of(drawn.root) if b"warm\0run" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(runner, signal.SIGKILL)
    assert drawn.finish(process).returncode == 2
    drawn.wait(lambda: not processes_of(drawn.root))
    assert drawn.files("figures") == before


@pytest.mark.proof
def test_a_copy_that_is_killed_is_a_failure_of_its_notebook(drawn):
    drawn.draws("one", HANGS)
    process = drawn.start("figures", "-k")
    drawn.wait(lambda: (drawn.root / "started").exists() and (drawn.root / "started").read_text())
    os.kill(int((drawn.root / "started").read_text()), signal.SIGKILL)
    result = drawn.finish(process)
    assert result.returncode == 2
    assert "the process that ran it has ended early" in result.stderr
    assert "one.ipynb] Error 1" in result.stderr


def test_without_the_process_the_runner_does_it_itself(drawn, monkeypatch):
    served, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with served, asked:
        handle = f"{asked.fileno()} {os.fstat(asked.fileno()).st_ino}"
        for wrong in ("", "x", "9999 1", f"{asked.fileno()} 1", "1 1"):
            monkeypatch.setenv(warm.HANDLE, wrong)
            assert warm.ask(["run", "notebooks/one.ipynb"]) is None
        served.close()
        monkeypatch.setenv(warm.HANDLE, handle)
        assert warm.ask(["run", "notebooks/one.ipynb"]) is None


def test_what_it_is_to_do_must_be_said(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["warm", "walk"])
    with pytest.raises(SystemExit) as end:
        warm.main()
    assert end.value.code == "expected beside COMMAND... or run NOTEBOOK..., got walk"
