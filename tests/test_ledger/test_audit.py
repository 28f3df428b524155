"""The audit: which claims there are, what a run makes of them, and several processes that decide as one does."""

import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.activation.errors import BadInput, Undecided
from analysis.exact.verdict import Verdict
from analysis.ledger import audit, workers
from analysis.ledger.claim import Claim, Evidence, Finding
from tests.test_ledger.works import fragile, square

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("P5", "T13", "W6", "W8")


def test_the_ids_are_those_of_the_list_of_claims_and_the_found_ones_in_a_row():
    """P1 to P7, T1 to T18, N1 and N2, W1 to W9, and at least 15 that were looked for: F1, F2, ..."""
    ids = list(dict.fromkeys(claim.id for claim in audit.CLAIMS))
    found = [id for id in ids if id.startswith("F")]
    listed = [f"{letter}{n}" for letter, most in (("P", 7), ("T", 18), ("N", 2), ("W", 9)) for n in range(1, most + 1)]
    assert [id for id in ids if id not in found] == listed
    assert sorted(found, key=lambda id: int(id[1:])) == [f"F{n}" for n in range(1, len(found) + 1)]
    assert len(found) >= 15


def test_every_reading_is_told_apart():
    keys = [(claim.id, claim.statement, claim.reading) for claim in audit.CLAIMS]
    assert len(keys) == len(set(keys))


def test_the_slowest_are_claims():
    assert set(audit.SLOWEST) <= {claim.id for claim in audit.CLAIMS}


@pytest.mark.proof
def test_two_processes_decide_as_one_does_and_are_heard():
    heard = []
    alone, together = audit.claims(SMALL), audit.claims(SMALL, jobs=2, heard=heard.append)
    assert together == alone
    assert sorted(heard, key=str) == sorted(alone.decisions, key=str)
    assert alone.agrees
    assert [d.claim.id for d in alone.decisions] == sorted((d.claim.id for d in alone.decisions), key=_place)


def _place(id):
    return [claim.id for claim in audit.CLAIMS].index(id)


def test_ids_are_read_in_any_case_and_once():
    assert audit.chosen(["w6", "W6"]) == audit.chosen(["W6"])


def test_a_verdict_chooses_by_the_record():
    chosen = audit.chosen(verdict=Verdict.REFUTED)
    assert chosen
    assert {audit.CLAIMS[place].recorded for place in chosen} == {Verdict.REFUTED}
    assert set(audit.chosen(["P5"], Verdict.PROVED)) == set()


@pytest.mark.parametrize(("id", "hint"), [("T99", "did you mean T9"), ("mish", "expected one of P1, P2"), ("", "P1")])
def test_an_unknown_id_is_refused_with_those_that_are_near(id, hint):
    with pytest.raises(BadInput, match=hint):
        audit.claims([id])


# a ledger of our own


def claim(id, verdict=Verdict.PROVED, recorded=Verdict.PROVED, reason="for a reason", **more):
    finding = Finding(verdict, reason, (Evidence("what", "how much", "actapprox show mish"),))
    return Claim(id, "a source", f"statement {id}", recorded, lambda: finding, **more)


@pytest.fixture
def own(monkeypatch):
    """Sets the ledger to these claims."""
    return lambda *claims: monkeypatch.setattr(audit, "CLAIMS", claims)


def test_a_run_that_finds_another_verdict_disagrees(own):
    own(claim("A1"), claim("A2", Verdict.REFUTED, reading="in value"))
    ledger = audit.claims()
    assert not ledger.agrees
    (decision,) = ledger.disagreeing
    assert audit.disagreement(decision) == "A2 (in value): found REFUTED, the record says PROVED"
    assert ledger.sheet().notes == ("not as recorded: A2 (in value): found REFUTED, the record says PROVED",)
    assert ledger.counts() == {"PROVED": 1, "REFUTED": 1, "UNDECIDED": 0, "MEASURED": 0}


def test_what_a_check_cannot_decide_is_undecided_and_not_as_recorded(own):
    def check():
        raise Undecided("which is\nsmaller")

    own(replace(claim("A1"), check=check))
    (decision,) = audit.claims().decisions
    assert (decision.finding.verdict, decision.finding.reason) == (Verdict.UNDECIDED, "which is smaller")
    assert not decision.agrees


def test_the_table_says_a_statement_once_and_each_reading_with_its_verdict(own):
    one = claim("A1", reading="in value")
    own(one, replace(one, reading="in slope"), claim("A2"))
    (table,) = audit.claims().sheet().tables
    assert table.rows == (
        ("A1", "", "statement A1"),
        ("", "PROVED", "in value: for a reason"),
        ("", "PROVED", "in slope: for a reason"),
        ("A2", "", "statement A2"),
        ("", "PROVED", "for a reason"),
    )


def test_asked_for_by_id_a_claim_shows_all_its_evidence(own):
    own(claim("A1", reading="in value"))
    lines = [(line.label.strip(), line.text) for line in audit.claims(["A1"]).sheet().lines]
    assert ("verdict", "PROVED (as recorded)") in lines
    assert lines[-2:] == [("evidence", "what: how much"), ("", "$ actapprox show mish")]


def test_the_json_has_the_keys_of_the_contract():
    found = audit.claims(["W6"]).to_dict()
    keys = {"id", "source", "statement", "reading", "verdict", "recorded", "reason", "evidence"}
    assert all(set(entry) == keys for entry in found["claims"])
    assert json.loads(json.dumps(found)) == found
    assert sum(found["counts"].values()) == len(found["claims"]) == 2


def test_parts_and_readings_of_a_ledger(own):
    own(claim("A1"), claim("B1"), claim("B1", reading="in value"))
    ledger = audit.claims()
    assert [d.claim.reading for d in ledger["B1"]] == ["", "in value"]
    assert [d.claim.id for d in ledger.part("B").decisions] == ["B1", "B1"]
    assert ledger["A1"][0].finding.says("how much", "a reason")
    assert not ledger["A1"][0].finding.says("how much", "another")
    with pytest.raises(KeyError):
        ledger["C1"]


# processes


def test_work_is_spread_in_batches():
    assert sorted(workers.spread(square, [[1, 2], [3], [], [4]], 2)) == [(1, 1), (2, 4), (3, 9), (4, 16)]


def test_an_exception_of_the_work_is_raised_here():
    with pytest.raises(BadInput, match="three"):
        list(workers.spread(fragile, [[1, 3, 4]], 1))


def test_a_process_that_dies_loses_one_number_and_not_its_batch():
    assert sorted(workers.spread(fragile, [[4, 5, 6], [7]], 1), key=str) == [(4, 4), (5, None), (6, 6), (7, 7)]


@pytest.mark.proof
def test_a_script_that_is_not_guarded_is_told_so(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from analysis.ledger import audit\naudit.claims(['W6', 'W8'], jobs=2)\n")
    done = subprocess.run([sys.executable, script], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "guarded by __main__" in done.stderr


@pytest.mark.proof
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_one_that_started_it(end):
    """Its processes say where they are; soon after its end none of them is there."""
    code = "if __name__ == '__main__':\n    from analysis.ledger import audit\n    audit.claims(['W9', 'T14'], jobs=2)"
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while len(children := _children(parent.pid)) < 2:
        assert time.monotonic() < deadline
        assert parent.poll() is None
        time.sleep(0.1)
    parent.send_signal(end)
    assert parent.wait(30) != 0
    errors = parent.stderr.read() if end == signal.SIGINT else ""
    while any(map(_is_there, children)):
        assert time.monotonic() < deadline, "a process is left"
        time.sleep(0.1)
    assert errors.count("Traceback") <= 1  # the parent's own; those of its processes would be noise


def _children(parent: int) -> list[int]:
    """The processes that work for it, without the tracker of shared resources."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(re.sub(r"^.*\) ", "", stat.read_text()).split()[1]) == parent:
                command = (stat.parent / "cmdline").read_bytes()
                found += [int(stat.parent.name)] if b"spawn_main" in command else []
        except OSError:
            continue
    return found


def _is_there(process: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
