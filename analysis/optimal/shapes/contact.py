"""Where a line touches a wall of the tube: at a point of tangency, at a kink, or where the wall begins to count."""

from __future__ import annotations

import math
from itertools import pairwise

from analysis.optimal.shapes.curve import Curve, Jet

INF = math.inf
STEPS = 12  # of Newton's method
CLIMBS = 8  # from gap to gap


class Contact:
    """The point near `guess`, not before `begin`, where side*(f - slope*x) is largest: there a line touches f.

    From below with side 1, from above with side -1.
    """

    def __init__(self, curve: Curve, side: int, guess: float, begin: float, limit: float = INF):
        self.curve, self.side, self.begin, self.limit = curve, side, begin, limit
        self.inside: tuple[float, float, Jet] | None = None  # the gap in which it is a point of tangency
        self._move(max(guess, begin), None)

    def _move(self, x: float, inside: tuple[float, float, Jet] | None) -> None:
        self.x, self.inside = x, inside
        self.y, self.tilt, self.bend = inside[2](x) if inside else self.curve.jet(x)
        if not inside:
            self.y = self.curve.wall(x, self.side)

    def settle(self, slope: float) -> None:
        """Climbs from gap to gap: to a point of tangency, or to a kink or the beginning."""
        for _ in range(CLIMBS):
            best, at, inside = self.side * (self.y - slope * self.x), self.x, None
            for low, high, jet in self._gaps():
                for x, is_inside in self._candidates(slope, low, high, jet):
                    size = self.side * (jet(x)[0] - slope * x)
                    if size > best or (is_inside and size == best):
                        best, at, inside = size, x, (low, high, jet) if is_inside else None
            if at == self.x and inside is None:
                return
            self._move(at, inside)
            if inside:
                return

    def _gaps(self) -> list[tuple[float, float, Jet]]:
        """The gaps to both sides of the point, as far as they are not before the beginning."""
        xs, last = self.curve.xs, self.curve.gap(self.x)
        first = last - 1 if last and xs[last] == self.x else last
        inner = [x for x in xs[first + 1 : last + 2] if self.begin < x < self.limit]
        ends = [
            max(self.begin, xs[first]),
            *inner,
            *([self.limit] if xs[min(last + 1, len(xs) - 1)] >= self.limit else []),
        ]
        return [(a, b, self.curve.jet_between(a, b)) for a, b in pairwise(ends) if a < b]

    def _candidates(self, slope: float, low: float, high: float, jet: Jet) -> list[tuple[float, bool]]:
        side = self.side
        first, last = side * (jet(low)[1] - slope), side * (jet(high)[1] - slope)
        if not first > 0 > last:
            return (
                [(low, False)]
                if first <= 0 and last <= 0
                else [(high, False)]
                if first >= 0
                else [(low, False), (high, False)]
            )
        is_steep = math.isinf(first) or math.isinf(last)
        x = (low + high) / 2 if is_steep else low + (high - low) * first / (first - last)
        for _ in range(STEPS):
            _, tilt, bend = jet(x)
            step = (tilt - slope) / bend if bend else INF
            if abs(step) <= 1e-6 * (high - low):
                break
            low, high = (x, high) if side * (tilt - slope) > 0 else (low, x)
            x = x - step if low < x - step < high else (low + high) / 2
        return [(x, True)]

    def follow(self, slope: float) -> None:
        """A point of tangency moves as the line turns, by one step of Newton's method; elsewhere it is sought anew."""
        if self.inside and self.bend:
            low, high, jet = self.inside
            x = self.x + (slope - self.tilt) / self.bend
            if low <= x <= high:
                self.x = x
                self.y, self.tilt, self.bend = jet(x)
                return
        self.settle(slope)
