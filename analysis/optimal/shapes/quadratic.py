"""`design --shape pwq`: piecewise quadratics with free knots, C1 or only continuous.

The coefficients and the knots are moved together by a sequence of linear programmes (`moving`). There are local
minima, so the search starts from several places, those among them that the proof could not exclude; what it finds is
certified. From below it is proved what no continuous piecewise quadratic can do (`joined`, from `pigeonhole`), and what
no smooth one can where the error of a design turns often enough (`sign_changes`).
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from analysis.activation.errors import BadInput, Undecided
from analysis.activation.record import Activation
from analysis.exact.verdict import Verdict
from analysis.optimal.designs import Bound, Clock, Design, Polynomials, cost_of
from analysis.optimal.lattice import Lattice
from analysis.optimal.shapes import lattices, sign_changes
from analysis.optimal.shapes.basis import CONTINUOUS, SMOOTH
from analysis.optimal.shapes.itself import already
from analysis.optimal.shapes.joined import Joined
from analysis.optimal.shapes.linear import MOST
from analysis.optimal.shapes.moving import Place, settled
from analysis.optimal.shapes.pigeonhole import Pigeonhole
from analysis.optimal.shapes.spacing import Search
from analysis.optimal.shapes.spline import (
    FINE,
    assembled,
    below,
    certified,
    name_of,
    positive,
    target_of,
    without_idle_knots,
)
from analysis.rigorous.norms import Norm

POWERS = (1 / 3, 1 / 4, 1 / 2, 0.15)  # of |f'''|: densities of the knots at the start
EARLY, ROUGH = 12, 1e-4  # steps from each start, and a relative gain that ends them
LATE, CLOSE = 40, 1e-8  # the same for the most promising
PROMISING, PROMISE = 2, 1.1  # so many, or so near to the best
GRID = 2000
FLOOR = 0.02  # of the mean density, which no place goes without
NO_NOTES: tuple[str, ...] = ()
TURNS = "the bound is by the turns of the error of a smooth spline"
DIGITS = 9  # of a gap, to which knots are rounded
LOCAL = "and the search may have ended in a local minimum"
APART = f"the bound is one of all piecewise quadratics, joined or not, {LOCAL}"
JOINED = f"the bound is one of all knots, {LOCAL}"


def best(
    target: Activation,
    norm: Norm,
    pieces: int | None,
    tolerance: float | None,
    lattice: Lattice | None = None,
    smooth: bool = True,
) -> Design:
    """The best design found with so many pieces, or with the fewest found that keep the tolerance."""
    clock = Clock()
    shape = SMOOTH if smooth else CONTINUOUS
    search = _Free(Search(target_of(target, norm), shape))
    fewest = None
    if pieces is None:
        assert tolerance is not None
        pieces, fewest = search.fewest(tolerance)
        if lattice is not None:
            return lattices.keeping(tolerance, pieces, lambda count: best(target, norm, count, None, lattice, smooth))
    known, notes = search.search.target, NO_NOTES
    bound, found = Bound(), already(known, shape, pieces)
    if found is not None:
        notes = ("the target itself is of this shape",)
    else:
        proved = search.proved(pieces)
        found = search.design(pieces)
        bound = search.bound(pieces, proved, found) if lattice is None else proved
    if lattice is not None:
        found = lattices.rounded(known, search.with_knots_of(lattice, found), lattice)
        notes = (*notes, lattices.NOTE)
    found = without_idle_knots(found)
    error, rounding = certified(known, found), None if lattice is None else lattice.name
    name, cost, seconds = name_of(shape), cost_of(found), clock.seconds()
    return Design(target, name, norm, found, error, bound, cost, rounding, fewest, tolerance, notes, seconds)


class _Free:
    """The search for knots."""

    def __init__(self, search: Search):
        self.search, self.outer = search, search.outer
        joints = search.shape.smooth and search.outer == 2  # one piece cannot meet two lines without a kink
        self.least = search.outer + (2 if joints else 1)
        self.smoother = None if search.shape.smooth else _Free(Search(search.target, SMOOTH))
        self.pigeonhole = Pigeonhole(search.target, search.problem.curve, search.shape.degree, search.outside)
        self.joined = Joined(self.pigeonhole, bool(search.shape.smooth))
        self.found: dict[int, tuple[np.ndarray, float]] = {}

    def lower(self, pieces: int) -> Fraction:
        return self.pigeonhole.lower(pieces)

    def proved(self, pieces: int) -> Bound:
        """What is proved of all piecewise quadratics, or of the continuous ones; the search may gain by it, too."""
        apart, error = below(self.lower(pieces)), self.best(pieces)[1]
        guess = None if self.search.shape.smooth else lambda knots: self._tried(pieces, knots)
        found = self.joined.lower(pieces - self.outer, apart, error, guess)
        return Bound(found, JOINED) if found > apart else Bound(apart, APART)

    def bound(self, pieces: int, proved: Bound, reference: Polynomials) -> Bound:
        """That, or what the error of a smooth design proves of the others."""
        if not self.search.shape.smooth:
            return proved
        turns = below(sign_changes.lower(self.search, reference, pieces - 1))
        return Bound(turns, TURNS) if turns > proved.lower else proved

    def _tried(self, pieces: int, knots: np.ndarray) -> float:
        """The error that is reached after a search from these knots as well."""
        one = self._settled(knots, EARLY, ROUGH) if (np.diff(knots) > 0).all() else None
        if one is not None and one[1] < PROMISE * self.found[pieces][1]:
            again = self._settled(one[0], LATE, CLOSE)
            self.found[pieces] = min(self.found[pieces], one, again or one, key=lambda known: known[1])
        return self.found[pieces][1]

    def best(self, pieces: int) -> tuple[np.ndarray, float]:
        """(knots, the error of a spline on them)."""
        if not self.least <= pieces <= MOST:
            asymptotes = f", {self.outer} of which are asymptotes," if self.outer else ""
            raise BadInput(f"expected at least {self.least} pieces{asymptotes} and at most {MOST}, got {pieces}")
        if pieces not in self.found:
            tried = [self._settled(knots, EARLY, ROUGH) for knots in self._starts(pieces - self.outer)]
            promising = sorted((one for one in tried if one is not None), key=lambda one: one[1])[:PROMISING]
            if not promising:
                raise Undecided(f"a design with {pieces} pieces: the search did not settle")
            again = [self._settled(knots, LATE, CLOSE) for knots, _ in promising]
            self.found[pieces] = min((*promising, *(one for one in again if one is not None)), key=lambda one: one[1])
        return self.found[pieces]

    def _settled(self, knots: np.ndarray, steps: int, enough: float) -> tuple[np.ndarray, float] | None:
        free = np.ones(len(knots), bool)
        for end, one in zip((0, -1), self.search.outside, strict=True):
            free[end] = one is not None
        base, directions = np.where(free, 0.0, knots), np.eye(len(knots))[:, free]
        place = Place(self.search.problem, base, directions, self.search.outside)
        if not free.any():
            return knots, self.search.problem.best(knots).error
        try:
            theta, error = settled(place, knots[free], steps, enough)
        except Undecided:
            return None
        return place.knots(theta), error

    def _starts(self, n: int) -> list[np.ndarray]:
        """Knots with densities that are powers of |f'''|, over what the asymptotes leave."""
        low, high = self._span(n)
        x = np.linspace(low, high, GRID)
        curvature = self.search.problem.curve.jets(x, np.searchsorted(self.search.problem.curve.breaks, x))[2]
        third = np.nan_to_num(abs(np.gradient(np.nan_to_num(curvature), x)))
        starts = [self._spread(x, third**power, n) for power in POWERS]
        links = self.pigeonhole.links.get(n + self.outer)
        if links is not None:  # where the pieces would end if they need not meet
            starts.append(np.array([low, *(group[0] for group in links.groups[1:]), high]))
        if self.smoother is not None and n + self.outer >= self.smoother.least:
            starts.append(self.smoother.best(n + self.outer)[0])
        return [knots for knots in starts if (np.diff(knots) > 0).all()]

    def _spread(self, x: np.ndarray, density: np.ndarray, n: int) -> np.ndarray:
        mean = density.mean()
        density = density + FLOOR * mean if mean else np.ones_like(x)
        mass = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
        return np.interp(np.linspace(0, mass[-1], n + 1), mass, x)

    def _span(self, n: int) -> tuple[float, float]:
        """The domain, or what is farther from the asymptotes than the bound, and somewhat less far."""
        error = 3 * float(self.lower(n + self.outer)) or 1e-2
        ends = [
            one.nearest(error) if one else float(end)
            for one, end in zip(self.search.outside, (self.search.target.lower, self.search.target.upper), strict=True)
        ]
        return (ends[0], ends[1]) if ends[0] < ends[1] else (min(ends) - 1.0, max(ends) + 1.0)

    def design(self, pieces: int) -> Polynomials:
        knots, error = self.best(pieces)
        return self._on([self._short(k, knots) for k in knots.tolist()], error)

    def _on(self, knots: list[Fraction], error: float) -> Polynomials:
        fit = self.search.problem.best(np.array([float(k) for k in knots]))
        return assembled(self.search.problem, knots, fit.coefficients, error)

    def _short(self, knot: float, knots: np.ndarray) -> Fraction:
        """A short decimal; an end of the domain itself."""
        if knot in (float(self.search.target.lower), float(self.search.target.upper)):
            return Fraction(knot)
        place = DIGITS - math.floor(math.log10(np.diff(knots).min()))
        return Fraction(f"{knot:.{max(place, 0)}f}")

    def with_knots_of(self, lattice: Lattice, found: Polynomials) -> Polynomials:
        """The best coefficients for knots that are rounded to the lattice."""
        rounded = {lattice.nearest(lattices.fraction(k)) for k in found.knots}
        inside = sorted(k for k in rounded if self.search.inside(k))
        low, high = ([] if end is None else [end] for end in (self.search.low, self.search.high))
        knots = [*low, *inside, *high]
        if len(knots) < 2:
            raise BadInput(f"expected a format with different numbers near the knots, got {lattice.name}")
        return self._on(knots, 1e-6)

    # by tolerance

    def fewest(self, tolerance: float) -> tuple[int, Verdict]:
        """The fewest pieces found that keep the tolerance, and whether fewer are proved not to."""
        exact = positive(tolerance)
        given = already(self.search.target, self.search.shape, MOST)
        if given is not None and len(given.coefficients) <= self.outer + 1:
            return len(given.coefficients), Verdict.PROVED
        first = max(self.least, self.pigeonhole.fewest(tolerance) + self.outer)
        pieces = first
        while not self._keeps(pieces, tolerance):
            pieces = self._next(pieces, tolerance)
            if pieces > MOST:
                raise BadInput(f"expected a tolerance that {MOST} pieces can keep, got {tolerance:g}")
        while pieces > first and self._keeps(pieces - 1, tolerance):
            pieces -= 1
        proved = pieces <= self.least or self._exceeds(pieces - 1, exact)
        return pieces, Verdict.PROVED if proved else Verdict.UNDECIDED

    def _exceeds(self, pieces: int, exact: Fraction) -> bool:
        """Whether it is proved that no design with so many pieces keeps the tolerance."""
        if self.lower(pieces) > exact or self.joined.excludes(pieces - self.outer, math.nextafter(exact, math.inf)):
            return True
        return self.bound(pieces, Bound(), self.design(pieces)).lower > exact

    def _next(self, pieces: int, tolerance: float) -> int:
        """From the rate at which the error falls, like the third power of the pieces; at least one more."""
        ratio = (self.best(pieces)[1] / tolerance) ** (1 / 3)
        free = pieces - self.outer
        return self.outer + max(free + 1, math.floor(free * min(ratio, 2)))

    def _keeps(self, pieces: int, tolerance: float) -> bool:
        return self.best(pieces)[1] <= tolerance * (1 - max(1e-7, 2 * FINE))
