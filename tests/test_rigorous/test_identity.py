"""`prove`: verdicts with a witness that stands up to a check of its own."""

import mpmath as mp
import pytest
import sympy as sp

from analysis.activation.errors import BadInput
from analysis.exact.verdict import Verdict
from analysis.rigorous.identity import prove

OMEGA = "4*(x+1) + 4*exp(2*x) + exp(3*x) + exp(x)*(4*x+6)"


def derivative_of_mish(delta):
    return prove("diff(mish)", "exp(x)*w/d**2", where=f"w={OMEGA}, d={delta}")


def test_the_derivative_of_mish_with_the_right_delta_is_proved():
    found = derivative_of_mish("2*exp(x) + exp(2*x) + 2")
    assert found.verdict is Verdict.PROVED
    assert found.witness is None


def test_the_misprinted_delta_is_refuted_with_a_witness():
    found = derivative_of_mish("2*exp(2*x) + exp(2*x) + 2")
    assert found.verdict is Verdict.REFUTED
    at = mp.mpf(sp.Rational(str(found.witness.x)).p) / sp.Rational(str(found.witness.x)).q
    with mp.workdps(40):
        e = mp.exp(at)
        left = mp.diff(lambda x: x * mp.tanh(mp.log(1 + mp.exp(x))), at)
        right = e * (4 * (at + 1) + 4 * e**2 + e**3 + e * (4 * at + 6)) / (3 * e**2 + 2) ** 2
        for pair, value in ((found.witness.left, left), (found.witness.right, right)):
            assert mp.mpf(pair[0]) <= value <= mp.mpf(pair[1])


@pytest.mark.parametrize(
    ("left", "right", "assume", "verdict"),
    [
        ("aptx(alpha=1,beta=1/2,gamma=1/2)", "silu", "", Verdict.PROVED),
        ("sqrt(k**2)", "k", "k>0", Verdict.PROVED),
        ("sqrt(k**2)", "k", "", Verdict.REFUTED),
        ("sqrt(k**2)", "-k", "k<0", Verdict.PROVED),
        ("gelu", "gelu_tanh", "", Verdict.REFUTED),
        ("Phi(x)", "sigmoid(1.702*x)", "", Verdict.REFUTED),
        ("sin(x)**2 + cos(x)**2", "1", "", Verdict.PROVED),
        ("atan(x)", "2*atan(x/(1 + sqrt(1 + x**2)))", "", Verdict.UNDECIDED),
        ("log(x**2)", "2*log(abs(x))", "", Verdict.PROVED),
        ("sqrt(x**2 + 2*x + 1)", "abs(x + 1)", "", Verdict.PROVED),
        ("tanh(1e28*x)", "2*sigmoid(2e28*x) - 1", "", Verdict.PROVED),
        ("tanh(1e28*x)", "2*sigmoid(2e28*x) - 1 + exp(-1e28*x)", "", Verdict.REFUTED),
        ("relu(x - 1e300)", "0", "", Verdict.REFUTED),
        ("step(x - sqrt(2))", "where(x > sqrt(2), 1, 0)", "", Verdict.REFUTED),  # at an irrational point only
        ("tanh(x)", "tanh(x) + exp(-10000*x**2)/10**50", "", Verdict.REFUTED),
        ("sqrt(x**2 + 1/pi)", "sqrt(x**2 + 1/pi) + x", "", Verdict.REFUTED),
        ("sigmoid(beta*x)", "(1 + tanh(beta*x/2))/2", "beta>0", Verdict.PROVED),
        ("x", "x + 1/10**30", "", Verdict.REFUTED),
        ("mish", "x*tanh(softplus(x)) + exp(-x**2)*0", "", Verdict.PROVED),
    ],
)
def test_verdicts(left, right, assume, verdict):
    found = prove(left, right, assume=assume)
    assert found.verdict is verdict
    assert (found.witness is not None) == (verdict is Verdict.REFUTED)
    assert found.to_dict()["verdict"] == str(verdict)


@pytest.mark.parametrize(
    ("left", "right", "said"),
    [
        ("x/x", "1", "x = 0 left out"),
        ("log(x**2)", "2*log(abs(x))", "x = 0 left out"),
        ("log(x**2)", "2*log(x)", "x <= 0 left out"),
        ("sqrt(x)**2", "x", "x < 0 left out"),
        ("k/k", "1", "where k = 0 left out"),
        ("x/x", "where(x > 0, 1, where(x < 0, 1, 5))", "x = 0 left out"),
        ("diff(step(x))", "0", "breakpoints left out, x = 0"),
        ("diff(abs(x - 1) + relu(x))", "sign(x - 1) + step(x)", "breakpoints left out, x = 0, 1"),
        ("diff(abs(x - 1))", "where(x > 1, 1, -1)", "breakpoints left out, x = 1"),
        ("diff(abs(sin(x)))", "cos(x)*sign(sin(x))", "breakpoints left out"),
    ],
)
def test_a_proof_says_what_it_leaves_out(left, right, said):
    found = prove(left, right)
    assert found.verdict is Verdict.PROVED
    assert said in found.method


@pytest.mark.parametrize(
    ("left", "right"), [("mish", "x*tanh(softplus(x))"), ("abs(x)", "max(x, -x)"), ("x/(1 + x**2)", "1/(x + 1/x)*1")]
)
def test_a_proof_that_leaves_nothing_out_says_no_more(left, right):
    assert ("left out" in prove(left, right).method) == ("1/x" in right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("x/x", "where(x < 1, 1, where(x > 1, 1, 5))"),  # differs at x = 1, where both are defined
        ("diff(abs(sin(x)))", "cos(x)*sign(cos(x))"),
        ("diff(relu(x))", "step(x - 1/10**6)"),
    ],
)
def test_what_differs_where_it_counts_is_refuted(left, right):
    assert prove(left, right).verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("diff(abs(x - 1)*(1 + exp(sin(x)) - exp(sin(x))))", "where(x > 1, 1, where(x < 1, -1, 7))"),
        ("diff(relu(x - exp(-x**2)))", "diff(max(x - exp(-x**2), 0))"),  # 1 and 1/2 where they agree to differ
    ],
)
def test_values_at_the_breakpoints_of_a_derivative_refute_nothing(left, right):
    assert prove(left, right).verdict is not Verdict.REFUTED


def test_undecided_sides_are_said_to_be_close():
    found = prove("atan(x)", "2*atan(x/(1 + sqrt(1 + x**2)))")
    assert found.verdict is Verdict.UNDECIDED
    assert "equal within 1e-20 on [-10, 10]" in found.method
    wide = prove("atan(a*x)", "2*atan(a*x/(1 + sqrt(1 + a**2*x**2)))")
    assert (wide.verdict, "equal within" in wide.method) == (Verdict.UNDECIDED, False)


def test_a_far_witness_is_written_short_and_exactly():
    at = prove("x", "x + 10**(-100)*x**3/10**100/10**100").to_dict()["witness"]["x"]
    assert len(at) < 20
    assert sp.sympify(at).is_Rational


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"left": "nosuch(x)", "right": "x"}, "unknown name"),
        ({"left": "x", "right": "(x"}, "expected"),
        ({"left": "x", "right": "w", "where": "w"}, "--where"),
        ({"left": "x", "right": "x", "assume": "k"}, "--assume"),
        ({"left": "x", "right": "x", "assume": "k>1"}, "--assume"),
    ],
)
def test_wrong_input(arguments, complaint):
    with pytest.raises(BadInput, match=complaint):
        prove(**arguments)
