"""Proved bounds of a residual at one place over a box of constants, in balls or in intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp
from flint import arb

from analysis.rigorous import balls, intervals
from analysis.rigorous.intervals import INF, Interval

TINY, HUGE = 1e-300, 1e300

Box = tuple[Interval, ...]


@dataclass(frozen=True, eq=False)
class Place:
    """r at some x: `member` (an expression in the constants) plus a number in `rest`."""

    member: sp.Expr
    rest: Interval
    label: object
    x: sp.Expr | None = None  # where it may leave the domain

    def __str__(self) -> str:
        return str(self.label)


@dataclass(frozen=True)
class Bound:
    """sign*r at one place over a box, in one arithmetic: r is the value of a member at x plus the rest."""

    arithmetic: Any
    box: Box
    x: Any
    rest: Any
    evaluate: Callable
    differentiate: Callable
    is_continuous: bool

    def value_at(self, point: Sequence[Interval]) -> Any:
        inputs = point if self.arithmetic is intervals else [ball(i) for i in point]
        try:
            (value,) = self.evaluate(self.x, *inputs)
            return value + self.rest if self.arithmetic is balls else intervals.add(value, self.rest)
        except ZeroDivisionError:
            return arb.nan()

    @cached_property
    def slopes(self) -> list:
        """Enclosures of the slopes over the box; nothing is known of them, as it were, where r may jump."""
        if not self.is_continuous:
            return [intervals.WHOLE if self.arithmetic is intervals else arb.nan()] * len(self.box)
        inputs = self.box if self.arithmetic is intervals else [ball(i) for i in self.box]
        try:
            return self.differentiate(self.x, *inputs)
        except ZeroDivisionError:
            return [arb.nan()] * len(self.box)

    def least(self, sign: int) -> float | arb:
        """By monotonicity where the slopes have signs, and else the better of the range and the mean-value form."""
        towards, open_ones = list(self.box), []
        for i, (slope, interval) in enumerate(zip(self.slopes, self.box, strict=True)):
            side = _side(slope) if interval.low < interval.high else 0
            if side is None:
                open_ones.append(i)
            else:
                towards[i] = _end(interval, low=sign * side > 0)
        best = _least(self.value_at(towards), sign)
        if open_ones and self.arithmetic is balls:
            for i in open_ones:
                towards[i] = middle(self.box[i])
            at = self.value_at(towards)
            aside = sum((abs(self.slopes[i]) * radius(self.box[i]) for i in open_ones), arb(0))
            centred = _least(at, sign) - aside.upper()
            best = max(best, centred) if centred == centred else best
        return best


def _side(slope) -> int | None:
    """The sign of a slope: 1, -1, 0 where it is zero, None where it is open."""
    if isinstance(slope, Interval):
        low, high = slope
    else:
        if not slope.is_finite():
            return None
        low, high = slope.lower(), slope.upper()
    if low >= 0:
        return 1 if high > 0 else 0
    return -1 if high <= 0 else None


def _end(interval: Interval, low: bool) -> Interval:
    """The end as a point; a short piece where it is infinite, or zero, where an expression may have a pole."""
    end = interval.low if low else interval.high
    if end == 0 or math.isinf(end):
        beside = math.copysign(TINY, interval.low + interval.high) if end == 0 else math.copysign(HUGE, end)
        beside = min(max(beside, interval.low), interval.high)
        return Interval(min(end, beside), max(end, beside))
    return Interval(end, end)


def _least(value, sign: int):
    if isinstance(value, Interval):
        return value.low if sign > 0 else -value.high
    return (sign * value).lower() if value.is_finite() else arb.neg_inf()


def float_below(value) -> float:
    if isinstance(value, float):
        return value
    return math.nextafter(float(value.lower()), -INF) if value.is_finite() else -INF


def ball(interval: Interval) -> arb:
    return arb(interval.low) if interval.low == interval.high else arb(interval.low).union(arb(interval.high))


def middle(interval: Interval) -> Interval:
    middle = (interval.low + interval.high) / 2
    return Interval(middle, middle)


def radius(interval: Interval) -> arb:
    middle = arb((interval.low + interval.high) / 2)
    return (arb(interval.high) - middle).max(middle - arb(interval.low))
