"""The least error that so many links reach, between an attempt that falls short and one that arrives."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from analysis.activation.errors import Undecided
from analysis.optimal.shapes import newton
from analysis.optimal.shapes.curve import Line, Obstruction
from analysis.optimal.shapes.grid import Attempt, Grid
from analysis.optimal.shapes.newton import Closing

INF = math.inf
NARROW = 1e-10  # relative width of the bracket
ATTEMPTS = 150
STALLED = 1  # secants after which the bracket has to be half as wide


# the search for the error

ASIDE = 3e-11  # of the error: how far below it the attempt is that falls short
SAME, MISSED = 1e-10, 1e-7  # of the error: how far apart equal lines are; by what a design may miss it on the grid
LOOSE, ROUNDING = 1e-14, 1e-15  # of f: the rounding in both, and in a walk
APART = 1e-3  # of the error: where Newton's method leads no farther, nothing is gained by a walk
HIGHEST = 3  # times the error: a bulge over a line that the next errors may lower enough to pass


def closest(grid: Grid) -> Iterator[tuple[Attempt, Attempt]]:
    """An attempt that falls short and one that arrives, of almost the same error.

    First by Newton's method from a walk, then, where that is not enough, from a bracket drawn together.
    """
    bracket = Bracket(grid)
    known: list[float] = []
    for attempt in bracket.attempts():
        found = None if bracket.is_probe or grid.target.jump else _at_end(grid, attempt)
        if found is None:
            continue
        error = found.error
        bracket.guesses.append(error)
        if any(abs(error - other) <= SAME * error for other in known) or not found.sound().all():
            continue
        count = _staying(grid, found)
        if count == grid.links:
            known.append(error)
            yield _below(grid, found), _above(grid, found)
        else:
            bracket.bend = _at_bend(grid, attempt, found, count)
            bracket.guesses += [bracket.bend] if bracket.bend else []
    yield bracket.short, bracket.arrived


def _at_end(grid: Grid, attempt: Attempt) -> newton.Settled | None:
    """The chain of all links that just stops at the end."""
    begin, end = attempt.begin, attempt.end
    links, (left, right) = grid.unstopped(attempt), grid.target.lines
    if len(links) < grid.links or (left and not begin.side) or (right and not end.side):
        return None
    if right is None:
        closing = Closing(3, end.x)
    else:
        closing = Closing(3 if grid.apart or links[-1].side == end.side else 2, line=right, side=end.side)
    return _settled(grid, attempt, links, closing)


def _at_bends(grid: Grid, short: Attempt, most: float) -> Iterator[float]:
    """Errors, up to `most`, at which one of the links passes the bend that has stopped it."""
    if grid.target.lines[0] and not short.begin.side:
        return
    end = short.end
    for j, one in enumerate(short.obstructions):
        closings = []
        if one.x3 > end.x and one.side == -end.side:
            closings.append((end.last, Closing(0, parallel=end.slope)))
        if one.x3 < end.last:
            height, x = grid.bulge(one.line, one.side, one.x3, HIGHEST * short.error)
            if height < INF:
                closings.append((x, Closing(0, kink=x in grid.target.breaks)))
        for x, closing in closings:
            if x > one.x2:
                found = _settled(grid, short, [*short.obstructions[:j], replace(one, x3=x)], closing)
                if found and short.error < found.error < most and found.sound().all():
                    yield found.error


def _at_bend(grid: Grid, attempt: Attempt, found: newton.Settled, count: int) -> float | None:
    """The error, between those of both, at which the link after so many passes a wall elsewhere than at its end.

    There it touches that wall once more: after its other points, or before them.
    """
    links, (first, settled) = grid.unstopped(attempt), found.at(found.error)
    one, line, side = links[count], settled[count].line, settled[count].side
    window, known = (grid.window(begin, chain[:count]) for begin, chain in
                     ((replace(attempt.begin, q=first), settled), (attempt.begin, links)))  # fmt: skip
    begin, begun = (part.p if part.side == side else part.q for part in (window, known))
    after, before = grid.bulge(line, side, settled[count].x2)[1], grid.bulge(line, -side, begin)[1]
    closing = []
    if settled[count].x2 < after < settled[count].x3:
        closing.append((replace(one, x3=after), after))
    if before < settled[count].x1:
        before = before if before > begin else begun
        closing.append((Obstruction(line, -side, before, one.x1, one.x2), one.x2))
    for last, x in closing:
        bend = _settled(grid, attempt, [*links[:count], last], Closing(0, kink=x in grid.target.breaks))
        ends = sorted((found.error, attempt.error))
        if bend and ends[0] < bend.error < ends[1] and bend.sound().all():
            return bend.error
    return None


def _settled(grid: Grid, attempt: Attempt, links: Sequence[Obstruction], closing: Closing) -> newton.Settled | None:
    target = grid.target
    chain = newton.Chain.of(target.values, target.breaks, attempt.begin, target.lines[0], links, grid.apart, closing)
    return chain.settled(attempt.error) if chain else None


def _staying(grid: Grid, found: newton.Settled) -> int:
    """How many of the links stay in the tube."""
    first, links = found.at(found.error)
    begin = replace(grid.begin(found.error), q=first)
    return grid.curve.staying(grid.window(begin, ()), links, found.error, grid.apart)


def _below(grid: Grid, found: newton.Settled) -> Attempt:
    error = found.error * (1 - ASIDE)
    first, obstructions = found.at(error)
    return Attempt(error, obstructions, replace(grid.begin(error), q=first), grid.end(error), apart=grid.apart)


def _above(grid: Grid, found: newton.Settled) -> Attempt:
    error = found.error
    first, links = found.at(error)
    kept = [one for one, other in pairwise(links) if not _same(one.line, other.line, (one.x1, other.x3), error)]
    begin = replace(grid.begin(error), q=first)
    return Attempt(error, tuple(kept), begin, grid.end(error), (links[-1].line,), apart=grid.apart)


def _same(one: Line, other: Line, ends: tuple[float, float], error: float) -> bool:
    """Whether both lines are one, as in the middle of an odd function."""
    return all(abs(one.at(x) - other.at(x)) <= SAME * error + LOOSE * abs(one.at(x)) for x in ends)


class Bracket:
    """Two attempts, one that falls short and one that arrives, drawn together."""

    def __init__(self, grid: Grid):
        self.grid = grid
        self.short: Attempt
        self.arrived: Attempt
        self.guesses: list[float] = []  # errors to try next, those in the bracket
        self.bend: float | None = None  # the last one at which a link is stopped
        self.probes: list[float] = []  # what to try before all else
        self.is_probe = False  # whether the last attempt was one of them, a little aside
        self.recent: list[tuple[float, float]] = []
        self.widths: list[float] = []
        self.last_arrived = False
        self.estimate = INF

    def attempts(self) -> Iterator[Attempt]:
        """Those on both sides of the least error, then ever nearer to it, to the relative width NARROW."""
        yield from self._around()
        aside = self._aside(self.arrived.error)
        bends_of: Attempt | None = None
        for _ in range(ATTEMPTS):
            low, high = self.short.error, self.arrived.error
            if high - low <= max(NARROW, 3 * aside) * high:
                return
            self.probes = [error for error in self.probes if low < error < high]
            if not self.probes:
                if bends_of is not self.short and not self.grid.target.jump:
                    bends_of = self.short
                    self.guesses += _at_bends(self.grid, self.short, high)
                inner = low * (1 + 2 * aside), high * (1 - 2 * aside)
                self.guesses = sorted(guess for guess in self.guesses if inner[0] < guess < inner[1])
                if self.guesses:
                    guess = self.guesses.pop(len(self.guesses) // 2)
                    both = guess * (1 + aside), guess * (1 - aside)
                    self.probes = [error for error in both if low < error < high]
            self.is_probe = bool(self.probes)
            found = self.grid.attempt(self.probes.pop(0) if self.probes else self._next(low, high))
            self.last_arrived = found.arrives
            if found.arrives:
                self.arrived = found
            else:
                self.short = found
            yield found

    def _around(self) -> Iterator[Attempt]:
        short = arrived = None
        known, due, beyond = self.grid.walked, self.grid.due(), min(0.02, 0.5 / self.grid.links)
        error = known.error if known else self.grid.expected()
        for _ in range(ATTEMPTS):
            if not error > 0:
                break
            found = known or self.grid.attempt(error)
            known = None
            if found.arrives:
                self.arrived = arrived = found
            else:
                self.short = short = found
            yield found
            if short and arrived:
                return
            if self.bend:
                aside = self._aside(self.bend)
                self.probes, error, self.bend = [self.bend * (1 + aside)], self.bend * (1 - aside), None
                self.is_probe = True
                continue
            self.is_probe = False
            share = min(max(found.excess / due, -0.6), 0.4)
            likely = error * (1 + share) ** -2 * (1 - beyond if found.arrives else 1 + beyond)
            guess = self.guesses[-1] if self.guesses else error
            beyond *= 2
            error = guess if APART < (1 if found.arrives else -1) * (error - guess) / error < 0.5 else likely
        raise Undecided("a design: in doubles no tube was found that a path passes, or none that stops it")

    def _aside(self, error: float) -> float:
        """How far from an error, relative to it, attempts on either side of it are."""
        return max(ASIDE, 4 * ROUNDING * self.grid.largest / error)

    def _next(self, low: float, high: float) -> float:
        """Where the secant through the last two excesses is zero, or the one through both ends, or the middle."""
        missed, beyond = self.short.excess, self.arrived.excess
        self.recent = [*self.recent[-1:], (high, beyond) if self.last_arrived else (low, missed)]
        self.widths = [*self.widths[-STALLED:], high - low]
        if len(self.widths) > STALLED and high - low > self.widths[0] / 2:
            self.widths = []
            return (low + high) / 2
        before, self.estimate = self.estimate, _secant(self.recent)
        if not low < self.estimate < high:
            self.estimate = _secant([(low, missed), (high, beyond)])
        aside = NARROW * high / 3
        if abs(self.estimate - before) < aside:  # it has settled: only the other side is left to be drawn in
            self.estimate += aside if self.estimate - low < high - self.estimate else -aside
        return min(max(self.estimate, low + aside), high - aside)


def _secant(points: list[tuple[float, float]]) -> float:
    """Where the line through the last two points is zero; nan where there is none."""
    if len(points) < 2 or points[0][1] == points[1][1]:
        return math.nan
    (x, y), (z, w) = points
    return z - w * (z - x) / (w - y)
