"""The best spline on given knots in the sup norm, a linear programme, and how it changes as the knots move.

Of all points only those count where the error is largest. They are found by exchange: the programme is solved on a few
points, the maxima of the error join them, and so on until no maximum is larger than the programme's (Remez 1934;
Stiefel 1959). The multipliers of the last programme prove that nothing is better (`multipliers`).
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace

import numpy as np
import sympy as sp

from analysis.activation import lowering
from analysis.activation.errors import Undecided
from analysis.activation.lowering import Program
from analysis.optimal.shapes.basis import Shape, all_beside
from analysis.optimal.shapes.linear import Target

SAMPLES = 12  # of a gap between knots
FEWEST = 400  # samples of all
ROUNDS = 30
AT_FIRST = {1: 2, 2: 8}  # points of a gap, by the degree: fewer let pieces that do not matter stray
SAME, SAME_LATER = 5e-11, 1e-9  # relative: maxima that count as equal, at first and after so many rounds
HASTY, PATIENT = 3, 10
NOISE = 64 * np.finfo(float).eps  # times f: by so much are values uncertain
NEAR = 0.7  # of the largest error: maxima that are kept
FEASIBLE = (1e-10, 1e-9, 1e-7)  # the solver's tolerance, the error being one
NEWTON = 4
TILT = 1e-6  # times a gap: by so much knots are moved to see what it does
COLOURS = 4  # a knot changes four pieces at most


Lines = tuple[tuple[sp.Expr, sp.Expr] | None, ...]


class Curve:
    """f, f', f'' of a target on arrays, by the number of its piece."""

    def __init__(self, target: Target):
        self.breaks = np.array(target.breaks)
        self.programs = [Program.jet(piece.expression, 2) for piece in target.pieces]

    def jets(self, x: np.ndarray, piece: np.ndarray) -> np.ndarray:
        """Three rows."""
        found = np.empty((3, *x.shape))
        with np.errstate(all="ignore"):
            for k in np.unique(piece):
                mask = piece == k
                for row, value in zip(found, self.programs[k].run(lowering.NUMPY, [x[mask]]), strict=True):
                    row[mask] = value
        return found


@dataclass(frozen=True)
class Points:
    """Abscissae with the gap each is seen from: a gap has no knot and no breakpoint of the target inside."""

    x: np.ndarray
    gap: np.ndarray

    def __add__(self, other: Points) -> Points:
        x, gap = np.concatenate([self.x, other.x]), np.concatenate([self.gap, other.gap])
        order = np.lexsort((x, gap))
        x, gap = x[order], gap[order]
        new = np.append(True, (np.diff(x) > 1e-13 * (1 + abs(x[1:]))) | (np.diff(gap) > 0))
        return Points(x[new], gap[new])

    def __getitem__(self, mask: np.ndarray) -> Points:
        return Points(self.x[mask], self.gap[mask])


@dataclass(frozen=True)
class Gaps:
    """Where knots and breakpoints cut the line: ends, the target's piece, and the spline's."""

    low: np.ndarray
    high: np.ndarray
    target: np.ndarray
    piece: np.ndarray

    @classmethod
    def between(cls, knots: np.ndarray, breaks: np.ndarray) -> Gaps:
        inner = breaks[(breaks > knots[0]) & (breaks < knots[-1])]
        cuts = np.unique(np.concatenate([knots, inner]))
        middle = (cuts[1:] + cuts[:-1]) / 2
        return cls(cuts[:-1], cuts[1:], np.searchsorted(breaks, middle), np.searchsorted(knots, middle) - 1)

    def points(self, per_gap: int) -> Points:
        share = np.linspace(0, 1, per_gap + 1)
        x = self.low[:, None] * (1 - share) + self.high[:, None] * share
        return Points(x.ravel(), np.repeat(np.arange(len(self.low)), per_gap + 1))

    def placed(self, x: np.ndarray) -> Points:
        """The abscissae that lie inside."""
        x = x[(x > self.low[0]) & (x < self.high[-1])]
        return Points(x, np.searchsorted(self.high, x))


@dataclass(frozen=True)
class Fit:
    """The best spline on the knots: coefficients, its error, and the signed multipliers of the points that decide.

    The error of no spline on the knots is below `least`.
    """

    knots: np.ndarray
    coefficients: np.ndarray
    error: float
    least: float
    points: Points
    multipliers: np.ndarray
    gaps: Gaps


class Problem:
    """Best splines of one shape for one target; `outer` are the lines that they follow beyond their ends."""

    def __init__(self, target: Target, shape: Shape, curve: Curve | None = None, outer: Lines | None = None):
        self.target, self.shape = target, shape
        self.curve, self.outer = curve or Curve(target), target.outer if outer is None else outer
        self.lines = tuple(line and (float(line[0]), float(line[1])) for line in self.outer)

    # on given knots

    def best(self, knots: np.ndarray, also: np.ndarray | None = None, most: int = ROUNDS) -> Fit:
        """By exchange, in so many rounds at most; `also` are abscissae that are to count from the start."""
        gaps = Gaps.between(knots, self.curve.breaks)
        coefficients, free = self.start(knots)
        points = gaps.points(max(AT_FIRST[self.shape.degree], FEWEST // 8 // len(gaps.low)))
        if also is not None:
            points = points + gaps.placed(also)
        best, least = None, math.inf
        for rounds in range(most):
            solved = points
            residual = self.residual(points, gaps, knots, coefficients)
            change, error, multipliers = self._programme(points, gaps, knots, free, residual, rounds >= HASTY)
            coefficients[free] += change
            maxima, sizes = self.maxima(gaps, knots, coefficients)
            largest = sizes.max(initial=0.0)
            if best is None or largest < least:
                best, least = Fit(knots, coefficients.copy(), largest, error, points, multipliers, gaps), largest
            enough = SAME if rounds < PATIENT else SAME_LATER
            if least <= error * (1 + enough) + self._noise(knots, coefficients):
                break
            points = points + maxima[sizes > NEAR * error]
        assert best is not None
        return replace(best, least=error, points=solved, multipliers=multipliers)

    def _noise(self, knots: np.ndarray, coefficients: np.ndarray) -> float:
        return NOISE * float(abs(coefficients).max())

    def start(self, knots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Schoenberg's approximation, and which coefficients are free."""
        x = np.array(self.shape.abscissae(list(knots)))
        values = self.curve.jets(x, np.searchsorted(self.curve.breaks, x))[0]
        values = np.where(np.isfinite(values), values, 0.0)
        free, k = np.ones(len(x), bool), self.shape.fixed
        for line, part in zip(self.lines, (slice(None, k), slice(len(x) - k, None)), strict=True):
            if line is not None:
                values[part], free[part] = line[0] * x[part] + line[1], False
        return values, free

    def matrix(self, points: Points, gaps: Gaps, knots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For each point the indices of the functions that live there, and their values."""
        piece = gaps.piece[points.gap]
        values = self.shape.weights(points.x, *(side[piece] for side in all_beside(knots)))
        return self.shape.first(piece)[:, None] + np.arange(self.shape.degree + 1), np.stack(values, axis=1)

    def residual(self, points: Points, gaps: Gaps, knots: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """f - spline."""
        index, values = self.matrix(points, gaps, knots)
        found = self.curve.jets(points.x, gaps.target[points.gap])[0] - (coefficients[index] * values).sum(axis=1)
        if not np.isfinite(found).all():
            x = points.x[~np.isfinite(found)][0]
            raise Undecided(f"a design for a target that is infinite or undefined at x = {x:g}")
        return found

    def _programme(self, points: Points, gaps: Gaps, knots: np.ndarray, free: np.ndarray, residual, calm: bool):
        """The least e with |residual - change| <= e at the points: (change, e, signed multipliers).

        A `calm` one makes the error as small as it can be in the gaps, too, that have no part in e.
        """
        from scipy import sparse

        index, values = self.matrix(points, gaps, knots)
        rows = np.repeat(np.arange(len(points.x)), index.shape[1])
        matrix = sparse.csr_matrix((values.ravel(), (rows, index.ravel())), (len(points.x), len(free)))[:, free]
        scale = abs(residual).max() or 1.0
        change, error, multipliers = chebyshev(matrix, residual / scale)
        if calm and error:
            deciding = np.isin(points.gap, points.gap[multipliers != 0])
            if not deciding.all():
                change = chebyshev(matrix, residual / scale, given=np.where(deciding, error * (1 + SAME / 4), 0.0))[0]
        return scale * change, scale * error, multipliers

    def maxima(self, gaps: Gaps, knots: np.ndarray, coefficients: np.ndarray) -> tuple[Points, np.ndarray]:
        """The local maxima of the size of the error, ends of gaps included, and the sizes."""
        per_gap = max(SAMPLES, FEWEST // len(gaps.low))
        grid = gaps.points(per_gap)
        size = abs(self.residual(grid, gaps, knots, coefficients)).reshape(len(gaps.low), -1)
        around = np.pad(size, ((0, 0), (1, 1)), constant_values=-1.0)
        top = (size >= around[:, :-2]) & (size >= around[:, 2:])
        gap, place = np.nonzero(top)
        step = (gaps.high - gaps.low)[gap] / per_gap
        x = grid.x.reshape(size.shape)[gap, place]
        low, high = np.maximum(x - step, gaps.low[gap]), np.minimum(x + step, gaps.high[gap])
        points = self._settled(Points(x, gap), low, high, gaps, knots, coefficients)
        ends = gaps.points(1)
        points = points + ends
        return points, abs(self.residual(points, gaps, knots, coefficients))

    def _settled(self, points: Points, low, high, gaps: Gaps, knots: np.ndarray, coefficients: np.ndarray) -> Points:
        """Newton's method towards the zeros of the derivative of the error."""
        piece, target = gaps.piece[points.gap], gaps.target[points.gap]
        sides = [side[piece] for side in all_beside(knots)]
        local = [coefficients[self.shape.first(piece) + k] for k in range(self.shape.degree + 1)]
        powers = self.shape.powers(local, *sides)
        bend = 2 * powers[2] if self.shape.degree == 2 else 0.0
        x = points.x
        for _ in range(NEWTON):
            _, slope, curvature = self.curve.jets(x, target)
            slope, curvature = slope - powers[1] - bend * (x - sides[1]), curvature - bend
            with np.errstate(all="ignore"):
                moved = x - slope / curvature
            x = np.where(np.isfinite(moved), np.clip(moved, low, high), x)
        return Points(x, points.gap)

    # as knots move

    def moved(self, knots: np.ndarray, coefficients: np.ndarray, points: Points, gaps: Gaps):
        """The derivatives of spline - f at the points by each knot, as a matrix; a point at a knot moves with it."""
        from scipy import sparse

        piece, n = gaps.piece[points.gap], len(knots)
        sizes = np.diff(knots)
        epsilon = TILT * np.minimum(np.append(sizes, sizes[-1]), np.append(sizes[0], sizes))
        at = np.searchsorted(knots, points.x)
        at = np.where(knots[np.minimum(at, n - 1)] == points.x, at, -1)
        slope = self.curve.jets(points.x, gaps.target[points.gap])[1]
        rows, columns, found = [], [], []
        for colour in range(min(COLOURS, n)):
            mine = np.arange(colour, n, COLOURS)
            owner = mine[np.clip(np.searchsorted(mine, piece - 1), 0, len(mine) - 1)]  # of piece - 1 to piece + 2
            reach, own = (owner >= piece - 1) & (owner <= piece + 2), at == owner
            shift = np.zeros(n)
            shift[mine] = epsilon[mine]
            along = np.where(own, epsilon[owner], 0.0)
            up, down = (self._values(knots + s * shift, coefficients, points.x + s * along) for s in (1, -1))
            value = (up - down) / (2 * epsilon[owner]) - np.where(own, slope, 0.0)
            rows.append(np.nonzero(reach)[0])
            columns.append(owner[reach])
            found.append(value[reach])
        where = np.concatenate(rows), np.concatenate(columns)
        return sparse.csr_matrix((np.concatenate(found), where), (len(points.x), n))

    def _values(self, knots: np.ndarray, coefficients: np.ndarray, x: np.ndarray) -> np.ndarray:
        fixed, free = self.start(knots)
        coefficients = np.where(free, coefficients, fixed)
        piece = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, len(knots) - 2)
        values = self.shape.weights(x, *(side[piece] for side in all_beside(knots)))
        first = self.shape.first(piece)
        return sum(value * coefficients[first + k] for k, value in enumerate(values))


def chebyshev(
    matrix,
    right: np.ndarray,
    bounds: list[tuple[float | None, float | None]] | None = None,
    given: np.ndarray | float = 0.0,
) -> tuple[np.ndarray, float, np.ndarray]:
    """The y with the least e such that |right - matrix y| <= e; e; and signed multipliers of the rows.

    Where a level is `given`, it stands for e.
    """
    from scipy import sparse
    from scipy.optimize import linprog

    n = matrix.shape[1]
    given = np.broadcast_to(given, right.shape)
    ones = sparse.csr_matrix((given == 0).astype(float)[:, None])
    above = sparse.vstack([sparse.hstack([matrix, -ones]), sparse.hstack([-matrix, -ones])], format="csr")
    cost = np.append(np.zeros(n), 1.0)
    limits = [*(bounds or [(None, None)] * n), (0, None)]
    for feasible in FEASIBLE:
        options = {"primal_feasibility_tolerance": feasible, "dual_feasibility_tolerance": feasible, "presolve": False}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = linprog(
                cost, above, np.append(given + right, given - right), bounds=limits, method="highs-ds", options=options
            )
        if found.x is not None:
            break
    else:
        raise Undecided(f"a linear programme: {found.message}")
    below, beyond = np.split(found.ineqlin.marginals, 2)
    return found.x[:-1], float(found.x[-1]), beyond - below
