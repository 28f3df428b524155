"""Kinks of the difference that move with the constants, and what they add to the Hessian of its mean square."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import sympy as sp
from flint import arb, ctx

from analysis.activation.errors import Undecided
from analysis.activation.functions import clip, derivative, relu
from analysis.activation.parsing import X
from analysis.exact.pieces import SWITCHING, switches
from analysis.optimal.fitting.bound import Box
from analysis.optimal.fitting.charts import Chart
from analysis.optimal.fitting.homogeneous import homogeneous
from analysis.optimal.fitting.moments import PRECISION, Weight
from analysis.rigorous import intervals
from analysis.rigorous.intervals import Interval
from analysis.rigorous.norms import Norm


def moving_switches(chart: Chart) -> Iterator[tuple[sp.Expr, int, sp.Expr, sp.Expr]]:
    """(node, sign, switch, place): node = c + sign max(sign switch, 0) near a place that moves with the constants."""
    for node in dict.fromkeys(n for n in sp.preorder_traversal(chart.member) if isinstance(n, clip | relu)):
        for sign, switch in zip((1, -1), switches(node), strict=False):
            slope = sp.diff(switch, X)
            if not switch.has(X) or not switch.free_symbols - {X}:
                continue
            if slope.has(X) or switch.has(*SWITCHING):
                raise Undecided(f"where {node} changes its branch")
            yield node, sign, switch, sp.cancel(-switch.subs(X, 0) / slope)


def moving_places(chart: Chart) -> list[sp.Expr]:
    """The x, in terms of the constants, at which the member may have a kink that moves."""
    return list(dict.fromkeys(place for *_, place in moving_switches(chart)))


@dataclass(frozen=True)
class Kink:
    """A zero of a switch s of clip or relu: the measure that the second derivatives of r have there.

    `place` is k(theta), `value` is r at k, `factor` times the outer product of `slopes` is that measure.
    """

    place: sp.Expr
    value: sp.Expr
    factor: sp.Expr
    slopes: tuple[sp.Expr, ...]


def moving_kinks(chart: Chart) -> list[Kink]:
    """From r(node) with node = c +- max(+- s, 0): r_jl has +- r'(node) s_j s_l/|s_x| at s = 0."""
    found = []
    stand_in = sp.Symbol("u", real=True)
    for node, sign, switch, place in moving_switches(chart):
        outer = derivative(chart.member.xreplace({node: stand_in}), stand_in).xreplace({stand_in: node})
        factor = homogeneous((sign * outer / abs(sp.diff(switch, X))).subs(X, place))
        value = homogeneous(chart.member.subs(X, place)) - chart.target.subs(X, place)
        slopes = tuple(sp.cancel(sp.diff(switch, s).subs(X, place)) for s in chart.symbols)
        found.append(Kink(place, value, factor, slopes))
    return found


class KinkTerms:
    """What the moving kinks add to the Hessian over a box."""

    def __init__(self, chart: Chart, norm: Norm, window: tuple[float, float]):
        self.norm, self.window, self.symbols, self.weight = norm, window, chart.symbols, Weight(norm)
        self.kinks = moving_kinks(chart)

    def over(self, box: Box, turn: np.ndarray) -> np.ndarray | None:
        """A matrix of balls; None where a kink may meet one of the points of the norm."""
        n = len(box)
        found = np.array([[arb(0) for _ in range(n)] for _ in range(n)])
        with ctx.workprec(PRECISION):
            for kink in self.kinks:
                (k,) = self._evaluate(kink.place)(*box)
                if self.norm.points is not None:
                    if ((self.norm.points >= k.low) & (self.norm.points <= k.high)).any():
                        return None
                elif k.high >= self.window[0] and k.low <= self.window[1]:
                    found = found + self._term(kink, k, box, turn)
        return found

    def _term(self, kink: Kink, k: Interval, box: Box, turn: np.ndarray) -> np.ndarray:
        size = 2 * self.weight.density(ball(k)) * self._value(kink.value, box) * self._at(kink.factor, box)
        if k.low < self.window[0] or k.high > self.window[1]:
            size = size.union(arb(0))
        slopes = [self._at(s, box) for s in kink.slopes]
        along = [sum((arb(c) * s for c, s in zip(row, slopes, strict=True)), arb(0)) for row in turn]
        return np.array([[size * a * b for b in along] for a in along])

    def _evaluate(self, *expressions: sp.Expr) -> Callable:
        return intervals.evaluators(*expressions, variables=self.symbols)

    def _at(self, expression: sp.Expr, box: Box) -> arb:
        return ball(self._evaluate(expression)(*box)[0])

    def _value(self, expression: sp.Expr, box: Box) -> arb:
        """By the mean-value form."""
        middle = tuple(Interval(m, m) for m in ((i.low + i.high) / 2 for i in box))
        total = self._at(expression, middle)
        for symbol, one, m in zip(self.symbols, box, middle, strict=True):
            total += self._at(derivative(expression, symbol), box) * (ball(one) - m.low)
        return total


def ball(interval: Interval) -> arb:
    if not math.isfinite(interval.high - interval.low):
        return arb(0, math.inf)
    return arb(interval.low).union(arb(interval.high))
