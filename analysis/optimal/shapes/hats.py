"""Continuous piecewise linear least squares with free knots, in floating point: a search, not a bound.

For fixed knots the values at them are a linear problem (a tridiagonal one, in hat functions). What is left is a
function of the knots alone (variable projection: Golub and Pereyra 1973), on which Newton's method runs. It starts from
knots of density (w f''^2)^(1/5), at which the error is equal on all pieces.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
PANELS = 48  # of the domain at least, besides those between knots and breakpoints
STEPS, TRIES = 60, 12  # of Newton's method, and of a damping for each
TRIAL, HOPELESS = 8, 1.5  # steps after which a descent is left whose square is so many times a rival's
SLOW, PATIENCE = 1e-9, 4  # relative decrease, so often in a row, at which a descent ends
SETTLED = 1e-13  # relative change of the knots
SHARE = 0.7  # of the way to a neighbour that a knot goes in one step
CLOSE = 1e-10  # of the domain: knots are no closer
EXCHANGES = 4  # pieces that are tried elsewhere, and where
GROUPS = 64  # of points, for a density that stands for them
SURVEY = 2048  # points at which the curvature is looked at
EVEN = 0.02  # of the mean density is everywhere
SHIFTS = (0.0, 0.35, -0.35)  # of all quantiles, for different starts
RIDGE = 1e-14  # keeps values that no point tells near the target's
PLACES = tuple(product(range(4), range(4)))  # of a piece's block in the Hessian

Line = tuple[float, float]  # slope, intercept


@dataclass(frozen=True)
class Mass:
    """What is measured: f, and the weighted points (x, w, f(x)), or a density with breaks where f is not smooth."""

    low: float
    high: float
    value: Callable[[np.ndarray], np.ndarray]
    density: Callable[[np.ndarray], np.ndarray]
    breaks: np.ndarray
    lines: tuple[Line | None, Line | None] = (None, None)
    points: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    def at(self, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Points, weights, values and the number of the piece each lies on, in order."""
        if self.points is not None:
            x, w, f = self.points
            return x, w, f, np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, len(nodes) - 2)
        edges = np.union1d(nodes, self.breaks)
        half = (edges[1:] - edges[:-1]) / 2
        middle = (edges[1:] + edges[:-1]) / 2
        x = (middle[:, None] + half[:, None] * NODES).ravel()
        w = (half[:, None] * WEIGHTS).ravel() * self.density(x)
        owner = np.clip(np.searchsorted(nodes, middle, side="right") - 1, 0, len(nodes) - 2)
        return x, w, self.value(x), np.repeat(owner, len(NODES))

    def values(self, nodes: np.ndarray) -> np.ndarray:
        if self.points is not None:
            return np.interp(nodes, self.points[0], self.points[2])
        return self.value(nodes)


def panels(low: float, high: float, breaks: list[float]) -> np.ndarray:
    """Even ones, those that grow from zero, and the breaks."""
    grown = 2.0 ** np.arange(-2, 12)
    marks = np.concatenate([np.linspace(low, high, PANELS + 1), grown, -grown, breaks])
    return np.unique(marks[(marks >= low) & (marks <= high)])


def smoothed(x: np.ndarray, w: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A density that stands for weighted points."""
    at = np.unique(np.linspace(0, len(x) - 1, GROUPS + 1).astype(int))
    density = np.diff(np.cumsum(w)[at]) / np.diff(x[at])
    middle = (x[at][1:] + x[at][:-1]) / 2
    return lambda t: np.interp(t, middle, density)


@dataclass(frozen=True)
class Fit:
    """Nodes, the ends of the domain among them, with their values; the mean square, and that of each piece."""

    nodes: np.ndarray
    values: np.ndarray
    square: float
    shares: np.ndarray


class _Sums:
    """What each piece needs to know of r = f - l, l linear from (p, u) to (q, v): t = (x - p)/(q - p)."""

    def __init__(self, mass: Mass, nodes: np.ndarray, values: np.ndarray | None = None):
        x, w, f, owner = mass.at(nodes)
        self.nodes, self.count = nodes, len(nodes) - 1
        self.lengths = np.diff(nodes)
        t = (x - nodes[owner]) / self.lengths[owner]

        def total(terms: np.ndarray) -> np.ndarray:
            return np.bincount(owner, terms, self.count)

        self.gram = total(w * (1 - t) ** 2), total(w * t * (1 - t)), total(w * t * t)
        self.values = self._projected(mass, x, w, f, t, owner, total) if values is None else values
        v = self.values
        r = f - (v[owner] * (1 - t) + v[owner + 1] * t)
        self.left, self.right = total(w * r * (1 - t)), total(w * r * t)
        self.shares = total(w * r * r)
        self.square = float(self.shares.sum())

    def _projected(self, mass, x, w, f, t, owner, total) -> np.ndarray:
        """The best values for these nodes, as corrections of the target's own."""
        near = mass.values(self.nodes)
        for end, inner, line in ((0, 1, mass.lines[0]), (-1, -2, mass.lines[1])):
            if line is not None:
                near[[end, inner]] = line[0] * self.nodes[[end, inner]] + line[1]
        r = f - (near[owner] * (1 - t) + near[owner + 1] * t)
        a, b, c = self.gram
        diagonal = np.concatenate([a, [0]]) + np.concatenate([[0], c])
        diagonal += RIDGE * (diagonal.max() or 1.0)
        side = np.concatenate([total(w * r * (1 - t)), [0]]) + np.concatenate([[0], total(w * r * t)])
        beside = b.copy()
        for fixed, line in zip(((0, 1), (-1, -2)), mass.lines, strict=True):
            if line is not None:
                diagonal[list(fixed)], side[list(fixed)] = 1.0, 0.0
                beside[[0, min(1, len(b) - 1)] if fixed[0] == 0 else [-1, max(-2, -len(b))]] = 0.0
        from scipy.linalg import solveh_banded

        banded = np.vstack([np.concatenate([[0], beside]), diagonal])
        return near + solveh_banded(banded, side)


def _newton(mass: Mass, sums: _Sums) -> tuple[np.ndarray, np.ndarray]:
    """Gradient and Hessian (banded, lower form) by the nodes and the values: 2j is the node j, 2j + 1 its value.

    With m = (v - u)/h: l_p = -m (1 - t), l_u = 1 - t, l_q = -m t, l_v = t. What r^2 gives at a node cancels between
    its two pieces in the gradient; in the Hessian it leaves 2 w r (m_left - m_right).
    """
    n, h = sums.count, sums.lengths
    nodes, v = sums.nodes, sums.values
    m = np.diff(v) / h
    (a, b, c), left, right = sums.gram, sums.left, sums.right
    by = [(-m, 1), (np.ones(n), 1), (-m, 2), (np.ones(n), 2)]  # p, u, q, v: factor of 1 - t or of t
    grams = {(1, 1): a, (1, 2): b, (2, 1): b, (2, 2): c}
    first = [-2 * factor * (left if which == 1 else right) for factor, which in by]
    zero = np.zeros(n)
    pq, pu, pv, qu, qv = m * (left - right) / h, left / h, -left / h, right / h, -right / h
    second = [
        [-2 * m * left / h, pu, pq, pv],
        [pu, zero, qu, zero],
        [pq, qu, 2 * m * right / h, qv],
        [pv, zero, qv, zero],
    ]
    block = np.empty((4, 4, n))
    for i, j in PLACES:
        block[i, j] = 2 * by[i][0] * by[j][0] * grams[by[i][1], by[j][1]] - 2 * second[i][j]
    gradient = np.array(first)
    inner = nodes[1:-1]
    block[0, 0, 1:] += 2 * mass.density(inner) * (mass.values(inner) - v[1:-1]) * (m[:-1] - m[1:])
    _tie(mass, gradient, block)
    total = np.zeros(2 * n + 2)
    banded = np.zeros((4, 2 * n + 2))
    for i in range(4):
        total[i : i + 2 * n : 2] += gradient[i]
        for j in range(i + 1):
            banded[i - j, j : j + 2 * n : 2] += block[i, j]
    pinned = [0, 2 * n, *([1, 3] if mass.lines[0] else []), *([2 * n + 1, 2 * n - 1] if mass.lines[1] else [])]
    for k in pinned:
        total[k], banded[0, k], banded[1:, k] = 0.0, 1.0, 0.0
        for d in range(1, 4):
            if k >= d:
                banded[d, k - d] = 0.0
    return total, banded


def _tie(mass: Mass, gradient: np.ndarray, block: np.ndarray) -> None:
    """A node on an asymptote moves along it: its value's share goes to the node."""
    n = gradient.shape[1]
    for line, spots in ((mass.lines[0], ((0, 2), (1, 0))), (mass.lines[1], ((n - 1, 0), (n - 2, 2)))):
        if line is None:
            continue
        for piece, node in spots:
            if 0 <= piece < n:
                gradient[node, piece] += line[0] * gradient[node + 1, piece]
                block[node, :, piece] += line[0] * block[node + 1, :, piece]
                block[:, node, piece] += line[0] * block[:, node + 1, piece]


def descend(mass: Mass, knots: np.ndarray, rival: float = math.inf) -> Fit:
    """A local minimum near these knots; what is still far above the rival after a few steps is left."""
    from scipy.linalg import LinAlgError, solveh_banded

    nodes = np.concatenate([[mass.low], knots, [mass.high]])
    least = CLOSE * (mass.high - mass.low)
    sums, damping, stalled = _Sums(mass, nodes), 0.0, 0
    for taken in range(STEPS if len(knots) else 0):
        if taken >= TRIAL and sums.square > HOPELESS * rival:
            break
        gradient, banded = _newton(mass, sums)
        scale = np.abs(banded[0]) + 1e-300
        improved = False
        for _ in range(TRIES):
            damped = banded.copy()
            damped[0] += damping * scale
            try:
                step = -solveh_banded(damped, gradient, lower=True)[0::2]
            except (LinAlgError, ValueError):
                damping = max(4 * damping, 1e-3)
                continue
            moved = _moved(sums.nodes, step, least)
            found = _Sums(mass, moved)
            if found.square < sums.square or (damping == 0 and found.square <= sums.square * (1 + 1e-14)):
                improved = True
                break
            damping = max(10 * damping, 1e-6)
        if not improved:
            break
        change = float(np.max(np.abs(moved - sums.nodes)))
        stalled = stalled + 1 if found.square > sums.square * (1 - SLOW) else 0
        sums, damping = found, damping / 8 if damping > 1e-9 else 0.0
        if change <= SETTLED * (mass.high - mass.low) or stalled > PATIENCE:
            break
    return Fit(sums.nodes, sums.values, sums.square, sums.shares)


def _moved(nodes: np.ndarray, step: np.ndarray, least: float) -> np.ndarray:
    """As far along the step as knots keep their order."""
    gaps, closing = np.diff(nodes), -np.diff(step)
    with np.errstate(divide="ignore", invalid="ignore"):
        rooms = np.where(closing > 0, np.maximum(gaps - least, 0) / closing, math.inf)
    return nodes + min(1.0, SHARE * float(rooms.min())) * step


# starts


def best(mass: Mass, pieces: int, starts: list[np.ndarray] | None = None) -> Fit:
    """The best of the local minima from starts of the expected density, and from what exchanging pieces finds."""
    tried = [descend(mass, knots) for knots in [*quantiles(mass, pieces), *(starts or [])]]
    found = min(tried, key=lambda fit: fit.square)
    return found if pieces > 96 else _exchanged(mass, found)


def _exchanged(mass: Mass, fit: Fit) -> Fit:
    """Takes a knot out where it serves least, and puts it in where the error is largest, as long as that helps."""
    while True:
        knots = fit.nodes[1:-1]
        if len(knots) < 2:
            return fit
        largest = np.argsort(fit.shares)[::-1][:EXCHANGES]
        idle = np.argsort(fit.shares[:-1] + fit.shares[1:])[:EXCHANGES]
        better = None
        for out, into in product(idle, largest):
            middle = (fit.nodes[into] + fit.nodes[into + 1]) / 2
            tried = descend(mass, np.sort(np.concatenate([np.delete(knots, out), [middle]])), fit.square)
            if tried.square < fit.square * (1 - 1e-9):
                better = tried
                break
        if better is None:
            return fit
        fit = better


def quantiles(mass: Mass, pieces: int) -> list[np.ndarray]:
    """Knots at even shares of the density, shifted to either side; and with the breakpoints among them."""
    x, total = survey(mass)
    outer = sum(line is not None for line in mass.lines)
    first = 0.5 if mass.lines[0] else 1.0
    span = pieces - (outer and 1) if outer == 2 else pieces - 0.5 * outer
    found = []
    for shift in SHIFTS:
        shares = (np.arange(pieces - 1) + first + shift) / max(span, 1)
        found.append(_apart(mass, np.interp(np.clip(shares, 1e-3, 1 - 1e-3) * total[-1], total, x)))
    return found


def survey(mass: Mass) -> tuple[np.ndarray, np.ndarray]:
    """The integral of the density (w f''^2)^(1/5), with a little everywhere."""
    x = np.union1d(np.linspace(mass.low, mass.high, SURVEY), panels(mass.low, mass.high, []))
    f = mass.values(x)
    slopes = np.diff(f) / np.diff(x)
    middle = (x[1:] + x[:-1]) / 2
    bend = np.abs(np.diff(slopes) / np.diff(middle))
    density = (bend**2 * mass.density(x[1:-1])) ** 0.2
    density = np.nan_to_num(np.concatenate([density[:1], (density[1:] + density[:-1]) / 2, density[-1:]]))
    total = np.concatenate([[0], np.cumsum(density * np.diff(x))])
    if not total[-1] > 0:
        return x, x - x[0]
    return x, total / total[-1] + EVEN * (x - x[0]) / (x[-1] - x[0])


def _apart(mass: Mass, knots: np.ndarray) -> np.ndarray:
    """The knots, moved as little as it takes to lie strictly between the ends and one behind the other."""
    nodes = np.concatenate([[mass.low], knots, [mass.high]])
    gap = 1e-3 * (mass.high - mass.low) / len(nodes)
    for k in range(1, len(nodes) - 1):
        nodes[k] = max(nodes[k], nodes[k - 1] + gap)
    for k in range(len(nodes) - 2, 0, -1):
        nodes[k] = min(nodes[k], nodes[k + 1] - gap)
    return nodes[1:-1]
