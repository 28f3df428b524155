"""`sweep`: what becomes of each task, what is kept and skipped, and how it ends.

A server takes seconds to load all that fits need: the sweeps of this process share one, those marked proof start their
own.
"""

import contextlib
import csv
import fcntl
import io
import json
import os
import pty
import signal
import sys
import time
from types import SimpleNamespace

import pytest

from analysis import cli
from analysis.cli.sweeping import server, workers
from analysis.cli.sweeping.plan import read
from analysis.cli.sweeping.server import Ended, Server
from analysis.cli.sweeping.task import Task
from tests.test_cli import sweeps

MIXED = """
target = "mish"
[[fit]]
family = "a*x"
grid = "-1,1,9"
round = [false, "1/8"]
[[fit]]
family = "a*x"
sigma = 2          # is for --norm gaussian
[[design]]
shape = "rational"
tolerance = 1e-3   # needs a finite domain
[[design]]
target = "x/3"
shape = "pwl"
tolerance = 1e-3   # cannot be kept
round = "1/8"
domain = "0,1"
"""


@pytest.fixture(scope="module")
def loaded():
    """A server that has loaded everything."""
    found = Server()
    yield found
    found.end()


@pytest.fixture
def shared(loaded, monkeypatch):
    """It works for the sweeps of this process, and goes on when they end."""
    monkeypatch.setattr(workers, "Server", lambda: SimpleNamespace(run=loaded.run, end=lambda: None))


@pytest.fixture(scope="module")
def finished(loaded, tmp_path_factory):
    """A folder with the results of the quick plan, and what was said on the way."""
    folder = tmp_path_factory.mktemp("finished")
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(workers, "Server", lambda: SimpleNamespace(run=loaded.run, end=lambda: None))
        assert cli.main(["sweep", str(sweeps.plan(folder)), "--out", str(folder / "out")]) == 0
    return folder, out.getvalue(), err.getvalue()


@pytest.mark.proof
def test_two_processes_find_what_one_does(finished, tmp_path):
    folder, out, _ = finished
    sweep = sweeps.started(folder / "plan.toml", "--out", tmp_path, "--jobs", "2")
    printed, err = sweep.communicate(timeout=300)
    assert sweep.returncode == 0, err
    assert printed.splitlines()[0] == out.splitlines()[0]
    assert err.count(" s left  answered  ") == 9
    assert sweeps.results(tmp_path) == sweeps.results(folder / "out")


def test_each_task_has_a_file_that_is_the_answer_of_its_command(finished, answer):
    folder, out, err = finished
    summary = json.loads((folder / "out" / "summary.json").read_text())
    assert {path.name for path in (folder / "out").iterdir()} == {task["file"] for task in summary["tasks"]} | {
        "summary.json",
        "summary.csv",
        "atlas.svg",
    }
    assert len(summary["tasks"]) == len(read(folder / "plan.toml")) == 9
    assert err.count(" s left  answered  ") == 9
    assert out.startswith("plan.toml: 9 tasks, 9 answered\n")
    task = summary["tasks"][1]
    assert task["asked"] == "actapprox fit 'a*x**2' --grid -1,1,9 --to relu"
    kept = json.loads((folder / "out" / task["file"]).read_text())
    again = answer("fit", "a*x**2", "--grid", "-1,1,9", "--to", "relu")
    assert kept | {"seconds": 0} == again | {"seconds": 0}
    assert task["error"] == again["error"]
    assert (task["operations"], task["verdict"]) == (2, again["optimum"]["verdict"])


def test_a_result_is_a_function_again(finished, answer):
    folder, *_ = finished
    path = folder / "out" / read(folder / "plan.toml")[1].name
    assert answer("compare", str(path), str(path))["distance"] == ["0", "0"]


def test_the_csv_says_what_the_json_says(finished):
    folder, *_ = finished
    tasks = json.loads((folder / "out" / "summary.json").read_text())["tasks"]
    with (folder / "out" / "summary.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["file"], row["error_lower"], row["error_upper"]) for row in rows] == [
        (task["file"], *task["error"]) for task in tasks
    ]


def test_what_is_there_is_not_done_again_and_what_is_damaged_is(finished, shared, run):
    folder, *_ = finished
    out = folder / "out"
    tasks = read(folder / "plan.toml")
    before, times = sweeps.results(out), {path.name: path.stat().st_mtime_ns for path in out.glob("fit*")}
    truncated, missing = out / tasks[0].name, out / tasks[1].name
    truncated.write_bytes(truncated.read_bytes()[:100])
    missing.unlink()
    (out / ".draft-abc").write_text('{"fam')  # what a sweep leaves that is killed while it writes
    status, _, err = run("sweep", str(folder / "plan.toml"), "--out", str(out))
    assert status == 0
    assert err.startswith("9 tasks, 7 of them done before\n")
    assert err.count(" s left  answered  ") == 2
    assert sweeps.results(out) == before
    assert not (out / ".draft-abc").exists()
    redone = {name for name, then in times.items() if (out / name).stat().st_mtime_ns != then}
    assert redone == {truncated.name, missing.name}


def test_failures_are_answers_of_their_tasks(shared, run, tmp_path):
    plan, out = str(sweeps.plan(tmp_path, MIXED)), tmp_path / "out"
    status, printed, _ = run("sweep", plan, "--out", str(out), "--json")
    found = json.loads(printed)
    outcomes = [task["outcome"] for task in found["tasks"]]
    assert status == 0
    assert outcomes == ["answered", "answered", "refused", "refused", "REFUTED"]
    assert [task["round"] for task in found["tasks"][:2]] == [None, "1/8"]
    assert "expected --sigma with --norm gaussian" in found["tasks"][2]["reason"]
    assert json.loads((out / found["tasks"][4]["file"]).read_text())["verdict"] == "REFUTED"
    assert run("sweep", plan, "--out", str(out), "--json") == (0, printed, "5 tasks, 5 of them done before\n")


def test_a_task_out_of_time_is_undecided_and_done_again_when_asked(shared, run, tmp_path):
    text = 'target = "mish"\n[[fit]]\nfamily = "hard_gate"\n'
    arguments = ("sweep", str(sweeps.plan(tmp_path, text)), "--out", str(tmp_path / "out"), "--json")
    (task,) = json.loads(run(*arguments, "--timeout", "0.05")[1])["tasks"]
    assert (task["outcome"], task["reason"]) == ("UNDECIDED", "no answer within 0.05 s (--timeout)")
    assert json.loads(run(*arguments)[1])["tasks"] == [task]
    (task,) = json.loads(run(*arguments, "--retry", "--timeout", "0.06")[1])["tasks"]
    assert task["reason"] == "no answer within 0.06 s (--timeout)"


def test_a_dry_run_says_what_is_to_do(run, tmp_path):
    plan = str(sweeps.plan(tmp_path))
    status, out, err = run("sweep", plan, "--dry-run")
    assert (status, err, out.splitlines()[-1]) == (0, "", "9 tasks, 9 to do")
    task = read(tmp_path / "plan.toml")[0]
    assert out.splitlines()[0] == f"{task.name}  to do  actapprox fit 'a*x' --grid -1,1,9 --to relu"
    (tmp_path / task.name).write_text('{"refused": "for the test"}')
    assert run("sweep", plan, "--dry-run", "--out", str(tmp_path))[1].endswith("9 tasks, 8 to do\n")
    planned = json.loads(run("sweep", plan, "--dry-run", "--out", str(tmp_path), "--json")[1])
    assert planned["counts"] == {"refused": 1, "to do": 8}
    assert len(list(tmp_path.iterdir())) == 2  # a dry run writes nothing


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "expected --out DIR, or --dry-run"),
        (("--out", "{}", "--jobs", "2", "--scheduler", "tcp://x"), "expected one of --jobs and --scheduler"),
        (("--out", "{}/plan.toml"), "is a file"),
        (("--out", "/proc/nowhere"), "/proc/nowhere"),
        (("--out", "{}", "--jobs", "0"), "0 is not in the range"),
        (("--out", "{}", "--timeout", "0"), "0.0 is not in the range"),
    ],
)
def test_a_mistake_is_one_line_and_status_two(run, tmp_path, arguments, said):
    plan = str(sweeps.plan(tmp_path))
    status, out, err = run("sweep", plan, *(word.format(tmp_path) for word in arguments))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_two_sweeps_do_not_share_a_folder(run, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    descriptor = os.open(out, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    arguments = ("sweep", str(sweeps.plan(tmp_path)), "--out", str(out))
    assert run(*arguments) == (2, "", f"actapprox: expected a folder that no other sweep works in, got {out}\n")
    os.close(descriptor)


def test_without_distributed_the_extra_is_named(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    arguments = (str(sweeps.plan(tmp_path)), "--out", str(tmp_path / "out"), "--scheduler", "tcp://127.0.0.1:1")
    status, _, err = run("sweep", *arguments)
    assert status == 2
    assert "expected distributed for --scheduler (the extra cluster), found none" in err


@pytest.mark.proof
def test_interrupted_it_keeps_what_is_done_and_leaves_nothing_running(finished, tmp_path):
    folder, *_ = finished
    sweep = sweeps.started(folder / "plan.toml", "--out", tmp_path, "--jobs", "2")
    for line in sweep.stderr:
        if line.startswith("1/9"):
            break
    children = sweeps.children(sweep.pid)
    sweep.send_signal(signal.SIGINT)
    out, err = sweep.communicate(timeout=60)
    assert (sweep.returncode, out, err.splitlines()[-1]) == (130, "", "actapprox: interrupted")
    assert len(children) >= 2
    assert not any(map(sweeps.runs, children))
    kept = sweeps.results(tmp_path)
    assert 1 <= len(kept) < 9
    assert kept.items() <= sweeps.results(folder / "out").items()


@pytest.mark.proof
def test_progress_with_the_time_left_is_for_terminals(finished):
    folder, *_ = finished
    out = folder / "out"
    (out / read(folder / "plan.toml")[0].name).unlink()
    mine, theirs = pty.openpty()
    sweep = sweeps.started(folder / "plan.toml", "--out", out, stderr=theirs)
    assert sweep.wait(timeout=300) == 0
    shown = os.read(mine, 100_000)
    os.close(theirs)
    os.close(mine)
    assert b"/1" in shown
    assert b"-:--:--" in shown or b"0:00:0" in shown


# the processes that do the work


def test_a_server_answers_as_the_command_does(loaded, run):
    words = ["compare", "relu", "relu6", "--domain", "0,8"]
    assert loaded.run(words, 60) == run(*words)
    assert loaded.run(["show", "hardmish"], 60) == run("show", "hardmish")


@pytest.mark.parametrize(("code", "said"), [("input(); input()", r"did not end within 0\.3 s"), ("", "was ended")])
def test_a_server_that_does_not_answer_is_ended(code, said, monkeypatch):
    monkeypatch.setattr(server, "CODE", code)
    silent = Server()
    with pytest.raises(Ended, match=said):
        silent.run(["list"], 0.3 if code else 60)
    assert silent._process.poll() is not None


def test_a_command_that_was_killed_has_failed():
    with pytest.raises(workers.Failed, match=r"^its process ended with signal 9$"):
        workers._understood(-signal.SIGKILL, "", "")


@pytest.mark.proof
def test_a_stuck_task_is_ended_with_its_process():
    stuck = Server()
    assert stuck.run(["list"], 60)[0] == 0
    with pytest.raises(Ended, match=r"did not end within 0\.3 s"):
        stuck.run(["frontier", "mish"], 0.3)
    assert stuck._process.poll() == -signal.SIGKILL
    assert not sweeps.children(stuck._process.pid)


@pytest.mark.proof
def test_a_task_whose_process_is_killed_has_failed_and_the_next_one_has_not(monkeypatch, tmp_path):
    (slow, *_), quick = (
        read(sweeps.plan(tmp_path, '[[fit]]\ntarget = "mish"\nfamily = "hard_gate"')),
        read(sweeps.plan(tmp_path)),
    )

    def kill_first(self, arguments, seconds, run=Server.run):
        if arguments[1:] != ["hard_gate"] and "hard_gate" not in arguments:
            return run(self, arguments, seconds)
        import threading

        def kill():
            deadline = time.monotonic() + 60
            while not (found := sweeps.children(self._process.pid)) and time.monotonic() < deadline:
                time.sleep(0.001)
            os.kill(found[0], signal.SIGKILL)

        thread = threading.Thread(target=kill)
        thread.start()
        try:
            return run(self, arguments, seconds)
        finally:
            thread.join()

    monkeypatch.setattr(Server, "run", kill_first)
    with workers.processes(1) as crew:
        (_, first), (_, second) = workers.answers([slow, quick[0]], 60, crew)
    assert isinstance(first, workers.Failed)
    assert str(first) == "its process ended with signal 9"
    assert second["family"] == "a*x"


def test_another_release_on_a_worker_is_refused():
    with pytest.raises(workers.Failed, match=r"expected actapprox 0\.0\.1 on the worker"):
        workers.answer(Task.of("fit", {"family": "a*x", "target": "relu"}), 1, "0.0.1")
