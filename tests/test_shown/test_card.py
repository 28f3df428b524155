"""The card of every catalogued function: complete where it says so, and in agreement with brute force."""

import numpy as np
import pytest
import sympy as sp

from analysis.activation import lookup, lowering
from analysis.activation.catalogue import FAMILIES, FUNCTIONS, MEMBERS
from analysis.activation.parsing import X
from analysis.shown.card import show

NAMES = [*(entry.name for entry in FUNCTIONS), *MEMBERS]
NAMES += [e.name for e in FAMILIES if e.constants and all(c.default for c in e.constants)]
UNPROVED = {"gelu", "gelu_tanh", "beta_mish"}  # their tails, or several exponentials, have no rule yet


@pytest.mark.parametrize("name", NAMES)
def test_completeness_is_proved_except_where_it_is_not(name):
    assert show(name).complete["extrema"] is (name not in UNPROVED)


@pytest.mark.parametrize("name", NAMES)
def test_range_and_slope_bound_a_dense_sampling_closely(name):
    card = show(name)
    f = lowering.evaluator(lookup.function(name).expression)
    x = np.linspace(-30, 30, 60001)
    y = f(x)
    low, high = (float(end) for end in card.range)
    assert low <= y.min() + 1e-15
    assert y.max() <= high + 1e-15
    slope = float(card.lipschitz[1])
    steepest = np.abs(np.diff(y) / np.diff(x)).max()
    assert steepest <= slope * (1 + 1e-9)
    assert slope <= steepest + 2e-3


@pytest.mark.parametrize("name", NAMES)
def test_minima_are_lower_than_their_neighbours(name):
    card = show(name)
    f = lowering.evaluator(lookup.function(name).expression)
    for place in card.minima:
        if isinstance(place.x, sp.Interval):
            continue
        x, value = float(place.x_enclosure[0]), float(place.value_enclosure[0])
        assert f(np.float64(x)) == pytest.approx(value, abs=1e-14)
        assert min(f(np.array([x - 1e-4, x + 1e-4]))) > value


def test_mish_answers_claim_p4():
    """Bounded below by about -0.31, unbounded above, not monotone, smooth."""
    card = show("mish")
    assert card.range[0].startswith("-0.3088")
    assert card.range[1] == "inf"
    assert len(card.minima) == 1
    assert card.smoothness == sp.oo


def test_a_card_draws_itself_with_latex():
    html = show("hard_mish")._repr_html_()
    assert r"\operatorname{clip}" in html
    assert "C^0" in html


def test_a_family_keeps_its_constants():
    card = show("swish", symbolic=True)
    (minimum,) = card.minima
    beta = next(iter(card.record.expression.free_symbols - {X}))
    assert minimum.value == -sp.LambertW(sp.exp(-1)) / beta
    assert card.range is None
