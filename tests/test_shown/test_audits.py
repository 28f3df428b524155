"""The drawings of refutations: each shows what it was handed, and nothing that it was not."""

from fractions import Fraction

import numpy as np
import pytest

from analysis.activation.lookup import function, get
from analysis.rigorous.comparison import INFINITE, compare
from analysis.rigorous.identity import prove
from analysis.shown import audits, figures


@pytest.fixture
def ax():
    _, (axes,) = figures.panels()
    return axes


def test_the_printed_formula_lies_dashed_over_the_right_one(ax):
    audits.printed_over(ax, function("2*silu"), function("silu"), (-4, 4), ("as printed", "silu"))
    right, printed = ax.lines
    assert [line.get_label() for line in ax.lines] == ["silu", "as printed"]
    np.testing.assert_allclose(printed.get_ydata(), 2 * right.get_ydata(), rtol=1e-12)
    assert right.get_linestyle() == "-" != printed.get_linestyle()


def test_the_witness_is_marked_on_both_curves_with_its_values(ax):
    witness = prove("silu", "2*silu").witness
    audits.mark_witness(ax, witness)
    marks = [(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines]
    assert marks == [(float(witness.x), float(side[0])) for side in (witness.left, witness.right)]
    texts = [text.get_text() for text in ax.texts if text.get_text()]
    assert all(f"{y:.4f}" in text for (_, y), text in zip(marks, texts, strict=True))


def test_jump_sizes_are_those_of_the_members(ax):
    gates = [function("hard_mish"), function("hard_gate(a=3, b=3)")]
    audits.jump_sizes(ax, get("hard_gate"), 3, gates, (2, 9))
    dots = {(x, round(y, 12)) for line in ax.lines if line.get_marker() == "o" for x, y in line.get_xydata()}
    assert dots == {(5, 0.6), (5, 0.4), (3, 1), (3, 0)}
    assert {text.get_text() for text in ax.texts} == {"ReLU5", "ReLU3"}


def test_chords_join_the_kinks(ax):
    audits.chords(ax, function("hard_swish"), (-5, 5))
    assert [tuple(point) for point in ax.lines[0].get_xydata()] == [(-5, 0), (-3, 0), (3, 3), (5, 5)]


def test_curvature_is_the_second_derivative(ax):
    audits.curvature(ax, {"hard_swish": function("hard_swish"), "gate": function("hard_sigmoid")}, (-5, 5))
    bent, straight = (line.get_ydata() for line in ax.lines)
    assert np.nanmax(bent) == pytest.approx(1 / 3)
    assert np.nanmax(np.abs(straight)) == 0


def test_a_wrong_sign_is_shaded_from_the_left_edge(ax):
    audits.rounded_curve(ax, [Fraction(-2), Fraction(0)], [Fraction(1), Fraction(-1)])
    figures.finish(ax, xlim=(-2, 0))
    audits.wrong_sign(ax, -1.0, "wrong")
    assert ax.get_xlim() == (-2, 0)
    assert (ax.patches[0].get_x(), ax.patches[0].get_width()) == (-2, 1)


def test_where_a_value_is_zero_there_is_no_dot(ax):
    xs = [Fraction(n) for n in (-3, -2, -1)]
    values = [Fraction(0), Fraction(0), Fraction(-1, 4)]
    assert audits.sizes_until_zero(ax, xs, values, function("silu"), (-4, 0)) == -2
    assert [tuple(point) for point in ax.lines[-1].get_xydata()] == [(-1, 0.25)]
    audits.mark_lost(ax, -2, "black", 0.1)
    assert ax.texts[-1].get_text() == "0 from $-2$ down"
    assert tuple(ax.lines[-2].get_xdata()) == (-4, -2)


def test_where_no_value_is_zero_nothing_is_lost(ax):
    assert audits.sizes_until_zero(ax, [Fraction(-1)], [Fraction(1)], function("silu"), (-4, 0)) is None


def test_rival_errors_reach_their_certified_levels(ax):
    found = compare("silu", "mish")
    audits.rival_errors(ax, {"silu": (function("silu"), float(found.distance[1]))}, function("mish"), (-6, 6))
    curve, *levels = (line.get_ydata() for line in ax.lines)
    assert np.abs(curve).max() == pytest.approx(levels[1][0], rel=1e-4)
    assert levels[0][0] == -levels[1][0]


def test_distances_stand_in_their_rows_and_infinite_ones_are_left_out(ax):
    rows = {"near": {"sup": ("0.1", "0.1"), "L2": ("0.2", "0.2")}, "far": {"sup": INFINITE, "L2": ("0.5", "0.5")}}
    audits.distances_plot(ax, rows)
    drawn = {line.get_label(): [tuple(point) for point in line.get_xydata()] for line in ax.lines}
    assert drawn == {"sup": [(0.1, 0)], "L2": [(0.2, 0), (0.5, -1)]}
    assert [label.get_text() for label in ax.get_yticklabels()] == ["near", "far"]


def test_rows_are_put_in_order():
    rows = {"far": {"sup": INFINITE}, "near": {"sup": ("0.1", "0.1")}}
    assert list(audits.nearest_first(rows)) == ["near", "far"]


def test_a_target_from_which_all_are_infinitely_far_is_drawn_too(ax):
    audits.distances_plot(ax, {"relu": {"sup": INFINITE}, "itself": {"sup": ("0", "0")}})
    assert not ax.lines
    assert ax.get_xscale() == "linear"


def test_excess_is_measured_from_one(ax):
    audits.excess_plot(ax, {"a": 1.5, "b": 1.1})
    assert [text.get_text() for text in ax.texts] == ["1.500", "1.100"]
    assert ax.get_xlim()[1] > 1.5
