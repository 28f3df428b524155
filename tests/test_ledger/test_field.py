"""Claims W1 to W9, and the floating-point checks that they share with the documents."""

import math
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from flint import arb

from analysis.activation.errors import Undecided
from analysis.exact.verdict import Verdict
from analysis.ledger import arithmetic, checks, field, measures
from analysis.ledger.floats import FLOAT16, FLOAT32, FLOAT64
from tests import claimed

PROVED, REFUTED = Verdict.PROVED, Verdict.REFUTED


@pytest.mark.parametrize("claim", claimed.cases(field.CLAIMS))
def test_the_recorded_verdict_is_found_again_and_its_commands_parse(claim):
    found = claim.check()
    assert found.verdict is claim.recorded
    assert all(claimed.parses(item.command) for item in found.evidence if item.command)


@pytest.mark.parametrize(
    ("check", "verdict"),
    [
        (partial(checks.identity, "mish", "x*n/(n + 2)", "n=exp(2*x) + exp(x)"), REFUTED),
        (partial(arithmetic.same_mish_above, "5", FLOAT64), REFUTED),
        (partial(arithmetic.same_mish_above, "20", FLOAT32), PROVED),
        (partial(arithmetic.linear_above, "34", FLOAT64), PROVED),
        (partial(arithmetic.linear_above, "33.2", FLOAT64), REFUTED),
        (partial(arithmetic.vanishes_below, "-16.7"), REFUTED),
        (partial(arithmetic.vanishes_below, "-16.6", FLOAT64), REFUTED),
        (partial(arithmetic.vanishes_below, "-36.7", FLOAT64), PROVED),
        (partial(measures.nearer, field.SECOND, "h_mish", "mish", checks.SUP), PROVED),
        (partial(measures.is_smooth, "hard_gate(a=4, b=2)", 1), REFUTED),
        (partial(measures.is_smooth, "cubic_hard_mish", 0), PROVED),
        (partial(measures.piecewise_linear, "relu6"), PROVED),
        (partial(measures.piecewise_linear, "cubic_hard_mish"), REFUTED),
        (partial(field.gate_slope, "1/6"), PROVED),
        (partial(field.parameters, 333), REFUTED),
        (partial(field.parameters, 332, outputs=100), REFUTED),
        (partial(measures.within, "quick_gelu", "gelu", "0.0203"), REFUTED),
        (partial(measures.within, "gelu_tanh", "gelu", "0.00047"), REFUTED),
        (partial(measures.best_of, "swish(beta=1.772934)", "swish", "gelu"), PROVED),
        (partial(measures.best_of, "swish(beta=1.773)", "swish", "gelu"), REFUTED),
        (partial(measures.rounds_to_best, "1.701", "sigmoid(b*x)", "b", "Phi(x)"), REFUTED),
        (partial(measures.rounds_to_best, "1.70174", "sigmoid(b*x)", "b", "Phi(x)"), PROVED),
    ],
    ids=claimed.named,
)
def test_checks_tell_right_from_wrong(check, verdict):
    assert check().verdict is verdict


def test_a_witness_does_not_prove_that_a_form_is_safe():
    for check in (arithmetic.safe_by_error, arithmetic.safe_by_sign):
        with pytest.raises(Undecided):
            check(arithmetic.sigmoid_from_expm1)
    with pytest.raises(Undecided):
        arithmetic.safe_by_error(witness="0")
    with pytest.raises(Undecided):
        arithmetic.safe_by_sign(witness="3")


KINDS = {FLOAT16: np.float16, FLOAT32: np.float32, FLOAT64: np.float64}
SAMPLES = [0.1, 1 / 3, 1.0, 1.5, 2.0**-14, 2.0**-24, 3 * 2.0**-25, 1e-7, 65000.0, 4096.5, 2049.0, 2051.0, -0.7, -2.0]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("value", SAMPLES)
def test_rounding_is_that_of_the_machine(kind, value):
    rounded = KINDS[kind](value)
    assert kind.nearest(Fraction(value)) == Fraction(float(rounded))
    if rounded:
        neighbour = float(np.nextafter(rounded, KINDS[kind](np.inf)))
        assert kind.above(Fraction(float(rounded))) == Fraction(neighbour)


@pytest.mark.parametrize("name", ["exp", "tanh", "log1p"])
def test_correct_rounding_in_double_precision_is_near_the_library(name):
    for x in (-0.75, 0.3, 2.5, 17.0):
        exact = float(FLOAT64.of(getattr(arb, name), Fraction(x)))
        assert math.isclose(exact, getattr(np, name)(x), rel_tol=1e-15)


def test_a_condition_that_does_not_change_has_no_last_number():
    with pytest.raises(Undecided):
        FLOAT32.last(lambda x: True, "0", "1")


def test_the_threshold_is_sharp():
    last = FLOAT32.last(lambda x: arithmetic.plain_softplus(x) == 0, "-40", "0")
    assert arithmetic.plain_softplus(last) == 0
    assert arithmetic.plain_softplus(FLOAT32.above(last)) > 0
    x = np.float32(float(last))
    assert np.log(np.float32(1) + np.exp(x)) == 0
