"""The best continuous piecewise linear function with free knots, in the sup norm: globally, and fast.

N pieces reach the error E if and only if a path of N links lies in the tube f +- E, which a greedy walk decides
(`tube`). E is found by secants and bisection between a tube that is passed and one that is not. The path through the
first is the design; the obstructions in the second prove that nothing is better (`obstruction`). On an infinite domain
the outer pieces are the asymptotes.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import sympy as sp

from analysis.activation import scalars
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.parsing import X
from analysis.exact.asymptotes import asymptote
from analysis.exact.pieces import Piece, pieces
from analysis.optimal.shapes.contact import Contact
from analysis.optimal.shapes.curve import Curve, End, Jet, Line, Obstruction, Window
from analysis.optimal.shapes.tube import Walk

INF = math.inf
POINTS = 10  # of the grid for each piece of the design
SURVEY = 300  # gaps of the first look at the curvature
EVENLY = 0.1  # of the mean density is everywhere: no part of the curve goes without points
NARROW = 1e-10  # relative width of the bracket of E
ATTEMPTS = 150
STALLED = 3  # secants after which the bracket has to be half as wide
FAINT = 1e-3  # of the expected error: no knot is farther out than where f is so near to its asymptote
JUMP = 0.05  # of a link's length: where its end moves by less, no bend has let it pass
MOST = 4096  # pieces
FARTHEST = 1e5
REACHES = 12  # guesses of the error, which says how far the grid goes, which says what error to expect
BEYOND = 0.25  # of a finite domain, on either side of which the curve is followed if it goes on


@dataclass(frozen=True)
class Attempt:
    """A walk through the tube of half-width `error`; `closing` holds the flattest and the steepest last link, if any.

    `excess` is how far the walk came beyond the end, negative if short of it, in shares of the knots' density.
    """

    error: float
    obstructions: tuple[Obstruction, ...]
    begin: Window
    end: End
    closing: tuple[Line | None, ...] = ()
    excess: float = 0.0
    apart: bool = False

    @property
    def arrives(self) -> bool:
        return bool(self.closing)

    def window(self, j: int) -> Window:
        """From which the link j, counted from 0, begins."""
        window = self.obstructions[j - 1].window if j else self.begin
        return Window(window.q, window.q, 0) if self.apart else window


class Target:
    """f on a domain, as the walk needs it: analytic pieces, and asymptotes at infinite ends."""

    def __init__(self, expression: sp.Expr, lower: sp.Expr, upper: sp.Expr):
        self.expression, self.lower, self.upper = expression, lower, upper
        self.pieces = pieces(expression, X, lower, upper)
        self.jets = [scalars.jet(piece.expression, 2) for piece in self.pieces]
        self.breaks = [float(piece.lower) for piece in self.pieces[1:]]
        self.outer = self._asymptote(self.pieces[0], lower, -1), self._asymptote(self.pieces[-1], upper, 1)

    def _asymptote(self, piece: Piece, end: sp.Expr, direction: int) -> tuple[sp.Expr, sp.Expr] | None:
        """(slope, intercept) at an infinite end."""
        if end.is_finite:
            return None
        found = asymptote(piece.expression, direction)
        if found is None:
            where = "-inf" if direction < 0 else "inf"
            raise BadInput(f"expected a target with an asymptote at {where}, or --domain with an end before it")
        return found.slope, found.intercept

    @cached_property
    def lines(self) -> tuple[tuple[float, float] | None, ...]:
        return tuple(line and (float(line[0]), float(line[1])) for line in self.outer)

    def jet_at(self, x: float) -> Jet:
        return self.jets[bisect_right(self.breaks, x)]

    def reach(self, error: float) -> tuple[float, float]:
        """The finite part of the domain beyond which f is nowhere near as far as `error` from its asymptotes."""
        low, high = self._reach(0, -1, error), self._reach(-1, 1, error)
        return low, max(high, low + 1.0) if self.outer[1] else high

    def _reach(self, end: int, direction: int, error: float) -> float:
        line = self.lines[end]
        if line is None:
            return float(self.lower if direction < 0 else self.upper)
        slope, intercept = line
        x = max([1.0, *(direction * b + 1.0 for b in self.breaks[end:][:1])])
        distance = INF
        while distance > FAINT * error and x < FARTHEST:
            x *= 1.25
            distance = abs(self.jets[end](direction * x)[0] - slope * direction * x - intercept)
        if not distance <= FAINT * error:
            raise Undecided(f"a design near which f comes to its asymptote only beyond {direction * FARTHEST:g}")
        return direction * x


class Grid:
    """The curve of a target on as many points as a design with so many links needs, besides the asymptotes."""

    def __init__(self, target: Target, links: int, error: float, apart: bool = False):
        self.target, self.links, self.apart = target, links, apart
        self.low, self.high = target.reach(error)
        self.survey, self.mass = self._density(*self._extended(self.low, self.high))
        self.total = float(self.mass[-1])

    @classmethod
    def of(cls, target: Target, links: int, apart: bool = False) -> Grid:
        """For the error that so many links are expected to have; `apart` if they need not meet."""
        error = 1.0
        for _ in range(REACHES):
            found = cls(target, links, error, apart)
            if target.outer == (None, None) or found.expected() > error / 4:
                break
            error = found.expected()
        return found

    def _extended(self, low: float, high: float) -> tuple[float, float]:
        """A little beyond finite ends, as far as f has values there: the walk then tells by how much it overshoots."""
        margin = BEYOND * (high - low)
        ends = []
        for end, infinite, direction in ((low, self.target.outer[0], -1), (high, self.target.outer[1], 1)):
            further = end + direction * margin
            jet = self.target.jet_at(end)
            steps = np.linspace(end, further, 16)
            goes_on = direction > 0 and infinite is None and all(math.isfinite(v) for x in steps for v in jet(x))
            ends.append(further if goes_on else end)
        return ends[0], ends[1]

    def _density(self, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
        """Abscissas and the integral of sqrt|f''| up to each, a measure of how many knots are due."""
        inner = [b for b in self.target.breaks if low < b < high]
        evenly, wide = (
            np.linspace(low, high, SURVEY + 1),
            np.sinh(np.linspace(math.asinh(low), math.asinh(high), SURVEY + 1)),
        )
        x = np.unique(np.concatenate([evenly, np.clip(wide, low, high), inner]))
        middle = (x[1:] + x[:-1]) / 2
        roots = [math.sqrt(abs(self.target.jet_at(m)(m)[2])) for m in middle.tolist()]
        root = np.where(np.isfinite(roots), roots, 0.0)
        mean = float(root @ np.diff(x)) / (high - low)
        root = root + (EVENLY * mean or 1.0)
        return x, np.concatenate([[0.0], np.cumsum(root * np.diff(x))])

    def expected(self) -> float:
        """The error of the links if the curve were nowhere bent the other way: each has 4 sqrt(E) of the mass."""
        mass = self.passed(self.high) - self.passed(self.low)
        return (mass / (4 * max(self.links, 1))) ** 2

    def passed(self, x: float) -> float:
        return float(np.interp(x, self.survey, self.mass))

    @cached_property
    def curve(self) -> Curve:
        count = POINTS * (self.links + 2) + 1
        x = np.interp(np.linspace(0, self.total, count), self.mass, self.survey)
        inner = [b for b in (*self.target.breaks, self.low, self.high) if x[0] <= b <= x[-1]]
        xs = np.unique(np.concatenate([x, inner])).tolist()
        jets = [self.target.jet_at((a + b) / 2) for a, b in pairwise(xs)]
        left = [jet(x)[0] for jet, x in zip([jets[0], *jets], xs, strict=True)]
        right = [jet(x)[0] for jet, x in zip([*jets, jets[-1]], xs, strict=True)]
        low, high = ([choose(pair) for pair in zip(left, right, strict=True)] for choose in (min, max))
        return Curve(xs, low, high, jets)

    # the walk

    def attempt(self, error: float) -> Attempt:
        """Walks through the tube of that half-width."""
        links = self.links
        begin, end = self._begin(error), self._end(error)
        if self.apart and begin.q >= end.x:  # the asymptotes alone are near enough
            return Attempt(error, (), begin, end, (None,), self.total, True)
        start, stop = (Window(begin.q, begin.q, 0), End(end.x)) if self.apart else (begin, end)
        walk, window = Walk(self.curve, error), start
        found: list[Obstruction] = []
        for k in range(links):
            last = walk.farthest(window, stop)
            if not isinstance(last, Obstruction):
                excess = self.passed(self.high) * (links - 1 - k) / links
                free = walk.farthest(window)
                if isinstance(free, Obstruction):
                    excess += max(self.passed(free.x3) - self.passed(end.x), 0.0)
                return Attempt(error, tuple(found), begin, end, last, excess or self.total / links, self.apart)
            found.append(last)
            window = Window(last.x3, last.x3, 0) if self.apart else last.window
        short = min(self.passed(window.q) - self.passed(end.x), 0.0)
        return Attempt(error, tuple(found), begin, end, (), short or -1e-3 * self.total / links, self.apart)

    def bulge(self, line: Line, side: int, near: float) -> float:
        """The first local maximum of side*(f - line) from `near` on."""
        curve, walls = self.curve, self.curve.high if side > 0 else self.curve.low
        first = i = curve.gap(near)
        best = -INF
        while i < len(curve.xs) and (value := side * (walls[i] - line.at(curve.xs[i]))) >= best:
            best, i = value, i + 1
        top = Contact(curve, side, curve.xs[i - 1], curve.xs[first])
        top.settle(line.slope)
        return max(best, side * (top.y - line.at(top.x)))

    def _begin(self, error: float) -> Window:
        line = self.target.lines[0]
        if line is None:
            return Window(self.low, self.low, 0)
        x, side = self._leaves(line, error, 1)
        if self.apart:
            return Window(x, x, side)
        return Window(self.low, x, side, line[0] * self.low + line[1])

    def _end(self, error: float) -> End:
        line = self.target.lines[1]
        return (
            End(self.high)
            if line is None
            else End(*self._leaves(line, error, -1), self.high, line[0] * self.high + line[1])
        )

    def _leaves(self, line: tuple[float, float], error: float, direction: int) -> tuple[float, int]:
        """Where an asymptote, coming from its end, leaves the tube, and through which wall."""
        curve, (slope, intercept) = self.curve, line
        order = range(len(curve.xs)) if direction > 0 else range(len(curve.xs) - 1, -1, -1)
        for i in order:
            above = curve.high[i] - slope * curve.xs[i] - intercept
            below = curve.low[i] - slope * curve.xs[i] - intercept
            if above > error or below < -error:
                side = 1 if above > error else -1
                return self._crossing(i, direction, side, line, error), side
        return (INF if direction > 0 else -INF), 0

    def _crossing(self, index: int, direction: int, side: int, line: tuple[float, float], error: float) -> float:
        """By bisection and Newton's method in the gap through which the line leaves."""
        curve, (slope, intercept) = self.curve, line
        outside, inside = curve.xs[index], curve.xs[max(index - direction, 0)]
        if index == 0 or inside == outside:
            return outside
        jet, x = curve.jet_between(outside, inside), outside
        for _ in range(60):
            value, tilt = jet(x)[:2]
            excess = side * (value - slope * x - intercept) - error
            if excess > 0:
                outside = x
            else:
                inside = x
            tilt = side * (tilt - slope)
            step = excess / tilt if tilt else INF
            if abs(step) <= 4e-16 * abs(x) or abs(outside - inside) <= 4e-16 * abs(x):
                break
            low, high = min(inside, outside), max(inside, outside)
            x = x - step if low < x - step < high else (low + high) / 2
        return x


# the search for the error


class Bracket:
    """Two attempts, one that falls short and one that arrives, drawn together."""

    def __init__(self, grid: Grid):
        self.grid = grid
        self.short, self.arrived = self._around(grid.expected())
        self.recent: list[tuple[float, float]] = []
        self.widths: list[float] = []
        self.last_arrived = False
        self.estimate = INF

    def _around(self, guess: float) -> tuple[Attempt, Attempt]:
        short = arrived = None
        error = guess
        for _ in range(ATTEMPTS):
            found = self.grid.attempt(error)
            if found.arrives:
                arrived = found
            else:
                short = found
            if short and arrived:
                return short, arrived
            share = min(max(found.excess / self.grid.total, -0.6), 0.4)
            error *= (1 + share) ** -2 * (0.98 if found.arrives else 1.02)
        raise Undecided("a design: no tube was found that a path passes, or none that stops it")

    def narrow(self) -> None:
        """Draws the attempts together to the relative width NARROW."""
        for _ in range(ATTEMPTS):
            low, high = self.short.error, self.arrived.error
            if high - low <= NARROW * high:
                return
            found = self.grid.attempt(self._next(low, high))
            self.last_arrived = found.arrives
            if found.arrives:
                self.arrived = found
            else:
                self.short = found

    def _next(self, low: float, high: float) -> float:
        """Where the secant through the last two excesses is zero, or the one through both ends, or the middle."""
        missed, beyond = self._excesses()
        self.recent = [*self.recent[-1:], (high, beyond) if self.last_arrived else (low, missed)]
        self.widths = [*self.widths[-STALLED:], high - low]
        if not missed < 0 < beyond or (len(self.widths) > STALLED and high - low > self.widths[0] / 2):
            self.widths = []
            return (low + high) / 2
        before, self.estimate = self.estimate, _secant(self.recent)
        if not low < self.estimate < high:
            self.estimate = _secant([(low, missed), (high, beyond)])
        aside = NARROW * high / 3
        if abs(self.estimate - before) < aside:  # it has settled: only the other side is left to be drawn in
            self.estimate += aside if self.estimate - low < high - self.estimate else -aside
        return min(max(self.estimate, low + aside), high - aside)

    def _excesses(self) -> tuple[float, float]:
        """Of both attempts, by the same measure: how far they came, or how near a line is to a bend that stops it."""
        short, arrived = self.short, self.arrived
        for j, one in enumerate(short.obstructions):
            if j > len(arrived.obstructions):
                break
            if j == len(arrived.obstructions):
                onward = abs(arrived.end.x - one.x3)
            elif arrived.obstructions[j].side == one.side:
                onward = abs(arrived.obstructions[j].x3 - one.x3)
            else:
                onward = INF
            if onward > JUMP * abs(one.x3 - one.x1):
                missed, beyond = (a.error - self._bulge(a, j) for a in (short, arrived))
                if missed < 0 < beyond:
                    return missed, beyond
                break
        return short.excess, arrived.excess

    def _bulge(self, attempt: Attempt, j: int) -> float:
        """How far the curve rises over the line that stops the shorter walk's link j, before the line comes back."""
        one, window = self.short.obstructions[j], attempt.window(j)
        moved = {self.short.window(j).p: window.p, self.short.window(j).q: window.q}  # what touches where it begins
        x1, x2 = (moved.get(x, x) for x in (one.x1, one.x2))
        line = Walk(self.grid.curve, attempt.error).touching(window, attempt.end, one.side, x1, x2, one.line.slope)
        return self.grid.bulge(line, one.side, one.x3)


def _secant(points: list[tuple[float, float]]) -> float:
    """Where the line through the last two points is zero; nan where there is none."""
    if len(points) < 2 or points[0][1] == points[1][1]:
        return math.nan
    (x, y), (z, w) = points
    return z - w * (z - x) / (w - y)


# the design


def fewest_links(target: Target, error: float) -> Attempt:
    """The walk through the tube of half-width `error` with as few links as it takes."""
    grid = Grid(target, 1, error)
    grid.links = min(MOST, 8 + 2 * round(grid.total / (4 * math.sqrt(error))))
    while True:
        found = grid.attempt(error)
        if found.arrives:
            return found
        if grid.links >= MOST:
            raise BadInput(f"expected a tolerance that {MOST} pieces can keep, got {error:g}")
        grid = Grid(target, 1, error)
        grid.links = min(2 * len(found.obstructions), MOST)


def nodes(target: Target, attempt: Attempt) -> list[tuple[float, float]]:
    """Where the links of a walk that arrives meet; at a finite end, also the end itself."""
    lines = [(one.line.slope, one.line.y - one.line.slope * one.line.x) for one in attempt.obstructions]
    closing = [(line.slope, line.y - line.slope * line.x) for line in attempt.closing if line is not None]
    lines.append(tuple(sum(part) / len(closing) for part in zip(*closing, strict=True)))
    left, right = target.lines
    lines = [*([left] if left else []), *lines, *([right] if right else [])]
    found = [(x := (d - b) / (a - c), a * x + b) for (a, b), (c, d) in pairwise(lines) if a != c]
    first = [] if left else [(float(target.lower), lines[0][0] * float(target.lower) + lines[0][1])]
    last = [] if right else [(float(target.upper), lines[-1][0] * float(target.upper) + lines[-1][1])]
    return [*first, *found, *last]
