"""Claims P1 to P7: each verdict again, and each check in the other direction."""

import click
import pytest

from analysis.exact.verdict import Verdict
from analysis.ledger import checks, paper
from tests import claimed

PROVED, REFUTED, UNDECIDED = Verdict.PROVED, Verdict.REFUTED, Verdict.UNDECIDED


@pytest.mark.parametrize("claim", paper.CLAIMS, ids=lambda c: f"{c.id} {c.reading}")
def test_the_recorded_verdict_is_found_again_and_its_commands_parse(claim):
    found = claim.check()
    assert found.verdict is claim.recorded
    assert all(claimed.parses(item.command) for item in found.evidence if item.command)


def test_a_command_that_is_none_is_noticed():
    with pytest.raises(click.UsageError):
        claimed.parses("actapprox compare mish relu --nearly")


@pytest.mark.parametrize("wrong", ["2*exp(2*x) + exp(2*x) + 2", "2*exp(x) + exp(2*x) + 3", "exp(x) + exp(2*x) + 2"])
def test_another_denominator_is_refuted_and_the_right_one_named(wrong):
    found = paper.derivative(wrong)
    assert found.verdict is REFUTED
    assert found.evidence[-1].value == "PROVED"


def test_another_numerator_is_refuted():
    assert paper.derivative(paper.DELTA, paper.OMEGA.replace("4*x+6", "4*x+5")).verdict is REFUTED


def test_another_backward_pass_is_refuted():
    assert paper.backward("sigmoid(2*x)").verdict is REFUTED


@pytest.mark.parametrize(("stated", "verdict"), [("-0.309", PROVED), ("-0.3", PROVED), ("-0.32", REFUTED)])
def test_the_bound_below(stated, verdict):
    assert paper.bounded_below(stated).verdict is verdict


def test_a_bound_that_rounds_right_may_fail_as_a_bound():
    assert "as a bound -0.3 fails" in paper.bounded_below("-0.3").reason


def test_what_mish_is_not():
    assert paper.unbounded_above("tanh").verdict is REFUTED
    assert paper.non_monotonic("softplus").verdict is REFUTED
    assert paper.smooth("hard_mish").verdict is REFUTED


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ((paper.FORWARD,), "never closed"),
        ((paper.FORWARD + ")",), ""),
        (paper.BACKWARD, "no sofplus (it has softplus)"),
        ((paper.BACKWARD[0], paper.BACKWARD[2]), ""),
        (("return F.mush(x)",), "no mush (it has mish)"),
        (("return (",), "does not compile"),
    ],
)
def test_fragments_are_read_as_text(lines, complaint):
    found = paper.compiles(*lines)
    assert found.verdict is (REFUTED if complaint else PROVED)
    assert complaint in found.reason


def test_no_fragment_runs():
    assert paper.compiles("raise SystemExit(open('/nowhere'))").verdict is PROVED


def test_a_record_turns_what_is_not_measured_into_measured(tmp_path):
    (tmp_path / "training.json").write_text('{"command": "make study", "claims": {"P6": {"reason": "so it is"}}}')
    assert checks.measured("P6", tmp_path).verdict is Verdict.MEASURED
    assert checks.measured("P7", tmp_path).verdict is UNDECIDED
