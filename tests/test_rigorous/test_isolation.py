"""Every zero or none is claimed: counts against polynomials of known zeros, refusals where nothing is shown."""

import pytest
import sympy as sp
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.activation import lookup
from analysis.activation.functions import derivative
from analysis.activation.parsing import X
from analysis.rigorous.roots import isolated, sign_changes
from analysis.rigorous.tails import is_definite

ZEROS = st.lists(st.integers(-40, 40), min_size=1, max_size=4, unique=True)


@settings(max_examples=6)
@given(ZEROS)
def test_every_simple_zero_of_a_polynomial_is_isolated(zeros):
    check(zeros)


@pytest.mark.proof
@settings(max_examples=20)
@given(ZEROS)
def test_so_are_those_of_more_polynomials(zeros):
    check(zeros)


def check(zeros):
    polynomial = sp.expand(sp.prod(7 * X - zero for zero in zeros))
    intervals = isolated(polynomial, -sp.oo, sp.oo)
    assert intervals is not None
    assert len(intervals) == len(zeros)
    exact = [arb(zero) / 7 for zero in zeros]
    assert all(sum(interval.overlaps(zero) for zero in exact) == 1 for interval in intervals)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("x*exp(x) - x - 2*exp(x) - 2", 2),
        ("4*x*exp(x) + 4*x + exp(3*x) + 4*exp(2*x) + 6*exp(x) + 4", 1),
        ("exp(x) + 1", 0),
        ("exp(2*x) - 3*exp(x) + 2", 2),
    ],
)
def test_exponential_polynomials(text, count):
    assert len(isolated(lookup.expression(text), -sp.oo, sp.oo)) == count


@pytest.mark.parametrize("text", ["(x - 1/3)**2", "sin(x)", "x*atan(x) + exp(x)*sin(x)"])
def test_double_and_infinitely_many_zeros_are_not_claimed(text):
    assert isolated(lookup.expression(text), -sp.oo, sp.oo) is None


def test_an_interval_limits_the_search():
    cubic = X**3 - 3 * X + 1
    assert len(isolated(cubic, sp.Integer(0), sp.Integer(1))) == 1
    assert len(isolated(cubic, sp.Integer(-1), sp.Integer(2))) == 2


def test_signs_of_tails():
    assert is_definite(X * sp.exp(X) - X - 2, -1, 8)
    assert is_definite(sp.exp(3 * X) - X**2 * sp.exp(2 * X), 1, 16)
    assert not is_definite(sp.sin(X), 1, 8)
    assert not is_definite(X - 9, 1, 8)  # its zero is at 9


def test_mish_turns_once():
    slope = derivative(lookup.function("mish").expression, X)
    (root,) = sign_changes(slope, -sp.oo, sp.oo, 30)
    assert root.rising
