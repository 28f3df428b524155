"""Tail envelopes hold at sampled points of the tail, and say so when they have no rule."""

import mpmath
import pytest
import sympy as sp

from analysis.activation import lookup
from analysis.activation.errors import Undecided
from analysis.activation.functions import elementary
from analysis.activation.parsing import X
from analysis.rigorous.tails import beyond, side

DIFFERENCES = [
    ("mish - relu", -1),
    ("mish - relu", 1),
    ("silu - mish", 1),
    ("gelu - relu", -1),
    ("gelu_tanh - gelu", 1),
    ("tanh", -1),
    ("softplus(3*x + 1) - 3*x", 1),
    ("squareplus(x, 4)", -1),
    ("squareplus(x, 4) - x", 1),
    ("x/(1 + abs(x))", 1),
    ("x*tanh(exp(x)) - x", 1),
    ("x*tanh(exp(x))", -1),
    ("x**2*exp(x)", -1),
    ("erf(x) + tanh(exp(x))", -1),
    ("x**6*(gelu - relu)", 1),
    ("exp(-exp(x))", 1),
    ("tanh(-2*exp(x))", 1),
    ("atan(x)", 1),
    ("x*exp(x)/(exp(x) + 1) - x", 1),
    ("x*exp(2*x)/(exp(2*x) + exp(x) + 1) - x", 1),
    ("x*atan(x) - x*pi/2", 1),
    ("x*atan(2*x)/(x**2 + 1)", -1),
    ("sin(x)*exp(-x**2)", 1),
    ("sin(3*x)/(1 + x**2)", -1),
    ("sqrt(x**2 + x + 1) - x", 1),
]


@pytest.mark.parametrize(("text", "direction"), DIFFERENCES)
def test_the_envelope_holds(text, direction):
    from analysis.exact.pieces import pieces

    found = pieces(lookup.expression(text))
    expression = (found[0] if direction < 0 else found[-1]).expression
    f = sp.lambdify(X, elementary(expression), "mpmath")
    for start in (8, 16, 64):
        limit, rest = beyond(expression, direction, start)
        with mpmath.workdps(400):
            bound = mpmath.mpf(str(rest.abs_upper().mid().str(30, radius=False))) * (1 + mpmath.mpf(10) ** -20)
            for t in (start, start + 0.37, 1.5 * start, 3 * start, 40 * start):
                assert abs(f(mpmath.mpf(direction * t)) - mpmath.mpf(sp.N(limit, 60))) <= bound


def test_the_envelope_shrinks():
    mish = lookup.function("mish").expression
    assert beyond(mish, -1, 64)[1] < beyond(mish, -1, 8)[1]


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("x/(1 + x) - 1", -1),
        ("atan(x) - pi/2", -1),
        ("1/x**3", 1),
        ("-x*exp(-x)", -1),
        ("sin(x)*exp(-x)", 0),
        ("tanh(x)/x", 1),
    ],
)
def test_the_side_from_which_a_limit_is_approached(text, sign):
    assert side(lookup.expression(text), 1, 8) == sign


@pytest.mark.parametrize("text", ["sin(x)", "x", "exp(x)", "softplus(exp(x)) - exp(x)"])
def test_what_has_no_finite_limit_is_undecided(text):
    with pytest.raises(Undecided):
        beyond(lookup.expression(text), 1, 8)
