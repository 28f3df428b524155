"""Paths with the fewest links through the tube |y - f(x)| <= E: the greedy walk of Imai and Iri (1986), Suri (1986).

A link is a line. The walk takes the one that reaches farthest, again and again. Say that a link leaves the tube through
its lower wall f - E at q, and touched the upper wall last at p. The next link crosses it between p and q and rises
above it, so what bounds it is the upper wall from p on and the lower wall from q on. The farthest line that obeys both
touches one wall at x1, the other at x2, and leaves the tube at x3 through the first: three points that no line can
pass, an obstruction. With the walls exchanged for a link that leaves through the upper wall.

On a grid the touching points are found by O'Rourke's algorithm (`scan`), then polished by Newton's method (`contact`).
All this is floating point: `analysis.optimal.shapes.obstruction` proves what comes out.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right

from analysis.optimal.shapes.contact import STEPS, Contact
from analysis.optimal.shapes.curve import Curve, End, Line, Obstruction, Window
from analysis.optimal.shapes.scan import Scan

INF = math.inf
ROOT_STEPS = 60  # of Newton's method with bisection
TINY = 4e-16  # relative: two neighbouring numbers
LOOSE, NOISE = 1e-12, 1e-15  # of the error, and of f: what is beyond a wall by so little is on it
NEAR = 0.1  # of the error: how near to a wall a line may come between two points of the grid unseen
FARTHER = 1.01  # times as far as the given line would be left
REFINEMENTS = 8  # of the grid, for one link


class Walk:
    """The walk through the tube of one width."""

    def __init__(self, curve: Curve, error: float):
        self.curve, self.error = curve, error

    def farthest(self, window: Window, end: End | None = None) -> Obstruction | tuple[Line | None, Line | None]:
        """What stops every line from the window; if lines reach the end, the flattest and the steepest of them.

        Where a line passes a wall between two points of the grid, the point in question joins the grid.
        """
        for _ in range(REFINEMENTS):
            found = self._farthest(window, end)
            lines = (
                [(found.line, found.x3)] if isinstance(found, Obstruction) else [(line, INF) for line in found if line]
            )
            missed = {x for line, upto in lines for x in self._missed(line, window, end, upto) if x > -INF}
            if not [self.curve.refine(x) for x in missed if self.curve.xs[self.curve.gap(x)] != x]:
                break
        return found

    def _farthest(self, window: Window, end: End | None) -> Obstruction | tuple[Line | None, Line | None]:
        scan = Scan(self.curve, self.error, window, end)
        first = scan.run() or 1  # the line that is stopped on the grid: the other one is of interest up to there
        lines: dict[int, Line | None] = {1: scan.steep, -1: scan.flat}
        found = None
        for side in (first, -first):
            line = lines[side]
            if line is None:
                continue
            x1, x2 = (line.lower, line.upper) if side > 0 else (line.upper, line.lower)
            if found and max(x1, x2) >= scan.front:
                continue  # nothing stops a line that still turns where the walk has come to
            lines[side] = line = self.touching(window, end, side, x1, x2, line.slope)
            x1, x2 = (line.lower, line.upper) if side > 0 else (line.upper, line.lower)
            x3 = self._exit(line, side, x2, end, found.x3 if found else INF)
            if x3 is not None:
                found = Obstruction(line, side, x1, x2, x3)
        return found or (lines[-1], lines[1])

    def touching(self, window: Window, end: End | None, side: int, x1: float, x2: float, slope: float) -> Line:
        """The line of about that slope that touches the wall of that side near x1, and then the other one near x2.

        With x1 = -inf, or where it would not cross the given line from -inf, the line that is parallel to that.
        """
        wall, other = (window.p if window.side == -s else window.q for s in (side, -side))
        first, second = (
            Contact(self.curve, s, x, begin, INF if end is None else end.limit(s))
            for s, x, begin in ((side, x1, wall), (-side, x2, other))
        )
        first.settle(slope)
        second.settle(slope)
        for _ in range(STEPS if x1 > -INF else 0):
            if first.x == second.x:  # there is no such line: the attempt that asks is too far from the other one
                break
            before, slope = slope, (second.y - first.y + 2 * side * self.error) / (second.x - first.x)
            if abs(slope - before) <= 1e-15 * (abs(slope) + abs(before)):
                break
            first.follow(slope)
            second.follow(slope)
        begins = first.x
        if x1 == -INF or (window.slope is not None and side == -window.side and side * (slope - window.slope) >= 0):
            assert window.slope is not None
            slope, begins = window.slope, -INF
            second.settle(slope)
        x, y = second.x, second.y + side * self.error
        return Line(slope, x, y, *((begins, x) if side > 0 else (x, begins)))

    def _missed(self, line: Line, window: Window, end: End | None, upto: float) -> list[float]:
        """Where the grid is too coarse: the line passes a wall between two points, or at one since it was moved."""
        curve, error = self.curve, self.error
        xs, near = curve.xs, (1 - NEAR) * error
        beyond = (1 + LOOSE) * error + NOISE * max(abs(curve.low[0]), abs(curve.high[-1]))
        for side, walls in ((1, curve.high), (-1, curve.low)):
            begin = window.p if window.side in (0, -side) else window.q
            limit = upto if end is None else min(upto, end.limit(side))
            known = line.lower if side > 0 else line.upper
            slope, base = side * line.slope, side * line.y - side * line.slope * line.x
            previous, before = -INF, side * curve.jet(begin)[0] - slope * begin - base
            if before > beyond:
                return [line.lower, line.upper]
            for i in range(bisect_right(xs, begin), bisect_left(xs, limit)):
                size = side * walls[i] - slope * xs[i] - base
                if size > beyond:
                    return [line.lower, line.upper]
                if previous < before >= size and before > near and not xs[i - 2] <= known <= xs[i]:
                    top = Contact(curve, side, xs[i - 1], begin, limit)
                    top.settle(line.slope)
                    if top.inside and side * top.y - slope * top.x - base > beyond:
                        return [top.x]
                previous, before = before, size
        return []

    def _exit(self, line: Line, side: int, start: float, end: End | None, before: float) -> float | None:
        """Where the line leaves the tube through the wall of that side, after `start` and not beyond `before`.

        On the way to infinity it may fall behind the given line that it is to meet.
        """
        limit = before if end is None else min(before, end.limit(side))
        found = self._passes(line, side, start, limit)
        if found is None and end and start < limit == end.last and side * (end.slope - line.slope) > 0:
            ahead = side * (line.at(limit) - end.y) + self.error
            return limit + FARTHER * max(ahead, 0.0) / (side * (end.slope - line.slope))
        return found

    def _passes(self, line: Line, side: int, start: float, limit: float) -> float | None:
        if not start < limit:
            return None
        curve, error, slope = self.curve, self.error, side * line.slope
        xs, walls = curve.xs, curve.high if side > 0 else curve.low
        base = side * line.y - slope * line.x + error
        previous, before, inside, near = -INF, -INF, start, NEAR * error
        for i in range(curve.gap(start) + 1, len(xs)):
            x = xs[i]
            if x > limit:
                x = limit
                excess = side * curve.jets[i - 1](x)[0] - slope * x - base
            else:
                excess = side * walls[i] - slope * x - base
            if excess > 0:
                return self._crossing(line, side, inside, x)
            if -near < before >= excess and before > previous:
                top = Contact(curve, side, inside, start)
                top.settle(line.slope)
                if start < top.x < limit and side * top.y - slope * top.x - base > 0:
                    return self._crossing(line, side, max(start, xs[i - 2]), top.x)
            previous, before, inside = before, excess, x
            if x == limit:
                break
        return None

    def _crossing(self, line: Line, side: int, inside: float, outside: float) -> float:
        """The point between at which the line passes the wall of that side, by Newton's method and bisection."""
        for edge in self.curve.xs[self.curve.gap(inside) + 1 : self.curve.gap(outside) + 1]:  # one gap has it
            if side * (self.curve.jet(edge)[0] - line.at(edge)) <= self.error:
                inside = edge
            else:
                outside = edge
                break
        jet, x = self.curve.jet_between(inside, outside), outside
        for _ in range(ROOT_STEPS):
            value, tilt, _ = jet(x)
            excess = side * (value - line.at(x)) - self.error
            inside, outside = (inside, x) if excess > 0 else (x, outside)
            slope = side * (tilt - line.slope)
            step = excess / slope if slope else INF
            if abs(step) <= TINY * abs(x) or abs(outside - inside) <= TINY * abs(x):
                break
            x = x - step if min(inside, outside) < x - step < max(inside, outside) else (inside + outside) / 2
        return x
