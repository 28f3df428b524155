"""Proof that no spline on given knots is nearer to a target: numbers w_i at points x_i that every spline annihilates.

If sum w_i phi(x_i) = 0 for each basis function phi that is free, then for every spline g

    |sum w_i (f - g_0)(x_i)| = |sum w_i (f - g)(x_i)| <= sum |w_i| sup |f - g|

with g_0 what is fixed of the splines. The w_i are found by the linear programme up to rounding; the moments are made
exactly zero in rational numbers, and f is evaluated in balls. (Duality of best approximation; Singer 1970, theorem
1.1.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import sympy as sp
from flint import arb, ctx, fmpq, fmpq_mat

from analysis.exact.normal import sign
from analysis.optimal.shapes.basis import beside
from analysis.optimal.shapes.exchange import Fit, Problem
from analysis.rigorous import balls

BITS = 160
SHARES = (1e-13, 1e-10, 1e-7, 1e-4)  # of the largest multiplier: smaller ones are taken for zero
MOST = 160  # points of a system
ALIKE = 1e-6  # relative: where the error is said to be attained
CLOSE = 1e-10  # relative: a bound so near to the error is not sought to be improved
FINE = 2**26  # parts of a gap to which points are rounded


def lower(problem: Problem, fit: Fit, knots: Sequence[Fraction]) -> Fraction:
    """A proved lower bound of the error of all splines on the knots; zero where no multipliers are found."""
    best = Fraction(0)
    largest = abs(fit.multipliers).max(initial=0.0)
    if not largest:
        return best
    sizes = abs(fit.multipliers)
    for share in SHARES:
        heavy = sizes > share * largest
        for chosen in (heavy, heavy | _attained(problem, fit) & _among(fit, heavy)):
            order = np.nonzero(chosen)[0]
            order = order[np.argsort(sizes[order], kind="stable")]  # elimination leaves the last free
            if best < fit.least * (1 - CLOSE) and len(order) <= MOST:
                best = max(best, _Functional(problem, fit, knots, order).bound())
        if best >= fit.least * (1 - CLOSE):
            break
    return best


def _attained(problem: Problem, fit: Fit) -> np.ndarray:
    """The points at which the error is about as large as anywhere."""
    residual = problem.residual(fit.points, fit.gaps, fit.knots, fit.coefficients)
    return abs(residual) > fit.least * (1 - ALIKE)


def _among(fit: Fit, chosen: np.ndarray) -> np.ndarray:
    """The points between the first and the last that are chosen."""
    x = fit.points.x
    return (x >= x[chosen].min()) & (x <= x[chosen].max())


class _Functional:
    """Multipliers at a few points."""

    def __init__(self, problem: Problem, fit: Fit, knots: Sequence[Fraction], chosen: np.ndarray):
        self.problem, self.shape = problem, problem.shape
        self.knots = [fmpq(k.numerator, k.denominator) for k in knots]
        self.guess = fit.multipliers[chosen]
        gaps = fit.gaps
        self.targets = [int(gaps.target[g]) for g in fit.points.gap[chosen]]
        self.pieces = [int(gaps.piece[g]) for g in fit.points.gap[chosen]]
        self.x = [
            self._rounded(float(fit.points.x[i]), float(gaps.low[g]), float(gaps.high[g]), p, t)
            for i, g, p, t in zip(chosen, fit.points.gap[chosen], self.pieces, self.targets, strict=True)
        ]
        self.rows = [self.shape.weights(x, *beside(self.knots, p)) for x, p in zip(self.x, self.pieces, strict=True)]

    def _rounded(self, x: float, low: float, high: float, piece: int, target: int) -> fmpq:
        """A short number near x, in the gap and in the piece of the target."""
        u, v = self.knots[piece], self.knots[piece + 1]
        for knot in (u, v):
            if x == float(Fraction(int(knot.p), int(knot.q))):
                return knot
        exponent = math.frexp((high - low) / FINE)[1]
        short = Fraction(round(Fraction(x) / Fraction(2) ** exponent)) * Fraction(2) ** exponent
        short = min(max(short, Fraction(low)), Fraction(high)) if low < x < high else Fraction(x)
        found = min(max(fmpq(short.numerator, short.denominator), u), v)
        part = self.problem.target.pieces[target]
        for end, side in ((part.lower, 1), (part.upper, -1)):
            if end.is_finite and sign(side * (sp.Rational(int(found.p), int(found.q)) - end)) < 0:
                nudged = Fraction(math.nextafter(math.nextafter(x, side * math.inf), side * math.inf))
                found = fmpq(nudged.numerator, nudged.denominator)
        return found

    def bound(self) -> Fraction:
        exact = self._annihilating()
        if exact is None:
            return Fraction(0)
        with ctx.workprec(BITS):
            total = sum((w * self._value(k) for k, w in enumerate(exact)), arb(0))
            found = (abs(total) / sum(abs(arb(w)) for w in exact)).lower()
            return balls.fraction(found) if found.is_finite() and found > 0 else Fraction(0)

    def _annihilating(self) -> list[fmpq] | None:
        """The multipliers with moments exactly zero: what elimination leaves free as it is, the others solved for."""
        places: dict[int, int] = {}
        fixed = self._fixed()
        for piece in self.pieces:
            for k in range(self.shape.degree + 1):
                if (index := self.shape.first(piece) + k) not in fixed:
                    places.setdefault(index, len(places))
        n = len(self.x)
        if not places:
            return self._alone()
        matrix = fmpq_mat(len(places), n)
        for column, (piece, row) in enumerate(zip(self.pieces, self.rows, strict=True)):
            for k, value in enumerate(row):
                if (index := self.shape.first(piece) + k) not in fixed:
                    matrix[places[index], column] = value
        reduced, rank = matrix.rref()
        if rank == n:
            return None
        pivots = [next(j for j in range(n) if reduced[i, j] != 0) for i in range(rank)]
        loose = [j for j in range(n) if j not in pivots]
        found = [fmpq(0)] * n
        for j in loose:
            exact = Fraction(float(self.guess[j]))
            found[j] = fmpq(exact.numerator, exact.denominator)
        for i, j in enumerate(pivots):
            found[j] = -sum((reduced[i, k] * found[k] for k in loose), fmpq(0))
        return found

    def _alone(self) -> list[fmpq]:
        """Where nothing is free, the point that counts most."""
        most = int(abs(self.guess).argmax())
        return [fmpq(int(k == most)) for k in range(len(self.x))]

    def _fixed(self) -> dict[int, arb]:
        """The coefficients that are given, as balls."""
        k, size = self.shape.fixed, self.shape.size(len(self.knots) - 1)
        abscissae = self.shape.abscissae(self.knots)
        found: dict[int, arb] = {}
        for line, part in zip(self.problem.outer, (range(k), range(size - k, size)), strict=True):
            if line is not None:
                found |= {i: balls.enclose(line[0]) * arb(abscissae[i]) + balls.enclose(line[1]) for i in part}
        return found

    def _value(self, k: int) -> arb:
        """f less what is fixed of the splines."""
        fixed, first = self._fixed(), self.shape.first(self.pieces[k])
        value = balls.evaluator(self.problem.target.pieces[self.targets[k]].expression)(arb(self.x[k]))
        for j, weight in enumerate(self.rows[k]):
            if first + j in fixed:
                value = value - arb(weight) * fixed[first + j]
        return value
