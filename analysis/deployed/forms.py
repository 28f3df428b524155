"""Forms of a function for floating point: no cancellation, no overflow, limits at the ends. Independent of a language.

Between its kinks a function is analytic. There it is written, where that is possible, as a quotient of polynomials in x
and one exponential E whose coefficients have one sign, so that nothing cancels:

    mish = x E (E + 2)/(E^2 + 2 E + 2),  E = exp(x)

Elsewhere it stays as it is, in functions that are stable by themselves. Beside a zero that no float hits exactly, a
Taylor polynomial about the zero takes over; beyond the points where nothing but the asymptote is left, the asymptote.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import mpmath
import sympy as sp

from analysis.activation import functions
from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.deployed.zeros import Zero, high_precision, zeros
from analysis.exact import normal
from analysis.exact.asymptotes import Asymptote, asymptote, limit_at_infinity
from analysis.exact.pieces import Piece, pieces, value_on

E = sp.Symbol("E", positive=True)
GUARD = 5  # bits below the last place of a result at which a remainder does not count
DIGITS = 420  # of the evaluations that look for the beginning of a tail: exp(-750) is seen
FARTHEST = 2**13  # an exponential tail begins no later
BESIDE = (1, 1.25, 2, 4, 16)  # multiples of a place at which a remainder must be negligible
SIMPLE = 1000  # the largest common denominator of coefficients that is kept


class over(sp.Function):
    """over(p, n) is p/n, which sympy would multiply out; appears in forms only."""

    nargs = 2

    @classmethod
    def eval(cls, numerator, denominator):
        return numerator if denominator == 1 or numerator == 0 else None


@dataclass(frozen=True)
class Format:
    """A binary floating-point format: bits of the significand, least and largest exponent of a number."""

    precision: int
    lowest: int
    highest: int

    @property
    def largest(self) -> sp.Expr:
        """The largest finite number."""
        return (2 - sp.Rational(1, 2 ** (self.precision - 1))) * sp.Integer(2) ** self.highest

    def holds(self, value: sp.Expr) -> bool:
        """Whether an exact number is one of the format."""
        return bool(value.is_Rational) and self.rounded_up(value) == value

    def rounded_up(self, value: sp.Expr) -> sp.Expr:
        """The least number of the format that is not below the value: x < value if and only if x < that."""
        if value == 0 or value.is_infinite:
            return value
        if value.is_Rational:
            return self._rational_up(int(value.p), int(value.q))
        exponent = max(int(sp.floor(sp.log(abs(value), 2).evalf(30))), -1022)
        unit = sp.Rational(2) ** (max(exponent, self.lowest) - self.precision + 1)
        return sp.ceiling(value / unit) * unit

    def _rational_up(self, p: int, q: int) -> sp.Rational:
        """The same for p/q."""
        above = abs(p).bit_length() - q.bit_length()  # the exponent, or one more than it
        exponent = above if abs(p) << max(-above, 0) >= q << max(above, 0) else above - 1
        shift = max(exponent, self.lowest) - self.precision + 1
        return sp.Integer(-((-p << max(-shift, 0)) // (q << max(shift, 0)))) * sp.Integer(2) ** shift


FORMATS = {"float32": Format(24, -126, 127), "float64": Format(53, -1022, 1023)}


@dataclass(frozen=True)
class Tail:
    """From `start` outward the function is `slope` x + `intercept`, to less than the last place shows.

    Where that is nowhere so, `start` is the largest number, and `intercept` the limit at infinity, perhaps infinite.
    """

    start: sp.Expr
    slope: sp.Expr
    intercept: sp.Expr


@dataclass(frozen=True)
class Form:
    """An analytic function on an interval: `body` in X and E, where E is exp of `exponent`; without E it is None."""

    body: sp.Expr
    exponent: sp.Expr | None
    is_positive: bool  # the coefficients have one sign
    tails: tuple[Tail | None, Tail | None]
    zeros: tuple[Zero, ...]


@dataclass(frozen=True)
class Stretch:
    """The function and its derivative between two kinks; `closed` says which of them is its own at `lower`."""

    lower: sp.Expr
    upper: sp.Expr
    value: Form
    derivative: Form
    is_polynomial: bool


@lru_cache(maxsize=256)
def stretches(expression: sp.Expr, dtype: str, derivative: bool) -> tuple[Stretch, ...]:
    """The function from left to right, as forms for a float type; without `derivative` those of f' are f's own."""
    return tuple(_stretch(piece, FORMATS[dtype], derivative) for piece in pieces(expression))


def _stretch(piece: Piece, kind: Format, derivative: bool) -> Stretch:
    value = _form(piece.expression, piece, kind)
    slope = _form(functions.derivative(piece.expression, X), piece, kind) if derivative else value
    return Stretch(piece.lower, piece.upper, value, slope, piece.expression.is_polynomial(X))


def _form(expression: sp.Expr, piece: Piece, kind: Format) -> Form:
    if expression.is_polynomial(X):
        return Form(_over_one_number(expression), None, False, (None, None), ())
    tails = tuple(
        _tail(expression, direction, kind) if end.is_infinite else None
        for direction, end in ((-1, piece.lower), (1, piece.upper))
    )
    found = _single_exponential(expression)
    body, exponent, is_positive = found or (_one_fraction(expression), None, False)
    near = () if is_positive else tuple(zeros(expression, piece, kind.holds))
    return Form(body, exponent, is_positive, (tails[0], tails[1]), near)


def _over_one_number(polynomial: sp.Expr) -> sp.Expr:
    """(2 x + 3)/5 for 2/5 x + 3/5, whose zero is then met exactly; other polynomials by Horner's rule, if expanded."""
    if polynomial.is_Mul or not polynomial.has(X):
        return polynomial
    numerator, denominator = sp.fraction(sp.together(polynomial))
    if denominator.is_Integer and denominator <= SIMPLE:
        return over(sp.horner(sp.expand(numerator), X), denominator)
    return sp.horner(polynomial, X)


def _one_fraction(expression: sp.Expr) -> sp.Expr:
    """A sum of fractions in x, such as a derivative, over one denominator; anything else as it is."""
    if not (expression.is_Add and expression.is_rational_function(X)):
        return expression
    numerator, denominator = sp.fraction(sp.together(expression))
    return sp.horner(sp.expand(numerator), X) / denominator


# one exponential


def _single_exponential(expression: sp.Expr) -> tuple[sp.Expr, sp.Expr, bool] | None:
    """Body, exponent, and whether all coefficients have one sign; None where there is no such form that is stable."""
    if expression.has(sp.sin, sp.cos):
        return None
    try:
        form = normal.quotient(expression)
    except Undecided:
        return None
    if form.opaque or not form.generators:
        return None
    merged = _merged(form)
    if merged is None:
        return None
    numerator, denominator, exponent = merged
    upper, lower = sp.factor_list(numerator, X, E), sp.factor_list(denominator, X, E)
    if not all(_one_sign(factor) for factor, _ in lower[1]):
        return None
    mixed = [factor for factor, _ in upper[1] if not _one_sign(factor)]
    if any(normal.tidy(factor.subs({X: 0, E: sp.exp(exponent.subs(X, 0))})).is_zero is not False for factor in mixed):
        return None  # such as E - 1, which cancels where f is small
    body = _nested(upper[0] / lower[0], upper[1]) / _nested(sp.S.One, lower[1])
    return body, exponent, not mixed


def _merged(form: normal.Quotient) -> tuple[sp.Expr, sp.Expr, sp.Expr] | None:
    """With one generator for those that only occur together, as exp(x) and exp(x^3) in gelu_tanh."""
    names = list(form.generators)
    both = [sp.Poly(part, *names) for part in (form.numerator, form.denominator)]
    powers = [monomial for poly in both for monomial in poly.monoms() if any(monomial)]
    if not powers:
        return None
    unit = [abs(int(p)) for p in powers[0]]
    divisor = math.gcd(*unit)
    unit = [p // divisor for p in unit]
    lead = next(i for i, p in enumerate(unit) if p)
    multiples = [sp.Rational(p[lead], unit[lead]) for p in powers]
    if any(list(p) != [m * u for u in unit] for p, m in zip(powers, multiples, strict=True)):
        return None
    step = sp.Rational(math.gcd(*(int(m.p) for m in multiples)), math.lcm(*(int(m.q) for m in multiples)))

    def one(poly: sp.Poly) -> sp.Expr:
        return sp.Add(*(c * E ** (sp.Rational(m[lead], unit[lead]) / step) for m, c in poly.terms()))

    exponent = sp.Add(*(u * form.generators[name].args[0] for name, u in zip(names, unit, strict=True)))
    found = one(both[0]), one(both[1]), sp.expand(step * exponent)
    return found if all(part.free_symbols <= {X, E} and part.is_polynomial(X, E) for part in found[:2]) else None


def _one_sign(factor: sp.Expr) -> bool:
    """Whether it is x, or a polynomial in E whose coefficients have one sign."""
    if factor == X:
        return True
    poly = sp.Poly(factor, X, E)
    return not factor.has(X) and len({bool(c > 0) for c in poly.coeffs()}) == 1


def _nested(content: sp.Expr, factors: list[tuple[sp.Expr, int]]) -> sp.Expr:
    """The product with each factor by Horner's rule in E, its coefficients in x."""
    found = [content]
    for factor, power in factors:
        rows = sp.Poly(factor, E).all_coeffs()
        value = sp.S.Zero
        for row in rows:
            inner = sp.horner(row, X) if row.has(X) else row
            value = sp.Add(sp.Mul(value, E, evaluate=False) if value not in (0, 1) else value * E, inner)
        found.append(value**power)
    return sp.Mul(*found)


# tails


def _tail(expression: sp.Expr, direction: int, kind: Format) -> Tail | None:
    line = asymptote(expression, direction)
    start = None if line is None else _start(expression, line, direction, kind)
    if line is not None and start is not None:
        return Tail(start, line.slope, line.intercept)
    try:
        return Tail(direction * kind.largest, sp.S.Zero, limit_at_infinity(expression, direction))
    except Undecided:
        return None


def _start(expression: sp.Expr, line: Asymptote, direction: int, kind: Format) -> sp.Expr | None:
    """The nearest of a sequence of places from which on the asymptote is all that is seen."""
    f, g = high_precision(expression), high_precision(line.slope * X + line.intercept)
    least = mpmath.mpf(2) ** (kind.lowest - kind.precision + 1 - GUARD)
    relative = mpmath.mpf(2) ** (-kind.precision - GUARD)

    def is_seen(place: float) -> bool:
        x = mpmath.mpf(direction) * place
        exact, straight = f(x), g(x)
        return not abs(exact - straight) <= max(least, relative * abs(straight))

    with mpmath.workdps(DIGITS):
        for start in _places(kind):
            if not any(is_seen(start * multiple) for multiple in BESIDE):
                return sp.Integer(direction * start)
    return None


def _places(kind: Format) -> Iterator[int]:
    place = 1
    while place < FARTHEST:
        yield place
        place = place + max(1, place // 16)
    exponent = 13
    while exponent < min(kind.highest - 8, 100):
        yield 2**exponent
        exponent += 1


def side_at(expression: sp.Expr, knot: sp.Expr, left: sp.Expr, right: sp.Expr) -> str:
    """Whose the value of f at a kink is: `left`, `right`, or `neither` where it is a value of its own."""
    value = value_on(expression, X, knot)
    for side, piece in (("right", right), ("left", left)):
        if normal.tidy(piece.subs(X, knot) - value).is_zero:
            return side
    return "neither"
