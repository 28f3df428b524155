"""Asymptotes at both ends, limits, and the honest answer where there is none."""

import mpmath as mp
import pytest
import sympy as sp

from analysis.activation.errors import Undecided
from analysis.activation.lookup import expression, family, function
from analysis.exact.asymptotes import asymptote, limit_at_infinity
from tests import oracles

A, B = sp.symbols("a b", positive=True)


@pytest.mark.parametrize("name", oracles.FUNCTIONS)
@pytest.mark.parametrize("side", [-1, 1])
def test_every_function_approaches_its_asymptote(name, side):
    line = asymptote(function(name).expression, side)
    with mp.workdps(60):
        slope, intercept = (mp.mpf(str(v.evalf(50))) for v in (line.slope, line.intercept))
        gaps = [
            abs(oracles.FUNCTIONS[name](x) - slope * x - intercept)
            for x in (side * mp.mpf(10) ** 3, side * mp.mpf(10) ** 6)
        ]
    assert gaps[1] < 2e-6
    assert gaps[1] <= gaps[0] / 500 or gaps[0] < 1e-40


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        ("mish", (0, 0), (1, 0)),
        ("softsign", (0, -1), (0, 1)),
        ("selu - 1.0507009873554804934*x", None, (0, 0)),
        ("sqrt(x**2 + 1)", (-1, 0), (1, 0)),
        ("(x**3 + x**2)/(x**2 + 1)", (1, 1), (1, 1)),
        ("abs(x - 2) + 3", (-1, 5), (1, 1)),
        ("atan(x)", (0, -sp.pi / 2), (0, sp.pi / 2)),
        ("exp(x)", (0, 0), None),
        ("x**2", None, None),
        ("sin(x)", None, None),
        ("x + softplus(2*x)/2", (1, 0), (2, 0)),
        ("clip(x, -1, 1)*x", (-1, 0), (1, 0)),
        ("max(x, 3 - x, 1)", (-1, 3), (1, 0)),
    ],
)
def test_asymptotes(text, left, right):
    for side, expected in ((-1, left), (1, right)):
        found = asymptote(expression(text), side)
        if text.startswith("selu") and side < 0:
            assert found.slope == sp.Rational("-1.0507009873554804934")
            continue
        assert (found and (found.slope, found.intercept)) == expected


def test_asymptotes_of_families():
    gate3 = family("hard_gate3")
    a, c = gate3.symbol("a"), gate3.symbol("c")
    assert sp.simplify(asymptote(gate3.expression, 1).slope - a / c) == 0
    aptx = family("aptx")
    alpha, gamma = aptx.symbol("alpha"), aptx.symbol("gamma")
    assert sp.simplify(asymptote(aptx.expression, -1).slope - (alpha - 1) * gamma) == 0
    assert sp.simplify(asymptote(aptx.expression, 1).slope - (alpha + 1) * gamma) == 0


@pytest.mark.parametrize(
    ("text", "limit"), [("x**2", sp.oo), ("-x**3", -sp.oo), ("exp(-x)", 0), ("diff(mish)", 1), ("x*exp(-x)", 0)]
)
def test_limits(text, limit):
    assert limit_at_infinity(expression(text), 1) == limit


def test_what_oscillates_has_no_limit():
    with pytest.raises(Undecided):
        limit_at_infinity(expression("sin(x)"), 1)
