"""A proved lower bound on the mean-square error of piecewise linear functions, whether or not their pieces meet.

The domain is cut into cells. N - 1 knots spoil at most as many of them; on every run of the others the function is one
line, and no line is nearer to f on the run than its least-squares line. So the least sum over all choices of spoiled
cells, which count as zero, is a lower bound; dynamic programming finds it. Cells that a design within the aimed-at
error could spoil are then halved, as long as that helps.

What f is on a cell enters as its projection onto the lines there (`cells`).

The error of a run is the weighted variance of slopes: those of its cells, with the weights S = integral of (x - c)^2,
and those between the mean of the cells so far and the next, (a_B - a_A)/(c_B - c_A), with the weights
W_A W_B/(W_A + W_B) (c_B - c_A)^2. All terms are positive. In floating point each mean is off by less than 4 n u of the
largest size met (n cells, u = 2^-53), each weight by less than 16 n u max|c|/(the least distance) of itself; MARGIN
doubles both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import sympy as sp

from analysis.exact.pieces import Piece
from analysis.optimal.shapes.cells import Cells, project

MARGIN = 32 * 2.0**-53
MOST = 4000  # cells
ROUNDS = 30
NARROW = 1e-6  # width, relative to the largest |x|, of cells that are not halved, or are not begun with
GAIN = 4e-3  # relative, of a round that is followed by another although the aim is far
FIRST, EACH = 200, 24  # cells to begin with: at least, and for each piece
BAND, WORK = 60, 4e8  # cells in a run, about, and the steps of a dynamic programme


def how_many(pieces: int) -> int:
    """Cells to begin with."""
    return max(FIRST, int(min(EACH * pieces, WORK / (BAND * pieces))))


@dataclass(frozen=True)
class Table:
    """The least squares of lines over runs: of `length` cells from `start`, at [length, start]; and what they err by.

    Runs that are longer than the rows tell are above the ceiling.
    """

    squares: np.ndarray
    root_error: float
    relative_error: float

    @classmethod
    def of(cls, cells: Cells, ceiling: float) -> Table:
        count = len(cells)
        w, c, s, a, b = (part.copy() for part in cells.columns[:5])
        square = np.zeros(count)
        rows = [np.zeros(count + 1), np.append(square, math.inf)]
        steepest, closest = float(np.max(np.abs(b))), math.inf
        for length in range(2, count + 1):
            keep = count - length + 1
            w, c, s, a, b, square = (part[:keep] for part in (w, c, s, a, b, square))
            wn, cn, sn, an, bn = (part[length - 1 :] for part in cells.columns[:5])
            both, apart = w + wn, cn - c
            between = w * wn / both * apart**2
            secant = (an - a) / apart
            steepest, closest = max(steepest, float(np.abs(secant).max())), min(closest, float(apart.min()))
            b, s, square = _varied(b, s, square, bn, sn)
            b, s, square = _varied(b, s, square, secant, between)
            c, a, w = c + apart * (wn / both), a + (an - a) * (wn / both), both
            rows.append(np.concatenate([square, np.full(count + 1 - keep, math.inf)]))
            if square.min() > ceiling:
                break
        far = float(np.abs(cells.centre).max())
        size = float(np.abs(cells.value).max()) + steepest * far
        rounding = MARGIN * (count + 16)
        root = rounding * size * math.sqrt(float(cells.weight.sum()))
        return cls(np.array(rows), root, rounding * (1 + far / closest))


def _varied(b, s, square, bn, sn):
    """The weighted mean of slopes, their weight and variance, with one slope more."""
    both = s + sn
    share = np.divide(sn, both, out=np.zeros_like(both), where=both > 0)
    return b + (bn - b) * share, both, square + s * share * (bn - b) ** 2


@dataclass(frozen=True)
class Lowest:
    """The least sum of squares over all choices of knots, and for each cell over those that spoil it."""

    square: float
    through: np.ndarray


def lowest(table: Table, pieces: int, outer: tuple[np.ndarray | None, np.ndarray | None], spoils: int) -> Lowest:
    """By dynamic programming over runs; `outer` has, for each cell, the squared distance from an asymptote.

    `spoils` is the number of cells that a knot spoils: none where it lies between points.
    """
    left, right = outer
    inner = pieces - (left is not None) - (right is not None)
    ahead = _pass(_by_end(table.squares), inner, left, spoils)
    back = _pass(_by_end(table.squares, mirrored=True), inner, None if right is None else right[::-1], spoils)
    total = ahead[-1][-1]
    if right is not None:
        total = float(np.min(_opened(ahead[-1], spoils) + _rest(right)))
    through = np.full(len(ahead[0]) - 1, math.inf)
    # with a left asymptote ahead[0] is what it covers; without, what no piece covers, and so with back
    first, behind = (0 if left is not None else 1), (0 if right is not None else 1)
    for done in range(first, inner + 1):
        rest = inner - done
        if rest >= behind:
            np.minimum(through, ahead[done][:-1] + back[rest][::-1][1:], out=through)
    return Lowest(float(total), through)


def _pass(windows: np.ndarray, levels: int, asymptote: np.ndarray | None, spoils: int) -> list[np.ndarray]:
    """After each piece, the least sum over the cells so far; the asymptote's piece counts as none."""
    size = windows.shape[0]
    if asymptote is not None:
        done = np.concatenate([[0.0], np.cumsum(asymptote)])
        start = _opened(done, spoils)
    else:
        done = np.full(size, math.inf)
        done[0] = 0.0
        start = done
    found = [done]
    width = windows.shape[1]
    for _ in range(levels):
        padded = np.concatenate([np.full(width - 1, math.inf), start])
        done = (np.lib.stride_tricks.sliding_window_view(padded, width) + windows).min(axis=1)
        found.append(done)
        start = _opened(done, spoils)
    return found


def _opened(done: np.ndarray, spoils: int) -> np.ndarray:
    """Where the next piece begins: behind a spoiled cell, or at once where the knot lies outside or between."""
    return np.concatenate([done[:1], done[:-1]]) if spoils else done


def _rest(asymptote: np.ndarray) -> np.ndarray:
    return np.concatenate([np.cumsum(asymptote[::-1])[::-1], [0.0]])


def _by_end(squares: np.ndarray, mirrored: bool = False) -> np.ndarray:
    """At [end, k] the run that begins at end - (longest - k); mirrored, of the cells in reverse order."""
    longest, size = squares.shape[0] - 1, squares.shape[1]
    found = np.full((size, longest + 1), math.inf)
    for length in range(longest + 1):
        row = squares[length, : size - length]
        found[length:, longest - length] = row[::-1] if mirrored else row
    return found


def _beside(cells: Cells, line: tuple[float, float] | None) -> np.ndarray | None:
    """The squared distance of each cell from a line."""
    if line is None:
        return None
    slope, intercept = line
    return (
        cells.weight * (cells.value - slope * cells.centre - intercept) ** 2 + cells.spread * (cells.slope - slope) ** 2
    )


def of_cells(cells: Cells, pieces: int, lines, ceiling: float, spoils: int) -> tuple[float, np.ndarray]:
    """The bound on the root of the square, from these cells, and the square through each cell."""
    table = Table.of(cells, 1.1 * ceiling)
    size = float(np.abs(cells.value).max()) + sum(abs(s) * np.abs(cells.centre).max() + abs(t)
                                                  for s, t in filter(None, lines))  # fmt: skip
    aside = MARGIN * 16 * size * math.sqrt(float(cells.weight.sum())) * (lines != (None, None))
    found = lowest(table, pieces, (_beside(cells, lines[0]), _beside(cells, lines[1])), spoils)
    square = min(found.square, 1.1 * ceiling) * (1 - table.relative_error - 1e-12)
    slack = math.sqrt(float(np.square(cells.slack).sum())) * (1 + 1e-9)
    return max(math.sqrt(max(square, 0.0)) - table.root_error - aside - slack, 0.0), found.through


def continuous(found: tuple[Piece, ...], marks: np.ndarray, pieces: int, lines, ceiling: float, aim: float,
               sigma: float | None) -> float:  # fmt: skip
    """The bound on the root of the integral, from cells that begin between the marks; `aim` is a square, high enough.

    `ceiling` is the square of an error that is reached.
    """
    cells, low, high = None, np.empty(0), np.empty(0)
    for piece in found:
        ends = _inside(piece, marks)
        if len(ends) > 1:
            some, sound = project(piece.expression, ends[:-1], ends[1:], sigma)
            low, high = np.append(low, ends[:-1][sound]), np.append(high, ends[1:][sound])
            cells = some if cells is None else cells.joined(some)
    if cells is None or not len(cells):
        return 0.0
    best, previous = 0.0, 0.0
    for _ in range(ROUNDS):
        value, through = of_cells(cells, pieces, lines, ceiling, 1)
        best = max(best, value)
        doubtful = (through < aim) & (high - low > NARROW * np.abs(marks).max())
        extra = min(int(doubtful.sum()), MOST - len(cells))
        gain = value - previous  # each round halves what is lost in cells: another as much may come
        if extra <= 0 or value**2 >= aim or (gain <= GAIN * value and (value + gain) ** 2 < aim):
            return best
        doubtful &= through <= np.partition(through[doubtful], extra - 1)[extra - 1]
        previous = value
        cells, low, high = _halved(found, cells, low, high, doubtful, sigma)
    return best


def _halved(found, cells: Cells, low, high, which, sigma):
    middle = (low[which] + high[which]) / 2
    ends = np.concatenate([low[which], middle]), np.concatenate([middle, high[which]])
    order = np.argsort(ends[0])
    first, last = ends[0][order], ends[1][order]
    rest, low, high = cells.kept(~which), low[~which], high[~which]
    for piece in found:
        upper = math.inf if piece.upper.is_infinite else float(piece.upper)
        lower = -math.inf if piece.lower.is_infinite else float(piece.lower)
        here = (first >= lower) & (last <= upper)
        if here.any():
            some, sound = project(piece.expression, first[here], last[here], sigma)
            rest = rest.joined(some)
            low, high = np.append(low, first[here][sound]), np.append(high, last[here][sound])
    order = np.argsort(low)
    return rest, low[order], high[order]


def _inside(piece: Piece, marks: np.ndarray) -> np.ndarray:
    """The marks within a piece, and doubles next to its ends."""
    low = marks[0] if piece.lower.is_infinite else _double(piece.lower, 1)
    high = marks[-1] if piece.upper.is_infinite else _double(piece.upper, -1)
    low, high = max(low, marks[0]), min(high, marks[-1])
    aside = NARROW * np.abs(marks).max()
    inside = marks[(marks > low + aside) & (marks < high - aside)]
    return np.concatenate([[low], inside, [high]]) if high - low > aside else marks[:0]


def _double(end: sp.Expr, side: int) -> float:
    """The nearest double that is surely on that side of an exact number."""
    near = float(end)
    exact = sp.Rational(near) - end
    return near if exact.is_zero or (exact * side).is_positive else float(np.nextafter(near, side * math.inf))
