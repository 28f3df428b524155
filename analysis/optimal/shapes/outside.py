"""How far a target is from its asymptote beyond a point: what a design cannot mend where it follows the asymptote."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from flint import arb, ctx, fmpq

from analysis.activation.errors import Undecided
from analysis.optimal.shapes.exchange import NEWTON, Curve
from analysis.optimal.shapes.linear import FARTHEST, Target
from analysis.rigorous import balls

SAMPLES = 4000
FAINT = 1e-6  # times the largest distance: beyond, nothing is looked at
BITS = 160


class Outside:
    """sup |f - asymptote| from infinity up to a point; `direction` is -1 for the left end, 1 for the right one."""

    def __init__(self, target: Target, curve: Curve, direction: int):
        self.target, self.curve, self.direction = target, curve, direction
        line, exact = target.lines[direction > 0], target.outer[direction > 0]
        assert line is not None
        assert exact is not None
        self.line, self.exact = line, exact
        # from far away towards the other end
        self.x = self._abscissae()
        sizes = abs(self.distance(self.x)[0])
        self.farthest = np.maximum.accumulate(np.where(np.isfinite(sizes), sizes, 0.0))

    def _abscissae(self) -> np.ndarray:
        low, high = self._reach()
        x = np.sinh(np.linspace(math.asinh(low), math.asinh(high), SAMPLES))
        for _ in range(NEWTON):  # each towards the nearest maximum, if it is near
            _, slope, curvature = self.distance(x)
            with np.errstate(all="ignore"):
                step = slope / curvature
            close = abs(step) < np.gradient(x)
            x = np.where(close, x - step, x)
        x = np.sort(np.append(x, np.clip(self.curve.breaks, low, high)))
        return x if self.direction < 0 else x[::-1]

    def _reach(self) -> tuple[float, float]:
        try:
            low, high = self.target.reach(FAINT)
        except Undecided:
            low, high = -FARTHEST, FARTHEST
        low, high = (
            float(e) if e.is_finite else r
            for e, r in zip((self.target.lower, self.target.upper), (low, high), strict=True)
        )
        return low, high

    def distance(self, x: np.ndarray) -> np.ndarray:
        """f - asymptote, and two derivatives."""
        found = self.curve.jets(x, np.searchsorted(self.curve.breaks, x))
        found[0] -= self.line[0] * x + self.line[1]
        found[1] -= self.line[0]
        return found

    def __call__(self, x: float) -> float:
        """The supremum up to x."""
        k = self._before(x)
        here = abs(float(self.distance(np.array([x]))[0, 0]))
        return max(here, float(self.farthest[k]) if k >= 0 else 0.0)

    def slope(self, x: float) -> float:
        """Its derivative by x; zero where the supremum is attained farther out."""
        value, slope, _ = self.distance(np.array([x]))[:, 0]
        k = self._before(x)
        if k >= 0 and self.farthest[k] > abs(value):
            return 0.0
        return slope if value > 0 else -slope

    def _before(self, x: float) -> int:
        return int(np.searchsorted(-self.direction * self.x, -self.direction * x)) - 1

    def nearest(self, error: float) -> float:
        """The last point, coming from infinity, up to which the supremum is at most `error`."""
        k = int(np.searchsorted(self.farthest, error, side="right"))
        if k == 0:
            return float(self.x[0])
        if k == len(self.x):
            return float(self.x[-1])
        inside, out = float(self.x[k - 1]), float(self.x[k])
        for _ in range(60):
            middle = (inside + out) / 2
            inside, out = (middle, out) if self(middle) <= error else (inside, middle)
        return inside

    def proved(self, x: Fraction) -> Fraction:
        """A lower bound of the supremum up to x: the distance at one point."""
        k = self._before(float(x))
        here = abs(float(self.distance(np.array([float(x)]))[0, 0]))
        at = x
        if k >= 0 and self.farthest[k] > here:
            place = int(np.searchsorted(self.farthest, self.farthest[k]))
            at = Fraction(float(self.x[place]))
        with ctx.workprec(BITS):
            where = arb(fmpq(at.numerator, at.denominator))
            line = balls.enclose(self.exact[0]) * where + balls.enclose(self.exact[1])
            piece = self.target.pieces[int(np.searchsorted(self.curve.breaks, float(at)))]
            value = abs(balls.evaluator(piece.expression)(where) - line).abs_lower()
            return balls.fraction(value) if value.is_finite() else Fraction(0)
