"""Functions that are rational in x and one exponential E = exp(u(x)): a quotient of polynomials where nothing cancels.

sigmoid(z) = E/(1 + E) and tanh(c softplus(z)) = ((1 + E)^2c - 1)/((1 + E)^2c + 1) with E = exp(z) and a whole 2c. A
quotient counts where no coefficient is negative: then the sums in it lose nothing for E > 0 (and, of those with x in
a coefficient, for x >= 0), which tanh(x) = (E^2 - 1)/(E^2 + 1) near zero does not offer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from analysis.activation import functions
from analysis.activation.parsing import X

E = sp.Dummy("E", positive=True)

NEGLIGIBLE = 2.0**-54  # relative, of what `saturates` leaves out: a quarter of float64's unit in the last place at 1
LARGEST = 86  # of the exponent in a denominator: exp(88) is near the largest float32
UNDERFLOW = 800  # exp(-800) is zero in every float type
STEPS = 20_000  # of a quarter, in x, until `saturates` gives up


@dataclass(frozen=True)
class Quotient:
    """x^power N/D or x^power N/D^2, by coefficients of ascending powers of E = exp(u(x)); those of N with x in them.

    No coefficient is negative for x >= 0, and u increases on the whole line.
    """

    u: sp.Expr
    power: int
    numerator: tuple[sp.Expr, ...]
    denominator: tuple[sp.Expr, ...]
    squared: bool = False

    @property
    def degree(self) -> int:
        """Of the whole denominator in E."""
        return (len(self.denominator) - 1) * (2 if self.squared else 1)

    @property
    def surplus(self) -> sp.Expr | None:
        """D - N where that is a constant."""
        if self.squared or len(self.numerator) != len(self.denominator):
            return None
        rest = [d - n for d, n in zip(self.denominator, self.numerator, strict=True)]
        return None if any(rest[1:]) else rest[0]

    @cached_property
    def saturates(self) -> sp.Rational | None:
        """A place from which on N/D is its limit, not zero, up to `NEGLIGIBLE`; None where there is none."""
        whole = _ascending(_polynomial(self.denominator) ** (2 if self.squared else 1))
        top = self.numerator[-1]
        if len(self.numerator) != len(whole) or top.has(X):
            return None
        limit, u = top / whole[-1], sp.lambdify(X, self.u, "math")
        rest = [n - limit * d for n, d in zip(self.numerator, whole, strict=True)][:-1]
        sizes = [sp.lambdify(X, sum(map(_size, sp.Add.make_args(sp.expand(r)))), "math") for r in rest]
        for quarters in range(4, STEPS):
            place = quarters / 4
            at = u(place)
            if at * self.degree > LARGEST:
                return None
            # Each term is a power of x times one of exp(-u): once negligible it decreases further.
            terms = (size(place) * math.exp(-(self.degree - k) * at) for k, size in enumerate(sizes))
            if sum(terms) / float(top) <= NEGLIGIBLE:
                return sp.Rational(quarters, 4)
        return None

    @property
    def lower(self) -> sp.Integer | None:
        """A place below which the value is its limit, as E is zero in floats; None where x still counts there."""
        still = self.numerator[0] if self.power == 0 else self.numerator[0] * X
        return None if still.has(X) else -self._far(-1)

    @property
    def upper(self) -> sp.Integer | None:
        """The same above."""
        has_top = len(self.numerator) == self.degree + 1
        top = self.numerator[-1] if has_top else sp.S.Zero
        still = top if self.power == 0 else top * X
        return None if still.has(X) else self._far(1)

    def _far(self, side: int) -> sp.Integer:
        u, place = sp.lambdify(X, self.u, "math"), 1
        while abs(u(side * place)) < UNDERFLOW:
            place *= 2
        return sp.Integer(place)


@dataclass(frozen=True)
class Exponential:
    """P(x, E)/Q(E) with E = exp(u(x)) and u increasing."""

    u: sp.Expr
    numerator: sp.Expr
    denominator: sp.Expr

    @classmethod
    def of(cls, f: sp.Expr) -> Exponential | None:
        """The function in this form, where it has one."""
        spelled = f.replace(sp.tanh, _tanh).replace(functions.sigmoid, lambda z: 1 / (1 + sp.exp(-z)))
        exponents = [e.args[0] for e in spelled.atoms(sp.exp) if e.has(X)]
        unit = _unit(exponents)
        if unit is None or not _increases(unit):
            return None
        named = spelled.replace(sp.exp, lambda z: E ** sp.cancel(z / unit) if z.has(X) else sp.exp(z))
        if not named.is_rational_function(X, E):
            return None
        numerator, denominator = sp.fraction(sp.cancel(sp.together(named)))
        if denominator.has(X) or not denominator.has(E) or sp.Poly(denominator, E).eval(0) == 0:
            return None
        leading = sp.LC(denominator, E)
        return cls(unit, sp.expand(numerator / leading), sp.expand(denominator / leading))

    def quotient(self, order: int) -> Quotient | None:
        """The function or its derivative, where no coefficient is negative."""
        p, q = self.numerator, self.denominator
        if order:
            slope = sp.diff(self.u, X) * E
            p = (sp.diff(p, X) + sp.diff(p, E) * slope) * q - p * sp.diff(q, E) * slope
        rows = _ascending(sp.expand(p))
        power = 0
        while rows and all((row / X).is_polynomial(X) for row in map(sp.expand, rows)):
            rows, power = [sp.expand(row / X) for row in rows], power + 1
        below = _ascending(q)
        if not rows or any(not _is_nonnegative(row) for row in (*rows, *below)):
            return None
        return Quotient(self.u, power, tuple(rows), tuple(below), bool(order))


def _tanh(z: sp.Expr) -> sp.Expr:
    factor, inner = z.as_coeff_Mul()
    if isinstance(inner, functions.softplus) and (2 * factor).is_Integer:
        power = (1 + sp.exp(inner.args[0])) ** (2 * factor)
        return (power - 1) / (power + 1)
    return (sp.exp(2 * z) - 1) / (sp.exp(2 * z) + 1) if z.is_polynomial(X) else sp.tanh(z)


def _unit(exponents: Sequence[sp.Expr]) -> sp.Expr | None:
    """What all of them are whole multiples of, with a positive leading coefficient."""
    if not exponents or any(not e.is_polynomial(X) for e in exponents):
        return None
    ratios = [sp.cancel(e / exponents[0]) for e in exponents]
    if any(not r.is_Rational for r in ratios):
        return None
    unit = sp.expand(sp.gcd_list(ratios) * exponents[0])
    return -unit if sp.LC(unit, X).is_negative else unit


def _increases(u: sp.Expr) -> bool:
    """Whether the polynomial increases on the whole line and has no constant part; its coefficients may be roots."""
    lead = sp.LC(u, X)
    if u.subs(X, 0) != 0 or not lead.is_positive or sp.degree(u, X) > 9:
        return False
    slope = sp.Poly(sp.simplify(sp.diff(u, X) / lead), X)
    is_rational = slope.domain.is_QQ or slope.domain.is_ZZ
    return slope.is_ground or (is_rational and slope.count_roots() == 0)


def _ascending(e: sp.Expr) -> list[sp.Expr]:
    return [] if e == 0 else [sp.sympify(c) for c in reversed(sp.Poly(e, E).all_coeffs())]


def _polynomial(rows: Sequence[sp.Expr]) -> sp.Expr:
    return sp.Add(*(c * E**k for k, c in enumerate(rows)))


def _is_nonnegative(row: sp.Expr) -> bool:
    return all(c.is_nonnegative for c in sp.Poly(row, X).all_coeffs())


def _size(term: sp.Expr) -> sp.Expr:
    """|term| for x >= 0."""
    factor, rest = term.as_independent(X)
    return abs(factor) * rest
