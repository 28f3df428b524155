"""Asymptotes at both ends, limits, and the honest answer where there is none."""

import mpmath as mp
import pytest
import sympy as sp

from analysis.activation.errors import Undecided
from analysis.activation.functions import elementary
from analysis.activation.lookup import expression, family, function
from analysis.exact.asymptotes import asymptote, limit_at_infinity
from analysis.exact.expansions import UnknownSign
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
        ("x*tanh(exp(x)) - clip(x, 0, 2)", (0, 0), (1, -2)),
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


# limits with free constants hold for all of their values


def read(text):
    return expression(text, {}, unknown="positive")


@pytest.mark.parametrize(
    "text",
    [
        "tanh((a - b)*x)",
        "x*sigmoid((a - b)*x)",
        "atan((a - 1)*x)",
        "(a - b)*x/((a - b)*x + 1)",
        "1/(a - b + exp(-x**2))",
        "max((a - b)*x, 1)",
        "tanh((a - b)*sqrt(x**2 + 1))",
        "sigmoid((a - b)**2*x)",
        "(a - b)*x**2 + x",
    ],
)
@pytest.mark.parametrize("side", [-1, 1])
def test_a_limit_whose_sign_depends_on_the_constants_is_not_guessed(text, side):
    with pytest.raises(Undecided, match="sign of"):
        limit_at_infinity(read(text), side)


def test_growth_without_bound_says_what_leads_it():
    for text, leading in (("(a - b)*x**2 + x", "a - b"), ("(a - 2)*x*sqrt(x**2 + b)", "a - 2")):
        with pytest.raises(UnknownSign) as caught:
            limit_at_infinity(read(text), 1)
        assert sp.expand(caught.value.leading - read(leading)) == 0
    with pytest.raises(UnknownSign) as caught:
        limit_at_infinity(read("tanh((a - b)*x)"), 1)
    assert caught.value.leading is None, "it is bounded whatever the sign"


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        ("tanh(a*x) + relu(b - 2)", "relu(b - 2) - 1", "relu(b - 2) + 1"),
        ("(a - b)*x/(x + 1)", "a - b", "a - b"),
        ("sqrt(x**2 + a) - abs(x)", "0", "0"),
        ("(sqrt(x**2 + a) - abs(x))*x", "-a/2", "a/2"),
        ("x*(atan(a*x) - pi/2)", "oo", "-1/a"),
        ("x*tanh(a/x)", "a", "a"),
        ("log(1 + a*x**2) - log(x**2 + b)", "log(a)", "log(a)"),
        ("x*(exp(a/x) - 1)", "a", "a"),
        ("squareplus(a*x - b, 3) - a*x", "oo", "-b"),
        ("a*log(1 + x**2) - x", "oo", "-oo"),
        ("sqrt(x**2 + a)*tanh(x)/x", "1", "1"),
    ],
)
def test_limits_with_free_constants(text, left, right):
    for side, expected in ((-1, left), (1, right)):
        limit = sp.sympify(expected) if "oo" in expected else read(expected)
        found = limit_at_infinity(read(text), side)
        assert found == limit or sp.simplify(found - limit) == 0
        numbers = {"a": sp.Rational(7, 5), "b": sp.Rational(13, 4)}
        f = read(text)
        at = {s: numbers[s.name] for s in f.free_symbols if s.name != "x"}
        far = side * mp.mpf(10) ** 8
        with mp.workdps(60):
            value = elementary(f.subs(at)).evalf(40, subs={next(s for s in f.free_symbols if s.name == "x"): far})
            if limit.is_finite:
                assert abs(value - limit.subs({s: numbers[s.name] for s in limit.free_symbols})) < 1e-6
            else:
                assert value * sp.sign(limit) > 1
