"""Intervals with infinite ends: every value at a point inside lies in the result, by mpmath."""

import math

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.activation import lookup
from analysis.activation.functions import gated
from analysis.activation.parsing import X
from analysis.rigorous import intervals
from analysis.rigorous.intervals import INF, WHOLE, Interval
from tests.oracles import FUNCTIONS

ENDS = st.one_of(st.floats(-30, 30), st.sampled_from([-INF, INF, 0.0, 1e-300, -1e-300, 1e300]))


def enclosed(name: str, low: float, high: float) -> Interval:
    (found,) = intervals.evaluators(lookup.function(name).expression)(Interval(low, high))
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=20)
@given(ends=st.tuples(ENDS, ENDS), share=st.floats(0, 1))
def test_values_inside_lie_in_the_enclosure(name, ends, share):
    low, high = sorted(ends)
    if low == high and math.isinf(low):
        return
    near, far = max(low, -12.0), min(high, 12.0)  # farther out the oracle would cancel
    if near > far:
        return
    x = min(max(near + share * (far - near), low), high)
    found = enclosed(name, low, high)
    with mpmath.workdps(200):
        value = FUNCTIONS[name](mpmath.mpf(x))
        assert mpmath.mpf(found.low) <= value <= mpmath.mpf(found.high)


@pytest.mark.parametrize("name", ["mish", "silu", "hard_mish", "celu", "gelu_tanh", "squareplus"])
@pytest.mark.parametrize("x", [-20.0, -1.1924, -3.0, 0.0, 1e-9, 2.0, 17.25])
def test_a_point_is_enclosed_to_the_last_digits(name, x):
    found = enclosed(name, x, x)
    assert found.high - found.low <= 64 * math.ulp(max(1.0, abs(found.low)))


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("1/x", (0, INF), (0, INF)),
        ("1/x", (-1, 1), WHOLE),
        ("x - x**3", (-INF, INF), WHOLE),
        ("exp(x)", (-INF, 0), (0, 1)),
        ("sigmoid(x)", (-INF, INF), (0, 1)),
        ("clip(x, -1, 1)", (-INF, INF), (-1, 1)),
        ("abs(x)", (-3, 2), (0, 3)),
        ("sin(x)", (0, INF), (-1, 1)),
        ("step(x)", (-1, 1), (0, 1)),
        ("{x, x < 0; 2*x, x >= 0}", (-1, 1), (-2, 2)),
    ],
)
def test_what_an_end_at_infinity_a_pole_or_an_open_branch_gives(text, x, expected):
    found = enclosed(text, *x)
    assert found.low == pytest.approx(expected[0], abs=1e-15)
    assert found.high == pytest.approx(expected[1], rel=1e-15, abs=1e-15)
    assert found.low <= expected[0]
    assert expected[1] <= found.high


@given(ends=st.tuples(ENDS, ENDS), share=st.floats(0, 1))
def test_a_gate_times_its_argument(ends, share):
    low, high = sorted(ends)
    x = max(low, -700.0) + share * (min(high, 700.0) - max(low, -700.0))
    if not low <= x <= high or math.isinf(x):
        return
    (found,) = intervals.evaluators(gated(X))(Interval(low, high))
    with mpmath.workdps(30):
        assert mpmath.mpf(found.low) <= mpmath.mpf(x) / (1 + mpmath.exp(-mpmath.mpf(x))) <= mpmath.mpf(found.high)
