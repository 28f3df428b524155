"""Constants of a format near real ones: rounded one after another, the others adapting, then step by step downhill.

A heuristic: what it finds is certified by its error alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from analysis.activation.errors import BadInput
from analysis.optimal.lattice import Lattice

ROUNDS = 20
TINY = 1e-6  # relative step of the differences that stand for derivatives

Errors = Callable[[np.ndarray], np.ndarray]  # on a grid, nan or infinite where the constants are not admissible


def rounded(lattice: Lattice, theta: np.ndarray, errors: Errors) -> tuple[Fraction, ...]:
    """Lattice points near theta with a small largest error."""
    settled: list[Fraction] = []
    now = np.array(theta, float)
    for k in range(len(now)):
        choices = []
        for point in _around(lattice, now[k]):
            trial = now.copy()
            trial[k] = float(point)
            trial = _adapted(trial, k + 1, errors)
            choices.append((_size(errors(trial)), point, trial))
        _, point, now = min(choices, key=lambda c: c[0])
        settled.append(point)
    return _downhill(lattice, settled, errors)


def _around(lattice: Lattice, value: float) -> list[Fraction]:
    if not lattice.reaches(value):
        raise BadInput(f"expected a format that holds constants near {value:.6g}, got {lattice.range}")
    return lattice.around(float(value), 1)


def _size(errors: np.ndarray) -> float:
    largest = float(np.abs(errors).max())
    return largest if math.isfinite(largest) else math.inf


def _adapted(theta: np.ndarray, first: int, errors: Errors) -> np.ndarray:
    """The constants from `first` on moved so that the largest error is least, to first order."""
    from scipy import optimize

    here = errors(theta)
    if first == len(theta) or not np.isfinite(here).all():
        return theta
    steps = [TINY * max(abs(t), TINY) for t in theta[first:]]
    columns = []
    for k, step in enumerate(steps, first):
        moved = theta.copy()
        moved[k] += step
        columns.append((errors(moved) - here) / step)
    slopes, size = np.column_stack(columns), _size(here)
    scale = np.abs(slopes).max(axis=0)
    scale[~(scale > 0)] = 1.0
    rows = slopes / scale * 1.0
    ones = np.ones((len(here), 1))
    bounds = [(-4 * size, 4 * size)] * len(steps) + [(0, None)]
    found = optimize.linprog(
        np.eye(len(steps) + 1)[-1],
        np.block([[rows, -ones], [-rows, -ones]]) / size,
        np.concatenate([-here, here]) / size,
        bounds=bounds,
    )
    if found.x is None:
        return theta
    moved = theta.copy()
    moved[first:] += found.x[:-1] / scale
    return moved if _size(errors(moved)) < size else theta


def _downhill(lattice: Lattice, point: list[Fraction], errors: Errors) -> tuple[Fraction, ...]:
    """Neighbours in one coordinate, or in two at once, as long as they lower the error."""
    best = _size(errors(np.array([float(c) for c in point])))
    for _ in range(ROUNDS):
        trials = [(k, c) for k, value in enumerate(point) for c in _beside(lattice, value)]
        moves = [{k: c} for k, c in trials]
        moves += [{k: c, j: d} for i, (k, c) in enumerate(trials) for j, d in trials[i + 1 :] if j > k]
        improved = False
        for move in moves:
            other = [move.get(k, value) for k, value in enumerate(point)]
            size = _size(errors(np.array([float(c) for c in other])))
            if size < best:
                point, best, improved = other, size, True
        if not improved:
            break
    return tuple(point)


def _beside(lattice: Lattice, value: Fraction) -> list[Fraction]:
    return [c for c in (lattice.before(value), lattice.after(value)) if c is not None]
