"""Uniqueness of optima: proved where gradients span, refuted where a constant is free, open elsewhere."""

from flint import arb

from analysis.optimal.uniqueness import _spans


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
