"""`actapprox claims`: the verdicts for people and programs, and an exit status that tells whether the record holds."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import analysis
from analysis import cli
from analysis.exact.verdict import Verdict
from analysis.ledger import audit

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def wrong(monkeypatch):
    """A ledger of W6 and W8 in which the first reading of W6 is recorded wrongly."""
    chosen = [audit.CLAIMS[place] for place in audit.chosen(["W6", "W8"])]
    chosen[0] = replace(chosen[0], recorded=Verdict.PROVED)
    monkeypatch.setattr(audit, "CLAIMS", tuple(chosen))


def test_claims_answer_with_the_keys_of_the_contract(answer):
    found = answer("claims", "W6", "--jobs", "1")
    assert [entry["verdict"] for entry in found["claims"]] == ["REFUTED", "PROVED"]
    assert set(found["claims"][0]) >= {"id", "source", "statement", "reading", "verdict", "evidence"}
    assert found["counts"] == {"PROVED": 1, "REFUTED": 1, "UNDECIDED": 0, "MEASURED": 0}


def test_a_record_that_does_not_hold_is_status_one_and_named(run, wrong):
    status, out, err = run("claims", "--jobs", "1")
    assert status == 1
    assert err == "actapprox: W6 (the function): found REFUTED, the record says PROVED\n"
    assert "not as recorded: W6" in out
    assert run("claims", "W8", "--jobs", "1")[0] == 0


def test_people_see_statement_reading_verdict_and_reason(run):
    status, out, err = run("claims", "T4", "--jobs", "1")
    assert (status, err) == (0, "")
    assert "x ReLU3(x+3)/3 is pretty smooth" in out
    assert "REFUTED (as recorded)" in out
    assert "the slope jumps by -1 at x = -3" in out
    assert "$ actapprox show hard_swish" in out
    assert "would hold" in out


def test_a_verdict_and_a_file(run, tmp_path):
    path = tmp_path / "claims.json"
    status, out, _ = run("claims", "P5", "W6", "--verdict", "refuted", "--jobs", "1", "--out", str(path))
    assert status == 0
    assert "3 REFUTED" in out
    assert json.loads(path.read_text())["counts"]["REFUTED"] == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["T99"], "unknown claim 'T99'; did you mean T9"),
        (["W6", "mish"], "unknown claim 'mish'; expected one of P1"),
        (["--verdict", "true"], "'true' is not one of"),
        (["--jobs", "0"], "0 is not in the range"),
    ],
)
def test_a_mistake_is_one_line_and_status_two(run, arguments, said):
    status, out, err = run("claims", *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_time_runs_out_with_status_three_in_several_processes_too(run):
    for jobs in ("1", "2"):
        status, out, _ = run("claims", "W9", "W4", "--timeout", "0.5", "--jobs", jobs, "--json")
        assert status == 3
        assert json.loads(out)["verdict"] == "UNDECIDED"


@pytest.mark.proof
def test_interrupted_it_says_so_and_leaves_nothing_behind():
    command = [sys.executable, "-m", "analysis", "claims", "W9", "T14", "--jobs", "2"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 60
    while len(children.read_text().split()) < 3 and time.monotonic() < deadline:  # a watcher and two workers
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.strip()) == (130, "", "actapprox: interrupted")


@pytest.mark.proof
def test_progress_is_for_terminals():
    mine, theirs = pty.openpty()
    command = [sys.executable, "-m", "analysis", "claims", "W6", "W8", "--jobs", "1", "--json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs, check=True)
    os.close(theirs)
    assert b"/4" in os.read(mine, 10000)
    assert len(done.stdout.splitlines()) == 1
    os.close(mine)


def test_the_word_is_in_the_facade():
    assert analysis.claims is audit.claims
    assert "claims" in analysis.__all__
    assert cli.command.commands["claims"]
