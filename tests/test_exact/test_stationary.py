"""Minima, maxima and inflections: exact where a closed form exists, else an equation whose zero is enclosed."""

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.activation.functions import elementary
from analysis.activation.lookup import expression, family, function
from analysis.activation.parsing import X
from analysis.exact.stationary import stationary

W = sp.LambertW(sp.exp(-1))


def points(found):
    return [(p.x, p.value) for p in found]


@pytest.mark.parametrize(
    ("name", "x", "value"),
    [
        ("silu", -1 - W, -W),
        ("quick_gelu", (-1 - W) / sp.Rational("1.702"), -W / sp.Rational("1.702")),
        ("aptx(alpha=1,beta=1,gamma=1/2)", (-1 - W) / 2, -W / 2),
        ("e_swish", -1 - W, -sp.Rational(11, 8) * W),
        ("approx_mish", -1 - W, -W),
        ("linear_swish(s=2,beta=1.25)", -4 * (1 + W) / 5, -8 * W / 5),
        ("hard_swish", "-3/2", "-3/8"),
        ("hard_mish", "-3/2", "-9/20"),
        ("hard_gate(a=4,b=3)", "-3/2", "-9/16"),
        ("hard_gate(a=3,b=3)", "-3/2", "-3/4"),
        ("h_mish", -1, "-1/2"),
        ("hard_gate(a=5,b=2.8)", "-7/5", "-49/125"),
        ("hard_gate_relu(a=7,b=3)", "-3/2", "-9/28"),
        ("split_hard_gate(b=3,p=7,q=5)", "-3/2", "-9/28"),
        ("cubic_hard_mish", "-4/3", "-16/27"),
    ],
)
def test_the_one_minimum(name, x, value):
    found = stationary(function(name).expression)
    ((at, least),) = points(found.minima)
    assert sp.simplify(at - sp.sympify(x)) == 0
    assert sp.simplify(least - sp.sympify(value)) == 0
    assert found.maxima == ()


def test_the_minimum_of_the_thread_is_where_it_says():
    """T13: near (-1.023, -0.446)."""
    (point,) = stationary(function("linear_swish(s=2,beta=1.25)").expression).minima
    assert (round(float(point.x), 3), round(float(point.value), 3)) == (-1.023, -0.446)


@pytest.mark.parametrize(
    ("text", "minima", "maxima", "inflections"),
    [
        ("x**3 - 3*x", [(1, -2)], [(-1, 2)], [(0, 0)]),
        ("x**3", [], [], [(0, 0)]),
        ("x**4", [(0, 0)], [], []),
        ("abs(x)", [(0, 0)], [], []),
        ("-abs(x - 1)", [], [(1, 0)], []),
        ("abs(x**2 - 1)", [(-1, 0), (1, 0)], [(0, 1)], []),
        ("max(x, 2*x)", [], [], []),
        ("relu(x)", [(sp.Interval(-sp.oo, 0), 0)], [], []),
        ("clip(x, -1, 1)", [(sp.Interval(-sp.oo, -1), -1)], [(sp.Interval(1, sp.oo), 1)], []),
        ("abs(x) + abs(x - 1)", [(sp.Interval(0, 1), 1)], [], []),
        ("sigmoid(x)", [], [], [(0, sp.Rational(1, 2))]),
        ("exp(-x**2)", [], [(0, 1)], [(s * sp.sqrt(2) / 2, sp.exp(sp.Rational(-1, 2))) for s in (-1, 1)]),
        ("x*abs(x)", [], [], [(0, 0)]),
        ("tanh(x)", [], [], [(0, 0)]),
        ("elu", [], [], []),
    ],
)  # fmt: skip
def test_extrema_and_inflections(text, minima, maxima, inflections):
    found = stationary(expression(text))
    assert (points(found.minima), points(found.maxima), points(found.inflections)) == (minima, maxima, inflections)


def test_gelu_bends_at_the_square_root_of_two():
    found = stationary(function("gelu").expression).inflections
    assert [p.x for p in found] == [-sp.sqrt(2), sp.sqrt(2)]


@pytest.mark.parametrize(
    ("name", "orders"), [("mish", [1, 2]), ("gelu", [1]), ("silu", [2]), ("gelu_tanh", [1, 2]), ("tanh", [])]
)
def test_what_has_no_closed_form_stays_an_equation(name, orders):
    assert [e.order for e in stationary(function(name).expression).equations] == orders


def test_the_equation_of_mish_holds_its_minimum():
    equation = stationary(function("mish").expression).equations[0]
    at = sp.Float("-1.1924312145154952121375883404207394", 34)
    assert abs(equation.factor.subs(X, at)) < 1e-30


def test_the_hard_gate_for_every_a_and_b():
    gate = family("hard_gate")
    a, b = gate.symbol("a"), gate.symbol("b")
    inside, at_cap = stationary(gate.expression).minima
    assert (inside.x, sp.simplify(inside.value + b**2 / (4 * a))) == (-b / 2, 0)
    assert (at_cap.x, at_cap.value) == (a - b, a - b)
    for values in ({a: 5, b: 3}, {a: 2, b: 5}):
        holds = [bool(p.condition.subs(values)) for p in (inside, at_cap)]
        assert holds == [values[a] > values[b] / 2, values[a] < values[b] / 2]


positive = st.fractions("1/10", 20, max_denominator=10)


@settings(max_examples=12)
@given(positive, positive)
def test_the_minimum_of_a_random_hard_gate_is_that_of_brute_force(a, b):
    gate = function(f"hard_gate(a={a},b={b})")
    (point,) = stationary(gate.expression).minima
    step = 2 * b / 500
    values = [x * min(max(x + b, 0), a) / a for x in (i * step - b for i in range(501))]
    assert 0 <= min(values) - point.value <= step * (1 + b / a)
    assert elementary(gate.expression).subs(X, point.x) == point.value


@pytest.mark.parametrize(
    ("text", "minima", "maxima"),
    [
        ("step(x) + step(-x)", [(sp.Interval.open(-sp.oo, 0), 1), (sp.Interval.open(0, sp.oo), 1)], [(0, 2)]),
        ("step(x)", [(sp.Interval.open(-sp.oo, 0), 0)], [(sp.Interval(0, sp.oo), 1)]),
        ("step(x) - x", [], [(0, 1)]),
        ("step(x) + x", [], []),
        ("{x + 5, x < 0; 0, x <= 1; 5 - x}", [(sp.Interval(0, 1), 0)], []),
        ("{x + 5, x < 0; 0, x < 1; 5 - x}", [(sp.Interval.Ropen(0, 1), 0)], [(1, 4)]),
        (
            "step(x)*step(1 - x)",
            [(sp.Interval.open(-sp.oo, 0), 0), (sp.Interval.open(1, sp.oo), 0)],
            [(sp.Interval(0, 1), 1)],
        ),
        ("sqrt(abs(x))", [(0, 0)], []),
    ],
)
def test_extrema_where_the_function_jumps(text, minima, maxima):
    found = stationary(expression(text))
    assert (points(found.minima), points(found.maxima)) == (minima, maxima)


def test_a_vertical_tangent_may_be_an_inflection():
    assert points(stationary(expression("sign(x)*sqrt(abs(x))")).inflections) == [(0, 0)]


@pytest.mark.parametrize("name", ["hard_gate", "hard_gate3"])
def test_a_gate_has_its_minimum_for_all_constants(name):
    """Also at a = b/2, where the vertex of the parabola is the cap."""
    gate = family(name)
    a, b = gate.symbol("a"), gate.symbol("b")
    found = stationary(gate.expression)
    assert found.doubts == ()
    for values in ({a: 5, b: 3}, {a: 1, b: 2}, {a: 1, b: 3}):
        holding = {p.x.subs(values) for p in found.minima if p.condition.subs(values) == sp.true}
        assert len(holding) == 1, values
    assert [p.condition for p in found.minima] == [a >= b / 2, a < b / 2]


def test_what_depends_on_singular_constants_is_in_doubt():
    """At b = 0 squareplus is relu."""
    assert stationary(family("squareplus").expression).doubts
    assert not stationary(function("squareplus").expression).doubts


def test_a_dip_without_a_closed_form_keeps_a_plateau_in_doubt():
    """f rises beside the plateau, and is -0.12 at 1."""
    found = stationary(expression("{0, x <= 0; x - 4*x*tanh(x)*exp(-x)}"))
    assert found.doubts
    assert not any(isinstance(p.x, sp.Interval) for p in found.minima)
    assert stationary(expression("relu(x)")).doubts == ()
