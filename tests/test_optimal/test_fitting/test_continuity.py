"""Continuity is granted where it holds, and refused at every jump and pole."""

import math

import numpy as np
import pytest
import sympy as sp

from analysis.activation import lookup
from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.optimal.fitting.continuity import Continuity, arm, check_arms, jumps_along
from analysis.rigorous.intervals import INF, WHOLE, Interval

A, B = sp.symbols("a b", positive=True)


def read(text: str) -> sp.Expr:
    return lookup.expression(text, {"a": A, "b": B}, unknown="positive")


def holds(text: str, a: tuple[float, float], b: tuple[float, float] = (1.0, 1.0), x: Interval = WHOLE) -> bool:
    return Continuity(read(text), (X, A, B), (A, B)).holds((x, Interval(*a), Interval(*b)))


@pytest.mark.parametrize(
    "name", ["hard_gate", "hard_gate3", "linear_swish", "split_hard_gate", "gelu_tanh", "elu", "celu"]
)
def test_catalogued_families_are_continuous_for_all_constants(name):
    family = lookup.family(name)
    free = tuple(family.symbol(c.name) for c in family.constants)
    parts = Continuity(family.expression, (X, *free), free)
    assert parts.requirements == ()
    assert not jumps_along(family.expression)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("1/(a - b)", 1.0),
        ("tanh(x/(a - b))", 1.0),
        ("step(a - b)*x", 1.0),
        ("sign(a - 2)*x", 2.0),
        ("log(a - 3)*x", 3.0),
        ("where(a < 4, x, 2*x)", 4.0),
        ("1/((a - b)*b)", 1.0),
        ("clip(x, 3, a)", 2.999),
    ],
)
def test_a_jump_is_seen_from_both_sides(text, where):
    assert holds(text, (where + 0.01, where + 1))
    assert not holds(text, (where - 0.1, where + 0.1))
    assert not holds(text, (where - 0.1, where - 0.001)) or text[:3] not in ("log", "cli")


def test_a_jump_at_a_moving_place_matters_where_the_place_is():
    assert holds("step(x - a)", (1, 2), x=Interval(3.0, 3.0))
    assert not holds("step(x - a)", (1, 2), x=Interval(1.5, 1.5))
    assert not holds("step(x - a)", (1, 2))
    assert holds("step(x)*a", (1, 2)), "a does not move the jump"


def test_zero_at_the_end_of_a_positive_constant_is_none_of_its_values():
    assert holds("1/a + log(a)", (0.0, INF))
    assert not holds("1/(a + b - 1)", (0.0, 1.0), (1.0, 2.0))


def test_jumps_along_x():
    assert jumps_along(read("step(x - a)"))
    assert jumps_along(read("where(x < 0, x, x + 1)"))
    assert jumps_along(read("where(x < a, x, 2*x - a)")), "continuous, but that is not seen"
    assert not jumps_along(read("where(x < 0, a*x, x)"))
    assert not jumps_along(read("relu(x - a)*step(a - 1)"))


def test_arms_of_a_piecewise_function_must_meet():
    (node,) = lookup.family("linear_swish").expression.atoms(sp.Piecewise)
    check_arms(node)
    check_arms(sp.Piecewise((2, X > 1), (0, X < -1), (X + 1, True)))
    for arms in (((X + 1, X > 0), (X, True)), ((2, X > 1), (0, X < -1), (2 * X, True))):
        with pytest.raises(Undecided, match="continuous"):
            check_arms(sp.Piecewise(*arms))
    assert arm(sp.Piecewise((2, X > 1), (X + 1, True)), sp.Integer(0)) == X + 1


def test_slopes_over_a_pole_bound_nothing():
    """Both sides of 1/(a - b) fall, yet it is no larger on the left than on the right."""
    from analysis.optimal.fitting.charts import Chart

    chart = Chart(read("1/(a - b)") + 0 * X, sp.S.Zero, (A, B), (-INF, INF), np.array([0.0]))
    box = (Interval(0.5, 2.0), Interval(1.0, 1.0))
    assert chart.least_size(box, 1, 0.0) == -INF or chart.least_size(box, 1, 0.0) <= -2
    assert math.isfinite(chart.least_size((Interval(1.5, 2.0), Interval(1.0, 1.0)), 1, 0.0))
    assert 0.99 < chart.least_size((Interval(1.5, 2.0), Interval(1.0, 1.0)), 1, 0.0) <= 1
