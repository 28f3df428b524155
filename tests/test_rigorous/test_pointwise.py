"""Sizes at a point and mean squares over points, enclosed and tight."""

from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest

from analysis.activation.lookup import expression
from analysis.rigorous.pointwise import enclose_mean_square, enclose_size
from tests import oracles


@pytest.mark.parametrize("x", [-1.8178, -0.1, 0.3, 12.0, -60.0])
def test_a_size_is_enclosed(x):
    lower, upper = enclose_size(expression("mish - hard_swish"), x)
    with mp.workdps(60):
        exact = abs(oracles.FUNCTIONS["mish"](mp.mpf(x)) - oracles.FUNCTIONS["hard_swish"](mp.mpf(x)))
        assert mp.mpf(lower) <= exact <= mp.mpf(upper)
        assert mp.mpf(upper) - mp.mpf(lower) <= exact * mp.mpf(10) ** -13


def test_a_size_where_the_sign_is_not_known_starts_at_zero():
    lower, upper = enclose_size(expression("x - x + sigmoid(x) - sigmoid(x)"), 1.0)
    assert Fraction(lower) == Fraction(upper) == 0


def test_the_notebook_s_figure():
    """N1: .0037346 for (5, 2.84386, 4.99049)."""
    lower, upper = enclose_mean_square(
        expression("hard_gate3(a=5,b=2.84386,c=4.99049) - mish"), np.linspace(-6, 6, 1000)
    )
    with mp.workdps(40):
        gate = oracles.FUNCTIONS["hard_gate3(a=5, b=2.84386, c=4.99049)"]
        exact = mp.fsum((gate(mp.mpf(x)) - oracles.mish(mp.mpf(x))) ** 2 for x in np.linspace(-6, 6, 1000)) / 1000
        assert mp.mpf(lower) <= exact <= mp.mpf(upper)
    assert lower[:9] == upper[:9] == "0.0037346"
