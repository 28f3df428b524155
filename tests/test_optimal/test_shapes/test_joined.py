"""What no joined piecewise quadratic can do: never more than one does, and nearly that."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.activation import lookup
from analysis.optimal.shapes import quadratic
from analysis.optimal.shapes.basis import CONTINUOUS, SMOOTH
from analysis.optimal.shapes.joined import Joined
from analysis.optimal.shapes.pigeonhole import Pigeonhole
from analysis.optimal.shapes.spacing import Search
from analysis.optimal.shapes.spline import target_of
from analysis.rigorous.norms import Norm

FINITE, LINE, HALF = Norm("sup", -4, 4), Norm(), Norm("sup", -np.inf, 3)
CASES = [(name, norm, shape) for name, norm in (("mish", FINITE), ("gelu", LINE), ("silu", HALF), ("relu", FINITE))
         for shape in (CONTINUOUS, SMOOTH)]  # fmt: skip


@pytest.fixture(scope="module")
def proofs():
    known = {}

    def of(name, norm, shape) -> tuple[Search, Joined]:
        if (name, norm, shape) not in known:
            search = Search(target_of(lookup.function(name), norm), shape)
            hole = Pigeonhole(search.target, search.problem.curve, 2, search.outside)
            known[name, norm, shape] = search, Joined(hole, bool(shape.smooth))
        return known[name, norm, shape]

    return of


def reached(search: Search, knots: np.ndarray) -> float:
    """The error of a spline on the knots, asymptotes included."""
    aside = [one(end) for one, end in zip(search.outside, knots[[0, -1]].tolist(), strict=True) if one]
    return max([search.problem.best(knots).error, *aside])


def excluded(name, norm, shape, seed, pieces, proofs) -> bool:
    """Whether the error of a spline on random knots is."""
    search, joined = proofs(name, norm, shape)
    rng = np.random.default_rng(seed)
    low, high = (float(end) if end.is_finite else side * 5.0 for end, side in
                 ((search.target.lower, -1), (search.target.upper, 1)))  # fmt: skip
    inner = np.sort(rng.uniform(low, high, pieces - 1))
    knots = np.array([low, *inner, high])
    return joined.excludes(pieces, reached(search, knots) * (1 + 1e-9) + 1e-12)


@pytest.mark.parametrize(("name", "norm", "shape"), [CASES[1], CASES[2], CASES[4]])
@settings(max_examples=3)
@given(seed=st.integers(0, 2**32 - 1), pieces=st.integers(1, 5))
def test_an_error_that_is_reached_is_never_excluded(name, norm, shape, seed, pieces, proofs):
    assert not excluded(name, norm, shape, seed, pieces, proofs)


@pytest.mark.proof
@pytest.mark.parametrize(("name", "norm", "shape"), CASES)
@settings(max_examples=12)
@given(seed=st.integers(0, 2**32 - 1), pieces=st.integers(1, 5))
def test_nor_are_the_errors_of_more_splines(name, norm, shape, seed, pieces, proofs):
    assert not excluded(name, norm, shape, seed, pieces, proofs)


@pytest.mark.proof
@pytest.mark.parametrize(("name", "norm"), [("mish", FINITE), ("gelu", LINE), ("tanh(x)", FINITE), ("silu", HALF)])
@pytest.mark.parametrize("shape", [CONTINUOUS, SMOOTH])
def test_nor_is_that_of_the_best_design_that_is_found(name, norm, shape, proofs, monkeypatch):
    monkeypatch.setattr("analysis.optimal.shapes.joined.WORK", 60)
    search, joined = proofs(name, norm, shape)
    free = quadratic._Free(search)
    for pieces in (4, 5):
        assert not joined.excludes(pieces - search.outer, free.best(pieces)[1] * (1 + 1e-7))


@pytest.mark.parametrize("shape", [CONTINUOUS, SMOOTH])
@pytest.mark.parametrize("norm", [FINITE, LINE])
def test_an_error_far_below_what_is_reached_is_excluded_where_pieces_that_need_not_meet_reach_it(norm, shape, proofs):
    search, joined = proofs("mish" if norm is FINITE else "gelu", norm, shape)
    pieces = 6
    apart = float(joined.pigeonhole.lower(pieces + search.outer))
    assert joined.excludes(pieces, 1.15 * apart)
    assert not joined.excludes(pieces, 3 * apart)


def test_nor_is_that_of_the_best_continuous_pieces_for_gelu(proofs, monkeypatch):
    monkeypatch.setattr("analysis.optimal.shapes.joined.WORK", 20)
    search, joined = proofs("gelu", LINE, CONTINUOUS)
    assert not joined.excludes(4 - search.outer, quadratic._Free(search).best(4)[1] * (1 + 1e-7))


def test_smooth_chains_are_excluded_where_continuous_ones_are_not(proofs):
    """Between the asymptotes of GELU three smooth pieces reach 0.0075, as many continuous ones 0.0047."""
    _, joints = proofs("gelu", LINE, CONTINUOUS)
    _, smooth = proofs("gelu", LINE, SMOOTH)
    assert smooth.excludes(4, 0.0055)
    assert not joints.excludes(4, 0.0055)


@pytest.mark.parametrize("pieces", [3, pytest.param(4, marks=pytest.mark.proof)])
def test_a_better_bound_is_between_what_is_proved_and_what_is_reached(proofs, pieces):
    _, joined = proofs("mish", FINITE, CONTINUOUS)
    apart = float(joined.pigeonhole.lower(pieces))
    tried = []
    found = joined.lower(pieces, apart, 2 * apart, lambda knots: tried.append(knots) or 2 * apart)
    assert apart < found < 2 * apart
    assert all((np.diff(knots) >= 0).all() and len(knots) == pieces + 1 for knots in tried)
    assert joined.lower(10**6, apart, 2 * apart) == apart  # too many pieces for a proof of this kind
    assert not joined.excludes(0, apart)
