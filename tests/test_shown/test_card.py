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


def test_an_isolated_value_is_in_the_card():
    card = show("step(x) + step(-x)")
    found = card.to_dict()
    assert found["breakpoints"] == [{"x": "0", "smoothness": -1, "jumps": {"0": "0", "1": "0", "2": "0"}, "value": "2"}]
    assert (found["smoothness"], found["range"], found["lipschitz"]) == (-1, ["1", "2"], ["inf", "inf"])
    assert "f = 2 there alone" in card._repr_html_()
    assert "value" not in show("step(x)").to_dict()["breakpoints"][0]
    assert show("mish + step(x)*step(-x)").range[1] == "inf"
    assert show("sigmoid(x) + 3*step(x)*step(-x)").range[1] == "3.5"


def test_infinite_slopes_are_in_the_card():
    found = show("sqrt(abs(x))").to_dict()
    assert found["breakpoints"] == [{"x": "0", "smoothness": 0, "jumps": {"0": "0", "1": "oo", "2": None}}]
    assert found["lipschitz"] == ["inf", "inf"]


def test_a_family_is_not_called_smooth_or_complete_where_its_constants_decide():
    found = show("squareplus", symbolic=True).to_dict()
    assert found["smoothness"] is None
    assert found["complete"] == {"extrema": False, "inflections": False}
    assert show("squareplus").to_dict()["smoothness"] == "oo"
    gate = show("hard_gate3", symbolic=True).to_dict()
    assert [place["if"] for place in gate["minima"]] == ["a >= b/2", "a < b/2"]
    assert gate["complete"]["extrema"]


def test_exact_values_are_what_sympy_can_read():
    found = show("Phi(1/3)*x + relu(x - squareplus(1, 2)) + abs(x - Phi(1))").to_dict()
    exact = [point["x"] for point in found["breakpoints"]]
    exact += [jump for point in found["breakpoints"] for jump in point["jumps"].values()]
    exact += [part for line in found["asymptotes"].values() for part in line.values()]
    exact += [place[key]["exact"] for place in found["minima"] for key in ("x", "value")]
    assert len(exact) > 8
    for text in exact:
        assert sp.sympify(text).is_number, text


def test_roots_without_a_better_name_do_not_take_long():
    """Their signs are told by digits, not by algebra."""
    card = show("diff(diff(1.7159*tanh(2*x/3)))")
    (minimum,), (maximum,) = card.minima, card.maxima
    assert minimum.x.has(sp.CRootOf)
    assert float(maximum.x_enclosure[0]) == pytest.approx(-float(minimum.x_enclosure[0]))
