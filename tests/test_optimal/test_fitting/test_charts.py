"""Bounds over boxes of constants never exceed the error of a member of the box, bounded or not, in any chart."""

import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.activation import lookup
from analysis.activation.parsing import X
from analysis.optimal.fitting import proof, search
from analysis.optimal.fitting.homogeneous import homogeneous
from analysis.optimal.fitting.proof import Search
from analysis.optimal.fitting.residual import Residual
from analysis.rigorous.intervals import INF, Interval
from analysis.rigorous.norms import Norm

FAMILIES = [pytest.param("hard_gate", marks=pytest.mark.proof), "linear_swish", "gelu_tanh", "celu"]
SEARCHES: dict = {}


def searched(family: str, norm: Norm | None = None) -> Search:
    key = family, str(norm)
    if key not in SEARCHES:
        residual = Residual.of(lookup.family(family), lookup.function("mish"), norm or Norm(), {})
        SEARCHES[key] = Search(residual, np.ones(len(residual.free)), 1.0)
    return SEARCHES[key]


def error(residual: Residual, theta: list[float]) -> float:
    return search.value(residual, np.array(theta))[0]


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=8)
@given(data=st.data())
def test_no_member_of_the_box_is_below_its_bound(family, data):
    found = searched(family)
    theta, box = [], []
    for _ in found.residual.free:
        inside = data.draw(st.floats(0.02, 50))
        low = data.draw(st.sampled_from([0.0, inside * 0.5, inside * 0.99, inside]))
        high = data.draw(st.sampled_from([INF, inside * 2, inside * 1.01, inside]))
        theta.append(inside)
        box.append(Interval(low, high))
    assert found.root.bound(tuple(box), INF) <= error(found.residual, theta) * (1 + 1e-9)


@pytest.mark.parametrize("family", FAMILIES[:2])
@settings(max_examples=8)
@given(data=st.data())
def test_charts_of_ratios_and_products_bound_the_same_members(family, data):
    found = searched(family)
    n = len(found.residual.free)
    leader = data.draw(st.integers(0, n - 1))
    largest = data.draw(st.floats(1, 200))
    others = tuple(i for i in range(n) if i != leader)
    ratios = [data.draw(st.floats(0.01, 1)) for _ in range(n)]
    theta = [largest if i == leader else ratios[i] * largest for i in range(n)]
    point = [1 / largest if i == leader else ratios[i] for i in range(n)]
    chart = found.root.sector(leader, others)
    box = tuple(Interval(0.0, c * 1.001) if data.draw(st.booleans()) else Interval(c * 0.999, c * 1.001) for c in point)
    assert chart.bound(box, INF) <= error(found.residual, theta) * (1 + 1e-9)
    small, large = (leader + 1) % n, leader
    product = found.root.product(small, large)
    at = [theta[i] * theta[small] if i == large else theta[i] for i in range(n)]
    box = tuple(Interval(c * 0.99, c * 1.01) for c in at)
    assert product.bound(box, INF) <= error(found.residual, theta) * (1 + 1e-9)


def test_bounds_keep_to_the_domain():
    """Kinks of the hard gate outside [-1, 1] must not count."""
    found = searched("hard_gate", Norm("sup", -1, 1))
    theta = [5.0, 3.0]
    box = tuple(Interval(t, t) for t in theta)
    assert found.root.bound(box, INF) <= error(found.residual, theta) * (1 + 1e-9)


def test_a_reference_keeps_to_the_domain():
    """A reference found where the kink at a lies in [-3, 2] says nothing of members whose kink lies beyond."""
    residual = Residual.of(lookup.family("abs(x - a) - abs(x - b)"), lookup.function("sigmoid"), Norm("sup", -3, 2), {})
    for start in ([1.2, 0.7], [0.5, 1.5], [1.9, 1.0], [0.4, 2.9]):
        found = Search(residual, np.array(start), 1.0)
        for theta in ([2.6, 1.3], [3.0, 3.5], [2.4, 2.4]):
            box = tuple(Interval(t, t + 0.01) for t in theta)
            bounds = [found.root.bound(box, INF), found.reference.bound(box) if found.reference else 0.0]
            assert max(bounds) <= error(residual, theta) * (1 + 1e-9)


HOSTILE = ["tanh(x/(a - b))", "clip(x, a, b)", "sign((a - b)*x)*a", "where(x < b, x, a*x)"]
DEARER = ["step(x - b)*tanh(a*x)", "atan(1/(x - b))*a", "relu((a - b)*x + 1) - relu(b*x)"]


@pytest.mark.parametrize("family", [*HOSTILE, *(pytest.param(f, marks=pytest.mark.proof) for f in DEARER)])
@settings(max_examples=15)
@given(data=st.data())
def test_jumps_and_poles_are_bounded_from_below_as_well(family, data):
    norm = Norm("sup", -3, 2)
    residual = Residual.of(lookup.family(family), lookup.function("tanh"), norm, {})
    found = Search(residual, np.array([0.8, 1.7]), 1.0)
    theta = [data.draw(st.floats(0.1, 4)) for _ in "ab"]
    ends = [(data.draw(st.sampled_from([0.0, 0.01, 0.5])), data.draw(st.sampled_from([0.0, 0.01, 0.5]))) for _ in "ab"]
    box = tuple(Interval(max(0.0, t - low), t + high) for t, (low, high) in zip(theta, ends, strict=True))
    if residual.is_admissible(np.array(theta)):
        x = np.linspace(-3, 2, 4001)
        kinks = residual.kinks(np.array(theta))
        x = np.concatenate([x, kinks[(kinks >= -3) & (kinks <= 2)]])
        sampled = np.abs(residual(x, np.array(theta)))
        if np.isfinite(sampled).all():
            assert found.root.bound(box, INF) <= sampled.max() + 1e-2 * (1 + max(theta))


def test_a_reference_bounds_to_second_order():
    residual = searched("hard_gate").residual
    theta, best = search.best(residual, {"a": (0.05, 20), "b": (0.05, 20)})
    found = Search(residual, theta, best)
    losses = []
    for radius in (1e-2, 1e-3, 1e-4):
        box = tuple(Interval(t - radius, t + radius) for t in theta)
        losses.append(1 - found.reference.bound(box) / best)
    assert 0 < losses[2] < 2e-8
    assert losses[1] / losses[2] == pytest.approx(100, rel=0.2)
    assert losses[0] / losses[1] == pytest.approx(100, rel=0.2)


def test_the_whole_family_starts_from_all_admissible_constants():
    assert searched("hard_gate")._everything() == (Interval(0.0, INF),) * 2
    assert proof._spread(-math.inf, math.inf)[[0, -1]] == pytest.approx([-60, 60])
    assert proof._spread(100.0, 120.0)[[0, -1]].tolist() == [100, 120]


@pytest.mark.parametrize(("a", "b"), [(5, 3), (2, 7), (sp.Rational(1, 3), 1)])
def test_clip_takes_positive_factors_in(a, b):
    family = lookup.family("hard_gate")
    values = {family.symbol("a"): a, family.symbol("b"): b}
    rewritten = homogeneous(family.expression)
    assert rewritten != family.expression
    for x in (-8, -4, -1, 0, 3):
        assert rewritten.subs({**values, X: x}) == family.expression.subs({**values, X: x})
