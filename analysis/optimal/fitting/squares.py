"""Least-squares fits: L2, Gaussian, and mean squares over points, by variable panels and a trust-region method."""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize

from analysis.optimal.fitting.quadrature import quadrature
from analysis.optimal.fitting.residual import Residual

# A sum over points has kinks of its own, where a point meets a kink of r, and so many shallow minima side by side:
# a simplex that spans several points steps over them. A heuristic.
SIMPLICES = (0.1, 0.03, 0.001)


def mean_square(residual: Residual, theta: np.ndarray) -> float:
    """The weighted sum of r^2: the integral, the expectation or the mean."""
    x, w = quadrature(residual.norm, residual.kinks(theta))
    return float(np.dot(w, residual(x, theta) ** 2))


def value(residual: Residual, theta: np.ndarray) -> float:
    """The norm in its own unit: the root for l2 and gaussian, the mean square for grid and samples."""
    square = mean_square(residual, theta)
    return square if residual.norm.is_discrete else math.sqrt(square)


def minimise(residual: Residual, starts: list[np.ndarray], bounds: np.ndarray) -> tuple[np.ndarray, float]:
    """The least of the local minima reached from the starts: the constants and the value."""
    reached = [_descend(residual, start, bounds) for start in starts]
    best = _polished(residual, min(reached, key=lambda theta: mean_square(residual, theta)), bounds)
    return best, value(residual, best)


def _weighted(residual: Residual):
    """sqrt(w) r and its Jacobian, whose sum of squares is the mean square.

    Panels end at the kinks, so that the integral is smooth in the constants; r is continuous, so that the gradient of
    the integral is the integral of the gradient.
    """

    def weighted(t):
        x, w = quadrature(residual.norm, residual.kinks(t))
        return np.sqrt(w) * residual(x, t)

    def jacobian(t):
        x, w = quadrature(residual.norm, residual.kinks(t))
        return np.sqrt(w)[:, None] * residual.gradient(x, t)

    return weighted, jacobian


def _descend(residual: Residual, theta: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """A local minimum from the start theta, to some eight digits of the value."""
    options = {"x_scale": "jac", "ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15, "max_nfev": 200}
    weighted, jacobian = _weighted(residual)
    reached = optimize.least_squares(weighted, theta, jacobian, bounds=bounds.T, **options).x
    return reached if residual.is_admissible(reached) else theta


def _polished(residual: Residual, best: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    for size in SIMPLICES if residual.norm.is_discrete else ():
        best = _accepted(residual, best, _simplex(residual, best, size), bounds, 1 - 1e-12)
    # At equal value the zero of the gradient is preferred, since it has twice the digits.
    weighted, jacobian = _weighted(residual)
    return _accepted(residual, best, _stationary(weighted, jacobian, best), bounds, 1 + 1e-12)


def _accepted(residual: Residual, best: np.ndarray, other: np.ndarray, bounds: np.ndarray, share: float) -> np.ndarray:
    """The other if it is admissible and its mean square at most that share of the best's."""
    inside = np.isfinite(other).all() and (other >= bounds[:, 0]).all() and (other <= bounds[:, 1]).all()
    inside = inside and residual.is_admissible(other)
    return other if inside and mean_square(residual, other) <= share * mean_square(residual, best) else best


def _stationary(weighted, jacobian, theta: np.ndarray) -> np.ndarray:
    """The zero of the gradient next to theta: least squares stop when the value does, eight digits early."""
    scale = np.abs(jacobian(theta).T @ jacobian(theta)).max() or 1.0
    solved = optimize.root(lambda t: jacobian(t).T @ weighted(t) / scale, theta, method="hybr", options={"xtol": 1e-14})
    return solved.x


def _simplex(residual: Residual, theta: np.ndarray, size: float) -> np.ndarray:
    simplex = np.vstack([theta, *(theta + np.eye(len(theta)) * size * (1 + np.abs(theta)))])
    return optimize.minimize(
        lambda t: mean_square(residual, t),
        theta,
        method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 1e-11, "fatol": 0, "maxiter": 600},
    ).x
