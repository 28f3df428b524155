"""The target on cells of the domain, each with its projection onto the lines there.

The distance from any line shrinks by the projection (Bessel). On a cell with centre c, f is the sum of
f^(k)(c) (x - c)^k/k!, k < 4, up to M4 |x - c|^4/24, with the derivatives in interval arithmetic; the projection is
taken of the rounded polynomial, and `slack` is how far it may be off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import sympy as sp

from analysis.activation.lowering import Program
from analysis.activation.parsing import X
from analysis.rigorous import columns
from analysis.rigorous.columns import COLUMNS, Column

ORDER = 4
ROUNDED = 1e-12  # relative: of weights, centres and projections in floating point
STEEPEST = 1.0  # |x| times the half-width of a cell over sigma^2, at most: so far the quadrature of weights is proved
NODES, WEIGHTS = np.polynomial.legendre.leggauss(10)  # for e^(a t + b t^2) t^5, |a| <= 1, b <= 1/2: to 1e-18


@dataclass(frozen=True)
class Cells:
    """For each cell its weight, centre, second moment, and the line to which f is projected, a + b (x - c).

    `slack` is how far, in the root of the measure, f is from a function of which this is true.
    """

    weight: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    value: np.ndarray
    slope: np.ndarray
    slack: np.ndarray

    def __len__(self) -> int:
        return len(self.weight)

    def joined(self, other: Cells) -> Cells:
        """Both, in order."""
        parts = [np.concatenate(pair) for pair in zip(self.columns, other.columns, strict=True)]
        order = np.argsort(parts[1], kind="stable")
        return Cells(*(part[order] for part in parts))

    def kept(self, which: np.ndarray) -> Cells:
        return Cells(*(part[which] for part in self.columns))

    @property
    def columns(self) -> tuple[np.ndarray, ...]:
        return self.weight, self.centre, self.spread, self.value, self.slope, self.slack


@cache
def _derivatives(expression: sp.Expr):
    return Program.jet(expression, ORDER).on(COLUMNS)


@cache
def _density(sigma: float):
    exact = sp.Rational(sigma)
    return columns.evaluators(sp.exp(-(X**2) / (2 * exact**2)) / (exact * sp.sqrt(2 * sp.pi)))


def project(expression: sp.Expr, low: np.ndarray, high: np.ndarray, sigma: float | None) -> tuple[Cells, np.ndarray]:
    """The cells between these ends on which f is analytic, and which of them could be enclosed."""
    c, s = (low + high) / 2, (high - low) / 2
    with np.errstate(all="ignore"):
        at = _derivatives(expression)(Column(c, c))[:ORDER]
        rest = _derivatives(expression)(Column(low, high))[ORDER]
        known = [np.broadcast_arrays(one.low, one.high, c)[:2] for one in at]
        p = [(a + b) / 2 * s**k / math.factorial(k) for k, (a, b) in enumerate(known)]
        off = sum((b - a) * s**k / math.factorial(k) for k, (a, b) in enumerate(known))
        off = off + np.maximum(np.abs(rest.low), np.abs(rest.high)) * s**ORDER / math.factorial(ORDER)
        moments, sound = _moments(c, s, sigma)
        shift = moments[1] / moments[0]
        spread = moments[2] - moments[1] * shift
        value = sum(p[k] * moments[k] for k in range(ORDER)) / moments[0]
        slope = (sum(p[k] * moments[k + 1] for k in range(ORDER)) - value * moments[1]) / spread
        off = (off + 8 * ROUNDED * sum(np.abs(part) for part in p)) * np.sqrt(moments[0])
    sound &= np.isfinite(off) & (s > 0) & (moments[0] > 0)
    shrunk = 1 - 4 * ROUNDED
    cells = Cells(moments[0] * shrunk, c + s * shift, spread * s * s * shrunk, value, slope / s, off * (1 + 1e-9))
    return cells.kept(sound), sound


def _moments(c: np.ndarray, s: np.ndarray, sigma: float | None) -> tuple[list[np.ndarray], np.ndarray]:
    """Of t = (x - c)/s, up to the fourth, by dx or by the normal density."""
    if sigma is None:
        return [2 * s / (k + 1) if k % 2 == 0 else 0 * s for k in range(ORDER + 1)], np.ones(len(c), bool)
    x = c[:, None] + s[:, None] * NODES
    (w,) = _density(sigma)(Column(x, x))
    weights = w.low * WEIGHTS * s[:, None]
    far = (np.abs(c) + s) * s / sigma**2
    return [(weights * NODES**k).sum(axis=1) for k in range(ORDER + 1)], far <= STEEPEST


def grouped(x: np.ndarray, w: np.ndarray, f: np.ndarray, off: float, count: int) -> Cells:
    """Points in order as cells: each its own; where there are more than `count`, groups of equal weight or length."""
    if len(x) <= count:
        zero = np.zeros(len(x))
        return Cells(w, x, zero, f, zero, np.sqrt(w) * off)
    total, half = np.cumsum(w), np.arange(count // 2) / (count // 2)
    even = np.searchsorted(x, x[0] + (x[-1] - x[0]) * half)
    starts = np.union1d(np.searchsorted(total, total[-1] * half), even)
    sizes = np.diff([*starts, len(x)])

    def summed(terms: np.ndarray) -> np.ndarray:
        return np.add.reduceat(terms, starts)

    weight = summed(w)
    centre, value = summed(w * x) / weight, summed(w * f) / weight
    apart, rest = x - np.repeat(centre, sizes), f - np.repeat(value, sizes)
    spread = summed(w * apart**2)
    slope = np.divide(summed(w * apart * rest), spread, out=np.zeros(len(weight)), where=spread > 0)
    return Cells(weight, centre, spread, value, slope, np.sqrt(weight) * off)
