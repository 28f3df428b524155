"""The law of many free knots against designs, and how both are drawn."""

import numpy as np
import pytest

from analysis.activation.lookup import function
from analysis.rigorous.norms import Norm
from analysis.shown import figures, knots

ENDS = (-3.0, 3.0)


@pytest.fixture(scope="module")
def square():
    return knots.designed(function("x**2"), Norm(lower=-3.0, upper=3.0), {"free": (2, 8), "uniform": (8,)})


def test_of_a_parabola_the_law_is_exact(square):
    """f'' = 2 is constant: the best knots are even, and each piece leaves 2 h^2/16."""
    law = knots.Law.of(function("x**2"), ENDS)
    assert law.total == pytest.approx(6 * np.sqrt(2), rel=1e-12)
    curves, refused = square
    assert refused == ()
    for one in (*curves["free"], *curves["uniform"]):
        assert float(one.error[1]) == pytest.approx(law.error(one.pieces), rel=1e-9)
    assert "1.000 times with 8 pieces" in knots.against_law(curves["free"], law)


def test_the_law_counts_between_kinks_only():
    law = knots.Law.of(function("abs(x)"), ENDS)
    assert law.total == 0
    assert "nothing to say" in knots.against_law([], law)
    half = knots.Law.of(function("{x**2, x < 0; x, x >= 0}"), ENDS)
    assert half.total == pytest.approx(3 * np.sqrt(2), rel=1e-12)


def test_the_law_is_near_for_many_knots():
    norm, mish = Norm(lower=-3.0, upper=3.0), function("mish")
    curves, _ = knots.designed(mish, norm, {"free": (48,)})
    assert float(curves["free"][0].error[1]) == pytest.approx(knots.Law.of(mish, ENDS).error(48), rel=0.03)


def test_what_is_refused_is_said():
    curves, refused = knots.designed(function("mish"), Norm(lower=-3.0, upper=3.0), {"free": (0, 3)})
    assert [one.pieces for one in curves["free"]] == [3]
    assert refused[0].startswith("free knots, 0 pieces: expected")


def test_the_figure_has_a_curve_for_each_kind_and_the_law(square):
    curves, _ = square
    law = knots.Law.of(function("x**2"), ENDS)
    _, (left, right) = figures.panels(1, 2)
    knots.errors_over_pieces(left, curves, law)
    knots.share_of_knots(right, curves["free"], law, ENDS)
    assert [line.get_label() for line in left.lines[:2]] == ["free knots", "uniform knots"]
    assert "large" in left.lines[-1].get_label()
    assert right.get_ylim() == (0, 1)
    steps = right.lines[-1].get_ydata()
    assert steps[0] == 0
    assert steps[-1] == pytest.approx(7 / 8)


def test_nothing_to_draw_is_no_error():
    _, (ax,) = figures.panels()
    target = function("relu")
    curves, _ = knots.designed(target, Norm(lower=-3.0, upper=3.0), {"free": (2, 3)})
    knots.errors_over_pieces(ax, curves, knots.Law.of(target, ENDS))
    assert not ax.lines
