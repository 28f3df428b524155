"""Normal forms: zero, not zero, or not told; signs; short forms of equal value."""

import pytest
import sympy as sp

from analysis.activation.errors import Undecided
from analysis.activation.functions import elementary
from analysis.activation.lookup import expression
from analysis.activation.parsing import X
from analysis.exact.normal import is_zero, quotient, sign, tidy

A = sp.Symbol("a", positive=True)


@pytest.mark.parametrize(
    ("text", "zero"),
    [
        ("tanh(x) - 2*sigmoid(2*x) + 1", True),
        ("tanh(x/2) - (exp(x) - 1)/(exp(x) + 1)", True),
        ("sigmoid(x) + sigmoid(-x) - 1", True),
        ("softplus(x) - softplus(-x) - x", True),
        ("Phi(x) + Phi(-x) - 1", True),
        ("exp(x/2)*exp(x/3) - exp(5*x/6)", True),
        ("(x + 1)**3 - x**3 - 3*x**2 - 3*x - 1", True),
        ("tanh(x) - tanh(2*x)", False),
        ("sigmoid(x) - 1/2 - x/4", False),
        ("exp(x) - 1 - x - x**2/2", False),
        ("x/10**30", False),
        ("Phi(x) - sigmoid(x)", False),
        ("atan(x) - 2*atan(x/(1 + sqrt(1 + x**2)))", None),
        ("sin(x)**2 + cos(x)**2 - 1", True),
        ("sin(x/2 + 1)*cos(x/3) - sin(5*x/6 + 1)/2 - sin(x/6 + 1)/2", True),
        ("1/(sin(x) + 2) - (2 - sin(x))/(3 + cos(x)**2)", True),
        ("erf(x) - 2*Phi(sqrt(2)*x) + 1", True),
        ("exp(x/(1 + x))*exp(1/(1 + x)) - E", None),
        ("exp(sqrt(x**2 + 1)) + exp(-sqrt(x**2 + 1)) - 2*exp(sqrt(x**2 + 1))", False),
    ],
)
def test_is_zero(text, zero):
    assert is_zero(expression(text)) is zero


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (sp.pi - sp.Rational(355, 113), -1),
        (sp.sqrt(2) + sp.sqrt(3) - sp.sqrt(5 + 2 * sp.sqrt(6)), 0),
        (sp.exp(1) ** sp.pi - sp.pi**sp.E, 1),
        (sp.Rational(1, 10**30), 1),
        (sp.LambertW(sp.exp(-1)) - sp.Rational(27846, 100000), 1),
        (A / (1 + A), 1),
        (-A, -1),
        (sp.S.Zero, 0),
        (sp.log(2) - sp.log(sp.exp(sp.log(2))), 0),
    ],
    ids=str,
)
def test_sign(value, expected):
    assert sign(value) == expected


@pytest.mark.parametrize("value", [A - 1, sp.Symbol("r", real=True)], ids=str)
def test_a_sign_that_depends_is_undecided(value):
    with pytest.raises(Undecided):
        sign(value)


@pytest.mark.parametrize(
    "text", ["mish", "silu", "gelu_tanh", "squareplus", "diff(mish)", "x*sigmoid(x)**2 + softplus(-x)"]
)
def test_the_quotient_is_the_expression(text):
    form = quotient(expression(text))
    back = elementary(form.back(form.numerator / form.denominator) - expression(text))
    assert all(abs(back.subs(X, sp.Rational(n, 3)).evalf(30)) < 1e-25 for n in (-10, -2, 1, 7))


@pytest.mark.parametrize(
    "value", [(X**2 - 1) / (X - 1), sp.exp(sp.LambertW(A)), sp.tanh(sp.log(2)), A * (A + 1) - A**2], ids=str
)
def test_tidy_is_shorter_and_equal(value):
    short = tidy(value)
    assert sp.count_ops(short) <= sp.count_ops(value)
    assert abs((short - value).subs({X: sp.Rational(3, 7), A: sp.Rational(5, 3)}).evalf(30)) < 1e-25
