"""Intervals by the array: every end checked against mpmath, and the infinite ends."""

import math

import mpmath
import numpy as np
import pytest
import sympy as sp

from analysis.activation import lookup
from analysis.activation.functions import derivative
from analysis.activation.parsing import X
from analysis.rigorous import adjacent, columns
from analysis.rigorous.columns import Column

RANDOM = np.random.default_rng(7)
INF = math.inf


def thin(values) -> Column:
    values = np.asarray(values, float)
    return Column(values, values)


def exactly(expression: sp.Expr, x: float) -> mpmath.mpf:
    with mpmath.workdps(60):
        return mpmath.mpf(sp.N(expression.subs(X, sp.Rational(x)), 50))


@pytest.mark.parametrize("text", ["exp(x)", "sigmoid(x)", "tanh(x)", "softplus(x)", "x/(1 + abs(x))", "sqrt(1 + x**2)"])
def test_a_value_lies_in_its_column_which_is_narrow(text):
    f = lookup.expression(text)
    x = np.concatenate([RANDOM.uniform(-30, 30, 12), RANDOM.uniform(-0.01, 0.01, 4), [0.0, -650.0, 650.0]])
    (found,) = columns.evaluators(f)(thin(x))
    for low, high, at in zip(*np.broadcast_arrays(*found), x, strict=True):
        value = exactly(f, at)
        assert mpmath.mpf(low) <= value <= mpmath.mpf(high)
        assert high - low <= 1e-12 * max(abs(high), 1)


def test_exp_keeps_its_promised_error_at_many_places():
    z = RANDOM.uniform(-columns.EXP_FAR, columns.EXP_FAR, 3000)
    with mpmath.workdps(40):
        off = max(
            abs(mpmath.mpf(v) / mpmath.exp(mpmath.mpf(at)) - 1) for v, at in zip(columns._exp_at(z), z, strict=True)
        )
    assert off < columns.EXP_ERROR / 8  # the proof has room


@pytest.mark.parametrize("name", ["mish", "gelu", "hard_swish", "elu", "squareplus", "selu"])
def test_members_of_a_cell_lie_in_its_column(name):
    f = lookup.function(name).expression
    both = columns.evaluators(f, derivative(f, X))
    low = RANDOM.uniform(-8, 8, 20)
    high = low + RANDOM.uniform(0.01, 2, 20)
    for inside in (low + 0.3 * (high - low), high):
        for cell, point in zip(both(Column(low, high)), both(thin(inside)), strict=True):
            assert (np.asarray(cell.low) <= point.high).all()
            assert (point.low <= np.asarray(cell.high)).all()


def test_zero_times_infinity_is_zero_and_the_undefined_is_the_whole_line():
    zero, far, whole = thin([0.0]), Column(np.array([2.0]), np.array([INF])), Column(np.array([-INF]), np.array([INF]))
    with np.errstate(all="ignore"):
        assert [float(end[0]) for end in columns.multiply(zero, far)] == [0, 0]
        assert [float(end[0]) for end in columns.multiply(zero, whole)] == [0, 0]
        assert [float(end[0]) for end in columns.multiply(Column(np.array([0.0]), np.array([1.0])), far)] == [0, INF]
        assert [float(end[0]) for end in columns.add(far, columns.negative(far))] == [-INF, INF]
    (found,) = columns.evaluators(1 / X)(Column(np.array([-1.0, 0.0]), np.array([1.0, INF])))
    assert [float(e) for e in found.low] == [-INF, 0]
    assert (found.high == INF).all()


def test_a_product_that_underflows_keeps_its_sign():
    tiny = thin([1e-200])
    with np.errstate(all="ignore"):
        product = columns.multiply(tiny, columns.negative(tiny))
    assert product.low[0] < 0 == product.high[0]


def test_the_ends_of_the_line_have_the_limits_of_a_sigmoid():
    (found,) = columns.evaluators(lookup.expression("sigmoid(x)"))(Column(np.array([-INF, 3.0]), np.array([-3.0, INF])))
    assert found.low[0] == 0
    assert found.high[0] == pytest.approx(1 / (1 + math.exp(3)))
    assert found.low[1] == pytest.approx(1 / (1 + math.exp(-3)))


def test_a_step_takes_both_values_where_it_is_touched():
    (found,) = columns.evaluators(lookup.expression("step(x)"))(
        Column(np.array([-1.0, 0.0, 0.5]), np.array([0.0, 1.0, 1.0]))
    )
    assert found.low.tolist() == [0, 0, 1]
    assert found.high.tolist() == [1, 1, 1]


def test_a_sum_encloses_the_exact_one():
    terms = RANDOM.uniform(-1, 1, 1000) * 10.0 ** RANDOM.integers(-8, 8, 1000)
    found = columns.total(thin(terms))
    exact = math.fsum(terms)
    assert found.low <= exact <= found.high
    assert found.high - found.low < 1e-12 * np.abs(terms).sum()


@np.errstate(all="ignore")
def test_the_next_double_is_that_of_numpy_for_any_bits():
    bits = RANDOM.integers(-(2**63), 2**63 - 1, size=20_000, dtype=np.int64).view(np.float64)
    least, most = 5e-324, np.finfo(float).max
    ends = [0.0, -0.0, least, -least, 2.0**-1022, -(2.0**-1022), most, -most, INF, -INF, 1.0, -1.0]
    for x in (np.array([*ends, *bits[~np.isnan(bits)]]), np.array(ends), np.array(-0.0), np.float64(1)):
        for found, towards in ((adjacent.above(x), INF), (adjacent.below(x), -INF)):
            expected = np.nextafter(x, towards)
            assert np.array_equal(found, expected)
            assert np.array_equal(np.signbit(found), np.signbit(expected))
    assert np.isnan([adjacent.above(np.full(100, math.nan)), adjacent.below(np.full(100, math.nan))]).all()


def test_what_is_zero_exactly_stays_so():
    """Else subnormal numbers spread, and a processor takes a hundred times as long over each."""
    zero, some = thin(np.zeros(100)), Column(np.full(100, -2.0), np.full(100, 3.0))
    for found in (columns.add(zero, zero), columns.multiply(zero, some), columns.scale(-0.3, zero)):
        assert (np.asarray(found.low) == 0).all()
        assert (np.asarray(found.high) == 0).all()
    opposite = columns.add(thin(np.full(100, 0.1)), thin(np.full(100, -0.1)))
    assert (opposite.low == 0).all()
    assert (opposite.high == 0).all()
    small = columns.add(thin(np.full(100, 5e-324)), zero)
    assert (small.low <= 5e-324).all()
    assert (small.high >= 5e-324).all()
