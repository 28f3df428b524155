"""`design --shape gate:D`: the best x P(clip(x, l, r)) with P of degree D, P(l) = 0 and P(r) = 1, proved.

D = 1 is the hard gate. With t = clip(x - l, 0, a)/a, a = r - l, it is x t (1 + (1 - t) q(t)): both ends are exact
whatever l, r and the coefficients of q are rounded to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import sympy as sp

from analysis.activation import functions, lookup
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.parsing import X
from analysis.activation.record import Activation
from analysis.exact.pieces import Piece, Spot, spots, value_on
from analysis.exact.verdict import Verdict
from analysis.optimal.designs import Bound, Clock, Cost, Design, Polynomials
from analysis.optimal.lattice import Lattice
from analysis.optimal.shapes import nearby
from analysis.optimal.shapes.gating import Curve, Shape
from analysis.optimal.shapes.knots import Proof
from analysis.optimal.shapes.linear import Target
from analysis.optimal.shapes.pwl import common
from analysis.rigorous.balls import Pair
from analysis.rigorous.distance import supremum_of
from analysis.rigorous.norms import Norm

MOST = 8  # the highest degree
FINE = 1e-11  # times the error: how much rounding to decimals may move the gate
TOLERANCE = 1e-12  # of the certified error, relative
BOXES = 4000  # of a proof
TINY = 1e-9  # below which the target may be a gate itself
SIMPLE = 10**4  # the largest denominator of one that is recognised


@dataclass(frozen=True)
class Gate(Polynomials):
    """0 up to l, x P(x) from l to r, and x beyond, as far as the domain reaches."""

    begin: sp.Rational
    end: sp.Rational
    inner: tuple[sp.Rational, ...]  # q in ascending powers of t
    parts: slice  # of those three that lie in the domain

    @classmethod
    def of(cls, begin: Fraction, end: Fraction, inner: Sequence[Fraction], lower: sp.Expr, upper: sp.Expr) -> Gate:
        left, right = _rational(begin), _rational(end)
        first = 0 if lower < left else 1 if lower < right else 2
        parts = slice(first, 3 if right < upper else 2 if left < upper else 1)
        q = tuple(map(_rational, inner))
        middle = sp.Poly(_gated((X - left) / (right - left), q), X).all_coeffs()[::-1]
        rows = ((sp.S.Zero,), tuple(middle), (sp.S.Zero, sp.S.One))
        return cls((left, right)[parts.start : parts.stop - 1], rows[parts], left, right, q, parts)

    @property
    def expressions(self) -> tuple[sp.Expr, ...]:
        return (sp.S.Zero, _gated((X - self.begin) / (self.end - self.begin), self.inner), X)[self.parts]

    @cached_property
    def expression(self) -> sp.Expr:
        width = self.end - self.begin
        return _gated(functions.clip(X - self.begin, sp.S.Zero, width) / width, self.inner)

    @property
    def formula(self) -> str:
        b, a = -self.begin, lookup.number_text(self.end - self.begin)
        shifted = f"x {'-' if b < 0 else '+'} {lookup.number_text(abs(b))}" if b else "x"
        t = f"clip({shifted}, 0, {a})/({a})" if "/" in a else f"clip({shifted}, 0, {a})/{a}"
        if not self.inner:
            return f"x*{t}"
        text = f"({lookup.number_text(self.inner[-1])})"
        for c in reversed(self.inner[:-1]):
            text = f"({lookup.number_text(c)} + {t}*{text})"
        return f"x*{t}*(1 + (1 - {t})*{text})"


def _gated(t: sp.Expr, q: Sequence[sp.Expr]) -> sp.Expr:
    value = sp.S.Zero
    for c in reversed(q):
        value = c + t * value
    return X * t * (1 + (1 - t) * value)


def cost_of(degree: int, *, rounded: bool) -> Cost:
    """P by Horner's rule in the clipped x, and the product with x.

    Where l, r and q are rounded it is evaluated as it is written, by t and q: one multiplication and one addition more.
    """
    more = int(rounded and degree > 1)
    return Cost(mul=degree + 1 + more, add=degree + more, minmax=2)


def best(
    target: Activation, norm: Norm, degree: int | None, tolerance: float | None, lattice: Lattice | None
) -> Design:
    """The best gate of the degree, or of the least degree that keeps the tolerance.

    Raises BadInput for norms but the sup norm, targets with other asymptotes than 0 and x, a degree that is none, and a
    tolerance out of reach.
    """
    clock = Clock()
    known = _target(target, norm)
    if degree is None:
        found, fewest = _fewest(known, tolerance, lattice)
    else:
        if not 1 <= degree <= MOST:
            raise BadInput(f"expected a degree D of gate:D between 1 and {MOST}, got {degree}")
        found, fewest = _Found(known, degree), None
        found.ship(lattice)
    cost, rounding = cost_of(found.degree, rounded=lattice is not None), lattice.name if lattice else None
    return Design(target, f"gate:{found.degree}", norm, found.gate, found.error, found.bound(), cost, rounding, fewest,
                  tolerance, found.notes, clock.seconds())  # fmt: skip


def _target(target: Activation, norm: Norm) -> Target:
    if norm.kind != "sup":
        raise BadInput(f"expected the sup norm for the shape gate, got {norm.kind}")
    ends = (sp.oo * int(math.copysign(1, e)) if math.isinf(e) else sp.Rational(e) for e in norm.ends)
    known = Target(target.expression, *ends)
    for line, wanted, text, where in zip(known.outer, ((0, 0), (1, 0)), ("0", "x"), ("-inf", "inf"), strict=True):
        if line is not None and line != wanted:
            slope, intercept = line
            raise BadInput(
                f"expected a target with the asymptote {text} at {where} for the shape gate, or a finite --domain,"
                f" got the asymptote {slope * X + intercept}"
            )
    expressions = [piece.expression for piece in known.pieces]
    if expressions in ([sp.S.Zero, X], [sp.S.Zero], [X]):
        raise BadInput(
            f"expected a target that a gate can be nearest to, got {target.name}, the limit of ever steeper ones"
        )
    return known


def _fewest(target: Target, tolerance: float | None, lattice: Lattice | None) -> tuple[_Found, Verdict]:
    """The gate of the least degree that keeps the tolerance, and whether it is proved that lower ones do not."""
    if tolerance is None or not 0 < tolerance < math.inf:
        raise BadInput(f"expected a positive tolerance, got {tolerance if tolerance is None else f'{tolerance:g}'}")
    before: _Found | None = None
    for degree in range(1, MOST + 1):
        found = _Found(target, degree)
        if found.level <= tolerance:
            found.ship(lattice)
            if float(found.error[1]) <= tolerance:
                proved = before is None or before.exceeds(tolerance)
                return found, Verdict.PROVED if proved else Verdict.UNDECIDED
        before = found
    rounding = f", rounded to {lattice.name}," if lattice else ""
    raise BadInput(f"expected a tolerance that gates of degree {MOST}{rounding} can keep, got {tolerance:g}")


class _Found:
    """The best gate of a degree, its constants short decimals or of a format, and what is proved of the others."""

    def __init__(self, target: Target, degree: int):
        self.target, self.degree = target, degree
        self.curve = Curve(target, degree)
        self.shape = self.curve.best()
        self.summits = self.curve.summits(self.shape)
        self.level = max(abs(e) for _, e in self.summits)
        self.notes: tuple[str, ...] = ()
        self.gate: Gate
        self.error: Pair

    def ship(self, lattice: Lattice | None) -> None:
        if self.level < TINY and self._is_the_target(lattice):
            return
        constants = self._on(lattice) if lattice else self._decimal()
        self.gate = self._gate(constants)
        self.error = certified(self.target, self.gate)

    def _is_the_target(self, lattice: Lattice | None) -> bool:
        simple = [Fraction(float(c)).limit_denominator(SIMPLE) for c in self.shape.theta]
        if not simple[0] < simple[1] or (lattice and not all(lattice.below(c) == c for c in simple)):
            return False
        gate = self._gate(simple)
        if any(sp.expand(f.expression - g) != 0 for f, g in common(self.target, gate)):
            return False
        self.gate, self.error, self.notes = gate, ("0", "0"), ("the target itself is of this shape",)
        return True

    def _gate(self, constants: Sequence[Fraction]) -> Gate:
        begin, end, *inner = constants
        return Gate.of(begin, end, inner, self.target.lower, self.target.upper)

    def _decimal(self) -> list[Fraction]:
        far = max(1.0, abs(self.curve.low), abs(self.curve.high))
        place = 1 - math.floor(math.log10(FINE * max(self.level, TINY) / far / (self.degree + 1)))
        return [Fraction(round(Fraction(float(c)) * 10**place), 10**place) for c in self.shape.theta]

    def _on(self, lattice: Lattice) -> tuple[Fraction, ...]:
        x = self.curve.near([x for x, _ in self.summits])
        f = np.array([self.curve.value(v) for v in x.tolist()])

        def errors(theta: np.ndarray) -> np.ndarray:
            return f - Shape.of(theta).values(x) if theta[0] < theta[1] else np.full(len(x), np.inf)

        found = nearby.rounded(lattice, self.shape.theta, errors)
        for written in (-found[0], found[1] - found[0]):  # b and a of clip(x + b, 0, a)/a
            if not lattice.reaches(written):
                raise BadInput(f"expected a format that reaches {float(written):g}, got {lattice.range}")
        return found

    # what is proved

    def bound(self) -> Bound:
        if self.error == ("0", "0"):
            return Bound()
        lower = self._proved(None)
        reason = "" if lower >= self.level * (1 - 1e-6) else f"the search over all l and r stopped after {BOXES} boxes"
        return Bound(lower, reason)

    def exceeds(self, tolerance: float) -> bool:
        """Whether it is proved that no gate of the degree keeps the tolerance."""
        return self._proved(math.nextafter(tolerance, math.inf)) > tolerance

    def _proved(self, goal: float | None) -> float:
        try:
            return Proof(self.curve, self.shape, self.level).lower(BOXES, goal)
        except Undecided:
            return 0.0


def certified(target: Target, gate: Gate) -> Pair:
    """The enclosed sup norm of target - design over the domain."""
    found = [Piece(piece.lower, piece.upper, piece.expression - inner) for piece, inner in common(target, gate)]
    apart = [
        Spot(spot.x, spot.value - value_on(gate.expression, X, spot.x), spot.alone)
        for spot in spots(target.expression, X, target.lower, target.upper)
    ]
    return supremum_of(found, TOLERANCE, apart=apart).pair()


def _rational(value: Fraction) -> sp.Rational:
    return sp.Rational(value.numerator, value.denominator)
