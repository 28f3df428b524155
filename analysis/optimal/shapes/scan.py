"""O'Rourke's algorithm (1981) for lines through vertical segments: which lines pass a tube, on a grid, and how far."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

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
                slope, at = self.lower.tangent(x, high)
                self.steep = Line(slope, x, high, at, x)
            if low > -INF:
                if self.upper.xs and not (self.flat and low <= self.flat.at(x)):
                    slope, at = self.upper.tangent(x, low)
                    self.flat = Line(slope, x, low, x, at)
                self.lower.add(x, low)
            if high < INF:
                self.upper.add(x, high)
            self.front = x
        return 0

    def _segments(self) -> Iterator[tuple[float, float, float]]:
        """(x, lowest, highest) from the window on, infinite where a wall does not count."""
        xs, low, high, error, window = self.curve.xs, self.curve.low, self.curve.high, self.error, self.window
        p, q, side = window.p, window.q, window.side
        index = bisect_right(xs, p)
        value = self.curve.jet(p)[0]
        if window.y is None:
            yield p, value - error if side <= 0 else -INF, value + error if side >= 0 else INF
        else:
            yield p, window.y if side < 0 else -INF, window.y if side > 0 else INF
        while side and index < len(xs) and xs[index] < q:
            if side > 0:
                yield xs[index], -INF, low[index] + error
            else:
                yield xs[index], high[index] - error, INF
            index += 1
        if side:
            value = self.curve.jet(q)[0]
            yield q, value - error, value + error
            index = bisect_right(xs, q)
        end = self.end
        stop = bisect_right(xs, end.x) if end else len(xs)
        for i in range(index, stop):
            yield xs[i], high[i] - error, low[i] + error
        if end is None:
            return
        if end.x > xs[stop - 1]:
            value = self.curve.jet(end.x)[0]
            yield end.x, value - error, value + error
        if end.side:
            for i in range(stop, bisect_left(xs, end.last)):
                if end.side > 0:
                    yield xs[i], -INF, low[i] + error
                else:
                    yield xs[i], high[i] - error, INF
            yield end.last, -INF if end.side > 0 else end.y, end.y if end.side > 0 else INF


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
            slope = side * (y - ys[k]) / (x - xs[k])
            if slope > best:
                break
            best, at = slope, k
        self.first = at
        return side * best, xs[at]
