"""Uniqueness of optima: proved where gradients span, refuted where a constant is free, open elsewhere."""

import pytest
import sympy as sp
from flint import arb

from analysis.activation import lookup
from analysis.exact.verdict import Verdict
from analysis.optimal.fitting.constants import fit
from analysis.optimal.fitting.residual import Residual
from analysis.optimal.fitting.uniqueness import _spans, is_only_zero
from analysis.rigorous.norms import Norm


def rows(*vectors, radius=0.01):
    return [tuple(arb(c, radius) for c in vector) for vector in vectors]


def test_a_simplex_around_zero_spans():
    assert _spans(rows((1,), (-2,)), 1)
    assert _spans(rows((1, 0), (-1, 1), (-1, -1)), 2)
    assert _spans(rows((1, 0, 0), (0, 1, 0), (0, 0, 1), (-1, -1, -1)), 3)


def test_others_do_not():
    assert not _spans(rows((1,), (2,)), 1)
    assert not _spans(rows((1, 0), (1, 1), (1, -1)), 2)
    assert not _spans(rows((1, 0), (-1, 0), (0, 1)), 2), "zero on an edge: the third is not needed"
    assert not _spans(rows((1, 0), (-1, 1), (-1, -1), radius=2), 2), "too wide to tell"
    assert not _spans(rows((1, 0), (-1, 1)), 2), "too few"


def test_clusters_with_the_same_gradient_count_once():
    """As for an even difference, whose peaks come in pairs."""
    assert _spans(rows((1, 0), (-1, 1), (-1, -1), (1, 0), (-1, 1)), 2)


def test_more_vectors_than_needed():
    """As for a symmetric gate, whose error is attained at two kinks and two peaks."""
    assert _spans(rows((0, -1), (-1, 3), (2, -3), (-1, 1), radius=1e-3), 2)
    assert not _spans(rows((1, 0), (-1, 1), (-1, -1), (-1, 0), radius=1e-3), 2), "(1, 0) and (-1, 0) alone hold zero"


@pytest.mark.parametrize(
    ("family", "target", "norm"),
    [
        ("squareplus", "relu", Norm()),
        pytest.param("swish", "silu", Norm(), marks=pytest.mark.proof),
        ("beta_mish", "mish", Norm("gaussian")),
        pytest.param("aptx", "silu", Norm(), marks=pytest.mark.proof),
        ("elu", "elu", Norm.grid(-2, 2, 9)),
        ("softplus", "softplus", Norm("l2", -4, -3)),
    ],
)
def test_the_only_member_that_is_the_target(family, target, norm):
    found = fit(family, target, norm)
    assert found.error == ("0", "0")
    assert (found.verdict, found.unique) == (Verdict.PROVED, True)
    for name, (low, high) in found.optimal_set.items():
        assert sp.Rational(low) <= found.exact[name] <= sp.Rational(high)
        assert float(high) - float(low) < 1e-12


@pytest.mark.parametrize(
    ("family", "target", "norm"),
    [
        ("tanh((a - 1)**2*x)", "tanh", Norm("sup", -1, 1)),
        ("elu", "relu", Norm("sup", 0.5, 3)),
        ("step(x - b)*tanh(x)", "tanh", Norm("sup", 1, 3)),
        ("tanh(a*b*x)", "tanh", Norm()),
    ],
)
def test_where_others_are_the_target_too_or_may_be(family, target, norm):
    """a = 0 and 2; any alpha; any b below 1; any product of one."""
    residual = Residual.of(lookup.family(family), lookup.function(target), norm, {})
    assert not is_only_zero(residual)


def test_nothing_is_unique_where_the_difference_jumps():
    assert fit("step(x)*a", "sigmoid", Norm("sup", -1, 1)).unique is None
