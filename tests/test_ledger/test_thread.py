"""The claims of the thread: the record is confirmed, and a perturbed claim gets the opposite verdict."""

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import sympy as sp

from analysis.activation.errors import Undecided
from analysis.exact.verdict import Verdict
from analysis.ledger import checks, thread, thread_aptx, thread_hard, thread_moved, thread_neuron, thread_smooth
from analysis.ledger.checks import GAUSSIAN, L2, SUP
from analysis.ledger.floats import Format
from analysis.ledger.thread_hard import RELU3, RELU4
from tests import claimed
from tests.test_ledger import commands

PROVED, REFUTED, UNDECIDED = Verdict.PROVED, Verdict.REFUTED, Verdict.UNDECIDED
LINEAR = thread_smooth.LINEAR_SWISH


def test_all_claims_of_the_thread_are_there():
    assert list(dict.fromkeys(claim.id for claim in thread.CLAIMS)) == [f"T{number}" for number in range(1, 19)]


@pytest.mark.parametrize("claim", claimed.cases(thread.CLAIMS))
def test_the_record_is_confirmed(claim):
    found = claim.check()
    assert found.verdict is claim.recorded, found.reason
    assert found.evidence or found.verdict is UNDECIDED
    assert found.verdict is not REFUTED or any(e.what == "would hold" for e in found.evidence)
    commands.check(found)


def test_no_two_readings_of_a_claim_are_the_same():
    keys = [(claim.id, claim.statement, claim.reading) for claim in thread.CLAIMS]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("check", "verdict"),
    [
        (partial(thread_smooth.minimum_near, "mish", "-1.193", "-0.309"), REFUTED),
        (partial(thread_smooth.minimum_near, "mish", "-1.192", "-0.308"), REFUTED),
        (partial(thread_hard.near, "hard_mish", "silu", SUP, L2, GAUSSIAN), REFUTED),
        (partial(thread_hard.near, "hard_swish", "mish", SUP), REFUTED),
        (partial(thread_hard.near, "hard_gate(a=5, b=2.8)", "mish", L2, GAUSSIAN), PROVED),
        (partial(thread_hard.jumps_at, 1, [(RELU4, 0)]), REFUTED),
        (partial(thread_hard.jumps_at, 1, [*thread_hard.CAPS, (RELU3, 0)]), REFUTED),
        (partial(thread_hard.value_breaks, [("step(x)", 0)]), PROVED),
        (partial(thread_hard.continuous_at, 1, [(RELU4, 1)]), REFUTED),
        (partial(thread_hard.towards, -1, "value", "hard_mish"), REFUTED),
        (partial(thread_hard.towards, -1, "x", "hard_gate(a=3, b=2.5)"), PROVED),
        (partial(thread_hard.once_differentiable, "cubic_hard_mish"), PROVED),
        (partial(thread_hard.smooth_cap, "2*b"), REFUTED),
        (partial(thread_hard.breaks_at_the_cap_only, "x*clip(x + b, 0, a)**2/a**2"), PROVED),
        (partial(thread_moved.movable, "x", 1), REFUTED),
        (partial(thread_moved.movable, "value", 1), REFUTED),
        (partial(thread_moved.movable_with_smooth_cap, "x", -1, 3, 2), REFUTED),
        (partial(thread_moved.movable_with_smooth_cap, "value", -1, 2, 2), REFUTED),
        (partial(thread_moved.analytic_beyond_zero, RELU4), REFUTED),
        (partial(thread_moved.smooth_seam, "hard_gate_relu(a=3, b=3)", RELU3), PROVED),
        (partial(thread_smooth.among_sigmoids, "silu", SUP, L2, GAUSSIAN), REFUTED),
        (partial(thread_smooth.as_smooth_as_mish, "silu"), PROVED),
        (partial(thread_smooth.south_east, "mish", LINEAR), REFUTED),
        (partial(thread_smooth.slope_at_zero, "linear_swish(s=1.9, beta=1.25)", 1), REFUTED),
        (partial(thread_smooth.not_analytic, "silu"), REFUTED),
        (partial(thread_smooth.kinked, "linear_swish(s=1.9, beta=1.25)"), PROVED),
        (partial(thread_smooth.linear_beyond_zero, "approx_mish"), REFUTED),
        (partial(thread_smooth.linear_beyond_zero, RELU4), REFUTED),
        pytest.param(
            partial(thread_smooth.best_is_farther, "linear_swish", "swish", SUP), PROVED, marks=pytest.mark.proof
        ),
        (partial(thread_smooth.best_is_farther, "linear_swish", "swish", L2), REFUTED),
        (partial(thread_smooth.farther_than, "swish", "linear_swish(s=1.16, beta=1.04)", L2), PROVED),
        (partial(thread_aptx.is_swish, thread_aptx.LIKE_SWISH2, "swish(beta=1)"), REFUTED),
        (partial(thread_aptx.every_aptx_is_a_swish, "aptx(alpha=1, beta=beta, gamma=1/2)"), PROVED),
        (partial(thread_aptx.on_half, "negative", thread_aptx.LIKE_SWISH2, "sup"), REFUTED),
        (partial(thread_aptx.on_half, "positive", thread_aptx.LIKE_SILU, "gaussian"), REFUTED),
        (partial(thread_aptx.far_on_half, "positive", thread_aptx.LIKE_SWISH2, "sup", "l2"), PROVED),
        (partial(thread_aptx.far_on_half, "positive", thread_aptx.LIKE_SWISH2, "sup", "l2", "gaussian"), REFUTED),
        (partial(thread_aptx.bit_identical, Format("quad", 113, -16494), 8), REFUTED),
        (partial(thread_aptx.bit_identical, Format("bfloat16", 8, -133), 1), UNDECIDED),
        (partial(thread_aptx.relu_law, "0.49"), REFUTED),
        (partial(thread_aptx.close_to_relu, sp.Rational(1, 4)), REFUTED),
        (partial(thread_aptx.number_at_zero, "float16", 65519), PROVED),
        (partial(thread_aptx.number_at_zero, "float16", 65520), REFUTED),
        (partial(thread_aptx.number_at_zero, "float32", 10**6), PROVED),
        (partial(thread_neuron.one_input, "1"), REFUTED),
        (partial(thread_neuron.two_inputs, 1, 0), PROVED),
        (partial(thread_neuron.two_inputs, -1, 2), REFUTED),
    ],
    ids=lambda p: f"{p.func.__name__}{p.args}" if isinstance(p, partial) else str(p),
)
def test_another_claim_gets_its_own_verdict(check, verdict):
    found = check()
    assert found.verdict is verdict, found.reason
    commands.check(found)


@pytest.mark.parametrize("form", [np.float16, np.float32])
def test_exact_evaluation_is_what_numpy_computes(form):
    """With tanh from double precision, which rounds correctly away from ties."""
    (exact,) = (one for one in thread_aptx.FORMATS if one.name == np.dtype(form).name)
    for x in range(-1, -30, -1):
        expected = form(form(form(1) + form(np.tanh(x / 2))) * form(0.5)) * form(x)
        assert float(thread_aptx.aptx_in(exact, Fraction(1, 2), Fraction(x))) == float(expected)


def test_a_function_without_an_exact_minimum_is_not_placed():
    with pytest.raises(Undecided):
        checks.minimum("x**3")
