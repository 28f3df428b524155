"""Zeros in closed form: complete, inside the interval, and each one a zero."""

import mpmath as mp
import pytest
import sympy as sp

from analysis.activation.functions import elementary
from analysis.activation.lookup import expression
from analysis.activation.parsing import X
from analysis.exact.equations import between, zeros

A, B = sp.symbols("a b", positive=True)


@pytest.mark.parametrize(
    ("text", "lower", "upper", "expected"),
    [
        ("x**2 - 2", -sp.oo, sp.oo, [-1.4142135623730951, 1.4142135623730951]),
        ("x**2 - 2", 0, sp.oo, [1.4142135623730951]),
        ("x**2 - 1", -1, 1, []),
        ("x**2 + 1", -sp.oo, sp.oo, []),
        ("x**5 - x - 1", -sp.oo, sp.oo, [1.1673039782614187]),
        ("exp(x) - 3", -sp.oo, sp.oo, [1.0986122886681098]),
        ("exp(x) + 3", -sp.oo, sp.oo, []),
        ("exp(2*x) - 3*exp(x) + 2", -sp.oo, sp.oo, [0, 0.6931471805599453]),
        ("x*exp(x) + 1/4", -sp.oo, sp.oo, [-2.153292364110349, -0.3574029561813889]),
        ("x*exp(x) + 1", -sp.oo, sp.oo, []),
        ("x*exp(x) - 1", -sp.oo, sp.oo, [0.5671432904097838]),
        ("1 + x + exp(x)", -sp.oo, sp.oo, [-1.2784645427610738]),
        ("x + sqrt(x**2 + 1) - 2", -sp.oo, sp.oo, [0.75]),
        ("tanh(x) - 1/2", -sp.oo, sp.oo, [0.5493061443340549]),
        ("x*sigmoid(x)", -sp.oo, sp.oo, [0]),
    ],
)
def test_zeros(text, lower, upper, expected):
    f = expression(text)
    found = zeros(f, X, lower, upper)
    assert found.open == ()
    assert [float(zero.x) for zero in found.exact] == pytest.approx(expected, rel=1e-14)
    assert all(abs(elementary(f).subs(X, zero.x).evalf(30, maxn=200)) < 1e-25 for zero in found.exact)


@pytest.mark.parametrize("text", ["x - cos(x)", "exp(x) + exp(x**2) - 3", "x*exp(x) + exp(2*x) - 1", "Phi(x) - x"])
def test_without_a_closed_form_the_factor_stays_open(text):
    found = zeros(expression(text), X)
    assert found.exact == ()
    assert len(found.open) == 1
    with mp.workdps(20):
        ratio = sp.lambdify(X, elementary(found.open[0] / expression(text)), "mpmath")
        assert ratio(mp.mpf("0.3")) == pytest.approx(float(ratio(mp.mpf("0.3"))), abs=1e-9)


def test_zeros_with_free_constants_carry_their_condition():
    (zero,) = zeros(X - A, X, sp.S.Zero, B).exact
    assert zero.x == A
    assert zero.condition.subs({A: 1, B: 2}) == sp.true
    assert zero.condition.subs({A: 2, B: 1}) == sp.false


@pytest.mark.parametrize(
    ("point", "lower", "upper", "expected"),
    [
        (sp.S.One, sp.S.Zero, sp.S(2), sp.true),
        (sp.S.Zero, sp.S.Zero, sp.S(2), sp.false),
        (sp.sqrt(2), sp.Rational(7, 5), sp.Rational(3, 2), sp.true),
        (-A, -sp.oo, sp.S.Zero, sp.true),
        (A, -sp.oo, sp.S.Zero, sp.false),
        (A, -sp.oo, sp.S.One, A < 1),
    ],
)
def test_between(point, lower, upper, expected):
    assert between(point, lower, upper) == expected
