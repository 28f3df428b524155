"""Logarithms taken apart have the same value, and meet where they are the same."""

import pytest
import sympy as sp

from analysis.activation.functions import elementary
from analysis.activation.lookup import expression
from analysis.activation.parsing import X
from analysis.exact.logarithms import expanded


@pytest.mark.parametrize(
    ("text", "lower", "upper", "same"),
    [
        ("log(x**2)", 0, sp.oo, "2*log(x)"),
        ("log(x**2)", -sp.oo, 0, "2*log(-x)"),
        ("log(6*x**3)", 0, sp.oo, "log(2) + log(3) + 3*log(x)"),
        ("log(x*exp(x))", 0, sp.oo, "log(x) + x"),
        ("log((x - 1)/(x - 3))", -sp.oo, 1, "log(1 - x) - log(3 - x)"),
        ("log(2 + 2*exp(x))", -sp.oo, sp.oo, "log(2) + softplus(x)"),
        ("log(x**2 - 1)", 1, sp.oo, "log(x - 1) + log(x + 1)"),
    ],
)
def test_logarithms_are_taken_apart(text, lower, upper, same):
    found = expanded(expression(text), X, sp.sympify(lower), sp.sympify(upper))
    assert sp.expand(found - expression(same)) == 0
    inside = sp.Rational(7, 2) if upper == sp.oo else sp.Rational(-7, 2)
    assert abs(elementary(found - expression(text)).subs(X, inside).evalf(30)) < 1e-25
