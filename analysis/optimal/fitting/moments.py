"""Cells of the line with the moments of a norm's weight, in proved bounds: what integrals of squares are bounded by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import sympy as sp
from flint import arb, ctx

from analysis.activation.functions import derivative
from analysis.activation.parsing import X
from analysis.exact.pieces import SWITCHING
from analysis.optimal.fitting.residual import Residual
from analysis.rigorous import balls, columns, intervals
from analysis.rigorous.columns import Column
from analysis.rigorous.intervals import Interval
from analysis.rigorous.norms import Norm

PRECISION = 128
NEAREST, FARTHEST = 1e-3, 10.0  # how near the kinks at theta cells come, and from how far


@dataclass(frozen=True)
class Cells:
    """Cells with a place x inside, the moments of the weight, and the target there; each array has one row a cell.

    `mass` is the integral of w, `right` and `left` are the integrals of w |x' - x| on that side of x.
    """

    x: Column
    over: Column
    mass: Column
    right: Column
    left: Column
    target: Column
    target_over: Column
    target_slope: Column

    @classmethod
    def of(cls, residual: Residual, window: tuple[float, float], count: int, kinks: Sequence[float] = ()) -> Cells:
        with ctx.workprec(PRECISION):
            rows = list(_rows(residual, window, count, kinks))
            bound = _target_bounds(residual.target)
            targets = [bound(x, over) for x, over, *_ in rows]
        x, over, mass, right, left = (columns.column(c) for c in zip(*rows, strict=True))
        return cls(x, over, mass, right, left, *(columns.column(c) for c in zip(*targets, strict=True)))

    @cached_property
    def aside(self) -> Column:
        """x' - x over the cell."""
        return columns.add(self.over, columns.negative(self.x))


def _rows(residual: Residual, window: tuple[float, float], count: int, kinks: Sequence[float]):
    norm = residual.norm
    if norm.points is not None:
        groups = np.array_split(np.sort(norm.points), min(count, len(norm.points)))
        for group in groups:
            yield _row(Points(group, len(norm.points)), float(group[0]), float(np.mean(group)), float(group[-1]))
        return
    weight = Weight(norm)
    for low, high in pairwise(_edges(residual, window, count, kinks)):
        yield _row(weight, float(low), float(low + high) / 2, float(high))


def _row(weight, low: float, x: float, high: float) -> tuple[Interval, ...]:
    x = min(max(x, low), high)
    right, left = weight.first(x, high), weight.first(x, low)
    return Interval(x, x), Interval(low, high), weight.mass(low, high), right, left


def _edges(residual: Residual, window: tuple[float, float], count: int, kinks: Sequence[float]) -> np.ndarray:
    """About `count` cells, narrower near zero, with the kinks that stay among them, and ever narrower at `kinks`."""
    scale = residual.norm.sigma if residual.norm.kind == "gaussian" else 1.0
    low, high = np.arcsinh(np.array(window) / scale)
    edges = scale * np.sinh(np.linspace(low, high, count + 1))
    still = [float(k) for k in residual.kink_places if not k.free_symbols]
    steps = np.geomspace(NEAREST, FARTHEST, count // 4) * scale
    near = [k + side * steps for k in kinks for side in (-1, 1)]
    edges = np.concatenate([edges[1:-1], still, [0.0], *near])
    return np.unique([*edges[(window[0] < edges) & (edges < window[1])], *window])


class Weight:
    """Moments of the density of the norm; of dx with sigma None."""

    def __init__(self, norm: Norm):
        self.sigma = arb(norm.sigma) if norm.kind == "gaussian" else None

    def density(self, x: arb) -> arb:
        if self.sigma is None:
            return arb(1)
        return (-((x / self.sigma) ** 2) / 2).exp() / (self.sigma * (2 * arb.pi()).sqrt())

    def beyond(self, start: float, power: int) -> arb:
        """The integral of w x^power over x > start > 0: sigma^n 2^(n/2 - 1)/sqrt(pi) Gamma((n + 1)/2, z)."""
        if self.sigma is None:
            return arb.pos_inf()
        half = arb(power + 1) / 2
        scale = self.sigma**power * arb(2) ** (half - arb(1.5)) / arb.pi().sqrt()
        return (scale * ((start / self.sigma) ** 2 / 2).gamma_upper(half)).upper()

    def mass(self, low: float, high: float) -> Interval:
        return intervals.around(self._mass(arb(low), arb(high)))

    def _mass(self, low: arb, high: arb) -> arb:
        if self.sigma is None:
            return high - low
        scale = self.sigma * arb(2).sqrt()
        if low > 0:
            return ((low / scale).erfc() - (high / scale).erfc()) / 2
        return ((-high / scale).erfc() - (-low / scale).erfc()) / 2

    def first(self, x: float, end: float) -> Interval:
        """The integral of w |x' - x| between x and the end."""
        at, to = arb(x), arb(end)
        if self.sigma is None:
            return intervals.around((to - at) ** 2 / 2)
        moment = self.sigma**2 * (self.density(at) - self.density(to)) - at * self._mass(at, to)
        return intervals.around(abs(moment))


class Points:
    """Moments of a group of points out of `count` equal ones."""

    def __init__(self, group: np.ndarray, count: int):
        self.group, self.count = group, count

    def mass(self, _low: float, _high: float) -> Interval:
        return intervals.around(arb(len(self.group)) / self.count)

    def first(self, x: float, end: float) -> Interval:
        beyond = (abs(arb(float(p)) - arb(x)) for p in self.group if (p - x) * (end - x) > 0)
        return intervals.around(sum(beyond, arb(0)) / self.count)


def _target_bounds(target: sp.Expr) -> Callable[[Interval, Interval], tuple[Interval, Interval, Interval]]:
    """A function from x and its cell to the target at x, over the cell, and its slope over the cell."""
    slope, curvature = derivative(target, X), derivative(target, X, 2)
    point, hull = balls.evaluators(target, slope), balls.evaluators(target, slope, curvature)
    is_smooth = not target.has(*SWITCHING)

    def enclose(x: Interval, over: Interval) -> tuple[Interval, Interval, Interval]:
        at, cell = arb(x.low), arb(over.low).union(arb(over.high))
        (value_at, slope_at), (value, steep, bend) = point(at), hull(cell)
        steep = _meet(steep, slope_at + bend * (cell - at)) if is_smooth else steep
        value = _meet(value, value_at + steep * (cell - at))
        return intervals.around(value_at), intervals.around(value), intervals.around(steep)

    return enclose


def _meet(a: arb, b: arb) -> arb:
    """The narrower of two enclosures."""
    return b if b.is_finite() and (not a.is_finite() or b.rad() < a.rad()) else a
