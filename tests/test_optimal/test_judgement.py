"""Verdicts on what is in print, from both sides of the bound; the measures against independent ones."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest

from analysis.activation import lookup, lowering
from analysis.optimal import judgement
from analysis.optimal.judgement import Judged, Standing, judged, on_lattice
from analysis.optimal.literature import GQA_8, LINE, PRINTED, Printed
from analysis.rigorous.norms import Norm

ROOT = Path(__file__).resolve().parents[2]
FOUR = Printed("four", "silu", "", "1e-3", norm=Norm("l2", -4.0, 4.0), mean=True, pieces=4)


@pytest.fixture(scope="module")
def four():
    return judged(FOUR)


@pytest.fixture(scope="module")
def quick():
    return judged(Printed("quick", "gelu", "", "0.02", "quick_gelu", LINE, family="swish"))


def test_one_figure_below_the_bound_one_above_the_best_and_one_between(four):
    best = float(four.ours[1])
    assert 0 < four.lower < best
    between = repr((four.lower + best) / 2)
    figures = {
        repr(four.lower * 0.999): Standing.IMPOSSIBLE,
        between: Standing.UNBEATABLE,
        repr(best * 1.001): Standing.BEATEN,
    }
    for figure, standing in figures.items():
        found = replace(four, printed=replace(FOUR, figure=figure))
        assert found.standing is standing, figure
    assert "0.999 of the proved bound" in replace(four, printed=replace(FOUR, figure=repr(four.lower * 0.999))).sentence


def test_a_mean_square_is_the_integral_over_the_length(four):
    value = lowering.evaluator(lookup.function("silu").expression - lookup.function(four.formula).expression)
    x = np.linspace(-4, 4, 400001)
    assert float(four.ours[0]) == pytest.approx(float(np.mean(value(x) ** 2)), rel=1e-4)
    assert Fraction(four.ours[0]) < Fraction(four.ours[1]) < Fraction(four.ours[0]) * (1 + Fraction(1, 10**9))


def test_without_a_bound_nothing_is_unbeatable():
    assert Judged(replace(FOUR, figure="1"), ours=("2", "3")).standing is Standing.OPEN
    assert Judged(replace(FOUR, figure="4"), ours=("2", "3")).standing is Standing.BEATEN


def test_what_has_no_domain_is_not_compared():
    found = judged(Printed("one", "gelu", "", "1e-3", why="the domain is not stated"))
    assert found.standing is Standing.NOT_COMPARED
    assert found.sentence == "cannot be compared: the domain is not stated"
    assert found.to_dict()["ours"] is None


@pytest.mark.parametrize(("figure", "holds"), [("0.0203", True), ("2.03e-2", True), ("0.0204", False), ("0.02", True)])
def test_a_figure_holds_to_its_last_digit(figure, holds, quick):
    found = replace(quick, printed=replace(quick.printed, figure=figure))
    assert found.holds is holds
    assert found.standing is Standing.BEATEN
    assert found.lower == pytest.approx(0.0139222454727586, rel=1e-8)


def test_the_tables_are_measured_as_by_their_makers():
    """As the trainer of GQA-LUT does: the mean square over the points of a step of 0.01."""
    x = np.arange(-4, 4, 0.01)
    exact = np.array([float(mpmath.mpf(v) * mpmath.ncdf(v)) for v in x])
    printed = lowering.evaluator(lookup.function(GQA_8).expression)(x)
    one = next(one for one in PRINTED if one.formula == GQA_8 and one.step is None)
    found = judgement._scaled(
        judgement.compare(lookup.function("gelu"), lookup.function(GQA_8), one.norm).distance, one
    )
    assert float(found[0]) == pytest.approx(float(np.mean((exact - printed) ** 2)), rel=1e-9)


def test_a_lattice_is_kept_and_costs_something():
    target, norm, step = lookup.function("gelu"), Norm.grid(-4.0, 4.0, 161), Fraction(1, 16)
    formula = on_lattice(target, norm.points, 5, step)
    numbers = [Fraction(number) for number in formula.translate(str.maketrans("{};,<>*x()+ ", " " * 12)).split()]
    assert all((number / step).denominator == 1 for number in numbers)
    errors = [
        float(judgement.compare(target, lookup.function(f), norm).distance[1])
        for f in (formula, judgement.design(target, "pwl", pieces=5, norm=norm).polynomials.formula)
    ]
    assert errors[1] < errors[0] < 10 * errors[1]


def test_a_target_on_the_lattice_is_found():
    formula = on_lattice(lookup.function("relu"), np.linspace(-2, 2, 33), 2, Fraction(1, 4))
    assert float(judgement.compare(lookup.function("relu"), lookup.function(formula), LINE).distance[1]) == 0


@pytest.mark.parametrize("name", ["Flex-SFU, 8 breakpoints, linear", "quick-GELU"])
def test_the_record_holds_what_the_code_finds(name):
    known = json.loads((ROOT / "results" / "literature.json").read_text())["entries"]
    one = next(one for one in PRINTED if one.name == name)
    found = judged(one).to_dict()
    (recorded,) = (e for e in known if (e["name"], e["target"]) == (one.name, one.target))
    assert {**found, "ours": 0, "lower": 0, "formula": 0, "seconds": 0, "sentence": 0} == {
        **recorded, "ours": 0, "lower": 0, "formula": 0, "seconds": 0, "sentence": 0,
    }  # fmt: skip
    assert float(found["ours"][1]) == pytest.approx(float(recorded["ours"][1]), rel=1e-6)
    assert float(found["lower"]) == pytest.approx(float(recorded["lower"]), rel=0.02)


def test_the_record_is_whole():
    known = json.loads((ROOT / "results" / "literature.json").read_text())["entries"]
    assert [(e["name"], e["target"], e["source"], e["figure"]) for e in known] == [
        (one.name, one.target, one.source, one.figure or None) for one in PRINTED
    ]
