"""Formats: the lattice points are those that numpy has, in order and without gaps."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.activation.errors import BadInput
from analysis.optimal.lattice import Lattice


@given(st.floats(-60000, 60000, width=16), st.booleans())
def test_float16_neighbours_are_numpys(value, up):
    lattice, exact = Lattice.of("float16"), Fraction(value)
    expected = np.nextafter(np.float16(value), np.float16(np.inf if up else -np.inf))
    found = lattice.after(exact) if up else lattice.before(exact)
    if abs(value) > 2**-13:  # subnormal numbers are not in the lattice
        assert found == Fraction(float(expected))


@given(st.floats(-1e30, 1e30))
def test_float32_rounds_as_numpy_does(value):
    lattice = Lattice.of("float32")
    low, high = lattice.below(value), lattice.above(value)
    assert low <= Fraction(value) <= high
    if abs(value) > 1e-30:
        assert Fraction(float(np.float32(value))) in (low, high)
        assert high == low or lattice.after(low) == high


def test_bfloat16_is_float32_with_sixteen_bits_cut_off():
    for value in (5.4, 3.043, 1.0, 0.333):
        bits = np.float32(value).view(np.uint32) & np.uint32(0xFFFF0000)
        assert float(Lattice.of("bfloat16").below(value)) == bits.view(np.float32)


@pytest.mark.parametrize(("text", "step"), [("1/8", "1/8"), ("3/7", "3/7"), ("dyadic:5", "1/32"), ("integer", "1")])
@given(value=st.floats(-1e6, 1e6))
def test_multiples(text, step, value):
    lattice, step = Lattice.of(text), Fraction(step)
    low = lattice.below(value)
    assert low % step == 0
    assert 0 <= Fraction(value) - low < step
    around = lattice.around(value, 2)
    assert all(b - a == step for a, b in pairwise(around))
    assert len(around) == (5 if low == Fraction(value) else 4)


@pytest.mark.parametrize(
    "text", ["", "1/0", "0/3", "dyadic:999", "dyadic:-1", "float64", "0.1", "-1/8", "dyadic", "1/8 "]
)
def test_other_formats_are_refused(text):
    with pytest.raises(BadInput, match="expected --round 1/8"):
        Lattice.of(text)


@pytest.mark.parametrize(("text", "largest"), [("float16", 65504), ("float32", 2**128 - 2**104)])
def test_a_format_ends_at_its_largest_number(text, largest):
    lattice = Lattice.of(text)
    assert lattice.largest == largest
    assert (lattice.below(float(largest) * 2), lattice.below(math.inf)) == (largest, largest)
    assert lattice.above(float(largest) * 2) is None
    assert lattice.above(-float(largest) * 2) == -largest
    assert lattice.after(Fraction(largest)) is None
    assert lattice.before(Fraction(-largest)) is None
    assert lattice.around(float(largest) * 2, 3)[-1] == largest
    assert len(lattice.around(float(largest) * 2, 3)) == 3


def test_what_a_format_holds():
    assert Lattice.of("float16").holds(0.5)
    assert not Lattice.of("float16").holds(0.1)
    assert not Lattice.of("1/8").holds(0.3)
    assert not Lattice.of("float16").holds(1e6)


@given(value=st.floats(-300, 300), count=st.integers(1, 3))
def test_fixed_point_numbers_are_those_of_a_word_in_twos_complement(value, count):
    """fixed:4.4 is a byte over 16."""
    lattice, byte = Lattice.of("fixed:4.4"), [Fraction(code, 16) for code in range(-128, 128)]
    below, above = [p for p in byte if p <= value], [p for p in byte if p >= value]
    assert lattice.below(value) == (below[-1] if below else None)
    assert lattice.above(value) == (above[0] if above else None)
    beside = {*below[-count - lattice.holds(value) :], *above[: count + lattice.holds(value)]}
    assert set(lattice.around(value, count)) == beside
    assert lattice.holds(value) == (Fraction(value) in byte)


def test_fixed_point_numbers_end_and_the_sign_is_counted():
    lattice = Lattice.of("fixed:1.15")
    assert (lattice.least, lattice.largest) == (-1, 1 - Fraction(1, 2**15))
    assert lattice.before(Fraction(-1)) is None
    assert lattice.after(lattice.largest) is None
    assert lattice.after(Fraction(-1)) == -lattice.largest
    assert lattice.nearest(1 - 3 * 2.0**-17) == lattice.largest
    with pytest.raises(BadInput, match=r"reaches 1, got fixed:1\.15, which goes from -1 to 0\.999969482"):
        lattice.nearest(1.0)
    assert Lattice.of("fixed:64.0").largest == 2**63 - 1


@pytest.mark.parametrize("text", ["fixed:0.8", "fixed:60.5", "fixed:99.0"])
def test_words_without_a_sign_or_too_long_are_refused(text):
    with pytest.raises(BadInput, match="I at least 1, the sign, and I \\+ F at most 64"):
        Lattice.of(text)


@pytest.mark.parametrize("text", ["fixed", "fixed:8", "fixed:-1.2", "fixed:4,4", "fixed:4.4.4"])
def test_what_is_no_fixed_point_format_is_told_of_them(text):
    with pytest.raises(BadInput, match=r"fixed:I\.F .I integer bits, the sign among them"):
        Lattice.of(text)
