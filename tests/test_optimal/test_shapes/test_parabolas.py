"""Bounds of parabolas in a tube, against parabolas that are in it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.optimal.shapes import parabolas
from analysis.optimal.shapes.parabolas import FAR, Bounds, Cells, Samples, at_the_end

X = np.linspace(-1, 3, 201)
share = st.floats(0, 1)


def line_through(x: float, y: float, slope: float, ends: tuple[float, float]) -> np.ndarray:
    return np.array([[y + slope * (end - x) for end in ends]])


@given(
    coefficients=st.tuples(st.floats(-5, 5), st.floats(-5, 5), st.floats(-5, 5)),
    first=st.integers(0, 60),
    widths=st.tuples(st.integers(0, 20), st.integers(10, 90), st.integers(0, 20)),
    places=st.tuples(share, share),
    slack=st.tuples(share, share, share, share),
    tilt=st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3)),
    error=st.floats(0.01, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_parabola_in_the_tube_is_within_the_bounds(coefficients, first, widths, places, slack, tilt, error, seed):
    """The knot and what is known there are chosen first, f about the parabola, and the end afterwards."""
    c, b, a = coefficients
    u0, u1, v0, v1 = np.cumsum([first, *widths]).tolist()
    start, end = (X[i] + s * (X[j] - X[i]) for (i, j), s in zip(((u0, u1), (v0, v1)), places, strict=True))
    noise = np.random.default_rng(seed).uniform(-error, error, len(X))
    samples = Samples(X, c + b * X + a * X**2 + noise, np.full(len(X), 1e-15))
    value, slope = c + b * start + a * start**2, b + 2 * a * start
    cell = X[u0], X[u1]
    lines = [
        line_through(start, near + side * aside, turn, cell)
        for near, side, aside, turn in zip((value, value, slope, slope), (-1, 1, -1, 1), slack, tilt, strict=True)
    ]
    cells = Cells(np.array([u0]), np.array([u1]), Bounds(*lines))
    found, possible = at_the_end(samples, cells, np.array([v0]), np.array([v1]), error)
    assert possible.all()
    part = (end - X[v0]) / (X[v1] - X[v0]) if v1 > v0 else 0.0

    def at(row: np.ndarray) -> float:
        return float(row[0, 0] * (1 - part) + row[0, 1] * part)

    assert at(found.below) <= c + b * end + a * end**2 + 1e-12 <= at(found.above) + 2e-12
    assert at(found.least) <= b + 2 * a * end + 1e-10 <= at(found.most) + 2e-10


def test_the_bounds_are_tight_where_the_cells_are_points():
    """From (0, E) with any slope through |q| <= E on [0, 1]: Chebyshev's parabola has the largest value beyond."""
    x = np.linspace(0, 2, 2001)
    samples = Samples(x, np.zeros(len(x)), np.zeros(len(x)))
    free = Cells(np.array([0]), np.array([0]), Bounds.unknown(1))
    found, possible = at_the_end(samples, free, np.array([1000]), np.array([2000]), 1.0)
    assert possible.all()
    largest = 2 * (2 * 2 - 1) ** 2 - 1  # T_2(2x - 1) at x = 2
    assert found.above[0, 1] == pytest.approx(largest + 1, rel=0.1)  # and what it may be off its chord
    assert found.most[0, 1] == pytest.approx(24, rel=0.05)


def test_what_cannot_be_is_impossible():
    """f = 8 E T_3: no parabola is as near as E, and the tangent at an end with an absurd slope is not in the tube."""
    x = np.linspace(-1, 1, 401)
    wave = Samples(x, 8 * (4 * x**3 - 3 * x), np.zeros(len(x)))
    whole = Cells(np.array([0]), np.array([0]), Bounds.unknown(1))
    ends = np.array([400]), np.array([400])
    assert not at_the_end(wave, whole, *ends, 7.5)[1].any()
    assert at_the_end(wave, whole, *ends, 8.5)[1].all()
    flat = Samples(x, np.zeros(len(x)), np.zeros(len(x)))
    steep = Bounds(*(np.full((1, 2), value) for value in (0.0, 0.0, 100.0, 100.0)))
    assert not at_the_end(flat, Cells(np.array([0]), np.array([0]), steep), *ends, 1.0)[1].any()


def test_unknown_bounds_do_not_share_their_arrays():
    unknown = Bounds.unknown(2)
    unknown.above[:] = 0
    assert (unknown.most == FAR).all()
    assert parabolas.POINTS >= 4
