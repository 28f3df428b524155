"""Splines on knots that arithmetic finds: proved best on their knots, and over all knots of their kind."""

import functools
import math
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.activation import lookup
from analysis.activation.errors import BadInput, Refused
from analysis.exact.verdict import Verdict
from analysis.optimal.designs import Polynomials
from analysis.optimal.lattice import Lattice
from analysis.optimal.shapes import multipliers, pwl, spline
from analysis.optimal.shapes.basis import CONTINUOUS, LINEAR, SMOOTH, beside
from analysis.optimal.shapes.exchange import Problem
from analysis.optimal.shapes.linear import Target
from analysis.rigorous.norms import Norm

CORE = Norm("sup", -8, 8)
SHAPES = [LINEAR, SMOOTH, CONTINUOUS]


@functools.cache
def design(name, pieces=None, knots="uniform", norm=CORE, tolerance=None, lattice=None, shape=LINEAR):
    return spline.best(lookup.function(name), norm, pieces, tolerance, knots, lattice, shape)


def problem(name, shape, norm=CORE):
    return Problem(spline.target_of(lookup.function(name), norm), shape)


def evenly(n):
    return [Fraction(-8) + Fraction(16 * i, n) for i in range(n + 1)]


def floats(knots):
    return np.array([float(k) for k in knots])


@pytest.mark.parametrize("shape", SHAPES)
def test_the_basis_adds_up_to_one_and_holds_every_line(shape):
    knots = [Fraction(k) for k in (-3, -1, 0, 2, 7)]
    values = [2 * a + 1 for a in shape.abscissae(knots)]
    assert len(values) == shape.size(4)
    for piece in range(4):
        u, v = knots[piece : piece + 2]
        x = u + (v - u) / 3
        weights = shape.weights(x, *beside(knots, piece))
        own = values[shape.first(piece) : shape.first(piece) + shape.degree + 1]
        assert sum(weights) == 1
        assert sum(w * c for w, c in zip(weights, own, strict=True)) == 2 * x + 1
        powers = shape.powers(own, *beside(knots, piece))
        assert sum(c * (x - u) ** k for k, c in enumerate(powers)) == 2 * x + 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["mish", "tanh", "elu"])
@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_the_best_on_given_knots_is_proved(shape, name, n):
    found = problem(name, shape)
    fit = found.best(floats(evenly(n)))
    lower = multipliers.lower(found, fit, evenly(n))
    assert lower <= Fraction(fit.error * (1 + 1e-12))
    assert fit.error <= float(lower) * (1 + (1e-9 if shape == LINEAR else 1e-7))


@pytest.mark.parametrize("shape", SHAPES)
def test_other_coefficients_are_worse(shape):
    found, knots = problem("mish", shape), floats(evenly(6))
    fit, rng = found.best(knots), np.random.default_rng(0)
    for scale in (1e-3, 1e-2, 1.0):
        for _ in range(5):
            moved = fit.coefficients + scale * fit.error * rng.normal(size=len(fit.coefficients))
            assert found.maxima(fit.gaps, knots, moved)[1].max() >= fit.error * (1 - 1e-12)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 7))
def test_no_random_member_is_below_the_proved_bound(seed, n):
    rng, found = np.random.default_rng(seed), problem("gelu", LINEAR)
    fit = found.best(floats(evenly(n)))
    lower = float(multipliers.lower(found, fit, evenly(n)))
    knots = floats(evenly(n))
    values = found.start(knots)[0] + rng.choice([1e-2, 0.3]) * rng.normal(size=n + 1)
    assert found.maxima(fit.gaps, knots, values)[1].max() >= lower


@pytest.mark.parametrize("norm", [CORE, Norm(), Norm("sup", 0, math.inf)])
@pytest.mark.parametrize("kind", spline.KINDS)
def test_free_knots_are_never_worse(kind, norm):
    found = design("mish", 8, kind, norm)
    free = pwl.free(lookup.function("mish"), norm, found.pieces, None)
    assert float(found.error[1]) >= float(free.error[0])
    assert found.bound.lower <= float(found.error[1])
    assert found.pieces <= 8


@pytest.mark.parametrize("norm", [CORE, Norm()])
@pytest.mark.parametrize("kind", ["dyadic", "float"])
@pytest.mark.parametrize("name", ["mish", "tanh"])
def test_dyadic_and_float_knots_are_proved_best(name, kind, norm):
    found = design(name, 8, kind, norm)
    assert found.verdict is Verdict.PROVED
    assert found.gap < 1e-8


def test_the_best_dyadic_knots_beat_all_others_on_their_grid_and_on_neighbouring_ones():
    target = spline.target_of(lookup.function("mish"), CORE)
    best, search = design("mish", 6, "dyadic"), spline.Search(target, LINEAR)
    step = np.diff([float(k) for k in best.polynomials.knots])
    assert (step == step[0]).all()
    assert math.log2(step[0]).is_integer()
    for h in (Fraction(1, 2), Fraction(1), Fraction(2)):
        for first in range(-6, 3):
            knots = [(first + i) * h for i in range(5)]
            if -8 < knots[0] and knots[-1] < 8:
                assert search.on(knots).error >= float(best.error[0]) * (1 - 1e-9)


def test_float_knots_are_those_of_exponent_and_mantissa():
    knots = [Fraction(float(k)) for k in design("tanh", 16, "float").polynomials.knots]
    assert [-k for k in reversed(knots)] == knots
    assert all(math.frexp(float(k))[0] * 16 % 1 == 0 for k in knots)


def test_on_the_line_the_outer_pieces_are_the_asymptotes():
    for kind in spline.KINDS:
        found = design("elu", 9, kind, Norm())
        assert [str(e) for e in (found.polynomials.expressions[0], found.polynomials.expressions[-1])] == ["-1", "x"]
        assert found.smoothness == 0


@pytest.mark.parametrize(("name", "kind"), [("relu", "uniform"), ("hard_tanh", "dyadic"), ("3*x + 1", "uniform")])
def test_a_target_on_the_grid_is_met_exactly(name, kind):
    assert float(design(name, 16, kind).error[1]) < 1e-14


@pytest.mark.parametrize("kind", ["uniform", "float"])
def test_a_tolerance_is_kept_with_the_fewest_pieces(kind):
    found = design("tanh", knots=kind, tolerance=0.06)
    assert float(found.error[1]) <= 0.06
    assert found.fewest is Verdict.PROVED


def test_the_evenly_spaced_with_fewer_pieces_do_not_keep_the_tolerance():
    found = design("mish", knots="uniform", tolerance=0.05)
    assert all(float(design("mish", n).error[0]) > 0.05 for n in range(1, found.pieces))


def test_rounded_coefficients_are_of_the_format_and_certified():
    lattice = Lattice.of("float16")
    found, exact = design("mish", 8, "dyadic", Norm(), lattice=lattice), design("mish", 8, "dyadic", Norm())
    assert all(lattice.holds(float(c)) for row in found.polynomials.coefficients for c in row)
    assert float(exact.error[1]) * 0.3 < float(found.error[1]) < float(exact.error[1]) * 1.01
    assert found.bound.lower <= float(found.error[1])


def test_a_format_without_the_asymptote_is_one_clear_line():
    with pytest.raises(BadInput, match="expected a format that holds the asymptote"):
        design("selu", 8, "dyadic", Norm(), lattice=Lattice.of("bfloat16"))
    assert Lattice.of("1/8").nearest(Fraction(1, 3)) == Fraction(3, 8)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"knots": "even"}, "knots out of uniform"),
        ({"norm": Norm("l2", -8, 8)}, "expected the norm sup"),
        ({"pieces": 0}, "at least 1 pieces"),
        ({"norm": Norm(), "pieces": 2}, "at least 3 pieces, 2 of which are asymptotes"),
        ({"pieces": None, "tolerance": -1.0}, "positive tolerance"),
        ({"pieces": 10**6}, "at most 4096"),
    ],
)
def test_what_cannot_be_designed_is_one_clear_line(change, expected):
    with pytest.raises(BadInput, match=expected):
        design(**({"name": "mish", "pieces": 8} | change))


def test_a_value_apart_from_the_pieces_counts_in_the_certificate():
    target = Target(lookup.function("x**2 + step(x)*step(-x)").expression, sp.Integer(-1), sp.Integer(1))
    itself = Polynomials((), ((sp.S.Zero, sp.S.Zero, sp.S.One),))
    assert float(spline.certified(target, itself)[0]) == pytest.approx(1)


def test_a_tolerance_is_kept_after_rounding_or_refused():
    target, norm = lookup.function("tanh"), Norm("sup", 0, 1)
    found = spline.best(target, norm, None, 2e-2, "uniform", Lattice.of("dyadic:8"))
    assert float(found.error[1]) <= found.tolerance == 2e-2
    assert found.fewest is Verdict.UNDECIDED
    with pytest.raises(Refused, match=r"no numbers of the format found that keep 0\.02; the least error is"):
        spline.best(target, norm, None, 2e-2, "uniform", Lattice.of("dyadic:1"))
