"""Arb ball arithmetic as a backend of `analysis.activation.lowering`, and the numbers that leave it.

A ball encloses the exact value whatever the rounding. Where a branch depends on the sign of a ball that contains zero,
the result is the union of the branches. `decimals` prints a ball as two decimal strings, rounded outward.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpq

from analysis.activation import functions, lowering
from analysis.activation.errors import Undecided
from analysis.activation.lowering import Backend, Program
from analysis.activation.parsing import X

PRECISION = 128  # bits
NARROW = arb(2) ** -10  # radius below which a ball's own arithmetic is tight
FAR = 2**16  # beyond, an exponential has too many digits to bother with
Pair = tuple[str, str]


def evaluator(expression: sp.Expr, variables: Sequence[sp.Symbol] = (X,)) -> Callable[..., arb]:
    """A function from balls to a ball that encloses the expression; nan-balls where it may be undefined."""
    evaluate = evaluators(expression, variables=variables)
    return lambda *inputs: evaluate(*inputs)[0]


def evaluators(*expressions: sp.Expr, variables: Sequence[sp.Symbol] = (X,)) -> Callable[..., list[arb]]:
    """A function from balls to balls that enclose the expressions, whose common parts are computed once."""
    return _evaluators(expressions, tuple(variables))


@lru_cache(maxsize=1024)
def _evaluators(expressions: tuple[sp.Expr, ...], variables: tuple[sp.Symbol, ...]) -> Callable[..., list[arb]]:
    return Program.of(*expressions, variables=variables).on(ARB)


@lru_cache(maxsize=1024)
def jet(expression: sp.Expr, order: int) -> Callable[[arb], list[arb]]:
    """A function from a ball to enclosures of f, f', ..., f^(order), f smooth in x, wherever in the ball f is real."""
    return Program.jet(expression, order).on(_ARB_WHERE_REAL)


def enclose(value: sp.Expr) -> arb:
    """A ball around an exact constant at the current precision; Undecided for a head without a row."""
    return _enclosed(value, ctx.prec)


@lru_cache(maxsize=4096)
def _enclosed(value: sp.Expr, _bits: int) -> arb:
    if value.is_Rational:
        return arb(fmpq(int(value.p), int(value.q)))
    if value is sp.pi:
        return arb.pi()
    if value is sp.E:
        return arb(1).exp()
    if isinstance(value, sp.Pow):
        return enclose(value.base) ** enclose(value.exp)
    if isinstance(value, sp.Add | sp.Mul):
        total = enclose(value.args[0])
        for term in map(enclose, value.args[1:]):
            total = total + term if isinstance(value, sp.Add) else total * term
        return total
    if isinstance(value, sp.LambertW):
        branch = int(value.args[1]) if len(value.args) > 1 else 0
        return enclose(value.args[0]).lambertw(branch)
    if isinstance(value, sp.polys.rootoftools.ComplexRootOf):
        return _algebraic(value)
    if type(value) in _ROWS:
        return _ROWS[type(value)](*map(enclose, value.args))
    raise Undecided(f"an enclosure of {value}")


def decimals(ball: arb, digits: int = 15) -> tuple[str, str]:
    """The ball as ("lower", "upper") with that many digits, rounded outward; ("-inf", "inf") where unbounded."""
    if not ball.is_finite():
        return "-inf", "inf"
    if any(abs(part.man_exp()[1]) > FAR for part in (ball.mid(), ball.rad())):
        return _decimals_of_far(ball, digits)
    middle, radius = fraction(ball.mid()), fraction(ball.rad())
    return _rounded(middle - radius, digits, ROUND_FLOOR), _rounded(middle + radius, digits, ROUND_CEILING)


def _decimals_of_far(ball: arb, digits: int) -> tuple[str, str]:
    """By Arb's own decimal ball, since an exact fraction would have as many digits as the exponent says."""
    middle, radius, exponent = map(int, ball.mid_rad_10exp(digits + 5))
    low = _rounded(Fraction(middle - radius), digits, ROUND_FLOOR, exponent)
    return low, _rounded(Fraction(middle + radius), digits, ROUND_CEILING, exponent)


def decimals_of(value: sp.Expr, digits: int = 15) -> tuple[str, str]:
    """An exact constant, perhaps infinite, as two decimal strings rounded outward at the current precision."""
    if value.is_infinite:
        return ("inf", "inf") if value == sp.oo else ("-inf", "-inf")
    if value.is_Rational:
        exact = Fraction(int(value.p), int(value.q))
        return _rounded(exact, digits, ROUND_FLOOR), _rounded(exact, digits, ROUND_CEILING)
    return decimals(enclose(value), digits)


def fraction(point: arb) -> Fraction:
    """The exact value of a ball of radius zero: a binary fraction."""
    mantissa, exponent = point.mid().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def _rounded(exact: Fraction, digits: int, rounding: str, exponent: int = 0) -> str:
    """exact * 10^exponent."""
    with localcontext() as context:
        context.prec, context.rounding = digits, rounding
        context.Emin, context.Emax = MIN_EMIN, MAX_EMAX
        mantissa = Decimal(exact.numerator) / Decimal(exact.denominator)
        if mantissa and not MIN_EMIN <= mantissa.adjusted() + exponent <= MAX_EMAX:
            return _beyond_decimals(mantissa > 0, exponent > 0, rounding)
        return str(mantissa.scaleb(exponent))


def _beyond_decimals(positive: bool, large: bool, rounding: str) -> str:
    """The nearest that can be written to a number whose exponent cannot."""
    outward = positive is (rounding == ROUND_CEILING)  # away from zero
    size = ("inf" if outward else f"9E+{MAX_EMAX}") if large else (f"1E{MIN_EMIN}" if outward else "0")
    return size if positive or size == "0" else f"-{size}"


def _algebraic(root: sp.Expr) -> arb:
    """A real root of a polynomial with rational coefficients, from sympy's isolating interval."""
    radius = sp.Rational(1, 2**ctx.prec)
    middle = root.eval_rational(dx=radius, dy=radius)
    return arb(fmpq(int(middle.p), int(middle.q)), arb(fmpq(1, 2 ** (ctx.prec - 1))))


def _rising(head: Callable[..., arb]) -> Callable[..., arb]:
    """A function that increases in its first argument, where its own arithmetic fails by its values at the two ends."""

    def evaluate(z: arb, *rest: arb) -> arb:
        value = head(z, *rest)
        return value if value.is_finite() else head(z.lower(), *rest).union(head(z.upper(), *rest))

    return evaluate


def _sigmoid(z: arb) -> arb:
    value = 1 / (1 + (-z).exp())
    return value if value.is_finite() else _logistic(z.lower()).union(_logistic(z.upper()))


def _logistic(z: arb) -> arb:
    """The sigmoid of a point, however large."""
    e = (-abs(z)).exp()
    return (1 if z > 0 else e) / (1 + e)


def _tanh(z: arb) -> arb:
    """On a wide ball by the sigmoid, whose arithmetic is tight there."""
    return z.tanh() if z.rad() < NARROW else 2 * _sigmoid(2 * z) - 1


def _erf(z: arb) -> arb:
    return z.erf() if z.rad() < NARROW else z.lower().erf().union(z.upper().erf())


def _Phi(z: arb) -> arb:
    return (-z * (arb(1) / 2).sqrt()).erfc() / 2 if z.rad() < NARROW else _Phi(z.lower()).union(_Phi(z.upper()))


def _softplus(z: arb) -> arb:
    return z.exp().log1p() if z < FAR else z + (-z).exp().log1p()


def _squareplus(z: arb, b: arb) -> arb:
    root = (z * z + b).sqrt()
    return b / (2 * (root - z)) if z < 0 else (z + root) / 2


def _choose(condition: bool | None, yes: arb, no: arb) -> arb:
    return yes.union(no) if condition is None else yes if condition else no


def _less(a: arb, b: arb) -> bool | None:
    return True if a < b else False if a >= b else None


def _less_or_equal(a: arb, b: arb) -> bool | None:
    return True if a <= b else False if a > b else None


def both(a: bool | None, b: bool | None) -> bool | None:
    return False if a is False or b is False else None if None in (a, b) else True


def either(a: bool | None, b: bool | None) -> bool | None:
    return True if a or b else None if None in (a, b) else False


def _sign(z: arb) -> arb:
    return arb(1) if z > 0 else arb(-1) if z < 0 else arb(0) if z == 0 else arb(0, 1)


_ROWS: dict[Any, Callable] = {
    "**": operator.pow,
    "sqrt": arb.sqrt,
    "where": _choose,
    sp.exp: arb.exp,
    sp.log: arb.log,
    lowering.expm1: arb.expm1,
    lowering.log1p: arb.log1p,
    sp.tanh: _tanh,
    sp.sech: arb.sech,
    sp.atan: arb.atan,
    sp.sin: arb.sin,
    sp.cos: arb.cos,
    sp.erf: _erf,
    sp.Abs: abs,
    sp.sign: _sign,
    sp.Heaviside: lambda z, at_zero: _choose(None if z.contains(0) else bool(z > 0), arb(1), arb(0)),
    sp.Max: arb.max,
    sp.Min: arb.min,
    sp.Lt: _less,
    sp.Le: _less_or_equal,
    sp.Gt: lambda a, b: _less(b, a),
    sp.Ge: lambda a, b: _less_or_equal(b, a),
    sp.And: both,
    sp.Or: either,
    functions.sigmoid: _sigmoid,
    functions.gated: lambda z: z * _sigmoid(z),
    functions.softplus: _rising(_softplus),
    functions.Phi: _Phi,
    functions.squareplus: _rising(_squareplus),
    functions.relu: lambda z: z.max(arb(0)),
    functions.clip: lambda z, lo, hi: z.max(lo).min(hi),
    functions.step: lambda z: _choose(_less_or_equal(arb(0), z), arb(1), arb(0)),
}


def _constant(value: sp.Expr, _beside: arb) -> arb:
    return enclose(value)


def _bits(_beside: arb) -> int:
    return ctx.prec


ARB = Backend(_ROWS, _constant, _bits)

# For functions known to be real on their domain: what a ball holds beyond it is rounding.
_ARB_WHERE_REAL = Backend(_ROWS | {"sqrt": lambda z: z.nonnegative_part().sqrt()}, _constant, _bits)
