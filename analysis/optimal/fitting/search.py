"""The search for the best constants: starts from a scan of a box, then local searches. Floating point throughout."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import sympy as sp

from analysis.activation.errors import BadInput
from analysis.optimal.fitting import minimax, squares
from analysis.optimal.fitting.quadrature import quadrature
from analysis.optimal.fitting.residual import Residual

STARTS = {1: 4, 2: 4}  # local searches, from the best of the points tried
STARTS_BEYOND = 12
TRIED = {1: 64, 2: 576, 3: 1024}  # points of the starting box
TRIED_BEYOND = 2048
HELD = 1e-9  # relative width that a constant keeps where it is held
LEAST, LARGEST = 1e-6, 1e6  # of the constants that are looked for


def best(
    residual: Residual, boxes: Mapping[str, tuple[float, float]], more: Sequence[np.ndarray] = ()
) -> tuple[np.ndarray, float]:
    """The best constants found, and their error; `boxes` are where the scan looks, `more` are further starts."""
    if not residual.free:
        return np.array([]), value(residual, np.array([]))[0]
    bounds = np.array([(_least(s), LARGEST) for s in residual.free])
    starts = [*_starts(residual, boxes), *more]
    if not starts:
        raise BadInput(f"no choice of {', '.join(s.name for s in residual.free)} that was tried gives a finite error")
    solver = minimax if residual.norm.kind == "sup" else squares
    return solver.minimise(residual, starts, bounds)


def with_one_held(residual: Residual, theta: np.ndarray, i: int, value: float) -> float:
    """The least error found from theta where its i-th constant has that value."""
    bounds = np.array([(_least(s), LARGEST) for s in residual.free])
    bounds[i] = value * (1 - HELD), value * (1 + HELD)
    start = theta.copy()
    start[i] = value
    return (minimax if residual.norm.kind == "sup" else squares).minimise(residual, [start], bounds)[1]


def _least(symbol: sp.Symbol) -> float:
    return LEAST if symbol.is_nonnegative else -LARGEST


def value(residual: Residual, theta: np.ndarray) -> tuple[float, float | None]:
    """The error at the constants theta and, for the sup norm, the x that attains it; inf if not admissible."""
    if not residual.is_admissible(theta):
        return math.inf, None
    if residual.norm.kind == "sup":
        return minimax.value(residual, theta, minimax.base_grid(residual))
    return squares.value(residual, theta), None


def _starts(residual: Residual, boxes: Mapping[str, tuple[float, float]]) -> list[np.ndarray]:
    """The best points of the starting box that are not next to a better one, and one of those with equal errors.

    Equal errors are a plateau: some constants do not matter there, as others set the error.
    """
    box = np.array([boxes[s.name] for s in residual.free])
    points = _box_points(box)
    fixed = coarse_points(residual)
    errors = np.array([coarse(residual, theta, *fixed) for theta in points])
    chosen: list[np.ndarray] = []
    reached: list[float] = []
    widths = _to_scale(box, box[:, 1]) - _to_scale(box, box[:, 0])
    for i in np.argsort(errors, kind="stable"):
        if len(chosen) == STARTS.get(len(box), STARTS_BEYOND) or not math.isfinite(errors[i]):
            break
        apart = [np.abs((_to_scale(box, points[i]) - _to_scale(box, c)) / widths).max() for c in chosen]
        if min(apart, default=1.0) > 0.08 and not any(math.isclose(errors[i], e, rel_tol=1e-9) for e in reached):
            chosen.append(points[i])
            reached.append(errors[i])
    return chosen


def _to_scale(box: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Logarithmic coordinates where the box is positive."""
    positive = box[:, 0] > 0
    return np.where(positive, np.log(np.where(positive, theta, 1.0)), theta)


def _box_points(box: np.ndarray) -> np.ndarray:
    n = len(box)
    tried = TRIED.get(n, TRIED_BEYOND)
    if n <= 2:
        side = round(tried ** (1 / n))
        axis = (np.arange(side) + 0.5) / side
        unit = np.stack([m.ravel() for m in np.meshgrid(*[axis] * n, indexing="ij")], axis=-1)
    else:
        from scipy.stats import qmc  # takes half a second to import

        unit = qmc.Sobol(n, scramble=False).random(tried)
    low, high = _to_scale(box, box[:, 0]), _to_scale(box, box[:, 1])
    scaled = low + unit * (high - low)
    return np.where(box[:, 0] > 0, np.exp(scaled), scaled)


def coarse_points(residual: Residual) -> tuple[np.ndarray, np.ndarray]:
    if residual.norm.kind == "sup":
        x = minimax.base_grid(residual)[::5]
        return x, np.ones_like(x)
    x, w = quadrature(residual.norm, np.array([]))
    return x, w


@np.errstate(all="ignore")  # far from the best constants the error may overflow
def coarse(residual: Residual, theta: np.ndarray, x: np.ndarray, w: np.ndarray) -> float:
    """The error on fixed points: good enough to choose starts and to draw the landscape; inf if not admissible."""
    if not residual.is_admissible(theta):
        return math.inf
    r = np.abs(residual(x, theta))
    if residual.norm.kind == "sup":
        return max(float(r.max()), *(abs(residual.at_infinity(i, theta)[0]) for i in range(len(residual.limits))), 0.0)
    square = float(np.dot(w, r * r))
    return square if residual.norm.is_discrete else math.sqrt(square)
