"""Expansions at infinity: limits that sympy knows too, and growth that no power reaches."""

import pytest
import sympy as sp

from analysis.activation.errors import Undecided
from analysis.activation.functions import sigmoid, softplus
from analysis.exact.expansions import expansion

T = sp.Symbol("t", positive=True)


@pytest.mark.parametrize(
    ("e", "limit"),
    [
        (T * sp.tanh(softplus(T)) - T, 0),
        (sp.sqrt(T**2 + T) - T, sp.Rational(1, 2)),
        (T * (1 - sp.tanh(sp.exp(T))), 0),
        (T * sigmoid(T - 2 * sp.exp(T)), 0),
        (T**3 * (sp.erf(sp.exp(T) / T) - 1), 0),
        (sp.tanh(-sp.exp(T**2) + T**5), -1),
        (T * sp.tanh(sp.exp(-T)), 0),
    ],
    ids=str,
)
def test_limits(e, limit):
    assert expansion(e, T).limit() == limit


@pytest.mark.parametrize("e", [sp.exp(T), softplus(sp.exp(T)), sp.tanh(sp.exp(T) - sp.exp(2 * T))], ids=str)
def test_growth_without_a_rule_is_undecided(e):
    with pytest.raises(Undecided):
        expansion(e, T)
