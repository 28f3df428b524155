"""Piecewise linear designs whose knots and coefficients are numbers of a format."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import numpy as np
import sympy as sp
from scipy import optimize

from analysis.activation import lowering
from analysis.activation.errors import Refused
from analysis.activation.record import Activation
from analysis.exact.verdict import Verdict
from analysis.optimal.designs import Bound, Clock, Design, Polynomials, cost_of
from analysis.optimal.lattice import Lattice
from analysis.optimal.shapes import lattices, pwl
from analysis.optimal.shapes.basis import LINEAR
from analysis.optimal.shapes.itself import already
from analysis.optimal.shapes.linear import Target
from analysis.rigorous.balls import Pair
from analysis.rigorous.norms import Norm

SAMPLES = 257  # of a piece
DESCENTS = 200  # moves of a knot
REACH = 6  # of a knot's neighbours in the format, on either side
FINE = {"xatol": 1e-12}
SLOPES = 3  # neighbours of the best slope, on either side


def rounded(target: Activation, norm: Norm, pieces: int | None, tolerance: float | None, lattice: Lattice) -> Design:
    """A design whose knots and coefficients are numbers of the format, near the best one; its pieces need not meet.

    With a tolerance, the fewest pieces that were found to keep it; Refused where no number of pieces is.
    """
    clock = Clock()
    known = Target(target.expression, *pwl.ends(norm))
    outer = sum(line is not None for line in known.outer)
    if pieces is not None:
        found = _Rounding(known, pieces, lattice).best()
    else:
        assert tolerance is not None
        pieces, *_ = pwl.fewest_pieces(known, tolerance)
        least = math.inf
        for pieces in range(pieces, 2 * pieces + 8):  # noqa: B020 - from the fewest of any format
            found = _Rounding(known, pieces, lattice).best()
            least = min(least, float(found[1][1]))
            if float(found[1][1]) <= tolerance:
                break
        else:
            raise Refused(f"no {lattice.name} numbers found that keep {tolerance:g}; the least error is {least:g}")
    polynomials, error = found
    links = len(polynomials.coefficients) - outer
    bound = pwl.bound_apart(known, links) if links > 0 else Bound(0.0, "the asymptotes alone")
    fewest = None if tolerance is None else Verdict.UNDECIDED
    return Design(target, "pwl", norm, polynomials, error, bound, cost_of(polynomials), lattice.name, fewest, tolerance,
                  ("the pieces need not meet: each is rounded",), clock.seconds())  # fmt: skip


class _Rounding:
    """Descent over knots of the format, each piece with its best coefficients of the format, on samples."""

    def __init__(self, target: Target, pieces: int, lattice: Lattice):
        self.target, self.lattice = target, lattice
        start = already(target, LINEAR, pieces) or pwl.best_free(target, pieces)[0]
        self.outer = target.outer
        self.low, self.high = float(target.lower), float(target.upper)
        self.asymptotes = [[lattices.asymptote(line[::-1], lattice)] if line else [] for line in self.outer]
        for c in itertools.chain(*start.coefficients):
            lattice.nearest(float(c))
        self.knots = sorted({k for k in map(self._near, start.knots) if self.low < k < self.high})
        self.known: dict[tuple, tuple[float, tuple]] = {}

    @cached_property
    def values(self) -> Callable[[np.ndarray], np.ndarray]:
        """f on an array of abscissas."""
        return lowering.evaluator(self.target.expression, wide=False)

    def _near(self, value: sp.Expr) -> Fraction:
        return self.lattice.nearest(float(value))

    def best(self) -> tuple[Polynomials, Pair]:
        for _ in range(DESCENTS):
            if not self._improve():
                break
        rows = [self._piece(*span)[1] for span in self._spans()]
        first, last = self.asymptotes
        rows = [*first, *rows, *last]
        knots = tuple(sp.Rational(k.numerator, k.denominator) for k in self.knots)
        found = Polynomials(knots, tuple(tuple(map(sp.sympify, row)) for row in rows))
        return found, pwl.certified(self.target, found)

    def _spans(self) -> list[tuple[Fraction | float, Fraction | float]]:
        ends: list[Fraction | float] = [
            *([] if self.outer[0] else [self.low]),
            *self.knots,
            *([] if self.outer[1] else [self.high]),
        ]
        return list(pairwise(ends))

    def _errors(self) -> list[float]:
        return [self._piece(*span)[0] for span in self._spans()]

    def _improve(self) -> bool:
        """Moves one knot of the worst piece, if that makes the worst of all pieces better."""
        errors = self._errors()
        worst = max(errors, default=0.0)
        first = errors.index(worst) if errors else 0
        offset = 0 if self.outer[0] else 1
        for index in (first - offset, first - offset + 1):
            if not 0 <= index < len(self.knots):
                continue
            old = self.knots[index]
            for new in self.lattice.around(float(old), REACH):
                self.knots[index] = new
                if self._is_ordered() and self._worst() < worst * (1 - 1e-9):
                    return True
            self.knots[index] = old
        return False

    def _is_ordered(self) -> bool:
        spans: list[Fraction | float] = [self.low, *self.knots, self.high]
        return all(a < b for a, b in pairwise(spans))

    def _worst(self) -> float:
        """Of all pieces, and of the asymptotes from where they take over."""
        return max([*self._errors(), *self._outside()], default=0.0)

    def _outside(self) -> list[float]:
        found = []
        for line, jet, knot, direction in zip(self.target.lines, (self.target.jets[0], self.target.jets[-1]),
                                              (self.knots[0], self.knots[-1]), (-1, 1), strict=True):  # fmt: skip
            if line is not None:
                x = float(knot) + direction * np.linspace(0, 4, SAMPLES)
                found.append(max(abs(jet(float(t))[0] - line[0] * t - line[1]) for t in x))
        return found

    def _piece(self, low: Fraction | float, high: Fraction | float) -> tuple[float, tuple]:
        """The error and the coefficients of the best line of the format on an interval."""
        if (low, high) not in self.known:
            x = np.linspace(float(low), float(high), SAMPLES)
            x = np.unique(np.concatenate([x, [b for b in self.target.breaks if low < b < high]]))
            f = self.values(x)
            self.known[low, high] = min(self._lines(x, f), key=lambda one: one[0])
        return self.known[low, high]

    def _lines(self, x: np.ndarray, f: np.ndarray) -> Iterator[tuple[float, tuple]]:
        middle = _chebyshev_slope(x, f)
        for slope in self.lattice.around(middle, SLOPES):
            rest = f - float(slope) * x
            low, high = rest.min(), rest.max()
            for intercept in self.lattice.around((low + high) / 2, 1):
                yield max(high - float(intercept), float(intercept) - low), (_rational(intercept), _rational(slope))


def _chebyshev_slope(x: np.ndarray, f: np.ndarray) -> float:
    """The slope of the line nearest to the points in the sup norm, by linear programming's answer in closed form.

    The width of f - s x is convex in s: golden section.
    """
    steps = np.diff(f) / np.diff(x)
    bounds = steps.min(), steps.max() + 1e-12
    found = optimize.minimize_scalar(lambda s: np.ptp(f - s * x), bounds=bounds, method="bounded", options=FINE)
    return float(found.x)


def _rational(value: Fraction) -> sp.Rational:
    return sp.Rational(value.numerator, value.denominator)
