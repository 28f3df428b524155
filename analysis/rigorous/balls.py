"""Arb ball arithmetic as a backend of `analysis.activation.lowering`, and the numbers that leave it.

A ball encloses the exact value whatever the rounding. Where a branch depends on the sign of a ball that contains zero,
the result is the union of the branches. `decimals` prints a ball as two decimal strings, rounded outward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpq

from analysis.activation import functions, lowering
from analysis.activation.errors import Undecided
from analysis.activation.lowering import Backend, Program
from analysis.activation.parsing import X

PRECISION = 128  # bits
Pair = tuple[str, str]


def evaluator(expression: sp.Expr, variables: Sequence[sp.Symbol] = (X,)) -> Callable[..., arb]:
    """A function from balls to a ball that encloses the expression; nan-balls where it may be undefined."""
    evaluate = evaluators(expression, variables=variables)
    return lambda *inputs: evaluate(*inputs)[0]


def evaluators(*expressions: sp.Expr, variables: Sequence[sp.Symbol] = (X,)) -> Callable[..., list[arb]]:
    """A function from balls to balls that enclose the expressions, whose common parts are computed once."""
    program = Program.of(*expressions, variables=variables)
    constants: dict[tuple[sp.Expr, int], arb] = {}

    def constant(value: sp.Expr, _beside: arb) -> arb:
        key = value, ctx.prec
        if key not in constants:
            constants[key] = enclose(value)
        return constants[key]

    backend = Backend(_ROWS, constant)
    return lambda *inputs: program.run(backend, inputs)


def enclose(value: sp.Expr) -> arb:
    """A ball around an exact constant at the current precision; Undecided for a head without a row."""
    if value.is_Rational:
        return arb(fmpq(int(value.p), int(value.q)))
    if value is sp.pi:
        return arb.pi()
    if value is sp.E:
        return arb(1).exp()
    if isinstance(value, sp.Pow):
        return _power(enclose(value.base), enclose(value.exp))
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
    middle, radius = fraction(ball.mid()), fraction(ball.rad())
    return _rounded(middle - radius, digits, ROUND_FLOOR), _rounded(middle + radius, digits, ROUND_CEILING)


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


def _rounded(exact: Fraction, digits: int, rounding: str) -> str:
    with localcontext() as context:
        context.prec, context.rounding = digits, rounding
        context.Emin, context.Emax = -(10**6), 10**6
        return str(Decimal(exact.numerator) / Decimal(exact.denominator))


def _algebraic(root: sp.Expr) -> arb:
    """A real root of a polynomial with rational coefficients, from sympy's isolating interval."""
    radius = sp.Rational(1, 2**ctx.prec)
    middle = root.eval_rational(dx=radius, dy=radius)
    return arb(fmpq(int(middle.p), int(middle.q)), arb(fmpq(1, 2 ** (ctx.prec - 1))))


def _power(base: arb, exponent: arb) -> arb:
    return base**exponent


def _sigmoid(z: arb) -> arb:
    return 1 / (1 + (-z).exp())


def _choose(condition: bool | None, yes: arb, no: arb) -> arb:
    return yes.union(no) if condition is None else yes if condition else no


def _less(a: arb, b: arb) -> bool | None:
    return True if a < b else False if a >= b else None


def _less_or_equal(a: arb, b: arb) -> bool | None:
    return True if a <= b else False if a > b else None


def _all(a: bool | None, b: bool | None) -> bool | None:
    return False if a is False or b is False else None if None in (a, b) else True


def _any(a: bool | None, b: bool | None) -> bool | None:
    return True if a or b else None if None in (a, b) else False


def _sign(z: arb) -> arb:
    return arb(1) if z > 0 else arb(-1) if z < 0 else arb(0) if z == 0 else arb(0, 1)


def _max(a: arb, b: arb) -> arb:
    return a.max(b)


def _min(a: arb, b: arb) -> arb:
    return a.min(b)


_ROWS: dict[Any, Callable] = {
    "+": lambda a, b: a + b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": _power,
    "sqrt": lambda z: z.sqrt(),
    "where": _choose,
    sp.exp: lambda z: z.exp(),
    sp.log: lambda z: z.log(),
    lowering.expm1: lambda z: z.expm1(),
    lowering.log1p: lambda z: z.log1p(),
    sp.tanh: lambda z: z.tanh(),
    sp.sech: lambda z: z.sech(),
    sp.atan: lambda z: z.atan(),
    sp.sin: lambda z: z.sin(),
    sp.cos: lambda z: z.cos(),
    sp.erf: lambda z: z.erf(),
    sp.Abs: lambda z: abs(z),
    sp.sign: _sign,
    sp.Heaviside: lambda z, at_zero: _choose(None if z.contains(0) else bool(z > 0), arb(1), arb(0)),
    sp.Max: _max,
    sp.Min: _min,
    sp.Lt: _less,
    sp.Le: _less_or_equal,
    sp.Gt: lambda a, b: _less(b, a),
    sp.Ge: lambda a, b: _less_or_equal(b, a),
    sp.And: _all,
    sp.Or: _any,
    functions.sigmoid: _sigmoid,
    functions.softplus: lambda z: z.exp().log1p(),
    functions.Phi: lambda z: (-z / arb(2).sqrt()).erfc() / 2,
    functions.squareplus: lambda z, b: (z + (z * z + b).sqrt()) / 2,
    functions.relu: lambda z: _max(z, arb(0)),
    functions.clip: lambda z, lo, hi: _min(_max(z, lo), hi),
    functions.step: lambda z: _choose(_less_or_equal(arb(0), z), arb(1), arb(0)),
}
