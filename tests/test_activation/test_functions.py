"""The primitives: values, derivatives and elementary forms agree with mpmath; rewrites keep the function."""

import mpmath as mp
import pytest
import sympy as sp

from analysis.activation import functions
from analysis.activation.functions import (
    Phi,
    clip,
    derivative,
    elementary,
    recognise,
    relu,
    sigmoid,
    softplus,
    squareplus,
    step,
)
from analysis.activation.lookup import function
from analysis.activation.parsing import X
from tests import oracles

A = sp.Symbol("a", positive=True)
ORACLES = {sigmoid: oracles.sigmoid, softplus: oracles.softplus, Phi: oracles.normal}
POINTS = [sp.Rational(n, 7) for n in (-60, -9, -1, 2, 15, 64)]


def to_mp(expression):
    return mp.mpf(str(expression.evalf(40)))


@pytest.mark.parametrize("head", ORACLES, ids=str)
@pytest.mark.parametrize("order", [0, 1, 2])
def test_values_and_derivatives(head, order):
    formula = elementary(derivative(head(X), X, order))
    with mp.workdps(40):
        for point in POINTS:
            expected = mp.diff(ORACLES[head], mp.mpf(point.p) / point.q, order)
            assert mp.almosteq(to_mp(formula.subs(X, point)), expected, rel_eps=1e-18)


@pytest.mark.parametrize("argument", [1, 2])
def test_the_derivatives_of_squareplus(argument):
    formula = elementary(squareplus(X, A).fdiff(argument))
    with mp.workdps(40):
        for z, b in [(-3, 2), (0.5, 0.25), (4, 4)]:
            orders = (1, 0) if argument == 1 else (0, 1)
            expected = mp.diff(lambda u, v: (u + mp.sqrt(u * u + v)) / 2, (z, b), orders)
            assert mp.almosteq(to_mp(formula.subs({X: sp.Rational(z), A: sp.Rational(b)})), expected, rel_eps=1e-18)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (sigmoid(0), "1/2"),
        (sigmoid(sp.oo), 1),
        (sigmoid(-sp.oo), 0),
        (softplus(0), sp.log(2)),
        (softplus(-sp.oo), 0),
        (Phi(0), "1/2"),
        (Phi(sp.oo), 1),
        (squareplus(0, 4), 1),
        (squareplus(A, 0), A),
        (relu(A), A),
        (relu(-A), 0),
        (relu(0), 0),
        (clip(A + 1, 0, 1), 1),
        (clip(-A, 0, 1), 0),
        (clip(sp.Rational(1, 2), 0, 1), "1/2"),
        (step(0), 1),
        (step(-A), 0),
    ],
    ids=str,
)
def test_exact_values(value, expected):
    assert value == sp.sympify(expected)


@pytest.mark.parametrize(
    ("spelled", "primitive"),
    [
        (sp.log(1 + sp.exp(X)), softplus(X)),
        (sp.log(sp.exp(-3 * X) + 1), softplus(-3 * X)),
        (1 / (1 + sp.exp(-X)), sigmoid(X)),
        (3 / (2 + 2 * sp.exp(X)) ** 2, sp.Rational(3, 4) * sigmoid(-X) ** 2),
        (1 + sp.erf(X / sp.sqrt(2)), 2 * Phi(X)),
        (1 - sp.erf(X / sp.sqrt(2)), 2 * Phi(-X)),
        (1 + sp.tanh(X), 2 * sigmoid(2 * X)),
        (2 - 2 * sp.tanh(X), 4 * sigmoid(-2 * X)),
        (sp.log(2 + sp.exp(X)), sp.log(2 + sp.exp(X))),
        (1 / (1 - sp.exp(X)), 1 / (1 - sp.exp(X))),
        (2 + sp.tanh(X), 2 + sp.tanh(X)),
        (sp.log(1 - sp.exp(X)), sp.log(1 - sp.exp(X))),
    ],
    ids=str,
)
def test_spelled_out_forms_are_recognised_and_others_left(spelled, primitive):
    assert recognise(spelled) == primitive
    if not spelled.has(sp.log(1 - sp.exp(X))):
        assert all(abs(elementary(spelled - primitive).subs(X, p).evalf(30)) < 1e-25 for p in POINTS)


@pytest.mark.parametrize("name", oracles.FUNCTIONS)
def test_derivatives_of_every_function(name):
    formulas = [elementary(derivative(function(name).expression, X, order)) for order in (1, 2)]
    with mp.workdps(60):
        for point in (sp.Rational(n, 16) for n in (-75, -40, -17, 9, 29, 80)):
            for order, formula in enumerate(formulas, 1):
                expected = mp.diff(oracles.FUNCTIONS[name], mp.mpf(point.p) / point.q, order)
                assert mp.almosteq(to_mp(formula.subs(X, point)), expected, rel_eps=1e-15, abs_eps=1e-20)


def test_at_a_kink_the_derivative_takes_the_side_where_step_is_one():
    assert derivative(relu(X), X).subs(X, 0) == 1
    assert derivative(sp.Abs(X), X, 2).subs(X, 1) == 0
    assert not derivative(sp.Abs(X), X, 2).has(sp.DiracDelta)


@pytest.mark.parametrize("head", functions.SMOOTH + functions.PIECEWISE, ids=str)
def test_printed_names_are_the_words_of_the_grammar(head):
    assert function(str(head(X, *[1, 2][: max(head.nargs) - 1]))).expression == head(X, *[1, 2][: max(head.nargs) - 1])
