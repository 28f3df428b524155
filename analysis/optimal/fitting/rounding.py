"""The proof that no other constants of a format are better than those that the search on its lattice ended with.

The nearest rounding of the best constants is seldom the best on the lattice: errors are attained at several places, and
what the rounding of one constant costs another may make good.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import sympy as sp

from analysis.activation.errors import Undecided
from analysis.optimal.fitting.proof import MOST_BOXES, Search
from analysis.optimal.fitting.residual import Residual
from analysis.optimal.lattice import Lattice
from analysis.rigorous.comparison import enclose
from analysis.rigorous.intervals import Interval

SAME = 1e-10  # relative; errors on a lattice that differ by less are one error

Ends = tuple[Fraction | float, Fraction | float]  # lattice points, or infinities


def none_better(residual: Residual, theta: np.ndarray, error: float, lattice: Lattice) -> bool | tuple[Fraction, ...]:
    """Whether no constants on the lattice have an error below the given one, of theta, by more than SAME.

    True if so, False if that is not decided, and better constants where some turn up.
    """
    return _LatticeSearch(residual, theta, error, lattice).decide()


class _LatticeSearch(Search):
    """Boxes without a point of the lattice are discarded as well; single points have their error enclosed.

    Points such as 1/3 are no doubles: boxes are cut to the doubles around their outermost points.
    """

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
                ends = list(map(self._outermost, box, self.residual.free))
                if any(first > last for first, last in ends):
                    continue
                if all(first == last for first, last in ends):
                    point = tuple(Fraction(first) for first, _ in ends)
                    if (error := self._error(point)) is None:
                        return False
                    if error < self.goal:
                        return point
                    continue
                box = tuple(map(_cut, box, ends))
            if self._bound(chart, box) < self.goal:
                stack += self._parts(chart, box)
        return True

    def _outermost(self, one: Interval, symbol: sp.Symbol) -> Ends:
        """The first and the last lattice point in the interval, an infinite end where there is none; the first is above
        the last if there is no point at all."""
        # Zero, where the open domain of a positive constant ends, is none.
        from_zero = one.low == 0 and symbol.is_positive
        first: Fraction | float | None = self.lattice.after(Fraction(0)) if from_zero else self.lattice.above(one.low)
        last: Fraction | float | None = self.lattice.below(one.high)
        # No point from some finite place on: none in the interval. No point from -oo on: all of them.
        if first is None:
            first = math.inf if math.isfinite(one.low) else -math.inf
        if last is None:
            last = -math.inf if math.isfinite(one.high) else math.inf
        return first, last

    def _error(self, point: tuple[Fraction, ...]) -> float | None:
        """A lower bound of the error at the point, tight to SAME; inf if it is not admissible."""
        if not self.residual.is_admissible(np.array([float(c) for c in point])):
            return math.inf
        values = {s: sp.Rational(c.numerator, c.denominator) for s, c in zip(self.residual.free, point, strict=True)}
        try:
            return float(enclose(self.residual.expression.subs(values), self.residual.norm)[0])
        except Undecided:
            return None


def _cut(one: Interval, ends: Ends) -> Interval:
    """The interval cut to the doubles around its outermost points; ends at zero and infinity stay as they are."""
    low = one.low if one.low == 0 or math.isinf(one.low) else _double_below(ends[0])
    high = one.high if math.isinf(one.high) else -_double_below(-ends[1])
    return Interval(low, high)


def _double_below(value: Fraction | float) -> float:
    """The largest double that is not above the value."""
    near = float(value)
    return near if near <= value else math.nextafter(near, -math.inf)
