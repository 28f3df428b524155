"""The best constants of a format: search on its lattice, and the proof that no others of the format are better.

The nearest rounding of the best constants is seldom the best on the lattice: errors are attained at several places, and
what the rounding of one constant costs another may make good.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import sympy as sp

from analysis.activation.errors import BadInput, Undecided
from analysis.optimal.charts import Box
from analysis.optimal.lattice import Lattice
from analysis.optimal.proof import MOST_BOXES, Search
from analysis.optimal.residual import Residual
from analysis.rigorous.comparison import enclose
from analysis.rigorous.intervals import Interval

REACH = {1: 6, 2: 3, 3: 2}  # lattice steps around a point that one round of the search tries
ROUNDS = 40
SAME = 1e-10  # relative; errors on a lattice that differ by less are one error


def best(
    lattice: Lattice, theta: np.ndarray, error: Callable[[np.ndarray], float], least: np.ndarray
) -> tuple[Fraction, ...]:
    """The lattice point of least error found: rounds of trying all neighbours, starting from those of theta.

    `least` are the bounds of the constants from below; points below are left out.
    """
    known: dict[tuple[Fraction, ...], float] = {}

    def tried(point: tuple[Fraction, ...]) -> float:
        if point not in known:
            value = error(np.array([float(c) for c in point]))
            known[point] = value if math.isfinite(value) else math.inf
        return known[point]

    centre: tuple = tuple(float(t) for t in theta)
    for _ in range(ROUNDS):
        axes = [
            [p for p in lattice.around(c, REACH.get(len(theta), 1)) if p >= low]
            for c, low in zip(centre, least, strict=True)
        ]
        if not all(axes):
            raise BadInput(f"expected a format with admissible constants near the best, got {lattice.name}")
        found = min(itertools.product(*axes), key=tried)
        if found == centre:
            break
        centre = found
    return centre


def none_better(residual: Residual, theta: np.ndarray, error: float, lattice: Lattice) -> bool | tuple[Fraction, ...]:
    """Whether no constants on the lattice have an error below the given one, of theta, by more than SAME.

    True if so, False if that is not decided, and better constants where some turn up.
    """
    return _LatticeSearch(residual, theta, error, lattice).decide()


class _LatticeSearch(Search):
    """Boxes without a point of the lattice are discarded as well; single points have their error enclosed."""

    def __init__(self, residual: Residual, theta: np.ndarray, error: float, lattice: Lattice):
        super().__init__(residual, theta, error)
        self.lattice, self.goal = lattice, error * (1 - SAME)

    def decide(self) -> bool | tuple[Fraction, ...]:
        stack = [(self.root, self._everything())]
        while stack:
            if self.boxes > MOST_BOXES:
                return False
            chart, box = stack.pop()
            self.boxes += 1
            if chart is self.root:
                shrunk = self._shrunk(box)
                if shrunk is None:
                    continue
                box = shrunk
                if all(one.low == one.high for one in box):
                    point = tuple(Fraction(one.low) for one in box)
                    if (error := self._error(point)) is None:
                        return False
                    if error < self.goal:
                        return point
                    continue
            if self._bound(chart, box) < self.goal:
                stack += self._parts(chart, box)
        return True

    def _shrunk(self, box: Box) -> Box | None:
        """The hull of the lattice points in the box, None if there are none."""
        ends = []
        for one in box:
            low = one.low if math.isinf(one.low) else _first_above(self.lattice, one.low)
            high = one.high if math.isinf(one.high) else float(self.lattice.below(one.high))
            if low > high:
                return None
            ends.append(Interval(float(low), high))
        return tuple(ends)

    def _error(self, point: tuple[Fraction, ...]) -> float | None:
        """A lower bound of the error at the point, tight to SAME."""
        values = {s: sp.Rational(c.numerator, c.denominator) for s, c in zip(self.residual.free, point, strict=True)}
        try:
            return float(enclose(self.residual.expression.subs(values), self.residual.norm)[0])
        except Undecided:
            return None


def _first_above(lattice: Lattice, low: float) -> float:
    """The first point from `low` on; zero, where the open domain of a positive constant ends, is none on a grid."""
    if low:
        return float(lattice.above(low))
    return float(lattice.step)
