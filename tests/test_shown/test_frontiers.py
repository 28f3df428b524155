"""Frontiers from the record and as answered: the same panel, and the table of what to use."""

import json
from pathlib import Path

import pytest

from analysis.activation.lookup import function
from analysis.optimal.design import design
from analysis.optimal.frontier import frontier
from analysis.rigorous.comparison import compare
from analysis.shown import designs, figures, frontiers

ROOT = Path(__file__).resolve().parents[2]
RECORD = json.loads((ROOT / "results" / "frontiers.json").read_text())


@pytest.fixture
def ax():
    return figures.panels()[1][0]


def test_a_target_of_the_record_is_read_whatever_its_name():
    assert frontiers.of(RECORD, function("x*sigmoid(x)"))["target"] == "silu"
    assert [entry["target"] for entry in frontiers.beside(RECORD, function("gelu"))] == ["gelu", "mish", "silu"]


def test_another_target_is_computed(monkeypatch):
    monkeypatch.setattr(frontiers, "FEWER", (("pwl", 4),))
    shown = frontiers.beside(RECORD, function("x*sigmoid(2*x)"))
    assert len(shown) == 4
    assert "pwl, 4 pieces" in {one["name"] for one in shown[0]["candidates"]}


def test_the_panel_shows_every_candidate_and_names_what_stands(ax):
    entry = RECORD["entries"][0]
    frontiers.frontier_panel(ax, entry)
    *kinds, own, stairs = ax.lines
    assert set(own.get_xdata()) == {sum(number for name, number in entry["cost_of_target"].items() if "_" not in name)}
    assert sum(len(line.get_xdata()) for line in kinds) == len(entry["candidates"])
    best = [one for one in entry["candidates"] if one["on_frontier"]]
    assert list(stairs.get_xdata()) == [one["operations"] for one in best]
    assert len(ax.texts) == len(best)
    low, high = ax.get_ylim()
    assert all(low < float(one["error"][1]) < high for one in entry["candidates"])


def test_the_plot_of_the_command_is_the_same_panel():
    figure = designs.frontier_plot(frontier("gelu", shapes=(("pwl", 4),), families=()))
    assert figure.axes[0].get_ylabel() == "certified error (sup norm)"
    assert "gelu" in figure.get_suptitle()


def test_the_table_goes_down_in_error_as_it_goes_up_in_cost():
    for entry in RECORD["entries"]:
        rows = frontiers.recommended(entry).rows
        operations, errors = [int(row[0]) for row in rows], [float(row[3]) for row in rows]
        assert operations == sorted(set(operations))
        assert errors == sorted(set(errors), reverse=True)
        assert all(row[5] for row in rows)
        exact = {one["name"]: float(one["error"][1]) for one in entry["candidates"]}
        assert all(exact[row[2]] <= float(row[3]) <= exact[row[2]] * (1 + 1e-5) for row in rows)


def test_a_long_formula_gives_way_to_the_command_that_makes_it():
    rows = frontiers.recommended(RECORD["entries"][0]).rows
    shown = {row[2]: row[5] for row in rows}
    assert shown["relu"] == "relu(x)"
    assert shown["pwl, 16 pieces"] == "actapprox design mish --shape pwl --pieces 16"


def test_constants_of_a_short_design_are_shown_to_six_digits():
    one = {
        "name": "pwl, 3 pieces",
        "formula": "{0, x < -0.78878825323043; -3335533702792/15491025580087 + x*(-0.25); x/2}",
    }
    assert frontiers._constants("gelu", one) == "≈ {0, x < -0.788788; -0.21532 + x*(-0.25); x/2}"
    whole = {"name": "gate:1", "formula": "x*clip(x + 3, 0, 6)/6"}
    assert frontiers._constants("gelu", whole) == whole["formula"]


def test_the_record_holds_what_the_code_finds():
    gelu = next(entry for entry in RECORD["entries"] if entry["target"] == "gelu")
    known = {one["name"]: one for one in gelu["candidates"]}
    found = design("gelu", "pwl", pieces=10)
    assert known["pwl, 10 pieces"]["optimum"] == str(found.verdict) == "PROVED"
    assert float(known["pwl, 10 pieces"]["error"][1]) == pytest.approx(float(found.error[1]), rel=1e-8)
    assert known["pwl, 10 pieces"]["cost"] == found.cost.to_dict()
    low, high = compare(function("gelu"), function("hard_swish")).distance
    assert float(known["hard_swish"]["error"][0]) <= float(high)
    assert float(low) <= float(known["hard_swish"]["error"][1])


@pytest.mark.parametrize("place", range(3))
def test_formulas_of_the_record_have_the_recorded_error(place):
    entry = RECORD["entries"][place]
    for one in entry["candidates"]:
        if one["name"] in ("pwl, 6 pieces", "gate:2", "pwq, 5 pieces"):
            low, high = compare(function(entry["target"]), function(one["formula"])).distance
            assert float(low) <= float(one["error"][1])
            assert float(one["error"][0]) <= float(high)
