"""`design --shape pwl` with free knots in the norms of mean squares: searched, certified, and bounded from below.

The unit is the norm's: the root for l2 and gaussian, the mean square for grid and samples. The search is that of
`hats`, the certificate an integral (or a sum) in balls of the target minus the design, as rounded; the bound is that of
`runs`, for pieces that need not meet.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cached_property

import numpy as np
import sympy as sp
from flint import arb, ctx

from analysis.activation import lowering
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.record import Activation
from analysis.exact.pieces import Piece
from analysis.exact.verdict import Verdict
from analysis.optimal.designs import Bound, Clock, Design, Polynomials, cost_of
from analysis.optimal.shapes import hats, pwl, runs
from analysis.optimal.shapes.basis import LINEAR
from analysis.optimal.shapes.cells import grouped
from analysis.optimal.shapes.hats import Fit, Mass
from analysis.optimal.shapes.itself import already
from analysis.optimal.shapes.linear import Target
from analysis.rigorous import balls, columns
from analysis.rigorous.balls import Pair
from analysis.rigorous.columns import Column
from analysis.rigorous.integral import gaussian_of, l2_of
from analysis.rigorous.norms import Norm

FINE = 1e-11  # times the error: to what decimal place nodes are rounded
FINEST = 40  # decimal places
TOLERANCE = 1e-12  # of the certified error, relative
AIM = 0.99  # of the square that is reached: a bound that is as high will do
DEVIATIONS = 12.0  # within which knots under a Gaussian lie
FAINT, FARTHEST = 1e-9, 4096.0  # so near to its asymptote, or so far out, f is left to the outer pieces
SEARCHED, POLISHED = 4000, 200000  # points that the search looks at and ends with, means of groups; a heuristic
CELLED = 3000  # points, or groups of them, that the bound looks at
MOST = 2048  # pieces
APART = "the bound is for pieces that need not meet"


def best(target: Activation, norm: Norm, pieces: int | None, tolerance: float | None) -> Design:
    """The best design found with so many pieces, or with the fewest that keep the tolerance."""
    clock = Clock()
    problem = Problem(Target(target.expression, *pwl.ends(norm)), norm)
    fewest = None
    if pieces is None:
        assert tolerance is not None
        pieces, fewest = problem.fewest(tolerance)
    given = already(problem.target, LINEAR, pieces)
    notes: tuple[str, ...] = ()
    if given is not None:
        polynomials, error, bound = given, ("0", "0"), Bound()
        notes = ("the target itself is of this shape",)
    else:
        polynomials, error = problem.design(pieces)
        lower = problem.bound(pieces, float(error[1]))
        bound = Bound(lower, APART if lower else "no bound from below was found")
    return Design(target, "pwl", norm, polynomials, error, bound, cost_of(polynomials), None, fewest, tolerance, notes,
                  clock.seconds())  # fmt: skip


class Problem:
    """A target and what its distance is measured by."""

    def __init__(self, target: Target, norm: Norm):
        self.target, self.norm = target, norm
        self.sigma = norm.sigma if norm.kind == "gaussian" else None
        self.outer = sum(line is not None for line in target.outer)
        self.known: dict[int, Fit] = {}

    # the search

    @cached_property
    def points(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """The points in order with their shares, the values, and how far these may be off."""
        assert self.norm.points is not None
        x, counts = np.unique(self.norm.points, return_counts=True)
        if len(x) < 2:
            raise BadInput(f"expected at least two different points for a design, got {len(x)}")
        (f,) = columns.evaluators(self.target.expression)(Column(x, x))
        low, high = (np.broadcast_to(end, x.shape) for end in f)
        off = float((high - low).max())
        if not math.isfinite(off):
            raise Undecided(f"the values at the points of {self.norm.label}, at one of which they may be infinite")
        return x, counts / counts.sum(), (low + high) / 2, off

    @cached_property
    def mass(self) -> Mass:
        value = lowering.evaluator(self.target.expression, wide=False)
        if self.norm.is_discrete:
            return self._masses(SEARCHED)
        low, high = self._window()
        density = np.ones_like if self.sigma is None else _normal(self.sigma)
        breaks = hats.panels(low, high, self.target.breaks)
        return Mass(low, high, value, density, breaks, (self.target.lines[0], self.target.lines[1]))

    def _masses(self, count: int) -> Mass:
        """About so many points at most, means of groups."""
        x, w, f, off = self.points
        cells = grouped(x, w, f, off, count)
        points = cells.centre, cells.weight, cells.value
        density = hats.smoothed(cells.centre, cells.weight)
        return Mass(x[0], x[-1], np.zeros_like, density, np.empty(0), points=points)

    def _window(self) -> tuple[float, float]:
        """Where knots may lie."""
        low, high = self._reach(0, -1), self._reach(1, 1)
        if self.sigma is not None:
            far = DEVIATIONS * self.sigma
            low, high = max(low, -far), min(high, far)
        if not low < high:
            raise BadInput(f"expected a domain within {DEVIATIONS:g} standard deviations, got {self.norm}")
        return low, high

    def _reach(self, end: int, direction: int) -> float:
        line = self.target.lines[end]
        if line is None:
            return float((self.target.lower, self.target.upper)[end])
        slope, intercept = line
        jet, breaks = self.target.jets[-end], self.target.breaks
        finite = [float(e) for e in (self.target.lower, self.target.upper) if e.is_finite]
        x = max([1.0, *(direction * b + 1.0 for b in [*breaks, *finite])])
        while abs(jet(direction * x)[0] - slope * direction * x - intercept) > FAINT and x < FARTHEST:
            x *= 1.25
        return direction * x

    def fit(self, pieces: int) -> Fit:
        if pieces not in self.known:
            if pieces <= self.outer:
                raise BadInput(
                    f"expected at least {self.outer + 1} pieces, {self.outer} of which are asymptotes, got {pieces}"
                )
            found = hats.best(self.mass, pieces)
            if self.norm.is_discrete and len(self.points[0]) > SEARCHED:
                found = hats.descend(self._masses(POLISHED), found.nodes[1:-1])
            self.known[pieces] = found
        return self.known[pieces]

    def size(self, square: float) -> float:
        """In the unit of the norm."""
        return square if self.norm.is_discrete else math.sqrt(square)

    # the design

    def design(self, pieces: int) -> tuple[Polynomials, Pair]:
        """The best that is found, rounded, and its certified error."""
        polynomials = self._rounded(self.fit(pieces))
        return polynomials, self.certified(polynomials)

    def _rounded(self, fit: Fit) -> Polynomials:
        """Knots and slopes to a decimal place far below the error, the values at knots from left to right.

        The last slope before an asymptote is the one that meets it.
        """
        root = math.sqrt(fit.square) or 10.0**-FINEST
        place = min(max(2 - math.floor(math.log10(FINE * root)), 0), FINEST)
        left, right = self.target.outer
        used = slice(1 if left else 0, -1 if right else None)
        knots, values = [_decimal(x, place) for x in fit.nodes[used]], fit.values[used]
        slopes = [_decimal(m, place) for m in np.diff(values) / np.diff(fit.nodes[used])]
        y = left[0] * knots[0] + left[1] if left else _decimal(values[0], place)
        rows = [left[::-1]] if left else []
        for k, slope in enumerate(slopes):
            length = knots[k + 1] - knots[k]
            if right and k == len(slopes) - 1:
                slope = (right[0] * knots[-1] + right[1] - y) / length
            rows.append((y - slope * knots[k], slope))
            y += slope * length
        rows += [right[::-1]] if right else []
        return Polynomials(tuple(knots[0 if left else 1 : None if right else -1]), tuple(rows))

    def certified(self, polynomials: Polynomials) -> Pair:
        """The enclosed distance of the target from these very polynomials."""
        if self.norm.is_discrete:
            return self._mean_square(polynomials)
        beside = pwl.common(self.target, polynomials)
        found = tuple(Piece(piece.lower, piece.upper, piece.expression - line) for piece, line in beside)
        size = l2_of(found, TOLERANCE) if self.sigma is None else gaussian_of(found, self.sigma, TOLERANCE)
        if size.reason:
            raise BadInput(f"expected a target near its asymptotes in the L2 norm: {size.reason}")
        return size.pair()

    def _mean_square(self, polynomials: Polynomials) -> Pair:
        assert self.norm.points is not None
        x, counts = np.unique(self.norm.points, return_counts=True)
        ends = np.searchsorted(x, [_not_below(knot) for knot in polynomials.knots])
        with ctx.workprec(2 * balls.PRECISION):
            value, total = balls.evaluator(self.target.expression), arb(0)
            for row, first, last in zip(polynomials.coefficients, [0, *ends], [*ends, len(x)], strict=True):
                a, b = (balls.enclose(c) for c in (*row, sp.S.Zero)[:2])
                for point, count in zip(x[first:last].tolist(), counts[first:last].tolist(), strict=True):
                    at = arb(point)
                    total += count * (value(at) - a - b * at) ** 2
            low, high = balls.decimals(total / len(self.norm.points))
        return ("0" if low.startswith("-") else low), high

    # the bound

    def bound(self, pieces: int, error: float, aim: float | None = None) -> float:
        """In the unit of the norm: none with so many pieces is below; `error` is reached, or as much as matters.

        `aim` is what it need not exceed.
        """
        ceiling = error if self.norm.is_discrete else error**2
        lines = self.mass.lines
        if self.norm.is_discrete:
            x, w, f, off = self.points
            cells = grouped(x, w, f, off, CELLED)
            root, _ = runs.of_cells(cells, pieces, lines, ceiling, 0 if len(x) <= CELLED else 1)
            return root**2 * (1 - 1e-15)
        x, total = hats.survey(self.mass)
        marks = np.interp(np.linspace(0, total[-1], runs.how_many(pieces) + 1), total, x)
        square = AIM * ceiling if aim is None else aim**2 * (1 + 1e-9)
        return runs.continuous(self.target.pieces, marks, pieces, lines, ceiling, square, self.sigma)

    # by tolerance

    def fewest(self, tolerance: float) -> tuple[int, Verdict]:
        """How many pieces keep the tolerance, and whether it is proved that fewer do not."""
        itself = already(self.target, LINEAR, MOST)
        most = MOST if itself is None else len(itself.coefficients)
        least = self.outer + 1
        if most <= least:
            return most, Verdict.PROVED
        count = self._first_that_keeps(tolerance, least, most)
        if itself is None or count < most:
            while count < MOST and float(self.design(count)[1][1]) > tolerance:
                count += 1
        if count == least:
            return count, Verdict.PROVED
        reached = max(self.size(self.fit(count - 1).square), 1.2 * tolerance)
        below = self.bound(count - 1, reached, tolerance)
        return count, Verdict.PROVED if below > tolerance else Verdict.UNDECIDED

    def _first_that_keeps(self, tolerance: float, least: int, most: int) -> int:
        """Between one number that fails and one that does not; the error falls like the inverse square."""
        failed, kept, guess = least - 1, None, least
        power = -0.25 if self.norm.is_discrete else -0.5
        while kept is None or kept - failed > 1:
            size = self.size(self.fit(guess).square) if guess < most else 0.0
            if guess == MOST == most and self.size(self.fit(guess).square) > tolerance:
                raise BadInput(f"expected a tolerance that {MOST} pieces can keep, got {tolerance:g}")
            if size <= tolerance:
                kept = guess
            else:
                failed = guess
            scaled = guess * (size / tolerance) ** -power if size else guess
            upper = most if kept is None else kept - 1
            guess = max(failed + 1, min(math.ceil(min(scaled, MOST)), upper))
        return kept


def _normal(sigma: float):
    return lambda x: np.exp(-((x / sigma) ** 2) / 2) / (sigma * math.sqrt(2 * math.pi))


def _decimal(value: float, place: int) -> sp.Rational:
    return sp.Rational(f"{value:.{place}f}")


def _not_below(knot: sp.Expr) -> float:
    """The least double that is not below an exact number."""
    near = float(knot)
    return near if Fraction(near) >= Fraction(int(knot.p), int(knot.q)) else math.nextafter(near, math.inf)
