"""Enclosures of an expression at floating-point numbers, which are exact: one value, or a mean of squares."""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp
from flint import arb, ctx

from analysis.rigorous import balls
from analysis.rigorous.balls import Pair

DIGITS = 15


def enclose_size(expression: sp.Expr, x: float) -> Pair:
    """|expression| at x."""
    with ctx.workprec(balls.PRECISION):
        value = balls.evaluator(expression)(arb(x))
        return balls.decimals(value.abs_lower(), DIGITS)[0], balls.decimals(value.abs_upper(), DIGITS)[1]


def enclose_mean_square(expression: sp.Expr, points: Iterable[float], digits: int = DIGITS) -> Pair:
    """The mean of expression^2 over the points; ("0", "inf") where it may be infinite at one of them."""
    with ctx.workprec(max(balls.PRECISION, 4 * digits)):
        evaluate = balls.evaluator(expression)
        total, count = arb(0), 0
        for x in points:
            value = evaluate(arb(float(x)))
            total, count = total + value * value, count + 1
        low, high = balls.decimals(total / count, digits)
        return ("0" if low.startswith("-") else low), high
