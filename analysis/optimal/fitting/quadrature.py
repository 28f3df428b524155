"""Numeric quadrature for the norms: abscissas and weights in floating point, for the search; not a bound."""

from __future__ import annotations

import math

import numpy as np

from analysis.rigorous.norms import Norm

REACH = 40.0  # where the outermost quadrature panels begin on the whole line
SPREAD = 14.0  # standard deviations beyond which the Gaussian weight is below the smallest double's square root
NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)


def quadrature(norm: Norm, breaks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Abscissas and weights whose weighted sum of r^2 is the square of the value; panels end at the breaks.

    The number of abscissas depends on the number of breaks alone, so that sums are smooth in moving breaks.
    """
    if norm.is_discrete:
        assert norm.points is not None
        return norm.points, np.full(len(norm.points), 1 / len(norm.points))
    edges = np.sort(np.concatenate([_fixed_edges(norm), np.clip(breaks, *_window(norm))]))
    x, w = _panels(edges)
    if norm.kind == "gaussian":
        w = w * np.exp(-((x / norm.sigma) ** 2) / 2) / (norm.sigma * math.sqrt(2 * math.pi))
        return x, w
    for end, side in ((norm.lower, -1), (norm.upper, 1)):
        if math.isinf(end):
            tail_x, tail_w = _tail(side, max(REACH, side * (norm.lower if side > 0 else norm.upper)))
            x, w = np.concatenate([x, tail_x]), np.concatenate([w, tail_w])
    return x, w


def _window(norm: Norm) -> tuple[float, float]:
    reach = SPREAD * norm.sigma if norm.kind == "gaussian" else REACH
    low, high = max(norm.lower, -reach), min(norm.upper, reach)
    if low < high:
        return low, high
    near = norm.lower if norm.lower > 0 else norm.upper  # the domain lies beyond the window
    return (norm.lower, norm.upper) if math.isfinite(norm.upper - norm.lower) else (near, near)


def _fixed_edges(norm: Norm) -> np.ndarray:
    low, high = _window(norm)
    scale = norm.sigma if norm.kind == "gaussian" else 1.0
    marks = scale * np.array([-20, -12, -8, -6, -4.5, -3, -2, -1, 0, 1, 2, 3, 4.5, 6, 8, 12, 20])
    inside = marks[(marks > low) & (marks < high)]
    return np.concatenate([[low], inside, [high]])


def _panels(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    middle, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    return (middle[:, None] + half[:, None] * NODES).ravel(), (half[:, None] * WEIGHTS).ravel()


def _tail(side: int, start: float) -> tuple[np.ndarray, np.ndarray]:
    """The line beyond side*start through x = side*start/s, s in (0, 1)."""
    s = (NODES + 1) / 2
    return side * start / s, WEIGHTS / 2 * start / s**2
