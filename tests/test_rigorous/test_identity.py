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
        ("sin(x)**2 + cos(x)**2", "1", "", Verdict.UNDECIDED),
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
