"""Piecewise quadratics with free knots: certified, bounded from below, and as smooth as they say."""

import functools
import math

import numpy as np
import pytest
import sympy as sp

from analysis.activation import lookup, lowering
from analysis.activation.errors import BadInput
from analysis.exact.verdict import Verdict
from analysis.optimal.lattice import Lattice
from analysis.optimal.shapes import quadratic, sign_changes, spline
from analysis.optimal.shapes.basis import SMOOTH
from analysis.optimal.shapes.pigeonhole import Pigeonhole
from analysis.rigorous.distance import supremum
from analysis.rigorous.norms import Norm

CORE = Norm("sup", -8, 8)


@functools.cache
def design(name, pieces=None, norm=CORE, tolerance=None, lattice=None, smooth=True):
    return quadratic.best(lookup.function(name), norm, pieces, tolerance, lattice, smooth)


@pytest.mark.parametrize(
    ("norm", "smooth"),
    [
        (Norm(), True),
        pytest.param(CORE, True, marks=pytest.mark.proof),
        pytest.param(Norm("sup", -math.inf, 2), False, marks=pytest.mark.proof),
    ],
)
def test_designs_are_smooth_certified_and_above_the_bound(norm, smooth):
    found = design("softplus", 4 if smooth else 3, norm, smooth=smooth)
    assert found.smoothness == (1 if smooth else 0)
    assert 0 < found.bound.lower <= float(found.error[0])
    assert found.gap < 3
    ends = [sp.oo * int(math.copysign(1, e)) if math.isinf(e) else sp.Rational(e) for e in norm.ends]
    difference = found.target.expression - lookup.function(found.polynomials.formula).expression
    assert float(supremum(difference, *ends).pair()[1]) == pytest.approx(float(found.error[1]), rel=1e-10)


def test_free_knots_are_better_than_even_ones_and_continuous_pieces_than_smooth_ones():
    norm = Norm("sup", 0, 4)
    smooth, rough = design("tanh", 2, norm), design("tanh", 2, norm, smooth=False)
    even = spline.best(lookup.function("tanh"), norm, 2, None, "uniform", None, SMOOTH)
    assert float(rough.error[1]) <= float(smooth.error[1]) * (1 + 1e-6) <= float(even.error[1]) * (1 + 1e-6)


def test_no_random_piecewise_quadratic_is_below_the_bound():
    """Least-squares quadratics between random knots, which need not even meet."""
    target = spline.target_of(lookup.function("mish"), CORE)
    search = spline.Search(target, SMOOTH)
    x = np.linspace(-8, 8, 4001)
    f, rng = lowering.evaluator(target.expression)(x), np.random.default_rng(1)
    for pieces in (2, 3, 4):
        lower = float(Pigeonhole(target, search.problem.curve, 2, search.outside).lower(pieces))
        assert lower > 0
        for _ in range(30):
            cuts = np.sort(rng.uniform(-6, 6, pieces - 1))
            parts = np.split(np.arange(len(x)), np.searchsorted(x, cuts))
            errors = [abs(f[p] - np.polyval(np.polyfit(x[p], f[p], 2), x[p])).max() for p in parts if len(p) > 3]
            assert max(errors) >= lower * (1 - 1e-4), "a grid misses a maximum by little"


def test_the_bound_is_tight_for_one_piece():
    """There the best quadratic is known, and the bound is that of de la Vallee Poussin."""
    found = design("mish", 1)
    assert float(found.error[1]) == pytest.approx(found.bound.lower, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "pieces", "norm"),
    [pytest.param("tanh", 3, Norm(), marks=pytest.mark.proof), ("exp(x)", 3, Norm("sup", -1, 2))],
)
def test_an_error_that_turns_often_enough_proves_the_design_best(name, pieces, norm):
    """exp has a third derivative of one sign: there the best spline always turns so often."""
    pieces += 1 if norm == Norm() else 0
    found = design(name, pieces, norm)
    assert found.verdict is Verdict.PROVED
    assert found.bound.lower <= float(found.error[0]) * (1 + 1e-12)


@pytest.mark.proof
def test_the_turns_of_an_error_prove_something_of_as_many_knots_and_nothing_of_many_more():
    norm = Norm("sup", -1, 2)
    search = spline.Search(spline.target_of(lookup.function("exp(x)"), norm), SMOOTH)
    best, finer = design("exp(x)", 3, norm), design("exp(x)", 4, norm)
    lower = [float(sign_changes.lower(search, best.polynomials, knots)) for knots in (1, 2, 3)]
    assert lower[0] >= lower[1] == pytest.approx(float(best.error[0]), rel=1e-6)
    assert lower[2] == 0
    assert sign_changes.lower(search, finer.polynomials, 2) <= lower[1]


def test_no_smooth_spline_is_below_the_bound_of_sign_changes():
    """Least-squares splines on random knots."""
    norm = Norm("sup", -1, 2)
    found = design("exp(x)", 3, norm)
    x, rng = np.linspace(-1, 2, 2001), np.random.default_rng(3)
    for _ in range(40):
        knots = np.sort(rng.uniform(-1, 2, 2))
        basis = np.stack([x**0, x, x**2, *(np.maximum(x - k, 0) ** 2 for k in knots)], axis=1)
        rest = np.exp(x) - basis @ np.linalg.lstsq(basis, np.exp(x), rcond=None)[0]
        assert abs(rest).max() >= found.bound.lower * (1 - 1e-4), "a grid misses a maximum by little"


@pytest.mark.parametrize("tolerance", [0.05, pytest.param(0.02, marks=pytest.mark.proof)])
def test_a_tolerance_is_kept(tolerance):
    found = design("exp(x)", norm=Norm("sup", -1, 2), tolerance=tolerance)
    assert float(found.error[1]) <= tolerance
    assert found.fewest is Verdict.PROVED
    assert float(design("exp(x)", found.pieces - 1, Norm("sup", -1, 2)).error[0]) > tolerance


@pytest.mark.parametrize(("name", "smooth"), [("hard_swish", False), ("x**2", True), ("relu", False)])
def test_a_target_of_this_shape_is_its_own_design(name, smooth):
    found = design(name, 4, smooth=smooth)
    assert found.error == ("0", "0")
    assert found.verdict is Verdict.PROVED


@pytest.mark.parametrize("pieces", [4, pytest.param(5, marks=pytest.mark.proof)])
def test_rounded_knots_and_coefficients_are_of_the_format(pieces):
    lattice = Lattice.of("float16")
    found = design("gelu", pieces, Norm(), lattice=lattice)
    polynomials = found.polynomials
    assert all(lattice.holds(float(c)) for row in polynomials.coefficients for c in row)
    assert all(lattice.holds(float(k)) for k in polynomials.knots)
    assert found.bound.lower <= float(found.error[1])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"norm": Norm("l2", -8, 8)}, "expected the norm sup"),
        ({"norm": Norm(), "pieces": 3}, "at least 4 pieces, 2 of which are asymptotes"),
        ({"pieces": 0}, "at least 1 pieces"),
        ({"pieces": None, "tolerance": 0.0}, "positive tolerance"),
        ({"name": "x**2", "norm": Norm()}, "asymptote at -inf"),
    ],
)
def test_what_cannot_be_designed_is_one_clear_line(change, expected):
    with pytest.raises(BadInput, match=expected):
        design(**({"name": "mish", "pieces": 4} | change))
