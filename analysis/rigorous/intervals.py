"""Intervals with infinite ends as a backend of `analysis.activation.lowering`, for boxes of constants without a bound.

Ends are doubles. Basic operations are correctly rounded by IEEE 754 and moved outward by one step; the other functions
are enclosed by Arb at an end and moved outward. What has no value, such as oo - oo, becomes the whole line. As in
`balls`, a branch that the interval does not decide gives the hull of both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import sympy as sp
from flint import arb, ctx

from analysis.activation import functions, lowering
from analysis.activation.lowering import Backend, Program
from analysis.activation.parsing import X
from analysis.rigorous import balls

INF = math.inf
LEAST = math.ulp(0.0)  # the smallest double, in place of a product that underflows
PRECISION = 64  # bits of the balls around values at the ends


class Interval(NamedTuple):
    """All reals between two doubles; an infinite end is not attained."""

    low: float
    high: float

    def __contains__(self, value) -> bool:
        return self.low <= value <= self.high


WHOLE = Interval(-INF, INF)


def evaluators(*expressions: sp.Expr, variables: Sequence[sp.Symbol] = (X,)) -> Callable[..., list[Interval]]:
    """A function from intervals to intervals that enclose the expressions, whose common parts are computed once."""
    program = Program.of(*expressions, variables=variables)
    backend = Backend(_ROWS, lambda value, _beside: constant(value))
    return lambda *inputs: program.run(backend, inputs)


@cache
def constant(value: sp.Expr) -> Interval:
    """The narrowest interval around an exact number, or the infinity itself."""
    if value.is_infinite:
        return Interval(INF, INF) if value == sp.oo else Interval(-INF, -INF)
    with ctx.workprec(PRECISION):
        return around(balls.enclose(value))


def around(ball: arb) -> Interval:
    """The ball's interval with its ends rounded outward to doubles."""
    if not ball.is_finite():
        return WHOLE
    low, high = float(ball.lower()), float(ball.upper())
    # float() of a ball's exact end is its nearest double.
    return Interval(_down(low) if arb(low) > ball.lower() else low, _up(high) if arb(high) < ball.upper() else high)


def hull(a: Interval, b: Interval) -> Interval:
    return Interval(min(a.low, b.low), max(a.high, b.high))


def _down(value: float) -> float:
    return math.nextafter(value, -INF)


def _up(value: float) -> float:
    return math.nextafter(value, INF)


def _outward(low: float, high: float) -> Interval:
    if low != low or high != high:
        return Interval(-INF if low != low else _down(low), INF if high != high else _up(high))
    return Interval(_down(low), _up(high))


def add(a: Interval, b: Interval) -> Interval:
    if a == (0, 0):
        return b
    return a if b == (0, 0) else _outward(a.low + b.low, a.high + b.high)


def _times(u: float, v: float) -> float:
    """A product of ends; zero times an infinite end is zero, as the end is not attained; no other product is zero."""
    if u == 0 or v == 0:
        return 0.0
    return u * v or math.copysign(LEAST, u) * math.copysign(1.0, v)


def _multiply(a: Interval, b: Interval) -> Interval:
    if a == (1, 1):
        return b
    if b == (1, 1):
        return a
    ends = [_times(u, v) for u in a for v in b]
    low, high = min(ends), max(ends)
    # A product with an end at zero has that sign exactly.
    return Interval(low if low == 0 else _down(low), high if high == 0 else _up(high))


def _reciprocal(a: Interval) -> Interval:
    if a.low < 0 < a.high or a == (0, 0):
        return WHOLE
    low = -INF if a.high == 0 else 1 / a.high
    high = INF if a.low == 0 else 1 / a.low
    return Interval(low if low == 0 else _down(low), high if high == 0 else _up(high))


def _divide(a: Interval, b: Interval) -> Interval:
    return _multiply(a, _reciprocal(b))


def _monotone(function: Callable[[arb], arb], at_minus: float, at_plus: float, least: float = -INF, most: float = INF):
    """The row of an increasing function with its limits at both infinities and its bounds."""

    def end(value: float, is_low: bool) -> float:
        if math.isinf(value):
            return at_plus if value > 0 else at_minus
        with ctx.workprec(PRECISION):
            found = around(function(arb(value)))
        return max(found.low, least) if is_low else min(found.high, most)

    return lambda z: Interval(end(z.low, True), end(z.high, False))


def _even(function: Callable[[arb], arb], at_infinity: float, *, rising: bool):
    """The row of an even function that is monotone in |z|."""
    row = _monotone(function, INF, at_infinity) if rising else None

    def enclose(z: Interval) -> Interval:
        size = _absolute(z)
        if row:
            return row(size)
        falling = _monotone(lambda u: -function(u), INF, -at_infinity)(size)
        return Interval(-falling.high, -falling.low)

    return enclose


def _absolute(z: Interval) -> Interval:
    if z.low >= 0:
        return z
    return Interval(-z.high, -z.low) if z.high <= 0 else Interval(0.0, max(-z.low, z.high))


def _power(base: Interval, exponent: Interval) -> Interval:
    if base.low >= 0:
        return _exp(_multiply(exponent, _log(base)))
    n = exponent.low
    if exponent.low != exponent.high or n != int(n) or n <= 0:
        return WHOLE
    sizes = [_power(_absolute(Interval(end, end)), exponent) for end in base]
    if n % 2 == 0:
        return Interval(0.0 if 0 in base else min(s.low for s in sizes), max(s.high for s in sizes))
    return Interval(-sizes[0].high, sizes[1].high if base.high > 0 else -sizes[1].low)


def _wave(function: Callable[[arb], arb]) -> Callable[[Interval], Interval]:
    def enclose(z: Interval) -> Interval:
        if not math.isfinite(z.high - z.low):
            return Interval(-1.0, 1.0)
        with ctx.workprec(PRECISION):
            return around(function(arb(z.low).union(arb(z.high))))

    return enclose


def _squareplus(z: Interval, b: Interval) -> Interval:
    """Increasing in both arguments."""
    return Interval(_squareplus_at(z.low, b.low).low, _squareplus_at(z.high, b.high).high)


def _squareplus_at(z: float, b: float) -> Interval:
    if math.isinf(b) or z == INF:
        return Interval(INF, INF) if b == INF or z == INF else WHOLE
    if z == -INF:
        return Interval(0.0, 0.0)
    with ctx.workprec(PRECISION + 64):
        point, under = arb(z), arb(z) ** 2 + arb(max(b, 0.0))
        root = under.sqrt()
        value = (point + root) / 2 if z >= 0 or b <= 0 else arb(b) / (2 * (root - point))
        return around(value)


def _choose(condition: bool | None, yes: Interval, no: Interval) -> Interval:
    return hull(yes, no) if condition is None else yes if condition else no


def _less(a: Interval, b: Interval) -> bool | None:
    return True if a.high < b.low else False if a.low >= b.high else None


def _less_or_equal(a: Interval, b: Interval) -> bool | None:
    return True if a.high <= b.low else False if a.low > b.high else None


def _max(a: Interval, b: Interval) -> Interval:
    return Interval(max(a.low, b.low), max(a.high, b.high))


def _min(a: Interval, b: Interval) -> Interval:
    return Interval(min(a.low, b.low), min(a.high, b.high))


def _step(z: Interval) -> Interval:
    return Interval(1.0 if z.low >= 0 else 0.0, 0.0 if z.high < 0 else 1.0)


def _gated(z: Interval) -> Interval:
    """z sigmoid(z) falls from 0 to its minimum and rises from there."""
    falling = hull(_gated_at(z.low), _gated_at(min(z.high, GATED_BOTTOM[0])))
    rising = hull(_gated_at(max(z.low, GATED_BOTTOM[1])), _gated_at(z.high))
    if z.high <= GATED_BOTTOM[0]:
        return falling
    if z.low >= GATED_BOTTOM[1]:
        return rising
    return Interval(GATED_LEAST, max(_gated_at(z.low).high, _gated_at(z.high).high))


def _gated_at(z: float) -> Interval:
    if math.isinf(z):
        return Interval(z, z) if z > 0 else ZERO
    with ctx.workprec(PRECISION):
        return around(arb(z) / (1 + (-arb(z)).exp()))


# Around the place of the minimum of z sigmoid(z), -1 - W(1/e), and below its value, -W(1/e).
GATED_BOTTOM, GATED_LEAST = (-1.2784646, -1.2784645), -0.2784646
ZERO = Interval(0.0, 0.0)
_exp = _monotone(lambda z: z.exp(), 0.0, INF, 0.0)


def _log(z: Interval) -> Interval:
    def end(value: float, is_low: bool) -> float:
        if value <= 0:
            return -INF
        if value == INF:
            return INF
        with ctx.workprec(PRECISION):
            found = around(arb(value).log())
        return found.low if is_low else found.high

    return Interval(end(z.low, True), end(z.high, False)) if z.high > 0 else WHOLE


_ROWS: dict[Any, Callable] = {
    "+": add,
    "*": _multiply,
    "/": _divide,
    "**": _power,
    "sqrt": lambda z: _power(z, Interval(0.5, 0.5)) if z.low >= 0 else WHOLE,
    "where": _choose,
    sp.exp: _exp,
    sp.log: _log,
    lowering.expm1: _monotone(lambda z: z.expm1(), -1.0, INF, -1.0),
    lowering.log1p: lambda z: _log(add(z, Interval(1.0, 1.0))),
    sp.tanh: _monotone(lambda z: z.tanh(), -1.0, 1.0, -1.0, 1.0),
    sp.sech: _even(lambda z: z.sech(), 0.0, rising=False),
    sp.atan: _monotone(lambda z: z.atan(), -_up(math.pi / 2), _up(math.pi / 2)),
    sp.sin: _wave(lambda z: z.sin()),
    sp.cos: _wave(lambda z: z.cos()),
    sp.erf: _monotone(lambda z: z.erf(), -1.0, 1.0, -1.0, 1.0),
    sp.Abs: _absolute,
    sp.sign: lambda z: Interval(1.0 if z.low > 0 else -1.0, -1.0 if z.high < 0 else 1.0),
    sp.Heaviside: lambda z, at_zero: hull(_step(z), at_zero) if 0 in z else _step(z),
    sp.Max: _max,
    sp.Min: _min,
    sp.Lt: _less,
    sp.Le: _less_or_equal,
    sp.Gt: lambda a, b: _less(b, a),
    sp.Ge: lambda a, b: _less_or_equal(b, a),
    sp.And: balls.both,
    sp.Or: balls.either,
    functions.sigmoid: _monotone(lambda z: 1 / (1 + (-z).exp()), 0.0, 1.0, 0.0, 1.0),
    functions.gated: _gated,
    functions.softplus: _monotone(lambda z: z.exp().log1p(), 0.0, INF, 0.0),
    functions.Phi: _monotone(lambda z: (-z / arb(2).sqrt()).erfc() / 2, 0.0, 1.0, 0.0, 1.0),
    functions.squareplus: _squareplus,
    functions.relu: lambda z: _max(z, ZERO),
    functions.clip: lambda z, lo, hi: _min(_max(z, lo), hi),
    functions.step: _step,
}
