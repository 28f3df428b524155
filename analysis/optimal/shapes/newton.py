"""Newton's method for all links of a chain at once, and for the error at which the chain just stops at the end.

A walk (`tube`) tells which walls each link touches, and how. That makes a system of equations for all touching points
x1 and x2, exits x3, slopes m, and the error E:

    f(x2) - f(x1) + 2 s E = m (x2 - x1)        f(x3) - f(x2) - 2 s E = m (x3 - x2)
    f'(x) = m where x is a point of tangency;  elsewhere x is x3 or x2 of the link before, or stays where it is
    (with x1 = -inf, m is the slope of the asymptote instead)

and one more for what closes the chain (`Closing`). The matrix is a band with a column for E beside it, so a step costs
about as much as f at all these points. The answer is floating point, to be believed only once it is proved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from analysis.optimal.shapes.curve import Line, Obstruction, Window

STEPS = 24
SETTLED, ROUNDING = 1e-13, 1e-15  # of the error, and of the values of f: what E moves by in the end
STILL = 1e-6  # of the distances between points: what they move by when the next step, if there were one, would be nil
ACROSS, WELL_ACROSS = 1e-2, 1.0  # of the error: by how much a link leaves, were the wall straight from x2 to x3
NOISY = 1e-9  # of the error: what it may still move by after all steps
SHRINK = 0.6  # at most, of the distance between two neighbouring points, in a step
CARRIES = 12  # steps at a given error
CARRIED, BLURRED = 1e-9, 1e-13  # of the distances, and times f over the error: by how much the last step moves points
SIZE, BELOW, ABOVE = 4, 5, 3  # rows of a link; diagonals of the matrix
TANGENT, FRONT, BACK, FIXED = range(4)  # a touching point: of tangency; x3 or x2 of the link before; one that stays
PARALLEL = 4  # the first link touches nothing at x1, but is parallel to the asymptote that it comes from

Jets = Callable[[np.ndarray], np.ndarray]  # rows f, f', f'' at many points
Slope = tuple[float, float]  # slope and intercept of a line


@dataclass(frozen=True)
class Closing:
    """What closes the chain: the point x2 or x3 of the last link (`place`) is at `end`, or where `line` leaves the tube
    through the wall of `side`. With `place` 0 the last link touches the wall at x3 where it might leave: at a point of
    tangency, or at a kink; or it is `parallel` to a line of that slope, and x3 has no meaning.
    """

    place: int
    end: float = 0.0
    line: Slope | None = None
    side: int = 0
    kink: bool = False
    parallel: float | None = None


@dataclass(frozen=True)
class Chain:
    """A chain of links: row k of `kinds` says what x1 and x2 of link k are, and of `begins` from where on they may be.

    It starts at `start`, or where an asymptote leaves the tube through the wall of `start.side`.
    """

    jets: Jets
    start: Window
    line: Slope | None
    links: tuple[Obstruction, ...]
    kinds: np.ndarray
    begins: np.ndarray
    closing: Closing | None

    @classmethod
    def of(cls, jets: Jets, breaks: Sequence[float], start: Window, line: Slope | None,
           links: Sequence[Obstruction], apart: bool, closing: Closing | None = None) -> Chain | None:  # fmt: skip
        """None where the points of a link are out of order."""
        kinds, begins, window = [], [], Window(start.q, start.q, 0) if apart else start
        for one in links:
            if not one.x1 < one.x2 < one.x3:
                return None
            row, first = [], []
            for x, wall in ((one.x1, one.side), (one.x2, -one.side)):
                begin, kind = (window.p, BACK) if window.side == -wall else (window.q, FRONT)
                touching = kind if x == begin else FIXED if x in breaks else TANGENT
                row.append(PARALLEL if x == -np.inf else touching)
                first.append(kind)
            kinds.append(row)
            begins.append(first)
            window = Window(one.x3, one.x3, 0) if apart else one.window
        return cls(jets, start, line, tuple(links), np.array(kinds), np.array(begins), closing)

    def _start(self) -> tuple[np.ndarray, np.ndarray]:
        """The unknowns as the walk had them, and the sides."""
        sides = np.array([self.start.side, *(one.side for one in self.links)])
        rows = [(one.line.slope, one.x1, one.x2, one.x3) for one in self.links]
        slope = self.line[0] if self.line else 0.0
        unknowns = np.array([(slope, self.start.p, self.start.p, self.start.q), *rows])
        parallel = 1 + np.flatnonzero(self.kinds[:, 0] == PARALLEL)
        unknowns[parallel, 1] = 2 * unknowns[parallel, 2] - unknowns[parallel, 3]  # any number before x2
        return unknowns, sides

    def carried(self, error: float) -> tuple[Obstruction, ...]:
        """The first links of the chain at another error, which is kept: as many as there is a solution for."""
        u, sides = self._start()
        chain, onward, gaps = self, np.inf, np.ones(1)
        enough = CARRIED + BLURRED * float(np.abs(self.jets(u[:, 2])[0]).max()) / error
        for _ in range(CARRIES):
            with np.errstate(all="ignore"):
                step = chain._step(u, sides, error)
                if step is None:
                    return ()
                move = step[0]
                u, gaps, onward = u + move, np.diff(u[1:, 1:] + move[1:, 1:]), np.diff(move[1:, 1:])
            count = _first(np.all((gaps > 0) & np.isfinite(gaps), axis=1))
            if count == 0:
                return ()
            chain = replace(chain, links=chain.links[:count], kinds=chain.kinds[:count], begins=chain.begins[:count])
            u, sides, gaps, onward = u[: count + 1], sides[: count + 1], gaps[:count], onward[:count]
            if np.max(abs(onward) / gaps) <= enough:
                break
        still = np.all(abs(onward) / gaps <= enough, axis=1)
        found = Settled(chain, error, sides, u, np.zeros_like(u))
        sound = still & found.sound(WELL_ACROSS, STILL) & found.crosses()
        return found.at(error)[1][: _first(sound)]

    def settled(self, error: float) -> Settled | None:
        """The solution near the error of the walk; None where there is none near by."""
        u, sides = self._start()
        for _ in range(STEPS):
            with np.errstate(all="ignore"):
                step = self._step(u, sides, error)
            if step is None:
                return None
            move, rates, change, noise = step
            gaps, onward = np.diff(u[1:, 1:]), np.diff(move[1:, 1:])
            if not (gaps > 0).all():
                return None
            share = float(min(1.0, SHRINK / max(np.max(-onward / gaps), -change / error, SHRINK)))
            u, error = u + share * move, error + share * change
            if np.max(abs(onward) / gaps) <= STILL and abs(change) <= SETTLED * error + noise:
                break
        else:
            if abs(change) > NOISY * error:
                return None
        return Settled(self, error, sides, u, rates)

    def _step(self, u: np.ndarray, sides: np.ndarray, error: float):
        """(changes, their rates by the error, change of the error, what rounding makes of that)."""
        from scipy.linalg import solve_banded

        f, tilt, bend = (np.reshape(part, (-1, 3)) for part in self.jets(u[:, 1:].ravel()))
        tilt = np.where(np.isinf(tilt), 0.0, tilt)  # at a vertical end, where points stay
        band, given = self._system(u, sides, error, f, tilt, bend)
        if not (np.isfinite(band).all() and np.isfinite(given).all()):
            return None
        try:
            solved = solve_banded((BELOW, ABOVE), band, given, check_finite=False)
        except np.linalg.LinAlgError:
            return None
        move, rates = (part.reshape(-1, SIZE) for part in solved.T)
        if self.closing is None:
            return move, rates, 0.0, 0.0
        excess, by_last, by_error = self._close(u[-1], sides[-1], error, f[-1], tilt[-1], bend[-1])
        change = -(excess + by_last @ move[-1]) / (by_last @ rates[-1] + by_error)
        if not (np.isfinite(change) and np.isfinite(solved).all()):
            return None
        return move + change * rates, rates, float(change), ROUNDING * float(np.abs(f).max())

    def _system(self, u, sides, error, f, tilt, bend) -> tuple[np.ndarray, np.ndarray]:
        """The matrix as a band, and beside it minus the residuals and minus their derivatives by the error."""
        count = len(u)
        band, given = np.zeros((BELOW + ABOVE + 1, SIZE * count)), np.zeros((count, SIZE, 2))
        m, x1, x2, x3 = u.T

        def put(row: int, column: int, values, links=slice(1, None)) -> None:
            """Column -1 is x3 of the link before, -2 is x2."""
            at = SIZE * np.arange(count)[links] + column
            band[ABOVE + row - column, at] = values

        # before the first link: a line that leaves the tube, or a point
        for place in (0, 1, 2):
            put(place, place, 1.0, slice(0, 1))
        if self.line and self.start.side:
            slope, intercept = self.line
            put(3, 3, tilt[0, 2] - slope, slice(0, 1))
            given[0, 3] = -(f[0, 2] - slope * x3[0] - intercept - sides[0] * error), sides[0]
        else:
            put(3, 3, 1.0, slice(0, 1))

        m, x1, x2, x3, f, tilt, bend, sides = (part[1:] for part in (m, x1, x2, x3, f, tilt, bend, sides))
        own = given[1:]
        put(0, 0, -(x2 - x1))
        put(0, 1, m - tilt[:, 0])
        put(0, 2, tilt[:, 1] - m)
        own[:, 0, 0] = m * (x2 - x1) - (f[:, 1] - f[:, 0] + 2 * sides * error)
        own[:, 0, 1] = -2 * sides
        put(1, 0, -(x3 - x2))
        put(1, 2, m - tilt[:, 1])
        put(1, 3, tilt[:, 2] - m)
        own[:, 1, 0] = m * (x3 - x2) - (f[:, 2] - f[:, 1] - 2 * sides * error)
        own[:, 1, 1] = 2 * sides
        if self.line and self.kinds[0, 0] == PARALLEL:
            for column, by in ((0, -1.0), (1, 0.0), (2, 0.0)):
                put(0, column, by, slice(1, 2))
            own[0, 0] = m[0] - self.line[0], 0.0
        if self.closing and self.closing.place == 0:  # the last x3 is a point of tangency, or a kink
            tangent = not self.closing.kink and self.closing.parallel is None
            last = slice(count - 1, None)
            put(1, 0, -1.0 if tangent else 0.0, last)
            put(1, 2, 0.0, last)
            put(1, 3, bend[-1, 2] if tangent else 1.0, last)
            own[-1, 1] = m[-1] - tilt[-1, 2] if tangent else 0.0, 0.0
        for place, x in ((1, x1), (2, x2)):
            kind, row = self.kinds[:, place - 1], place + 1
            tangent = kind == TANGENT
            put(row, 0, np.where(tangent, -1.0, 0.0))
            put(row, place, np.where(tangent, bend[:, place - 1], 1.0))
            put(row, -1, np.where(kind == FRONT, -1.0, 0.0), slice(1, None))
            put(row, -2, np.where(kind == BACK, -1.0, 0.0), slice(1, None))
            own[:, row, 0] = np.select(
                [tangent, kind == FRONT, kind == BACK],
                [m - tilt[:, place - 1], u[:-1, 3] - x, u[:-1, 2] - x],
                0.0,
            )
        return band, given.reshape(-1, 2)

    def _close(self, last, side, error, f, tilt, bend) -> tuple[float, np.ndarray, float]:
        """The residual of the closing, its derivatives by the last link's unknowns and by the error."""
        closing, by_last = self.closing, np.zeros(SIZE)
        assert closing is not None
        if closing.place == 0:
            m, _, x2, x3 = last
            if closing.parallel is not None:
                by_last[0] = 1.0
                return m - closing.parallel, by_last, 0.0
            by_last[[0, 2, 3]] = x2 - x3, m - tilt[1], tilt[2] - m
            return f[2] - f[1] - 2 * side * error - m * (x3 - x2), by_last, -2.0 * side
        x, at = last[closing.place], closing.place - 1
        if closing.line is None:
            by_last[closing.place] = 1.0
            return x - closing.end, by_last, 0.0
        slope, intercept = closing.line
        by_last[closing.place] = tilt[at] - slope
        return f[at] - slope * x - intercept - closing.side * error, by_last, -closing.side


def _first(good: np.ndarray) -> int:
    """How many are good from the first on."""
    return len(good) if good.all() else int(np.argmin(good))


def between(links: Sequence[Obstruction], share: float) -> list[Obstruction]:
    """Links between each of them and its successor, as far as the successor leaves through the same wall."""

    def mean(a: float, b: float) -> float:
        return (1 - share) * a + share * b

    found = []
    for one, other in pairwise(links):
        if one.side != other.side:
            break
        line = replace(one.line, slope=mean(one.line.slope, other.line.slope))
        found.append(
            Obstruction(line, one.side, mean(one.x1, other.x1), mean(one.x2, other.x2), mean(one.x3, other.x3))
        )
    return found


@dataclass(frozen=True)
class Settled:
    """The chain at its error, and how all of it moves with the error: a row m, x1, x2, x3 before and for each link."""

    chain: Chain
    error: float
    sides: np.ndarray
    unknowns: np.ndarray
    rates: np.ndarray

    def sound(self, across: float = ACROSS, margin: float = -STILL) -> np.ndarray:
        """Which links touch no wall before they may, and leave across it: where they do, the solution stands alone.

        Points of tangency may begin a `margin` after, in distances between points.
        """
        u, gaps = self.unknowns, np.diff(self.unknowns[1:, 1:])
        begins = np.where(self.chain.begins == FRONT, u[:-1, 3:], u[:-1, 2:3])
        late = (u[1:, 1:3] >= begins + margin * gaps) | (self.chain.kinds == self.chain.begins)
        leaves = self.sides[1:] * (self.chain.jets(u[1:, 3])[1] - u[1:, 0]) * gaps[:, 1] > across * self.error
        if self.chain.closing and self.chain.closing.place == 0:
            leaves[-1] = True
        return (gaps > 0).all(axis=1) & late.all(axis=1) & leaves

    def crosses(self) -> np.ndarray:
        """Which links cross the one before where both are in the tube: clear of the ends of that, or at one of them."""
        u, sides, kinds = self.unknowns, self.sides, self.chain.kinds
        heights = self.chain.jets(u[1:, 2])[0] + sides[1:] * self.error
        result = np.ones(len(kinds), bool)
        for place, sort, wall in ((3, FRONT, 1), (2, BACK, -1)):
            x = u[1:-1, place]
            onward = heights[1:] + u[2:, 0] * (x - u[2:, 2])
            before = heights[:-1] + u[1:-1, 0] * (x - u[1:-1, 2])
            clear = wall * sides[1:-1] * (onward - before) > STILL * self.error
            result[1:] &= clear | (kinds[1:] == sort).any(axis=1)
        return result

    def at(self, error: float) -> tuple[float, tuple[Obstruction, ...]]:
        """Where the line before the first link leaves the tube, and the obstructions, at an error near by.

        Points of tangency that coincide with where they may begin are there, not before it for rounding.
        """
        u = self.unknowns + (error - self.error) * self.rates
        kinds, begins = self.chain.kinds, self.chain.begins
        for place in (2, 1):
            begin = np.where(begins[:, place - 1] == FRONT, u[:-1, 3], u[:-1, 2])
            tangent = kinds[:, place - 1] == TANGENT
            kept = np.where(tangent, np.maximum(u[1:, place], begin), u[1:, place])
            stays = (kinds[:, place - 1] == FIXED) | (kinds[:, place - 1] == PARALLEL)
            u[1:, place] = np.where(tangent | stays, kept, begin)
        y = self.chain.jets(u[1:, 2])[0] + self.sides[1:] * error
        u[1:, 1] = np.where(kinds[:, 0] == PARALLEL, -np.inf, u[1:, 1])
        rows = zip(self.sides[1:].tolist(), y.tolist(), *(part.tolist() for part in u[1:].T), strict=True)
        return float(u[0, 3]), tuple(
            Obstruction(Line(m, x2, at, *((x1, x2) if side > 0 else (x2, x1))), side, x1, x2, x3)
            for side, at, m, x1, x2, x3 in rows
        )
