"""Claims F1 and on: each verdict again, and each check with a number of its claim changed."""

from functools import partial

import pytest
import sympy as sp

from analysis.activation.errors import Undecided
from analysis.exact.verdict import Verdict
from analysis.ledger import arithmetic, checks, documents, measures
from analysis.ledger import documents_gates as gates
from analysis.ledger import documents_gelu as gelu
from analysis.ledger import documents_normal as normal
from analysis.ledger import documents_tanh as tanh
from tests import claimed

PROVED, REFUTED = Verdict.PROVED, Verdict.REFUTED


@pytest.mark.parametrize("claim", claimed.cases(documents.CLAIMS))
def test_the_recorded_verdict_is_found_again_and_its_commands_parse(claim):
    found = claim.check()
    assert found.verdict is claim.recorded
    assert found.evidence
    assert all(claimed.parses(item.command) for item in found.evidence if item.command)


def test_the_documents_are_many_and_numbered():
    ids = list(dict.fromkeys(claim.id for claim in documents.CLAIMS))
    assert ids == [f"F{n}" for n in range(1, len(ids) + 1)]
    assert len(ids) >= 15
    assert {claim.recorded for claim in documents.CLAIMS} == {PROVED, REFUTED}


def test_readings_of_one_statement_share_its_words_and_differ_in_theirs():
    for claim in documents.CLAIMS:
        same = [other for other in documents.CLAIMS if other.id == claim.id]
        assert len({other.statement for other in same}) == 1
        assert len({other.reading for other in same}) == len(same)


@pytest.mark.parametrize(
    ("check", "verdict"),
    [
        (partial(measures.within, "x*sigmoid(1.702*x)", "gelu", "0.021", gelu.SIX), PROVED),
        (partial(measures.within, "x*sigmoid(1.773*x)", "gelu", "0.0139", gelu.SIX), REFUTED),
        (partial(measures.within, gelu.CUBIC, "gelu", "0.00027", gelu.SIX), REFUTED),
        (partial(gelu.close_form, f"x*{gelu.TANH.format('0.044715')}/2", "0.001"), PROVED),
        (partial(gelu.close_form, f"x*{gelu.TANH.format('0.044715')}/2", "0.0004"), REFUTED),
        (partial(gelu.more_accurate, "quick_gelu", gelu.HUGGING), REFUTED),
        (partial(checks.identity, "quick_gelu", gelu.MINDSPORE.replace("0.851", "0.85")), REFUTED),
        (partial(measures.is_smooth, "relu", 0), PROVED),
        (partial(measures.stated_minimum, "silu", "-0.279", "-1.278"), REFUTED),
        (partial(measures.stated_minimum, "silu", "-0.278", "-1.277"), REFUTED),
        (partial(measures.stated_minimum, "-diff(silu)", "1.2", "2.4", of="diff(silu)"), REFUTED),
        (partial(gates.slope_unbounded, "x**2"), PROVED),
        (partial(gates.differentiable_for, "elu", gates.POSITIVE), REFUTED),
        (partial(gates.differentiable_for, "celu", sp.FiniteSet(1)), REFUTED),
        (partial(measures.convex, "relu"), PROVED),
        (partial(measures.convex, "relu6"), REFUTED),
        (partial(measures.convex, "abs(x)"), PROVED),
        (partial(measures.convex, "abs(x)", rising=True), REFUTED),
        (partial(measures.convex, "hard_swish"), REFUTED),
        (partial(checks.identity, f"diff({gates.SPARSE_PLUS})", "clip((x + 2)/2, 0, 1)"), REFUTED),
        pytest.param(
            partial(measures.best_of, "squareplus(b=1.53)", "squareplus", "softplus"), REFUTED, marks=pytest.mark.proof
        ),
        (partial(gates.bounded_with_slope, "x*Phi(x)"), REFUTED),
        (partial(arithmetic.saturates_beyond, "9.02"), PROVED),
        (partial(arithmetic.saturates_beyond, "0x1.205964p+3"), REFUTED),
        (partial(measures.within, "tanh(clip(x, -8, 8))", "tanh", "5.96e-8"), REFUTED),
        (partial(tanh.worst_case, "0x1.fa5eep-5", "0x1.f9ba02p-5", "0x1.f9ba06p-5", "2.58"), REFUTED),
        (partial(tanh.worst_case, "0x1.fa5eep-5", "0x1.f9ba02p-5", "0x1.f9ba08p-5", "2.57"), REFUTED),
        (partial(tanh.rounds_to_distance, tanh.NESTED, "tanh", "0.00233", tanh.FOUR), REFUTED),
        (partial(tanh.erf_by_hastings, "1.39e-7"), REFUTED),
        (partial(tanh.erf_by_hastings, coefficients=("0.25483", *tanh.HASTINGS[1:])), REFUTED),
        (partial(measures.within, tanh.LOGISTIC, "Phi(x)", "0.000142"), PROVED),
        (partial(tanh.linear_within, 14.0), PROVED),
        (partial(tanh.linear_within, 20.0, "1e-9"), REFUTED),
        (partial(tanh.value_at_one, "0.9999"), REFUTED),
        (partial(tanh.bends_most_at_one, "1.00"), REFUTED),
        (partial(tanh.bends_most_at_one, "0.988"), PROVED),
        (partial(normal.selu_digits, "1.05070099", "1.67326324"), PROVED),
        (partial(normal.selu_digits, normal.PRINTED[0], normal.PRINTED[1][:-1] + "8"), REFUTED),
        (partial(normal.normalised, normal.KERAS_SELU, variance="1.00000000"), REFUTED),
        (partial(normal.normalised, "1.05*{x, x > 0; 1.67326324*(exp(x) - 1)}"), REFUTED),
        (partial(normal.star_relu, "0.8945"), REFUTED),
        (partial(normal.star_relu, bias="-0.4473"), REFUTED),
    ],
    ids=claimed.named,
)
def test_checks_tell_right_from_wrong(check, verdict):
    assert check().verdict is verdict


@pytest.mark.parametrize(("gain", "verdict"), [("1.7128585504496627", PROVED), ("1.72", REFUTED)])
def test_the_gain_of_relu(monkeypatch, gain, verdict):
    monkeypatch.setattr(normal, "GAINS", {"celu": "1.27", "elu": "1.27", "relu": gain})
    assert normal.variance_preserving("1.00").verdict is verdict


def test_the_series_has_its_own_constant():
    (found,) = [item.value for item in gelu.from_taylor().evidence if item.what.startswith("c from")]
    assert found.startswith("(4 - pi)/(6*pi)")
    assert gelu.from_taylor(order=3).verdict is PROVED


def test_moments_of_a_line_are_known():
    mean, variance = normal.moments("2*x + 3")
    assert float(mean[0]) <= 3 <= float(mean[1])
    assert float(variance[0]) <= 4 <= float(variance[1])


def test_a_curved_piece_leaves_convexity_open():
    with pytest.raises(Undecided):
        measures.convex("silu")


def test_a_minimum_above_a_tail_is_not_called_the_infimum():
    with pytest.raises(Undecided, match="infimum"):
        measures.stated_minimum("silu + x/20", "0", "0")
