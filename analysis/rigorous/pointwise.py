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


def enclose_mean_square(expression: sp.Expr, points: Iterable[float]) -> Pair:
    """The mean of expression^2 over the points."""
    with ctx.workprec(balls.PRECISION):
        evaluate = balls.evaluator(expression)
        total, count = arb(0), 0
        for x in points:
            value = evaluate(arb(float(x)))
            total, count = total + value * value, count + 1
        return balls.decimals(total / count, DIGITS)
