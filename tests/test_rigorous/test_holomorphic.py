"""Off the real line: values continue those on it, and a ball that meets a singularity is not finite."""

import mpmath
import pytest
import sympy as sp
from flint import acb, arb, ctx

from analysis.activation.errors import Undecided
from analysis.activation.lookup import expression, function
from analysis.activation.parsing import X
from analysis.exact.pieces import pieces
from analysis.rigorous import balls
from analysis.rigorous.holomorphic import continuation
from tests import oracles

WIDE = acb(arb(0, 0.25), arb(0, 4))  # around the poles of tanh and sigmoid, and the cuts of log(1 + e^x)


@pytest.mark.parametrize("name", oracles.FUNCTIONS)
def test_on_the_real_line_it_is_the_function(name):
    for piece in pieces(function(name).expression):
        f, real = continuation(piece.expression), balls.evaluator(piece.expression)
        x = balls.enclose(piece.inside)
        for analytic in (False, True):
            value = f(acb(x), analytic)
            assert value.real.overlaps(real(x))
            assert value.imag.contains(0)
            assert value.rad() < 1e-10


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("softplus(x)", lambda z: mpmath.log(1 + mpmath.exp(z))),
        ("sigmoid(x)", lambda z: 1 / (1 + mpmath.exp(-z))),
        ("tanh(x)", mpmath.tanh),
        ("mish", lambda z: z * mpmath.tanh(mpmath.log(1 + mpmath.exp(z)))),
        ("gelu", lambda z: z * mpmath.erfc(-z / mpmath.sqrt(2)) / 2),
        ("squareplus(x, 3)", lambda z: (z + mpmath.sqrt(z * z + 3)) / 2),
        ("atan(x)", mpmath.atan),
        ("(2 + x**2)**(1/3)", lambda z: (2 + z * z) ** (mpmath.mpf(1) / 3)),
    ],
)
@pytest.mark.parametrize("z", [0.5 + 0.7j, -0.5 + 0.25j, -7 - 0.7j, 20 + 0.9j, 3j / 4])
def test_off_the_real_line_it_is_the_continuation(text, formula, z):
    with ctx.workprec(100), mpmath.workdps(40):
        found, known = continuation(expression(text))(acb(z), True), formula(mpmath.mpc(z))
        near = acb(arb(str(known.real)), arb(str(known.imag))) + acb(arb(0, 1e-25), arb(0, 1e-25))
        assert near.overlaps(found)
        assert found.rad() < 1e-20


@pytest.mark.parametrize("text", ["tanh(x)", "sigmoid(x)", "1/(1 + x**2)", "diff(mish)"])
def test_a_ball_around_a_pole_is_not_finite(text):
    assert not continuation(expression(text))(WIDE, False).is_finite()


@pytest.mark.parametrize(
    "text", ["softplus(x)", "squareplus(x, 4)", "sqrt(1 + x**2)", "log(1 + x**2)", "atan(x)", "mish"]
)
def test_a_ball_across_a_branch_cut_is_not_finite_on_request(text):
    assert not continuation(expression(text))(WIDE, True).is_finite()
    assert continuation(expression(text))(acb(arb(0, 0.25), arb(0, 0.25)), True).is_finite()


def test_a_function_that_is_not_analytic_is_undecided():
    with pytest.raises(Undecided, match="Abs"):
        continuation(sp.Abs(X))
