"""Intervals by the array as a backend of `analysis.activation.lowering`: many cells and many boxes in one pass.

The ends are NumPy arrays of doubles that broadcast. +, *, / and sqrt are correctly rounded by IEEE 754 and then moved
outward by one step; exp is our own, with a proved error, and what follows from it is built on it. Heads without a row
of their own go through `analysis.rigorous.intervals`, one number at a time. As there, zero times an infinite end is
zero, what has no value is the whole line, and a branch that is not decided gives the hull of both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import sympy as sp

from analysis.activation import functions, lowering
from analysis.activation.lowering import Backend, Program
from analysis.activation.parsing import X
from analysis.rigorous import intervals
from analysis.rigorous.adjacent import above, below
from analysis.rigorous.intervals import INF, Interval

ROUNDING = 2.0**-53
TINY = 5e-324
# exp: z = k log(2) + r, |r| < 0.35, log(2) in two parts of which the first times k is exact; Taylor to degree 13. The
# truncation is below 2^-57, the rounding of r and of Horner's rule below 16 * 2^-53; the error allowed is 2^-48.
EXP_ERROR = 2.0**-48
EXP_FAR = 700.0  # beyond, exp is bounded by its value there, by 0 and by infinity
_LOG2_HIGH, _LOG2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_TAYLOR = tuple(1 / math.factorial(n) for n in range(13, -1, -1))


class Column(NamedTuple):
    """All reals between two doubles, for each element of the arrays; an infinite end is not attained."""

    low: Any
    high: Any


def evaluators(*expressions: sp.Expr, variables: Sequence[sp.Symbol] = (X,)) -> Callable[..., list[Column]]:
    """A function from columns to columns that enclose the expressions, whose common parts are computed once."""
    program = Program.of(*expressions, variables=variables).on(COLUMNS)

    def evaluate(*inputs: Column) -> list[Column]:
        with np.errstate(all="ignore"):
            return program(*inputs)

    return evaluate


def column(ends: Sequence[Interval]) -> Column:
    """The intervals as one column."""
    low, high = np.array(ends, float).reshape(-1, 2).T
    return Column(low, high)


def total(a: Column) -> Column:
    """The sum over the last axis: n terms err by less than n 2^-53 times the sum of their sizes."""
    count = np.shape(a.low)[-1]
    aside = [2 * count * ROUNDING * np.abs(end).sum(axis=-1) for end in a]
    return Column(a.low.sum(axis=-1) - aside[0], a.high.sum(axis=-1) + aside[1])


def add(a: Column, b: Column) -> Column:
    low, high = a.low + b.low, a.high + b.high
    if np.isnan(low).any() or np.isnan(high).any():  # oo - oo
        low, high = np.where(low != low, -INF, low), np.where(high != high, INF, high)
    low, high = below(low), above(high)
    if (low == -TINY).any() or (high == TINY).any():  # a sum that is zero is zero exactly, and its sign is known
        low, high = np.where(low == -TINY, 0.0, low), np.where(high == TINY, 0.0, high)
    return Column(low, high)


def negative(a: Column) -> Column:
    return Column(-a.high, -a.low)


def multiply(a: Column, b: Column) -> Column:
    low, high = _hull_of_products(a, b, np.minimum, np.maximum)
    if np.isnan(low).any():  # 0 * oo is zero; where it is left out, another product with that zero is there
        low, high = map(_without_nan, _hull_of_products(a, b, np.fmin, np.fmax))
    low, high = below(low), above(high)
    if (low == -TINY).any() or (high == TINY).any():  # the sign is exact, also of a product that is zero or underflows
        zero = ((a.low == 0) & (a.high == 0)) | ((b.low == 0) & (b.high == 0))
        same = zero | ((a.low >= 0) & (b.low >= 0)) | ((a.high <= 0) & (b.high <= 0))
        opposite = zero | ((a.low >= 0) & (b.high <= 0)) | ((a.high <= 0) & (b.low >= 0))
        low, high = np.where(same, np.maximum(low, 0.0), low), np.where(opposite, np.minimum(high, 0.0), high)
    return Column(low, high)


def _hull_of_products(a: Column, b: Column, least: np.ufunc, most: np.ufunc) -> tuple[Any, Any]:
    """The least and the largest product of an end of a and one of b; few arrays, which stay in the cache."""
    low = high = a.low * b.low
    for one, other in ((a.low, b.high), (a.high, b.low), (a.high, b.high)):
        product = one * other
        low, high = least(low, product), most(high, product)
    return low, high


def _without_nan(end: Any) -> Any:
    return np.where(np.isnan(end), 0.0, end)


def scale(factor: float, a: Column) -> Column:
    low, high = (a.low, a.high) if factor >= 0 else (a.high, a.low)
    return Column(_times(factor, low, below), _times(factor, high, above))


def _times(factor: float, end: Any, outward: Callable) -> Any:
    """Zero stays zero: the subnormal numbers beside it would slow down what follows a hundredfold."""
    return np.where(end == 0, 0.0, outward(factor * end))


def square(a: Column) -> Column:
    size = _absolute(a)
    return multiply(size, size)


def meet(a: Column, b: Column) -> Column:
    """What lies in both, two enclosures of one number."""
    return Column(np.maximum(a.low, b.low), np.minimum(a.high, b.high))


def _reciprocal(a: Column) -> Column:
    low = np.where(a.high == 0, -INF, below(1 / a.high))
    high = np.where(a.low == 0, INF, above(1 / a.low))
    low, high = np.where(a.low >= 0, np.maximum(low, 0.0), low), np.where(a.high <= 0, np.minimum(high, 0.0), high)
    open_ = ((a.low < 0) & (a.high > 0)) | ((a.low == 0) & (a.high == 0))
    return Column(np.where(open_, -INF, low), np.where(open_, INF, high))


def _absolute(a: Column) -> Column:
    inside = (a.low < 0) & (a.high > 0)
    sizes = np.abs(a.low), np.abs(a.high)
    return Column(np.where(inside, 0.0, np.minimum(*sizes)), np.maximum(*sizes))


def _sqrt(a: Column) -> Column:
    low = np.where(a.low > 0, below(np.sqrt(a.low)), np.where(a.low == 0, 0.0, -INF))
    return Column(low, above(np.sqrt(np.maximum(a.high, 0.0))))


def _exp_at(z: np.ndarray) -> np.ndarray:
    """exp for |z| <= EXP_FAR, with a relative error below EXP_ERROR."""
    k = np.rint(z * 1.4426950408889634)
    r = (z - k * _LOG2_HIGH) - k * _LOG2_LOW
    value = np.full_like(r, _TAYLOR[0])
    for coefficient in _TAYLOR[1:]:
        value *= r
        value += coefficient
    return value * ((k.astype(np.int64) + 1023) << 52).view(np.float64)  # 2^k by its bits: exact, for |k| < 1022


def _exp(a: Column) -> Column:
    low, high = (np.clip(np.asarray(end, float), -EXP_FAR, EXP_FAR) for end in a)
    least, most = _exp_at(low) * (1 - EXP_ERROR), _exp_at(high) * (1 + EXP_ERROR)
    return Column(np.where(a.low < -EXP_FAR, 0.0, least), np.where(a.high > EXP_FAR, INF, most))


def _sigmoid(a: Column) -> Column:
    return _reciprocal(add(_exp(negative(a)), ONE))


def _tanh(a: Column) -> Column:
    """2 sigmoid(2z) - 1, which keeps no relative accuracy at zero, but its sign."""
    value = add(_twice(_sigmoid(_twice(a))), negative(ONE))
    low, high = np.maximum(value.low, -1.0), np.minimum(value.high, 1.0)
    return Column(np.where(a.low >= 0, np.maximum(low, 0.0), low), np.where(a.high <= 0, np.minimum(high, 0.0), high))


def _sech(a: Column) -> Column:
    """2/(e^u + e^-u), falling in u = |z|."""
    size = _absolute(a)
    return _twice(_reciprocal(add(_exp(size), _exp(negative(size)))))


def _softplus(a: Column) -> Column:
    """max(z, 0) + log(1 + e^-|z|), at both ends."""
    low, high = (_softplus_at(np.asarray(end, float)) for end in a)
    return Column(np.maximum(low.low, 0.0), high.high)


def _softplus_at(z: np.ndarray) -> Column:
    return add(Column(np.maximum(z, 0.0), np.maximum(z, 0.0)), _log1p(_exp(Column(-np.abs(z), -np.abs(z)))))


def _log1p(u: Column) -> Column:
    """For 0 <= u <= 1: y + log(1 + d), 1 + d = (1 + u) e^-y, y any number near it, d/(1 + d) <= log(1 + d) <= d."""
    ends = []
    for end in u:
        y = np.log1p(end)
        d = add(multiply(add(ONE, Column(end, end)), _exp(Column(-y, -y))), negative(ONE))
        correction = Column(multiply(d, _reciprocal(add(ONE, d))).low, d.high)
        ends.append(add(Column(y, y), correction))
    return Column(np.maximum(ends[0].low, 0.0), ends[1].high)


def _twice(a: Column) -> Column:
    return Column(2 * a.low, 2 * a.high)


# Conditions are pairs (surely true, possibly true).


def _less(a: Column, b: Column) -> Column:
    return Column(a.high < b.low, a.low < b.high)


def _less_or_equal(a: Column, b: Column) -> Column:
    return Column(a.high <= b.low, a.low <= b.high)


def _choose(condition: Column, yes: Column, no: Column) -> Column:
    surely, possibly = condition
    return Column(
        np.where(surely, yes.low, np.where(possibly, np.minimum(yes.low, no.low), no.low)),
        np.where(surely, yes.high, np.where(possibly, np.maximum(yes.high, no.high), no.high)),
    )


def _max(a: Column, b: Column) -> Column:
    return Column(np.maximum(a.low, b.low), np.maximum(a.high, b.high))


def _min(a: Column, b: Column) -> Column:
    return Column(np.minimum(a.low, b.low), np.minimum(a.high, b.high))


def _step(a: Column) -> Column:
    """Both values where zero is touched, so that a gradient at a kink has those of both sides."""
    return Column(np.where(a.low > 0, 1.0, 0.0), np.where(a.high < 0, 0.0, 1.0))


def _by_one(head: Any) -> Callable[..., Column]:
    """The row of `intervals`, number by number."""

    def evaluate(*columns: Column) -> Column:
        variables = sp.symbols(f"z:{len(columns)}", real=True)
        (scalar,) = (intervals.evaluators(head(*variables), variables=variables),)
        ends = np.broadcast_arrays(*(end for one in columns for end in one))
        rows = [e.ravel() for e in ends]
        values = [scalar(*map(Interval, row[::2], row[1::2]))[0] for row in zip(*rows, strict=True)]
        low, high = np.array(values, float).reshape(-1, 2).T
        return Column(low.reshape(ends[0].shape), high.reshape(ends[0].shape))

    return evaluate


ONE = Column(1.0, 1.0)
ZERO = Column(0.0, 0.0)

_ROWS: dict[Any, Callable] = {
    "+": add,
    "*": multiply,
    "/": lambda a, b: multiply(a, _reciprocal(b)),
    "**": _by_one(sp.Pow),
    "sqrt": _sqrt,
    "where": _choose,
    sp.exp: _exp,
    sp.tanh: _tanh,
    sp.sech: _sech,
    sp.Abs: _absolute,
    sp.Max: _max,
    sp.Min: _min,
    sp.Lt: _less,
    sp.Le: _less_or_equal,
    sp.Gt: lambda a, b: _less(b, a),
    sp.Ge: lambda a, b: _less_or_equal(b, a),
    sp.And: lambda a, b: Column(a.low & b.low, a.high & b.high),
    sp.Or: lambda a, b: Column(a.low | b.low, a.high | b.high),
    functions.sigmoid: _sigmoid,
    functions.softplus: _softplus,
    functions.relu: lambda z: _max(z, ZERO),
    functions.clip: lambda z, low, high: _min(_max(z, low), high),
    functions.step: _step,
}
for _head in (
    sp.log,
    sp.atan,
    sp.sin,
    sp.cos,
    sp.erf,
    lowering.expm1,
    lowering.log1p,
    functions.Phi,
    functions.squareplus,
):
    _ROWS[_head] = _by_one(_head)


@cache
def _constant(value: sp.Expr) -> Column:
    low, high = intervals.constant(value)
    return Column(np.float64(low), np.float64(high))


COLUMNS = Backend(_ROWS, lambda value, _beside: _constant(value))
