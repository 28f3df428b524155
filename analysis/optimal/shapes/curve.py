"""What a walk through the tube around a curve is made of: the curve on a grid, lines, where links begin and end."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

INF = math.inf

Jet = Callable[[float], list[float]]


@dataclass(frozen=True)
class Curve:
    """f on a grid; between neighbours it is analytic, with its value and two derivatives given by `jets`.

    `low` and `high` are the smaller and the larger of the limits from both sides, which differ where f jumps.
    """

    xs: list[float]
    low: list[float]
    high: list[float]
    jets: list[Jet]  # one for each gap of the grid

    def gap(self, x: float) -> int:
        """The index of the gap that holds x; the first or last one beyond the grid."""
        return min(max(bisect_right(self.xs, x) - 1, 0), len(self.jets) - 1)

    def jet_between(self, x: float, y: float) -> Jet:
        return self.jets[self.gap((x + y) / 2)]

    def refine(self, x: float) -> bool:
        """One more point of the grid, if it is not there yet."""
        gap = self.gap(x)
        if self.xs[gap] == x:
            return False
        value = self.jets[gap](x)[0]
        for values, new in ((self.xs, x), (self.low, value), (self.high, value)):
            values.insert(gap + 1, new)
        self.jets.insert(gap, self.jets[gap])
        return True

    def jet(self, x: float) -> list[float]:
        return self.jets[self.gap(x)](x)


@dataclass(frozen=True)
class Line:
    """The line through (x, y), touching the lower wall at `lower` and the upper wall at `upper`."""

    slope: float
    x: float
    y: float
    lower: float
    upper: float

    def at(self, x: float) -> float:
        return self.y + self.slope * (x - self.x)


@dataclass(frozen=True)
class Window:
    """Where the next link may begin: on the last one, between p and q.

    `side` is the wall through which that one leaves: 1 for the lower wall, -1 for the upper; 0 for a vertical
    beginning, where p = q. Where the last one is a given line, which does not touch the tube at p, `y` is its value
    there, beyond which the next link cannot be.
    """

    p: float
    q: float
    side: int
    y: float | None = None


@dataclass(frozen=True)
class End:
    """Where the last link ends: at x; or on a given line, between `last` and x, where that line leaves the tube.

    `side` is the wall through which that line leaves, 0 if there is none, and y its value at `last`.
    """

    x: float
    side: int = 0
    last: float = INF
    y: float = 0.0

    def limit(self, side: int) -> float:
        """Up to where the wall of that side bounds the last link."""
        return self.last if self.side == -side else self.x


@dataclass(frozen=True)
class Obstruction:
    """A line that touches one wall at x1 and the other at x2, and leaves the tube at x3 through the first.

    `side` is 1 if the first wall is the lower one, else -1.
    """

    line: Line
    side: int
    x1: float
    x2: float
    x3: float

    @property
    def window(self) -> Window:
        return Window(self.x2, self.x3, self.side)
