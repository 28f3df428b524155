"""What no joined piecewise quadratic with N pieces can do: no chain of parabolas passes through the tube f +- E.

Where knots may be is known from pieces that need not meet (`pigeonhole`): if k groups of four points, each of which no
single parabola passes within E, lie one behind the other from the beginning up to F_k, the k-th knot is left of F_k;
and right of B_k, if N - k of them lie between B_k and the end. These windows are cut into cells. From left to right, a
pair of lines over each cell bounds the values that a chain of k parabolas can have at a knot there, and another pair
its slopes (`parabolas`). A cell that no chain reaches, or from which none comes to the end, is left out; the others
are halved. If none is left, every continuous, or every smooth, piecewise quadratic with N pieces has an error of at
least E.

At an infinite end the chain begins on the asymptote, at a knot left of a point at which f is E away from it. A smooth
chain has its slope there, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from flint import arb, ctx

from analysis.activation.errors import Undecided
from analysis.optimal.shapes.parabolas import FAR, POINTS, Bounds, Cells, Samples, at_the_end
from analysis.optimal.shapes.pigeonhole import Pigeonhole
from analysis.rigorous import balls

BITS = 80
FINE = 4000  # samples, crowded where f''' is large
EVENLY = 0.02  # of the mean density is everywhere
BESIDE = 1e-9  # samples are no nearer to the target's breakpoints: which piece they are on must be clear
CELLS = 6  # of a window at first
WORK = 1500  # pairs of cells for each piece, after which a proof is given up
MOST = 24  # pieces; windows grow with their number, and so does the work
STRIDE = 1.1  # from one error that is tried to the next
FAILURES = 3  # proofs that are given up, after which no other is tried
CLOSE = 1.005  # ratio of error and bound that ends the search for a better bound
EXACT = 1e-14  # relative to the terms of a line, by which its values in doubles may be off

Spans = tuple[np.ndarray, np.ndarray]  # the cells of a window, by the numbers of their ends
Guess = Callable[[np.ndarray], float]  # from knots to the error of the design that a search finds near them


class Proved(Exception):
    """No chain is left."""


@dataclass(frozen=True)
class _Walk:
    """Which cells of each window a chain may pass through, and which pairs of neighbours."""

    alive: list[np.ndarray]
    pairs: list[tuple[np.ndarray, np.ndarray]]


class Joined:
    """Proofs for continuous or smooth piecewise quadratics, asymptotes not counted among the pieces."""

    def __init__(self, pigeonhole: Pigeonhole, smooth: bool):
        self.pigeonhole, self.target, self.smooth = pigeonhole, pigeonhole.target, smooth
        self.lines = self.target.lines

    @cached_property
    def samples(self) -> Samples:
        curve, x = self.pigeonhole.curve, self.pigeonhole.x
        bend = np.nan_to_num(curve.jets(x, np.searchsorted(curve.breaks, x))[2])
        density = np.nan_to_num(abs(np.gradient(bend, x))) ** (1 / 3)
        density = density + (EVENLY * density.mean() or 1.0)
        mass = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(x))])
        x = np.union1d(x, np.interp(np.linspace(0, mass[-1], FINE), mass, x))
        for place in curve.breaks:
            x = x[abs(x - place) > BESIDE * (1 + abs(place))]
        return Samples(x, *self._values(x))

    def _values(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """f at the samples, and how far that may be off."""
        pieces = np.searchsorted(self.pigeonhole.curve.breaks, x)
        value, off = np.zeros(len(x)), np.full(len(x), FAR)
        with ctx.workprec(BITS):
            functions = [balls.evaluator(piece.expression) for piece in self.target.pieces]
            for k, (at, piece) in enumerate(zip(x.tolist(), pieces.tolist(), strict=True)):
                ball = functions[piece](arb(at))
                if ball.is_finite():
                    value[k] = float(ball.mid())
                    off[k] = float(ball.rad()) * (1 + 1e-9) + 4 * np.spacing(abs(value[k]))
        return value, off

    # the bound

    def lower(self, pieces: int, low: float, high: float, guess: Guess | None = None) -> float:
        """A proved bound between `low`, which is proved already, and `high`, which is reached.

        `guess` is told knots at which no chain was excluded, and says what error is reached from there.
        """
        if not 1 <= pieces <= MOST:
            return low
        failures, ceiling = 0, high
        while failures < FAILURES and ceiling > CLOSE * low:
            error = min(STRIDE * low, math.sqrt(low * ceiling)) if low else ceiling / 4
            left = self.chain(pieces, error)
            if left is None:
                low = error
                continue
            failures += 1
            reached = guess(left) if guess is not None and len(left) else math.inf
            ceiling = min(error, reached)
        return low

    def excludes(self, pieces: int, error: float) -> bool:
        """Whether it is proved that every piecewise quadratic that is joined so is farther than the error."""
        return 1 <= pieces <= MOST and self.chain(pieces, error) is None

    def chain(self, pieces: int, error: float) -> np.ndarray | None:
        """None if it is proved that no chain of so many pieces keeps the error; else knots of one that is left."""
        try:
            windows = self._windows(pieces, error)
            for _ in range(2 * FINE):
                found = self._walk(windows, error)
                halved = [_halved(spans, alive) for spans, alive in zip(windows, found.alive, strict=True)]
                finer = [spans for spans, _ in halved]
                work = sum(len(a) * len(b) for (a, _), (b, _) in pairwise(finer))
                if work > WORK * pieces or not any(more for _, more in halved):
                    break
                windows = finer
        except Proved:
            return None
        except Undecided:
            return np.empty(0)
        return self._path(windows, found)

    def _windows(self, pieces: int, error: float) -> list[Spans]:
        """Where each knot may be; raises Proved where there is no place for one."""
        hole, x = self.pigeonhole, self.samples.x
        first, last = self._ends(error)
        onward = hole.groups(first, last, error, pieces)
        back = hole.groups(first, last, error, pieces, onward=False)
        if len(onward) == pieces:
            raise Proved
        # A knot that no group keeps from it may be at the end of the samples, or farther out.
        highest = [group[-1] for group in onward] + [x[-1]] * (pieces - len(onward))
        lowest = [x[0]] * (pieces - len(back)) + [group[0] for group in back[::-1]]
        if self.lines[0] is None:
            ends = [(x[0], x[0])]
        else:
            ends = [(lowest[0], hole.x[first])]
        inner = list(zip(lowest[1:], highest[:-1], strict=True))
        beyond = (x[-1], x[-1]) if self.lines[1] is None else (hole.x[last], highest[-1])
        found = []
        for low, high in [*ends, *inner, beyond]:
            if low > high:
                raise Proved
            a = max(int(np.searchsorted(x, low, side="right")) - 1, 0)
            b = min(int(np.searchsorted(x, high)), len(x) - 1)
            cuts = np.unique(np.round(np.linspace(a, b, CELLS + 1)).astype(int)) if a < b else np.array([a, a])
            begin, end = cuts[:-1], cuts[1:]
            if a == 0 < b:  # what is beyond the samples is a cell of its own, of no width
                begin, end = np.append(0, begin), np.append(0, end)
            if a < b == len(x) - 1:
                begin, end = np.append(begin, b), np.append(end, b)
            found.append((begin, end))
        return found

    def _ends(self, error: float) -> tuple[int, int]:
        """Between which points of the pigeonhole's grid all that is said of the pieces between asymptotes is true."""
        hole, found = self.pigeonhole, [0, len(self.pigeonhole.x) - 1]
        for side, (one, line, step) in enumerate(zip(hole.outside, self.target.outer, (1, -1), strict=True)):
            if one is None or line is None:
                continue
            place = int(np.searchsorted(hole.x, one.nearest(error), side="right" if side else "left")) - side
            while 0 < place < len(hole.x) - 1 and not hole.is_apart(place, line, error):
                place += step
            if not 0 < place < len(hole.x) - 1:
                raise Undecided(f"where a piece next to the asymptote begins, at an error of {error:g}")
            found[side] = place
        if found[0] >= found[1]:
            raise Undecided(f"what is between the asymptotes, at an error of {error:g}")
        return found[0], found[1]

    # one pass

    def _walk(self, windows: list[Spans], error: float) -> _Walk:
        """From left to right, and back; raises Proved where a window has no cell left."""
        cells = self._first(windows[0], error)
        alive, pairs = [np.ones(len(cells.begin), bool)], []
        for k, spans in enumerate(windows[1:], 1):
            i, j, bounds = self._onward(cells, alive[-1], spans, error)
            cells = Cells(*spans, _together(bounds, j, len(spans[0])))
            reached = np.zeros(len(spans[0]), bool)
            reached[j] = True
            if k == len(windows) - 1:
                reached &= self._arrives(cells)
            if not reached.any():
                raise Proved
            alive.append(reached)
            pairs.append((i, j))
        for k in reversed(range(len(pairs))):
            i, j = (side[alive[k + 1][pairs[k][1]]] for side in pairs[k])
            onward = np.zeros(len(alive[k]), bool)
            onward[i] = True
            alive[k], pairs[k] = alive[k] & onward, (i, j)
        return _Walk(alive, pairs)

    def _first(self, spans: Spans, error: float) -> Cells:
        """Where the chain begins: at the domain's end in the tube, or on the asymptote."""
        begin, end = spans
        known = Bounds.unknown(len(begin))
        if self.lines[0] is None:
            f, e = self.samples.value[begin, None], error + self.samples.off[begin, None]
            return Cells(begin, end, known.meet(replace(known, below=np.tile(f - e, 2), above=np.tile(f + e, 2))))
        line = self._line(0, spans)
        far = (end == 0)[:, None]  # farther out than the samples
        return Cells(
            begin, end, Bounds(*(np.where(far, a, b) for a, b in zip(_sides(known), _sides(line), strict=True)))
        )

    def _line(self, side: int, spans: Spans) -> Bounds:
        """What a chain is where it meets an asymptote."""
        line = self.lines[side]
        assert line is not None
        x = self.samples.x[np.stack(spans, axis=1)]
        value, off = line[0] * x + line[1], EXACT * (abs(line[0] * x) + abs(line[1]))
        if not self.smooth:
            return replace(Bounds.unknown(len(x)), below=value - off, above=value + off)
        slope = np.full(x.shape, line[0])
        return Bounds(value - off, value + off, slope - EXACT * abs(slope), slope + EXACT * abs(slope))

    def _arrives(self, cells: Cells) -> np.ndarray:
        """Which cells of the last window a chain may end in."""
        if self.lines[1] is None:
            return np.ones(len(cells.begin), bool)
        line, known = self._line(1, (cells.begin, cells.end)), cells.known
        meets = np.ones(len(cells.begin), bool)
        for low, high, least, most in (
            (known.below, known.above, line.below, line.above),
            (known.least, known.most, line.least, line.most),
        ):
            meets &= ((high - least).max(axis=1) >= 0) & ((low - most).min(axis=1) <= 0)
        return meets | (cells.begin == len(self.samples.x) - 1)

    def _onward(self, cells: Cells, alive: np.ndarray, spans: Spans, error: float):
        """Pairs of cells that a parabola may join, by their numbers, and what it can be at its end."""
        begin, end = spans
        i, j = (index.ravel() for index in np.meshgrid(np.nonzero(alive)[0], np.arange(len(begin)), indexing="ij"))
        ordered = cells.begin[i] <= end[j]
        i, j = i[ordered], j[ordered]
        bounds, possible = Bounds.unknown(len(i)), np.ones(len(i), bool)
        wide = begin[j] - cells.end[i] >= POINTS  # nothing is known of shorter pieces
        if wide.any():
            found, possible[wide] = at_the_end(self.samples, cells[i[wide]], begin[j[wide]], end[j[wide]], error)
            for whole, part in zip(_sides(bounds)[: 4 if self.smooth else 2], _sides(found), strict=False):
                whole[wide] = part
        return i[possible], j[possible], bounds[possible]

    def _path(self, windows: list[Spans], found: _Walk) -> np.ndarray:
        """The middles of cells that are left, one after the other."""
        x, last = self.samples.x, np.nonzero(found.alive[-1])[0]
        at = last[len(last) // 2]
        knots = []
        for k in reversed(range(len(windows))):
            begin, end = windows[k]
            knots.append((x[begin[at]] + x[end[at]]) / 2)
            if k:
                i, j = found.pairs[k - 1]
                before = i[j == at]
                at = before[len(before) // 2]
        return np.array(knots[::-1])


def _sides(bounds: Bounds) -> tuple[np.ndarray, ...]:
    return bounds.below, bounds.above, bounds.least, bounds.most


def _together(bounds: Bounds, place: np.ndarray, count: int) -> Bounds:
    """For each cell what holds for all pairs that lead to it: a line through the extremes at its ends."""
    found = Bounds.unknown(count)
    pairs = zip(_sides(found), _sides(bounds), (np.minimum, np.maximum) * 2, strict=True)
    for whole, part, extreme in pairs:
        whole *= -1
        extreme.at(whole, place, part)
    return found


def _halved(spans: Spans, alive: np.ndarray) -> tuple[Spans, bool]:
    """The cells that are alive, in halves, and whether there is any that has two."""
    begin, end = spans[0][alive], spans[1][alive]
    middle = (begin + end) // 2
    parts = middle > begin
    begins, ends = np.append(begin, middle[parts]), np.append(np.where(parts, middle, end), end[parts])
    order = np.argsort(begins, kind="stable")
    return (begins[order], ends[order]), bool(parts.any())
