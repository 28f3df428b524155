"""Paired comparisons against scipy's tests and by hand."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.training.comparing import Paired, holm, paired, spread, trend

DRAW = np.random.default_rng(3)


def test_a_paired_difference_is_students_t():
    one, other = DRAW.normal(1, 2, 20), DRAW.normal(0, 2, 20)
    found, oracle = paired(one - other), stats.ttest_rel(one, other)
    low, high = oracle.confidence_interval(0.95)
    assert found.p == pytest.approx(oracle.pvalue, rel=1e-9)
    assert found.interval == pytest.approx((low, high), rel=1e-9)
    assert (found.mean, found.count) == (pytest.approx((one - other).mean()), 20)


def test_differences_without_spread():
    assert paired([0, 0, 0]).p == 1
    assert paired([2, 2, 2]).p == 0
    assert paired([2, 2, 2]).interval == (2, 2)


def test_the_spread_is_the_test_of_pitman_and_morgan():
    one = DRAW.normal(0, 3, 25)
    other = one / 3 + DRAW.normal(0, 1, 25)
    found = spread(one, other)
    assert found.p == pytest.approx(stats.pearsonr(one + other, one - other).pvalue, rel=1e-9)
    assert found.mean == pytest.approx(math.log(one.std(ddof=1) / other.std(ddof=1)))
    assert found.interval[0] < found.mean < found.interval[1]


def test_the_ends_of_the_spreads_interval_are_where_the_test_changes_its_mind():
    one, other = DRAW.normal(0, 2, 25), DRAW.normal(0, 1, 25)
    for end in spread(one, other).interval:
        assert spread(one, other * math.exp(end)).p == pytest.approx(0.05, rel=1e-6)


def test_equal_spreads_are_not_told_apart():
    assert spread([1, 2, 3, 4.0], [4, 3, 2, 1.0]).p == pytest.approx(1)
    assert spread([1, 1, 1, 1], [4, 3, 2, 1.0]) is None


def test_a_trend_is_the_slope_of_each_seed_over_doublings():
    slopes = np.array([1.0, 2.0, 3.0])
    found = trend([1, 2, 8], [slopes * k + 5 for k in (0, 1, 3)])
    assert found.mean == pytest.approx(2)
    assert found.p == pytest.approx(stats.ttest_1samp(slopes, 0).pvalue)


def test_holm_by_hand():
    raw = {"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}
    found = holm({name: Paired(0, 0, (0, 0), p) for name, p in raw.items()})
    assert {name: row.adjusted for name, row in found.items()} == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02}
    )
    assert [name for name, row in found.items() if row.significant] == ["a", "d"]
    assert list(found) == list(raw)
