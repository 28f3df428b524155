"""The best constants of a format, against an exhaustive search of the lattice."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from analysis.activation import lookup
from analysis.activation.errors import BadInput
from analysis.exact.verdict import Verdict
from analysis.optimal.fitting import rounding, search
from analysis.optimal.fitting.constants import fit
from analysis.optimal.fitting.residual import Residual
from analysis.optimal.lattice import Lattice
from analysis.rigorous.intervals import Interval
from analysis.rigorous.norms import Norm


def residual(norm: Norm | None = None) -> Residual:
    return Residual.of(lookup.family("hard_gate"), lookup.function("mish"), norm or Norm(), {})


def exhaustive(points: list[float], norm: Norm) -> tuple[float, float]:
    return min(itertools.product(points, repeat=2), key=lambda p: search.value(residual(norm), np.array(p))[0])


@pytest.mark.proof
def test_the_threads_question_which_integers_are_best_for_mish():
    found = fit("hard_gate", "mish", round="integer")
    assert (found.constants, found.verdict) == ({"a": 5.0, "b": 3.0}, Verdict.PROVED)
    assert "no other constants of the format integer" in found.optimum.reason
    assert exhaustive([float(n) for n in range(1, 13)], Norm()) == (5, 3)


@pytest.mark.parametrize("norm", [Norm("gaussian"), Norm.grid(-6, 6, 200)])
def test_integers_in_the_other_norms_are_those_of_an_exhaustive_search(norm):
    found = fit("hard_gate", "mish", norm, round="integer")
    assert tuple(found.constants.values()) == exhaustive([float(n) for n in range(1, 8)], norm)


@pytest.mark.proof
@pytest.mark.parametrize("text", ["1/8", "float16"])
def test_rounded_constants_are_of_the_format_and_proved(text):
    found = fit("hard_gate", "mish", round=text)
    lattice = Lattice.of(text)
    for value in found.constants.values():
        assert lattice.below(value) == lattice.above(value)
    assert found.verdict is Verdict.PROVED
    nearest = [min(lattice.around(t, 1), key=lambda p, t=t: abs(p - t)) for t in found.unrounded]
    naive = search.value(residual(), np.array([float(c) for c in nearest]))[0]
    assert float(found.error[1]) <= naive * (1 + 1e-9)
    assert found.optimum.lower <= float(found.error[0])


def test_better_constants_of_the_format_are_noticed():
    theta = np.array([6.0, 3.0])
    claimed = search.value(residual(), theta)[0]
    better = rounding.none_better(residual(), theta, claimed, Lattice.of("integer"))
    assert better is not True
    assert search.value(residual(), np.array([float(c) for c in better]))[0] < claimed


def test_a_best_constant_that_is_of_the_format_already_stays():
    found = fit("a*x", "relu", Norm.grid(-1, 1, 9), round="1/8")
    assert found.constants == {"a": 0.5}


@pytest.mark.parametrize("norm", [Norm.grid(-6, 6, 200), pytest.param(Norm(), marks=pytest.mark.proof)])
def test_fixed_constants_are_left_as_they_are_and_named(norm):
    found = fit("hard_gate", "mish", norm, fix={"b": "2.9"}, round="1/8")
    assert found.constants["b"] == 2.9
    assert (found.constants["a"] * 8).is_integer()
    assert "constant a rounded to 1/8" in found.sheet().title
    assert "only free constants are rounded; not of 1/8: b = 2.9" in found.note
    of_the_format = fit("hard_gate", "mish", norm, fix={"b": "2.875"}, round="1/8")
    assert "rounded" not in of_the_format.note


def test_constants_that_grow_without_bound_stop_at_the_largest_of_the_format():
    found = fit("swish", "relu", round="float16")
    assert found.constants["beta"] == 65504
    peak = 0.27846454276107379510936
    assert float(found.error[0]) <= peak / 65504 <= float(found.error[1])
    bounded = Residual.of(lookup.family("swish"), lookup.function("relu"), Norm(), {})
    assert rounding.none_better(bounded, np.array([65504.0]), peak / 65504, Lattice.of("float16")) is True
    assert rounding.none_better(bounded, np.array([65504.0]), 1.001 * peak / 65504, Lattice.of("float16")) == (65504,)


def best_near(centres: tuple[float, float], lattice: Lattice) -> tuple[tuple[Fraction, ...], float]:
    """The best of 25 points of the lattice, with its error."""
    points = list(itertools.product(*(lattice.around(centre, 2) for centre in centres)))
    errors = [search.value(residual(), np.array([float(c) for c in p]))[0] for p in points]
    return points[int(np.argmin(errors))], min(errors)


@pytest.mark.parametrize(
    "text", ["1/3", *(pytest.param(text, marks=pytest.mark.proof) for text in ("1/7", "3/11", "5/13"))]
)
def test_points_that_are_no_doubles_are_not_skipped(text):
    """The best point must be found where a little worse is claimed, and none where a little better is."""
    lattice = Lattice.of(text)
    best, error = best_near((5.4, 3.04), lattice)
    theta = np.array([float(c) for c in best])
    assert rounding.none_better(residual(), theta, error * (1 + 5e-4), lattice) == best
    assert rounding.none_better(residual(), theta, error * (1 + 1e-13), lattice) is True


@pytest.mark.proof
@pytest.mark.parametrize("text", ["1/3", "1/7", "3/11", "5/13"])
def test_nor_by_a_fit(text):
    found = fit("hard_gate", "mish", round=text)
    assert found.verdict is Verdict.PROVED
    best, _ = best_near((5.4, 3.04), Lattice.of(text))
    assert tuple(Fraction(int(found.exact[n].p), int(found.exact[n].q)) for n in "ab") == best


def test_each_lattice_point_of_a_box_is_in_one_of_its_halves():
    """Whatever double a box is cut at, 1/3 + k stays in a part."""
    lattice = Lattice.of("1/3")
    found = rounding._LatticeSearch(residual(), np.array([16 / 3, 3.0]), 0.14564746, lattice)
    symbol = residual().free[0]
    for k in range(1, 40):
        point = Fraction(k, 3)
        near = float(point)
        for cut in (math.nextafter(near, 0), near, math.nextafter(near, math.inf)):
            parts = [found._outermost(part, symbol) for part in (Interval(0.0, cut), Interval(cut, 20.0))]
            assert any(first <= point <= last for first, last in parts)
            for ends, part in zip(parts, (Interval(0.0, cut), Interval(cut, 20.0)), strict=True):
                kept = rounding._cut(part, ends)
                assert Fraction(kept.low) <= ends[0]
                assert ends[1] <= Fraction(kept.high)


@pytest.mark.proof
def test_a_better_point_far_from_the_found_one_is_not_denied():
    """The search stays at a = 4, with the error 0.1033; a = 28/3 has 0.1012."""
    found = fit("(2 + sin(13*a) + 10*relu(a - 10))*tanh(x)", "2.95*tanh(x) + exp(-x**2)/10", round="2/3")
    assert found.constants["a"] == pytest.approx(28 / 3) or found.verdict is Verdict.UNDECIDED
    assert found.optimum.lower <= 0.1013


def test_a_fixed_point_constant_is_proved_best_of_its_format():
    """Of all positive codes of a byte."""
    found = fit("swish", "gelu", round="fixed:3.5")
    assert found.verdict is Verdict.PROVED
    assert "no other constants of the format fixed:3.5" in found.optimum.reason
    swish = Residual.of(lookup.family("swish"), lookup.function("gelu"), Norm(), {})
    codes = [code / 32 for code in range(1, 128)]
    assert found.constants["beta"] == min(codes, key=lambda c: search.value(swish, np.array([c]))[0])


def test_constants_that_do_not_fit_the_format_are_one_clear_line():
    with pytest.raises(
        BadInput, match=r"reaches the best a, 5\.395\d+, got fixed:3\.5, which goes from -4 to 3\.96875"
    ):
        fit("hard_gate", "mish", round="fixed:3.5")


def test_constants_that_grow_without_bound_stop_at_the_end_of_the_word():
    found = fit("swish", "relu", round="fixed:8.8")
    assert found.constants["beta"] == 127 + 255 / 256
