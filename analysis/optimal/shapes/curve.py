"""What a walk through the tube around a curve is made of: the curve on a grid, lines, where links begin and end."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

INF = math.inf
NEAR = 0.1  # of the error: how near to a wall a line may come between two points of the grid unseen
LOOSE, NOISE = 1e-11, 2e-15  # of the error, and of f: what a line may be beyond a wall for rounding

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

    def wall(self, x: float, side: int) -> float:
        """f there; where it jumps the larger limit for side 1, the smaller one for -1."""
        gap = self.gap(x)
        if x == self.xs[gap]:
            return self.high[gap] if side > 0 else self.low[gap]
        return self.jets[gap](x)[0]

    def staying(self, window: Window, links: Sequence[Obstruction], error: float, apart: bool = False) -> int:
        """How many links, from the first on, stay in the tube from where they may begin up to x3, on the grid."""
        if not links:
            return 0
        slopes, x0, y0 = (np.array([getattr(one.line, name) for one in links]) for name in ("slope", "x", "y"))
        known = np.array([(one.x1, one.x2, one.x3) for one in links])
        backs, fronts, sides = known[:, 1], known[:, 2], np.array([one.side for one in links])
        first, last = max(bisect_right(self.xs, window.p), 1), min(bisect_left(self.xs, fronts[-1]), len(self.xs) - 1)
        xs, low, high = (np.array(part[first:last]) for part in (self.xs, self.low, self.high))
        around = np.array(self.xs[first + 1 : last + 1]) - np.array(self.xs[first - 1 : last - 1])
        enough = (1 + LOOSE) * error + NOISE * float(np.abs(y0).max())

        def beyond(wall: int, at: np.ndarray, where: np.ndarray) -> np.ndarray:
            """The links that are beyond a wall somewhere, or may be between points: near it where they do not touch."""
            line = y0[at] + slopes[at] * (xs[where] - x0[at])
            excess = wall * ((high if wall > 0 else low)[where] - line)
            near = excess > (1 - NEAR) * error
            apart = (abs(xs[where, None] - known[at]) > around[where, None]).all(axis=1)
            return at[(excess > enough) | (near & apart)]

        inside = np.flatnonzero(xs >= window.q)
        at = np.searchsorted(fronts, xs[inside])
        wrong = [beyond(1, at, inside), beyond(-1, at, inside)]
        if not apart:  # in the window of the next link one wall counts already
            windows = inside[(at < len(links) - 1) & (xs[inside] > backs[at])]
            at = np.searchsorted(fronts, xs[windows])
            wrong += [beyond(-side, at[sides[at] == side] + 1, windows[sides[at] == side]) for side in (1, -1)]
            before = np.flatnonzero(xs < window.q)
            if window.side:
                wrong.append(beyond(-window.side, np.zeros(len(before), int), before))
        return int(min((part.min() for part in wrong if len(part)), default=len(links)))


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
    beginning, where p = q. Where the last one is a given line that comes from -inf, touching no wall, `slope` is its
    slope: the next link crosses it somewhere before q, so that it is steeper with side 1, flatter with -1.
    """

    p: float
    q: float
    side: int
    slope: float | None = None


@dataclass(frozen=True)
class End:
    """Where the last link ends: at x; or on a given line, from x on, where that line leaves the tube, to infinity.

    `side` is the wall through which that line leaves, 0 if there is none, and y its value at `last`, from where on it
    is all but the curve itself.
    """

    x: float
    side: int = 0
    last: float = INF
    y: float = 0.0
    slope: float = 0.0

    def limit(self, side: int) -> float:
        """Up to where the wall of that side bounds the last link."""
        return self.last if self.side == -side else self.x


@dataclass(frozen=True)
class Obstruction:
    """A line that touches one wall at x1 and the other at x2, and leaves the tube at x3 through the first.

    `side` is 1 if the first wall is the lower one, else -1. With x1 = -inf the line is parallel to the asymptote.
    """

    line: Line
    side: int
    x1: float
    x2: float
    x3: float

    @property
    def window(self) -> Window:
        return Window(self.x2, self.x3, self.side)
