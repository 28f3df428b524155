"""Splines of degree one and two by local coefficients: the same formulas for floats, arrays and exact numbers.

On the piece [u, v] the basis functions that do not vanish are, with s = (x - u)/(v - u):

linear           1 - s, s                                      coefficients: the values at the knots
quadratic, C0    (1 - s)^2, 2 s (1 - s), s^2                   Bernstein's, the outer ones shared with the neighbours
quadratic, C1    (v - x)^2/((v - u)(v - before)), 1 - both, (x - u)^2/((v - u)(after - u))     B-splines

where `before` and `after` are the next knots on either side, u and v themselves at the ends. (de Boor, A Practical
Guide to Splines, 1978, chapter IX.) All are nonnegative and add up to one, and a line is the spline whose coefficients
are its values at the abscissae of Greville.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Shape:
    """Polynomials of that degree, `smooth` times continuously differentiable at the knots."""

    degree: int
    smooth: int

    @property
    def step(self) -> int:
        """Coefficients from one piece to the next."""
        return self.degree - self.smooth

    @property
    def fixed(self) -> int:
        """Coefficients that are given where a line goes on beyond an end."""
        return self.smooth + 1

    def size(self, pieces: int) -> int:
        return pieces * self.step + self.fixed

    def first(self, piece: Any) -> Any:
        """The index of the first of the degree + 1 functions that live on a piece."""
        return piece * self.step

    def abscissae(self, knots: Sequence[Any]) -> list[Any]:
        middles = [(a + b) / 2 for a, b in pairwise(knots)]
        if self.degree == 1:
            return list(knots)
        if self.smooth:
            return [knots[0], *middles, knots[-1]]
        return [*(x for pair in zip(knots, middles, strict=False) for x in pair), knots[-1]]

    def weights(self, x: Any, before: Any, u: Any, v: Any, after: Any) -> list[Any]:
        """The functions that live on [u, v], at x."""
        h = v - u
        if self.degree == 1:
            return [(v - x) / h, (x - u) / h]
        if not self.smooth:
            return [(v - x) ** 2 / h**2, 2 * (x - u) * (v - x) / h**2, (x - u) ** 2 / h**2]
        first, last = (v - x) ** 2 / (h * (v - before)), (x - u) ** 2 / (h * (after - u))
        return [first, 1 - first - last, last]

    def powers(self, coefficients: Sequence[Any], before: Any, u: Any, v: Any, after: Any) -> list[Any]:
        """The polynomial on [u, v] in ascending powers of x - u."""
        h = v - u
        if self.degree == 1:
            a, b = coefficients
            return [a, (b - a) / h]
        a, b, c = coefficients
        if self.smooth:
            a = (h * a + (u - before) * b) / (v - before)
            c = (h * c + (after - v) * b) / (after - u)
        return [a, 2 * (b - a) / h, (a - 2 * b + c) / h**2]


LINEAR, SMOOTH, CONTINUOUS = Shape(1, 0), Shape(2, 1), Shape(2, 0)


def beside(knots: Sequence[Any], piece: int) -> tuple[Any, Any, Any, Any]:
    """(before, u, v, after) of a piece."""
    last = len(knots) - 1
    return knots[max(piece - 1, 0)], knots[piece], knots[piece + 1], knots[min(piece + 2, last)]


def all_beside(knots: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The same for all pieces at once."""
    return np.append(knots[:1], knots[:-2]), knots[:-1], knots[1:], np.append(knots[2:], knots[-1:])
