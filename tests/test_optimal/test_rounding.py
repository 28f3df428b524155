"""The best constants of a format, against an exhaustive search of the lattice."""

import itertools

import numpy as np
import pytest

from analysis.activation import lookup
from analysis.activation.errors import BadInput
from analysis.exact.verdict import Verdict
from analysis.optimal import rounding, search
from analysis.optimal.constants import fit
from analysis.optimal.lattice import Lattice
from analysis.optimal.residual import Residual
from analysis.rigorous.norms import Norm


def residual(norm: Norm | None = None) -> Residual:
    return Residual.of(lookup.family("hard_gate"), lookup.function("mish"), norm or Norm(), {})


def exhaustive(points: list[float], norm: Norm) -> tuple[float, float]:
    return min(itertools.product(points, repeat=2), key=lambda p: search.value(residual(norm), np.array(p))[0])


def test_the_threads_question_which_integers_are_best_for_mish():
    found = fit("hard_gate", "mish", round="integer")
    assert (found.constants, found.verdict) == ({"a": 5.0, "b": 3.0}, Verdict.PROVED)
    assert "no other constants of the format integer" in found.optimum.reason
    assert exhaustive([float(n) for n in range(1, 13)], Norm()) == (5, 3)


@pytest.mark.parametrize("norm", [Norm("gaussian"), Norm.grid(-6, 6, 200)])
def test_integers_in_the_other_norms_are_those_of_an_exhaustive_search(norm):
    found = fit("hard_gate", "mish", norm, round="integer")
    assert tuple(found.constants.values()) == exhaustive([float(n) for n in range(1, 8)], norm)


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


def test_fixed_constants_are_left_as_they_are():
    found = fit("hard_gate", "mish", fix={"b": "2.9"}, round="1/8")
    assert found.constants["b"] == 2.9
    assert (found.constants["a"] * 8).is_integer()


def test_a_format_without_admissible_constants_is_refused():
    with pytest.raises(BadInput, match="range of float16"):
        fit("swish", "relu", round="float16")
