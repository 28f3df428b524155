"""O'Rourke's algorithm (1981) for lines through vertical segments: which lines pass a tube, on a grid, and how far."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from analysis.activation.errors import Undecided
from analysis.optimal.shapes.curve import Curve, End, Line, Window

INF = math.inf


class Scan:
    """O'Rourke's walk over the grid: the steepest and the flattest line through all segments so far."""

    def __init__(self, curve: Curve, error: float, window: Window, end: End | None):
        self.curve, self.error, self.window, self.end = curve, error, window, end
        self.steep: Line | None = None
        self.flat: Line | None = None
        self.lower = _Hull(1)
        self.upper = _Hull(-1)
        self.front = window.q

    def run(self) -> int:
        """The wall that stops all lines; 0 if none does. `front` is the last point that lines reach."""
        for x, low, high in self._segments():
            if self.steep and low > self.steep.at(x):
                return 1
            if self.flat and high < self.flat.at(x):
                return -1
            if high < INF and self.lower.xs and not (self.steep and high >= self.steep.at(x)):
                slope, at = self._turned(1, *self.lower.tangent(x, high))
                self.steep = Line(slope, x, high, at, x)
            if low > -INF:
                if self.upper.xs and not (self.flat and low <= self.flat.at(x)):
                    slope, at = self._turned(-1, *self.upper.tangent(x, low))
                    self.flat = Line(slope, x, low, x, at)
                self.lower.add(x, low)
            if high < INF:
                self.upper.add(x, high)
            self.front = x
        return self._comes_back()

    def _turned(self, side: int, slope: float, at: float) -> tuple[float, float]:
        """A line that touches the wall of `side` first, but is parallel to the one before if it would not cross it."""
        before = self.window.slope
        if before is None or side != -self.window.side or side * (slope - before) <= 0:
            return slope, at
        return before, -INF

    def _comes_back(self) -> int:
        """The wall through which all lines leave for ever that ought to meet the given one; drops those that do."""
        if self.end and self.end.side:
            side, slope = self.end.side, self.end.slope
            if self.flat and side > 0 and self.flat.slope > slope:
                return -1
            if self.steep and side < 0 and self.steep.slope < slope:
                return 1
            self.steep = None if side > 0 and self.steep and self.steep.slope > slope else self.steep
            self.flat = None if side < 0 and self.flat and self.flat.slope < slope else self.flat
        return 0

    def _segments(self) -> Iterator[tuple[float, float, float]]:
        """(x, lowest, highest) from the window on, infinite where a wall does not count."""
        curve, error, window, end = self.curve, self.error, self.window, self.end
        xs, low, high, p = curve.xs, curve.low, curve.high, window.p
        lows, highs = ((p if window.side == -wall else window.q, end.limit(wall) if end else INF) for wall in (1, -1))
        others = sorted({p, window.q, end.x if end else INF})  # which may be no points of the grid
        index, upto = bisect_right(xs, p) if others[0] != p else bisect_left(xs, p), max(lows[1], highs[1])
        while index < len(xs):
            x = xs[index]
            if others and others[0] <= x:
                x = others.pop(0)
                index += x == xs[index]
                below = above = curve.jet(x)[0]
            else:
                below, above = low[index], high[index]
                index += 1
            if x > upto:
                return
            yield (
                x,
                above - error if lows[0] <= x <= lows[1] else -INF,
                below + error if highs[0] <= x <= highs[1] else INF,
            )


class _Hull:
    """The points of one wall that lines can touch: side 1 for the lower wall, seen from above, -1 for the upper."""

    def __init__(self, side: int):
        self.side, self.first = side, 0
        self.xs: list[float] = []
        self.ys: list[float] = []

    def add(self, x: float, y: float) -> None:
        xs, ys, side = self.xs, self.ys, self.side
        while len(xs) > self.first + 1:
            dx, dy = xs[-1] - xs[-2], ys[-1] - ys[-2]
            if side * ((y - ys[-1]) * dx - dy * (x - xs[-1])) < 0:
                break
            xs.pop()
            ys.pop()
        xs.append(x)
        ys.append(y)

    def tangent(self, x: float, y: float) -> tuple[float, float]:
        """(slope, abscissa of the touching point) of the line through (x, y) that leaves all points on its one side."""
        xs, ys, side = self.xs, self.ys, self.side
        best, at = INF, self.first
        for k in range(self.first, len(xs)):
            if x == xs[k]:
                raise Undecided("a walk whose points lie apart in doubles")
            slope = side * (y - ys[k]) / (x - xs[k])
            if slope > best:
                break
            best, at = slope, k
        self.first = at
        return side * best, xs[at]
