"""A bound on |f| over an interval holds, and is given up where f is larger or not analytic."""

import pytest
import sympy as sp
from flint import arb

from analysis.activation.lookup import expression
from analysis.exact.pieces import split
from analysis.rigorous import nearness

SMALL = arb("1e-20")
ZERO = ["atan(x) - 2*atan(x/(1 + sqrt(1 + x**2)))", "2**x - exp(x*log(2)*(1 + 0*x))", "sin(x)**2 + cos(x)**2 - 1"]
NOT_ZERO = ["exp(-x**2)/10**19", "sigmoid(x) - Phi(x)", "relu(x)*0 + x/10**20", "tanh(x)/10**19", "1/(10**21*(x - 3))"]


@pytest.mark.parametrize("text", ZERO)
def test_what_is_zero_is_shown_to_be_small(text):
    assert nearness.is_within(expression(text), SMALL, arb(-10), arb(10))


@pytest.mark.parametrize("text", NOT_ZERO)
def test_what_is_larger_somewhere_is_not(text):
    assert not nearness.is_within(expression(text), SMALL, arb(-10), arb(10))


def test_the_tolerance_is_met_from_below():
    assert nearness.is_within(expression("cos(x)/10**20"), SMALL * 5, arb(-1), arb(1))
    assert not nearness.is_within(expression("cos(x)/10**20"), SMALL / 2, arb(-1), arb(1))


def test_pieces_are_cut_to_the_interval():
    parts = nearness.on(split(expression("relu(x - 4) + relu(x - 12)")), sp.Integer(-10), sp.Integer(10))
    assert [(float(a), float(b)) for _, a, b in parts] == [(-10.0, 4.0), (4.0, 10.0)]
