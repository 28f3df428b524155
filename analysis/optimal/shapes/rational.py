"""`design --shape rational:M,N`: the best quotient of polynomials on an interval, proved."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import sympy as sp

from analysis.activation.errors import BadInput, Undecided
from analysis.activation.parsing import X
from analysis.activation.record import Activation
from analysis.activation.sheet import Table
from analysis.exact.breakpoints import breakpoints_of
from analysis.exact.pieces import Piece, Spot, spots
from analysis.exact.verdict import Verdict
from analysis.optimal.designs import Bound, Clock, Cost, Design, Polynomials, polynomial_text
from analysis.optimal.lattice import Lattice
from analysis.optimal.shapes import alternation, nearby
from analysis.optimal.shapes.alternation import Rational, shifted, trimmed
from analysis.optimal.shapes.linear import Target
from analysis.rigorous.balls import Pair
from analysis.rigorous.distance import supremum_of
from analysis.rigorous.norms import Norm

MOST = 16  # the highest degree
FINE = 1e-11  # times the error: how much rounding coefficients to decimals may move the function
TOLERANCE = 1e-12  # of the certified error, relative
NOTHING = 1e-13  # relative; errors below are rounding
DIVISION = 4  # multiplications


@dataclass(frozen=True)
class Quotient(Polynomials):
    """p/q on one interval: `coefficients` are the rows of p and of q, ascending."""

    @classmethod
    def of(cls, rational: Rational) -> Quotient:
        rows = (tuple(map(_rational, trimmed(row))) for row in (rational.numerator, rational.denominator))
        return cls((), tuple(rows))

    @cached_property
    def expression(self) -> sp.Expr:
        p, q = (sp.horner(e, X) for e in self.expressions)
        return p / q

    @property
    def formula(self) -> str:
        p, q = (polynomial_text(row) for row in self.coefficients)
        return p if q == "1" else f"({p})/({q})"

    def pieces(self, lower: sp.Expr, upper: sp.Expr) -> tuple[Piece, ...]:
        return (Piece(lower, upper, self.expression),)

    @property
    def cost(self) -> Cost:
        """By Horner's rule, and a division for 4 multiplications."""
        p, q = (len(row) - 1 for row in self.coefficients)
        return Cost(mul=p + q + (DIVISION if q else 0), add=p + q)


class Rationals(Design):
    """A design of one piece, whose two rows are a numerator and a denominator."""

    @property
    def pieces(self) -> int:
        return 1

    def _table(self) -> Table:
        rows = [[f"{float(c):.12g}" for c in row] for row in self.polynomials.coefficients]
        degree = max(map(len, rows)) - 1
        powers = ["1", "x", *(f"x^{k}" for k in range(2, degree + 1))][: degree + 1]
        named = zip(("numerator", "denominator"), rows, strict=True)
        return Table(
            ("", *powers), tuple((name, *row, *[""] * (degree + 1 - len(row))) for name, row in named), texts=0
        )


def best(
    target: Activation,
    norm: Norm,
    degrees: tuple[int, int] | None,
    tolerance: float | None,
    lattice: Lattice | None,
) -> Design:
    """The best design of degrees (M, N), or of the least n = M = N that keeps the tolerance.

    Raises BadInput for norms but the sup norm, an infinite domain, a target that jumps, and a tolerance out of reach.
    """
    clock = Clock()
    known = _target(target, norm)
    if degrees is None:
        found, fewest = _fewest(known, tolerance, lattice)
    else:
        if not all(0 <= d <= MOST for d in degrees):
            raise BadInput(f"expected degrees M,N between 0 and {MOST}, got {degrees[0]},{degrees[1]}")
        found, fewest = _Found(known, *degrees).shipped(lattice), None
    quotient, error, bound, shape, notes = found
    rounding = lattice.name if lattice else None
    return Rationals(target, shape, norm, quotient, error, bound, quotient.cost, rounding, fewest, tolerance, notes,
                     clock.seconds())  # fmt: skip


def _target(target: Activation, norm: Norm) -> Target:
    if norm.kind != "sup":
        raise BadInput(f"expected the sup norm for the shape rational, got {norm.kind}")
    if not (math.isfinite(norm.lower) and math.isfinite(norm.upper)):
        raise BadInput(f"expected a finite --domain LO,HI for the shape rational, got {norm.lower:g},{norm.upper:g}")
    known = Target(target.expression, *(sp.Rational(end) for end in norm.ends))
    jumps = [point.x for point in breakpoints_of(known.pieces) if point.jumps[0] != 0]
    if jumps:
        raise BadInput(f"expected a target without jumps for the shape rational, got one at x = {jumps[0]}")
    return known


Shipped = tuple[Quotient, Pair, Bound, str, tuple[str, ...]]


def _fewest(target: Target, tolerance: float | None, lattice: Lattice | None) -> tuple[Shipped, Verdict]:
    """The design of the least degree that keeps the tolerance, and whether it is proved that lower ones do not."""
    if tolerance is None or not 0 < tolerance < math.inf:
        raise BadInput(f"expected a positive tolerance, got {tolerance if tolerance is None else f'{tolerance:g}'}")
    below = math.inf  # proved of the degree before
    reached = math.inf
    for n in range(MOST + 1):
        found = _Found(target, n, n)
        if found.level <= tolerance:
            shipped = found.shipped(lattice)
            reached = min(reached, float(shipped[1][1]))
            if float(shipped[1][1]) <= tolerance:
                return shipped, Verdict.PROVED if below > tolerance else Verdict.UNDECIDED
        below = found.bound.lower
    if reached < math.inf and lattice:
        raise BadInput(f"expected a tolerance that {lattice.name} can keep, {reached:.3g} or more, got {tolerance:g}")
    raise BadInput(f"expected a tolerance that degrees up to {MOST} can keep, got {tolerance:g}")


class _Found:
    """The best rational function of the degrees, its coefficients short decimals, and what is proved of the others."""

    def __init__(self, target: Target, numerator: int, denominator: int):
        self.target, self.shape = target, f"rational:{numerator},{denominator}"
        self.given = _already(target, numerator, denominator)
        if self.given is not None:
            self.level, self.bound = 0.0, Bound()
            return
        self.problem, found = alternation.best(target, numerator, denominator)
        self.level, self.points = found.error, found.points
        if self.level < NOTHING * max(map(abs, found.rational.numerator)):
            raise Undecided(
                f"the best rational function of degrees {numerator},{denominator}: doubles tell no difference"
            )
        self.rational = self._decimal(found.rational)
        lower = self.problem.bound(self.rational, found.points)
        self.bound = Bound(lower, "" if lower else "the error does not alternate often enough for a proof")

    def _decimal(self, found: Rational) -> Rational:
        """In powers of x, normalised and rounded to decimals far below the error."""
        problem = self.problem
        middle, radius = -problem.middle / problem.radius, 1 / problem.radius
        p, q = (shifted(row, middle, radius) for row in (found.numerator, found.denominator))
        unit = q[0] if problem.low <= 0 <= problem.high else max(q, key=abs)
        p, q = (tuple(c / unit for c in row) for row in (p, q))
        s = np.linspace(-1, 1, 201)
        least, size = (float(v) for v in self._least(found, s, float(unit)))
        far = max(abs(problem.low), abs(problem.high), Fraction(1, 2**20))
        slack = FINE * self.level * least / (1 + size) / (len(p) + len(q))
        return Rational(*(tuple(_short(c, slack / float(far) ** k) for k, c in enumerate(row)) for row in (p, q)))

    def _least(self, found: Rational, s: np.ndarray, unit: float) -> tuple[float, float]:
        """The least |q| of the normalised function, and the largest |p/q|."""
        p, q = (
            np.polynomial.polynomial.polyval(s, [float(c) for c in row]) for row in (found.numerator, found.denominator)
        )
        return float(np.abs(q / unit).min()), float(np.abs(p / q).max())

    def shipped(self, lattice: Lattice | None) -> Shipped:
        if self.given is not None:
            values = [c for row in self.given.coefficients for c in row]
            if lattice and not all(c.is_Rational and lattice.below(Fraction(int(c.p), int(c.q))) == c for c in values):
                raise BadInput(
                    f"expected a format that holds the coefficients of the target itself, got {lattice.name}"
                )
            return self.given, ("0", "0"), self.bound, self.shape, ("the target itself is of this shape",)
        rational = self._on(lattice) if lattice else self.rational
        if not rational.has_no_pole(self.problem.low, self.problem.high):
            raise Undecided("whether the denominator has a zero on the domain")
        quotient = Quotient.of(rational)
        return quotient, certified(self.target, quotient), self.bound, self.shape, ()

    def _on(self, lattice: Lattice) -> Rational:
        """Coefficients of the format; the one of the denominator that is 1 stays so where the format has it."""
        p, q = self.rational.numerator, self.rational.denominator
        fixed = q.index(1)
        one = lattice.around(1.0, 1)[0] if not lattice.holds(1.0) else Fraction(1)
        grid = self.problem.near(self.points)
        f = np.array([self.problem.f(x) for x in grid.tolist()])
        free = [*p, *(c for k, c in enumerate(q) if k != fixed)]

        def rows(theta):
            below = list(theta[len(p) :])
            return list(theta[: len(p)]), [*below[:fixed], one, *below[fixed:]]

        def errors(theta: np.ndarray) -> np.ndarray:
            above, below = rows(theta.tolist())
            q = np.polynomial.polynomial.polyval(grid, [float(c) for c in below])
            return np.where(q > 0, f - np.polynomial.polynomial.polyval(grid, above) / np.where(q > 0, q, 1), np.inf)

        start = np.array([float(c) for c in free]) * float(one)
        above, below = rows(list(nearby.rounded(lattice, start, errors)))
        return Rational(tuple(above), tuple(below))


def _already(target: Target, numerator: int, denominator: int) -> Quotient | None:
    """The target itself, where it is such a function."""
    if len(target.pieces) > 1 or not target.pieces[0].expression.is_rational_function(X):
        return None
    parts = sp.fraction(sp.cancel(target.pieces[0].expression))
    p, q = (sp.Poly(part, X).all_coeffs()[::-1] for part in parts)
    if len(p) > numerator + 1 or len(q) > denominator + 1:
        return None
    unit = q[0] if q[0] != 0 else q[-1]
    return Quotient((), tuple(tuple(c / unit for c in row) for row in (p, q)))


def certified(target: Target, quotient: Quotient) -> Pair:
    """The enclosed sup norm of target - design over the domain."""
    found = [Piece(p.lower, p.upper, p.expression - quotient.expression) for p in target.pieces]
    apart = [
        Spot(spot.x, spot.value - quotient.expression.subs(X, spot.x), spot.alone)
        for spot in spots(target.expression, X, target.lower, target.upper)
    ]
    return supremum_of(found, TOLERANCE, apart=apart).pair()


def _short(value: Fraction, slack: float) -> Fraction:
    """A decimal no farther from the value than the slack."""
    place = max(0, 1 - math.floor(math.log10(slack)))
    return Fraction(round(value * 10**place), 10**place)


def _rational(value: Fraction) -> sp.Rational:
    return sp.Rational(value.numerator, value.denominator)
