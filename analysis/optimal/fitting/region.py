"""The difference r and its derivatives over cells and whole boxes of constants, and integrals of w r^2 and w a b."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import sympy as sp

from analysis.activation.functions import derivative
from analysis.activation.parsing import X
from analysis.optimal.fitting.charts import Chart
from analysis.optimal.fitting.homogeneous import homogeneous
from analysis.optimal.fitting.moments import Cells
from analysis.optimal.fitting.moving import moving_places
from analysis.rigorous import columns
from analysis.rigorous.columns import Column


class Region:
    """The difference and its derivatives over cells and boxes of constants, which come with the shape (boxes, 1)."""

    def __init__(self, chart: Chart):
        self.chart = chart
        self.value = self._lowered([chart.member])
        self.values = self._lowered([chart.member, homogeneous(derivative(chart.member, X))])

    def _lowered(self, expressions: Sequence[sp.Expr]) -> Callable[..., list[Column]]:
        return columns.evaluators(*expressions, variables=(X, *self.chart.symbols))

    @cached_property
    def _slopes(self) -> list[sp.Expr]:
        return [homogeneous(derivative(self.chart.member, s)) for s in self.chart.symbols]

    @cached_property
    def slopes(self) -> Callable[..., list[Column]]:
        """The derivatives by the constants."""
        return self._lowered(self._slopes)

    @cached_property
    def twists(self) -> Callable[..., list[Column]]:
        """Their slopes in x."""
        return self._lowered([homogeneous(derivative(s, X)) for s in self._slopes])

    @cached_property
    def curvatures(self) -> Callable[..., list[Column]]:
        """The second derivatives by the constants, of the upper triangle."""
        return self._lowered(curvatures(self._slopes, self.chart.symbols))

    @cached_property
    def places(self) -> Callable[..., list[Column]]:
        """Where r may have a kink that moves."""
        return self._lowered(moving_places(self.chart))

    def difference(self, cells: Cells, boxes: Sequence[Column]) -> tuple[Column, Column, Column]:
        """r at the places, over the cells, and its slope over the cells."""
        (at,) = self.value(cells.x, *boxes)
        over, slope = self.values(cells.over, *boxes)
        minus = (cells.target, cells.target_over, cells.target_slope)
        first, second, third = (
            columns.add(a, columns.negative(t)) for a, t in zip((at, over, slope), minus, strict=True)
        )
        return first, second, third


def curvatures(slopes: Sequence[sp.Expr], symbols: Sequence[sp.Symbol]) -> list[sp.Expr]:
    pairs = itertools.combinations_with_replacement(range(len(slopes)), 2)
    return [homogeneous(derivative(slopes[i], symbols[j])) for i, j in pairs]


def square_below(cells: Cells, at: Column, over: Column, slope: Column) -> np.ndarray:
    """A lower bound of the sum over cells of the integral of w r^2.

    On a cell on which r = rho at x and r' lies in s, r^2 >= 2 rho r - rho^2, whose integral is at least
    rho (W rho + 2 (s.low right - s.high left)); and it is at least W min r^2.
    """
    is_up = at.low > 0
    rho = np.where(is_up, at.low, np.where(at.high < 0, -at.high, 0.0))
    low, high = np.where(is_up, slope.low, -slope.high), np.where(is_up, slope.high, -slope.low)
    right, left, level = low * cells.right.low, high * cells.left.low, rho * cells.mass.low
    # What is taken off covers the roundings of the line, and that the moments are known to 2^-52 of their size.
    line = level + 2 * (right - left) - 4e-15 * (level + np.abs(right) + np.abs(left))
    least = np.maximum(np.maximum(over.low, -over.high), 0.0)
    # Terms are not negative (a nan, of an unbounded slope, is passed over), so that all roundings are relative.
    terms = np.fmax(np.fmax(rho * line, least * least * cells.mass.low), 0.0)
    return terms.sum(axis=-1) * (1 - 1e-12)


def narrowed(cells: Cells, at: Column, over: Column, slope: Column) -> Column:
    """r over the cells, the better of the direct and the centred form."""
    return columns.meet(over, columns.add(at, columns.multiply(slope, cells.aside)))


def turned(matrix: np.ndarray, values: Sequence[Column]) -> list[Column]:
    """The rows of the matrix times the vector of columns."""
    return [_sum(columns.scale(c, v) for c, v in zip(row, values, strict=True) if c != 0) for row in matrix]


def _sum(terms) -> Column:
    first, *others = terms
    for other in others:
        first = columns.add(first, other)
    return first


def products(cells: Cells, a: Sequence[Column], b: Sequence[Column], kinked: np.ndarray) -> Column:
    """The integral of 2 w a b over each cell, a and b each at x, over the cell, and their slopes over it.

    By the mean value theorem from x, except where b may jump inside the cell.
    """
    twice = Column(2 * cells.mass.low, 2 * cells.mass.high)
    direct = columns.multiply(twice, columns.multiply(a[1], b[1]))
    slope = columns.add(columns.multiply(a[2], b[1]), columns.multiply(a[1], b[2]))
    right, left = (columns.multiply(slope, Column(2 * m.low, 2 * m.high)) for m in (cells.right, cells.left))
    lean = columns.add(right, columns.negative(left))
    centred = columns.add(columns.multiply(twice, columns.multiply(a[0], b[0])), lean)
    better = columns.meet(direct, centred)
    return Column(np.where(kinked, direct.low, better.low), np.where(kinked, direct.high, better.high))


def integrated(cells: Cells, density: Column) -> Column:
    return columns.total(columns.multiply(density, Column(2 * cells.mass.low, 2 * cells.mass.high)))
