"""The best rational functions on an interval: provable above, refutable below, and what degenerates."""

import functools
import math
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.activation import lookup, lowering
from analysis.activation.errors import BadInput, Undecided
from analysis.exact.verdict import Verdict
from analysis.optimal.lattice import Lattice
from analysis.optimal.shapes import alternation, rational
from analysis.optimal.shapes.alternation import Rational, alternating, shifted
from analysis.rigorous.distance import supremum
from analysis.rigorous.norms import Norm

CORE = Norm("sup", -8, 8)
BRASIL = {3: 0.047403291547938486, 4: 0.006289116735024736, 5: 0.0021380874583428024, 6: 0.00028789562386547125}


@functools.cache
def design(name, m=None, n=None, norm=CORE, tolerance=None, lattice=None):
    degrees = None if m is None else (m, n)
    return rational.best(lookup.function(name), norm, degrees, tolerance, lattice and Lattice.of(lattice))


@pytest.mark.parametrize("n", BRASIL)
def test_mish_is_proved_best_and_no_worse_than_by_brasil(n):
    """baryrat 2.1.3: brasil(mish, [-8, 8], n); for n = 5 it does not converge."""
    found = design("mish", n, n)
    assert found.verdict is Verdict.PROVED
    assert found.gap < 1e-11
    assert float(found.error[1]) <= BRASIL[n]


@pytest.mark.parametrize(
    ("name", "m", "n"),
    [("relu", 3, 3), ("tanh", 2, 2), ("gelu", 3, 1), ("hard_swish", 2, 2), ("mish", 4, 0), ("elu", 0, 3)],
)
def test_other_targets_and_types_are_proved_best(name, m, n):
    found = design(name, m, n)
    assert found.verdict is Verdict.PROVED
    assert found.gap < 1e-10


@pytest.mark.parametrize(("name", "n"), [("abs(x)", 3), ("exp(-x**2)", 3), ("sin(3*x)", 2)])
def test_a_best_function_of_lower_degrees_is_proved_best_of_the_higher(name, n):
    found = design(name, n, n)
    assert found.verdict is Verdict.PROVED
    assert float(found.error[1]) == pytest.approx(float(design(name, n - 1, n - 1).error[1]), rel=1e-9)


def test_the_known_error_for_the_absolute_value():
    """On [-1, 1], type (2, 2): 0.04368 (Varga, Ruttan and Carpenter 1993)."""
    assert float(design("abs(x)", 2, 2).error[1]) / 8 == pytest.approx(0.0436890126922, rel=1e-9)


def test_the_certified_error_is_that_of_the_formula():
    found = design("mish", 3, 2)
    formula = lookup.function(found.polynomials.formula).expression
    low, high = supremum(found.target.expression - formula, sp.Integer(-8), sp.Integer(8)).pair()
    assert float(low) <= float(found.error[1]) * (1 + 1e-12)
    assert float(high) >= float(found.error[0]) * (1 - 1e-12)


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), size=st.sampled_from([1e-6, 1e-3, 0.1]))
def test_changed_coefficients_are_worse_than_the_bound(seed, size):
    found = design("mish", 3, 3)
    rng = np.random.default_rng(seed)
    x = np.linspace(-8, 8, 4001)
    p, q = (np.array([float(c) for c in row]) for row in found.polynomials.coefficients)
    p, q = (row * (1 + size * rng.normal(size=len(row))) for row in (p, q))
    below = np.polynomial.polynomial.polyval(x, q)
    if (below > 0).all():
        error = np.abs(lowering.evaluator(found.target.expression)(x) - np.polynomial.polynomial.polyval(x, p) / below)
        assert error.max() >= found.bound.lower * (1 - 1e-5), "a grid misses a maximum by little"


def test_points_that_do_not_alternate_prove_nothing():
    target = rational._target(lookup.function("mish"), CORE)
    problem, found = alternation.best(target, 3, 3)
    p, q = (shifted(row, -problem.middle / problem.radius, 1 / problem.radius) for row in
            (found.rational.numerator, found.rational.denominator))  # fmt: skip
    points = found.points
    assert problem.bound(Rational(p, q), points) == pytest.approx(found.error, rel=1e-10)
    assert problem.bound(Rational(p, q), (*points[:-1], points[-1] - 0.5)) < found.error * (1 - 1e-3)
    assert problem.bound(Rational(p, q), (points[0], points[0], *points[2:])) == 0
    assert problem.bound(Rational((p[0] + 1, *p[1:]), q), points) == 0


def test_a_pole_is_seen():
    assert Rational((Fraction(1),), (Fraction(1), Fraction(0), Fraction(1))).has_no_pole(Fraction(-8), Fraction(8))
    assert not Rational((Fraction(1),), (Fraction(1), Fraction(1))).has_no_pole(Fraction(-8), Fraction(8))
    assert not Rational((Fraction(1),), (Fraction(0), Fraction(0), Fraction(1))).has_no_pole(Fraction(-8), Fraction(8))


def test_the_largest_alternation_is_kept():
    summits = [(0.0, 1.0), (1.0, -3.0), (2.0, -4.0), (3.0, 0.1), (4.0, -2.0), (5.0, 5.0)]
    assert alternating(summits, 3) == [(0.0, 1.0), (2.0, -4.0), (5.0, 5.0)]


def test_a_tolerance_gives_the_least_degree():
    found = design("mish", tolerance=0.01)
    assert found.shape == "rational:4,4"
    assert found.fewest is Verdict.PROVED
    assert float(found.error[1]) <= 0.01 < design("mish", 3, 3).bound.lower


def test_a_rounded_design_lies_on_the_lattice_and_keeps_the_bound():
    lattice, plain = Lattice.of("float16"), design("mish", 2, 2)
    found = design("mish", 2, 2, lattice="float16")
    assert all(lattice.holds(float(c)) for row in found.polynomials.coefficients for c in row)
    assert found.bound == plain.bound
    assert plain.bound.lower < float(found.error[1]) < 1.02 * plain.bound.lower
    assert design("mish", 2, 2, lattice="float32").gap < 1e-5


@pytest.mark.parametrize("name", ["x**2", "1/(1 + x**2)", "(x**2 + 3*x)/6", "sqrt(2)*x", "3"])
def test_a_target_of_this_shape_is_its_own_design(name):
    found = design(name, 2, 2)
    assert found.error == ("0", "0")
    assert found.verdict is Verdict.PROVED


def test_the_record_can_be_shown():
    found = design("mish", 3, 2)
    assert found.pieces == 1
    assert found.to_dict()["cost"] == {"mul": 9, "add": 5, "minmax": 0, "compare": 0, "table_bytes": 0}
    assert found.smoothness == sp.oo
    assert [row[0] for row in found.sheet().tables[0].rows] == ["numerator", "denominator"]
    near, f = (lowering.evaluator(g.expression)(np.linspace(-8, 8, 101)) for g in (found.activation, found.target))
    assert np.abs(near - f).max() <= float(found.error[1]) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("name", "degrees", "norm", "expected"),
    [
        ("mish", (3, 3), Norm(), "finite --domain"),
        ("mish", (3, 3), Norm("sup", -math.inf, 0), "finite --domain"),
        ("mish", (3, 3), Norm("l2", -8, 8), "expected the sup norm"),
        ("step(x)", (3, 3), CORE, "without jumps"),
        ("mish", (3, -1), CORE, "degrees M,N"),
        ("mish", (99, 1), CORE, "degrees M,N"),
    ],
)
def test_what_cannot_be_designed_is_one_clear_line(name, degrees, norm, expected):
    with pytest.raises(BadInput, match=expected):
        rational.best(lookup.function(name), norm, degrees, None, None)


def test_what_doubles_cannot_tell_is_undecided():
    with pytest.raises(Undecided, match="doubles"):
        design("tanh", 4, 4, Norm("sup", 0, 1e-3))


@pytest.mark.parametrize("tolerance", [0.0, -1.0, math.inf, math.nan])
def test_a_tolerance_is_positive(tolerance):
    with pytest.raises(BadInput, match="positive tolerance"):
        design("mish", tolerance=tolerance)
