"""Downhill on a lattice, where the least point is known."""

from fractions import Fraction

import numpy as np
import pytest

from analysis.activation.errors import BadInput
from analysis.optimal.descent import descended
from analysis.optimal.lattice import Lattice


@pytest.mark.parametrize("start", [(0.0,), (0.0, 0.0), (3.0, -2.0, 1.0)])
def test_a_tilted_bowl_is_descended_to_its_least_lattice_point(start):
    """sum (c - 1/3)^2 + (sum c - n/3)^2 on eighths: every coordinate is 3/8, but for what the sum asks."""
    n = len(start)

    def bowl(point):
        return float(((point - 1 / 3) ** 2).sum() + (point.sum() - n / 3) ** 2)

    found = descended(Lattice.of("1/8"), start, bowl)
    eighths = np.array(np.meshgrid(*[np.arange(0, 1, 1 / 8)] * n)).reshape(n, -1).T
    assert bowl(np.array([float(c) for c in found])) == min(map(bowl, eighths))
    assert all(c in (Fraction(1, 4), Fraction(3, 8)) for c in found)


def test_points_below_a_bound_and_without_an_error_are_left_out():
    found = descended(Lattice.of("integer"), (2.0,), lambda c: float(c[0]), least=(1.0,))
    assert found == (1,)
    with pytest.raises(BadInput, match="admissible constants near the best, got integer"):
        descended(Lattice.of("integer"), (2.0,), lambda c: float(c[0]), least=(100.0,))
    assert descended(Lattice.of("integer"), (2.5,), lambda c: float("nan") if c[0] < 4 else c[0]) == (4,)


def test_a_format_that_ends_stops_the_descent():
    found = descended(Lattice.of("fixed:3.1"), (0.0, 0.0), lambda c: float(c.sum()))
    assert found == (-4, -4)
