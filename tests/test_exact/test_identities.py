"""True, false and not told, kept apart; a false one is false at the point given."""

import pytest
import sympy as sp

from analysis.activation.functions import elementary
from analysis.activation.lookup import expression
from analysis.activation.parsing import X
from analysis.exact.identities import identity
from analysis.exact.verdict import Verdict

OMEGA = "4*(x + 1) + 4*exp(2*x) + exp(3*x) + exp(x)*(4*x + 6)"
TRUE = [
    ("diff(mish)", f"exp(x)*({OMEGA})/(2*exp(x) + exp(2*x) + 2)**2"),  # P2
    ("diff(mish)", "tanh(softplus(x)) + x*sigmoid(x)*(1 - tanh(softplus(x))**2)"),  # P3
    ("mish", "x*(exp(2*x) + 2*exp(x))/(exp(2*x) + 2*exp(x) + 2)"),  # W1
    ("(1 + tanh(x/2))*x/2", "silu"),  # T10
    ("(1 + tanh(x))*x/2", "swish(beta=2)"),
    ("hard_swish", "x*min(max(x + 3, 0), 6)/6"),
    ("relu(x)", "(x + abs(x))/2"),
    ("abs(x)", "relu(x) + relu(-x)"),
    ("clip(x, -1, 1)", "(abs(x + 1) - abs(x - 1))/2"),
    ("diff(silu)", "sigmoid(x)*(1 + x*(1 - sigmoid(x)))"),
    ("gelu", "x*(1 + erf(x/sqrt(2)))/2"),
    ("softplus(x)", "x + softplus(-x)"),
    ("1 - exp(-softplus(x))", "sigmoid(x)"),  # W2, in real arithmetic
    ("celu(alpha=1)", "elu"),
    ("diff(diff(softplus(x)))", "sigmoid(x)*sigmoid(-x)"),
    ("squareplus(x, 4) - squareplus(-x, 4)", "x"),
    ("aptx(alpha=1, beta=1, gamma=1/2)", "x*sigmoid(2*x)"),
]
FALSE = [
    ("diff(mish)", f"exp(x)*({OMEGA})/(2*exp(2*x) + exp(2*x) + 2)**2"),  # P1, the misprint
    ("mish", "silu"),
    ("mish", "mish + x/10**12"),
    ("relu(x)", "abs(x)"),
    ("hard_swish", "hard_mish"),
    ("sigmoid(x)", "(1 + tanh(x))/2"),
    ("step(x)", "1 - step(-x)"),  # at 0 only
    ("diff(silu)", "sigmoid(x)*(1 + x*sigmoid(x))"),
]
UNKNOWN = [
    ("atan(x)", "2*atan(x/(1 + sqrt(1 + x**2)))"),
    ("exp(x/(1 + x**2))*exp(1/(1 + x**2))", "exp((x + 1)/(1 + x**2)) + atan(x) - 2*atan(x/(1 + sqrt(1 + x**2)))"),
    ("relu(x - exp(-x**2))", "max(x - exp(-x**2), 0) + 0*x + abs(relu(x) - relu(x))"),
]


@pytest.mark.parametrize(("left", "right"), TRUE)
def test_true_ones_are_proved(left, right):
    assert identity(expression(left), expression(right)).verdict is Verdict.PROVED


@pytest.mark.parametrize(("left", "right"), FALSE)
def test_false_ones_are_refuted(left, right):
    found = identity(expression(left), expression(right))
    assert found.verdict is Verdict.REFUTED
    if found.point is not None:
        assert elementary(expression(left) - expression(right)).subs(X, found.point).evalf(20) != 0


@pytest.mark.parametrize(("left", "right"), UNKNOWN)
def test_what_the_methods_do_not_reach_is_undecided(left, right):
    found = identity(expression(left), expression(right))
    assert found.verdict is Verdict.UNDECIDED
    assert found.method


def test_identities_hold_for_all_admissible_constants():
    beta = sp.Symbol("beta", positive=True)
    names = {"beta": beta}
    assert (
        identity(expression("(1 + tanh(beta*x))*x/2", names), expression("x*sigmoid(2*beta*x)", names)).verdict
        is Verdict.PROVED
    )
    wrong = identity(expression("(1 + tanh(beta*x))*x/2", names), expression("x*sigmoid(beta*x)", names))
    assert wrong.verdict is not Verdict.PROVED


@pytest.mark.parametrize(("left", "right"), TRUE[:8])
def test_a_proved_identity_is_no_longer_proved_when_a_side_is_shifted(left, right):
    shifted = expression(right) + X / 1000
    assert identity(expression(left), shifted).verdict is not Verdict.PROVED
