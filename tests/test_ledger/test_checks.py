"""The helpers of the checks, each in both directions."""

import json
import math

import pytest
import sympy as sp

from analysis import cli
from analysis.activation.errors import Undecided
from analysis.exact.verdict import Verdict
from analysis.ledger import checks
from analysis.ledger.checks import GAUSSIAN, L2, SUP, Norm
from analysis.ledger.claim import Evidence, Finding
from tests.test_ledger import commands


@pytest.mark.parametrize(
    ("one", "other", "less"), [(("1", "2"), ("3", "4"), True), (("3", "4"), ("1", "2"), False)], ids=str
)
def test_disjoint_enclosures_are_ordered(one, other, less):
    assert checks.below(one, other) is less


def test_overlapping_enclosures_are_not_ordered():
    with pytest.raises(Undecided):
        checks.below(("1", "3"), ("2", "4"))


@pytest.mark.parametrize(
    ("pair", "stated", "holds"),
    [
        (("-1.1924313", "-1.1924312"), "-1.192", True),
        (("-1.1924313", "-1.1924312"), "-1.193", False),
        (("-1.1924313", "-1.1924312"), "-1.19243", True),
        (("2.5", "2.5"), "3", True),
        (("2.49", "2.49"), "3", False),
    ],
)
def test_an_enclosure_rounds_to_what_is_stated(pair, stated, holds):
    assert checks.rounds_to(pair, stated) is holds


def test_an_enclosure_that_holds_the_border_of_rounding_is_undecided():
    with pytest.raises(Undecided):
        checks.rounds_to(("2.4", "2.6"), "3")


@pytest.mark.parametrize(
    ("norm", "options"),
    [
        (SUP, ()),
        (L2, ("--norm", "l2")),
        (Norm("sup", -math.inf, 0.0), ("--domain", "-inf,0")),
        (Norm("gaussian", 0.0), ("--norm", "gaussian", "--domain", "0,inf")),
        (Norm.grid(-6, 6, 1000), ("--grid", "-6,6,1000")),
    ],
    ids=str,
)
def test_the_quoted_command_measures_in_the_same_norm(norm, options, capsys):
    assert checks.in_norm(norm) == options
    assert cli.main(["compare", "hard_mish", "mish", *options, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["distance"] == list(checks.distance("hard_mish", "mish", norm).distance)


def test_the_nearest_function_comes_first():
    ranking = checks.nearest("mish", ("hard_swish", "hard_mish", "hard_gate3(a=5, b=3, c=4)"))
    assert [name for name, _ in ranking.places] == ["hard_mish", "hard_swish", "hard_gate3(a=5, b=3, c=4)"]
    assert ranking.rank("hard_swish") == 2
    assert ranking.nearer("hard_swish") == ("hard_mish",)
    assert ranking.farther("hard_swish") == ("hard_gate3(a=5, b=3, c=4)",)


def test_a_function_under_two_names_has_one_place():
    ranking = checks.nearest("mish", ("silu", "aptx(alpha=1, beta=0.5, gamma=0.5)", "swish(beta=2)"))
    assert ranking.rank("silu") == ranking.rank("aptx(alpha=1, beta=0.5, gamma=0.5)") == 1


def test_close_is_decided_against_the_others_in_every_norm():
    assert checks.close("hard_mish", "mish", ["hard_swish"], "gates", SUP, L2, GAUSSIAN).verdict is Verdict.PROVED
    found = checks.close("hard_swish", "mish", ["hard_mish", "hard_gate(a=3, b=3)"], "gates")
    assert found.verdict is Verdict.REFUTED
    assert "hard_mish" in found.reason
    assert found.evidence[-1] == Evidence("would hold", "against hard_gate(a=3, b=3) (sup norm, x in R)")
    commands.check(found)


@pytest.mark.parametrize(
    ("left", "right", "verdict"),
    [("1 + tanh(x)", "2*sigmoid(2*x)", Verdict.PROVED), ("1 + tanh(x)", "2*sigmoid(x)", Verdict.REFUTED)],
)
def test_identities_are_decided(left, right, verdict):
    found = checks.identity(left, right)
    assert found.verdict is verdict
    commands.check(found)


@pytest.mark.parametrize(
    ("f", "x", "order", "size"),
    [
        ("hard_mish", 2, 0, 0),
        ("hard_mish", 2, 1, -sp.Rational(2, 5)),
        ("hard_mish", -3, 1, -sp.Rational(3, 5)),
        ("hard_mish", 0, 1, 0),
        ("mish", 0, 3, 0),
        ("step(x)", 0, 0, 1),
    ],
)
def test_jumps_are_exact(f, x, order, size):
    assert checks.jump(f, x, order) == size


def test_the_minimum_is_exact_where_it_can_be():
    assert checks.minimum("hard_mish").exact == (-sp.Rational(3, 2), -sp.Rational(9, 20))
    assert checks.minimum("mish").exact is None


@pytest.mark.parametrize("f", ["x", "relu", "cos(x)*sigmoid(x)"])
def test_what_has_no_single_minimum_is_undecided(f):
    with pytest.raises(Undecided):
        checks.minimum(f)


def test_the_opposite_of_undecided_is_undecided():
    found = [Finding(verdict, "reason") for verdict in (Verdict.PROVED, Verdict.REFUTED, Verdict.UNDECIDED)]
    assert [checks.negated(one).verdict for one in found] == [Verdict.REFUTED, Verdict.PROVED, Verdict.UNDECIDED]


def test_a_record_makes_a_claim_measured(tmp_path):
    assert checks.measured("T17", tmp_path).verdict is Verdict.UNDECIDED
    said = {"reason": "1.4 times", "evidence": [{"what": "ratio", "value": "1.4", "command": "actapprox bench mish"}]}
    (tmp_path / "speed.json").write_text(json.dumps({"command": "make bench", "claims": {"T17": said}}))
    found = checks.measured("T17", tmp_path)
    assert (found.verdict, found.reason) == (Verdict.MEASURED, "1.4 times")
    assert found.evidence[-1].value == "results/speed.json, by `make bench`"
    assert checks.measured("T18", tmp_path).verdict is Verdict.UNDECIDED
