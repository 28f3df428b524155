"""The atlas shows every answer where it belongs, and says what it does not show."""

import pytest

from analysis.shown import canvas
from analysis.shown.atlas import atlas


def row(target="mish", family=None, shape=None, **given):
    usual = {"setting": "sup", "round": None, "outcome": "answered", "error": ["0.1", "0.1"], "operations": 5}
    return {"target": target, "family": family, "shape": shape} | usual | given


ROWS = [
    row(family="hard_gate"),
    row(family="hard_gate", target="gelu", error=["0.02", "0.03"], operations=7),
    row(shape="pwl", operations=11, error=["0.01", "0.01"]),
    row(shape="pwl", operations=7, error=["0.2", "0.2"]),
    row(shape="pwl", round="float16", operations=7, error=["0.21", "0.21"]),
    row(family="swish", setting="gaussian", error=["0", "0"]),
    row(family="elu", setting="gaussian", error=["inf", "inf"]),
    row(shape="pwq", outcome="UNDECIDED", error=None, operations=None),
]


@pytest.fixture(scope="module")
def panels():
    return atlas(ROWS).axes


def points(ax):
    return [line.get_xydata().tolist() for line in ax.lines if len(line.get_xydata())]


def test_a_panel_for_each_target_and_norm_in_the_order_of_the_rows(panels):
    assert [ax.get_title(loc="left") for ax in panels] == ["mish", "gelu", "", ""]
    assert [ax.get_ylabel() for ax in panels] == ["error, sup", "", "error, gaussian", ""]


def test_points_are_the_certified_upper_bounds_and_designs_are_joined_from_the_cheapest_on(panels):
    assert points(panels[0]) == [[[5, 0.1]], [[7, 0.2], [11, 0.01]], [[7, 0.21]]]
    assert points(panels[1]) == [[[7, 0.03]]]
    joined = [line.get_linewidth() > 0 for line in panels[0].lines if len(line.get_xydata())]
    assert joined == [False, True, True]


def test_rounded_designs_are_hollow(panels):
    faces = {
        tuple(line.get_xydata()[0]): line.get_markerfacecolor() for line in panels[0].lines if len(line.get_xydata())
    }
    assert faces[7.0, 0.21] == "white"
    assert faces[7.0, 0.2] != "white"


def test_what_is_not_drawn_is_said(panels):
    (said,) = [text.get_text() for text in panels[0].texts]
    assert said == "UNDECIDED: pwq"
    (said,) = [text.get_text() for text in panels[2].texts]
    assert said == "below 1e-15: swish\ninfinitely far: elu"


def test_many_names_are_told_apart_and_long_ones_cut():
    rows = [row(family=f"x*clip(x + {k}, 0, {'9' * 40})", error=[str(k), str(k)]) for k in range(1, 16)]
    figure = atlas(rows)
    marks = {(h.get_color(), h.get_marker()) for h in figure.legends[0].legend_handles}
    assert len(marks) == 15
    assert all(len(text.get_text()) <= 28 for text in figure.legends[0].texts)


def test_it_is_drawn_for_a_single_task_too():
    picture = canvas.render(atlas([row(family="swish", error=["0", "0"])]), "svg")
    assert picture.rstrip().endswith(b"</svg>")
