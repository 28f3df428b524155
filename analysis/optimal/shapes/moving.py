"""Splines whose knots move: a sequence of linear programmes in the coefficients and in what places the knots.

The knots are `base + directions @ theta`. Each programme is the fixed-knot one with the spline's derivatives by theta
beside its basis; a trust region keeps the knots apart. It finds a local minimum: where it starts matters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.optimal.shapes.exchange import Gaps, Points, Problem, chebyshev
from analysis.optimal.shapes.outside import Outside

STEPS = 60
WIDEST = 0.3  # share of a gap by which a knot may move in one step
NARROWEST = 1e-10
ENOUGH = 1e-9  # relative gain: less ends the search
AT_FIRST = 2  # rounds of exchange for the coefficients at the start
PER_GAP = 6
SMALLER = 2  # by this factor the region of trust shrinks after a step that was not taken
HEAVY = 0.5  # of the largest error: maxima that a programme sees


@dataclass(frozen=True)
class Place:
    """Knots that depend linearly on theta; `outside` holds what is beyond the ends that move."""

    problem: Problem
    base: np.ndarray
    directions: np.ndarray
    outside: tuple[Outside | None, Outside | None]

    def knots(self, theta: np.ndarray) -> np.ndarray:
        return self.base + self.directions @ theta

    def aside(self, knots: np.ndarray) -> float:
        """The error outside the knots."""
        return max(
            (one(end) for one, end in zip(self.outside, knots[[0, -1]].tolist(), strict=True) if one), default=0.0
        )


def settled(place: Place, theta: np.ndarray, steps: int = STEPS, enough: float = ENOUGH) -> tuple[np.ndarray, float]:
    """(theta, the error of a spline there with what is outside) at a local minimum near the start."""
    problem, trust = place.problem, WIDEST
    knots = place.knots(theta)
    coefficients = problem.best(knots, most=AT_FIRST).coefficients
    error, maxima, gaps = _error(place, knots, coefficients)
    missed = np.empty(0)  # where steps that were not taken had their largest errors
    for _ in range(steps):
        moved, change, promised = _step(place, knots, coefficients, maxima, missed, gaps, error, trust)
        if error - promised <= enough * error:
            break
        trial, altered = theta + moved, coefficients + change
        found, tops, cut = _error(place, place.knots(trial), altered)
        if found < error:
            gained = (error - found) / (error - promised)
            trust = min(WIDEST, trust * (2 if gained > 0.5 else 1 if gained > 0.1 else 0.5))
            theta, knots, coefficients, error, maxima, gaps = trial, place.knots(trial), altered, found, tops, cut
            missed = np.empty(0)
        else:
            trust /= SMALLER
            missed = np.append(missed, tops.x)
            if trust < NARROWEST:
                break
    return theta, error


def _error(place: Place, knots: np.ndarray, coefficients: np.ndarray) -> tuple[float, Points, Gaps]:
    gaps = Gaps.between(knots, place.problem.curve.breaks)
    fixed, free = place.problem.start(knots)
    maxima, sizes = place.problem.maxima(gaps, knots, np.where(free, coefficients, fixed))
    largest = float(sizes.max())
    return max(largest, place.aside(knots)), maxima[sizes > HEAVY * largest], gaps


def _step(
    place: Place, knots, coefficients, maxima: Points, missed: np.ndarray, gaps: Gaps, error: float, trust: float
):
    """(change of theta, of the coefficients, the error that the linear model promises)."""
    from scipy import sparse

    problem = place.problem
    fixed, free = problem.start(knots)
    coefficients = np.where(free, coefficients, fixed)
    points = gaps.points(PER_GAP) + maxima + gaps.placed(missed)
    residual = problem.residual(points, gaps, knots, coefficients)
    index, values = problem.matrix(points, gaps, knots)
    rows = np.repeat(np.arange(len(points.x)), index.shape[1])
    basis = sparse.csr_matrix((values.ravel(), (rows, index.ravel())), (len(points.x), len(free)))[:, free]
    sizes = np.diff(knots)
    room = np.minimum(np.append(sizes, np.inf), np.append(np.inf, sizes))
    reach = np.abs(place.directions) > 0
    scale = np.array([(room[r] / abs(d[r])).min() for r, d in zip(reach.T, place.directions.T, strict=True)])
    shifts = problem.moved(knots, coefficients, points, gaps) @ sparse.csr_matrix(place.directions * scale / error)
    system, right = sparse.hstack([basis, shifts]), residual / error
    ends = [(k, one) for k, one in ((0, place.outside[0]), (-1, place.outside[1])) if one]
    if ends:  # a row for what is outside: value + slope * (change of the end), from both sides
        slopes = (
            np.array([[-one.slope(knots[k])] for k, one in ends]) * (place.directions * scale)[[k for k, _ in ends]]
        )
        below = sparse.csr_matrix(np.hstack([np.zeros((len(ends), basis.shape[1])), slopes / error]))
        system = sparse.vstack([system, below])
        right = np.append(right, [one(knots[k]) / error for k, one in ends])
    limits: list[tuple[float | None, float | None]] = [(None, None)] * basis.shape[1] + [(-trust, trust)] * len(scale)
    found, promised, _ = chebyshev(system.tocsr(), right, limits)
    change = np.zeros(len(free))
    change[free] = error * found[: basis.shape[1]]
    return scale * found[basis.shape[1] :], change, error * promised
