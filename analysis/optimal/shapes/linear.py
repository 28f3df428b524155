"""The target of piecewise linear designs: analytic pieces with their jets, and asymptotes at infinite ends."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Literal

import numpy as np
import sympy as sp

from analysis.activation import scalars
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.lowering import NUMPY, Program
from analysis.activation.parsing import X
from analysis.exact.asymptotes import asymptote
from analysis.exact.normal import sign
from analysis.exact.pieces import Piece, pieces, value_at
from analysis.optimal.shapes.curve import Jet

INF = math.inf
FAINT = 1e-3  # of the expected error: no knot is farther out than where f is so near to its asymptote
NOTHING, ROUNDING = 1e-13, 1e-15  # of the error, and of f: so near to it nothing is seen of the distance
FARTHER = 1.5  # times as wide is a gap of the grid beyond there as the one before
MOST = 4096  # pieces
FARTHEST = 1e5


@lru_cache(maxsize=1024)
def _vectorised(expression: sp.Expr) -> Callable[[np.ndarray], list]:
    """A function from many x to f, f', f''; f analytic."""
    return Program.jet(expression, 2).on(NUMPY)


def _at_ends(piece: Piece, jet: Jet) -> Iterator[tuple[float, list[float]]]:
    """The ends of a piece where its expression has no value or no slope, with the limits of both, and no curvature."""
    for end, side in ((piece.lower, 1), (piece.upper, -1)):
        if end.is_finite and not all(map(math.isfinite, jet(float(end)))):
            value, slope = (value_at(sp.diff(piece.expression, X, k), X, end, side) for k in (0, 1))
            if value.is_infinite:
                raise BadInput(
                    f"expected a target that is bounded on the domain, got one that goes to {value} at {end}"
                )
            yield float(end), [float(value), float(slope), 0.0]


def _mended(jet: Jet, ends: dict[float, list[float]]) -> Jet:
    return (lambda x: ends[x] if x in ends else jet(x)) if ends else jet


class Target:
    """f on a domain, as the walk needs it: analytic pieces, and asymptotes at infinite ends."""

    def __init__(self, expression: sp.Expr, lower: sp.Expr, upper: sp.Expr):
        self.expression, self.lower, self.upper = expression, lower, upper
        self.pieces = pieces(expression, X, lower, upper)
        known = [(piece, scalars.jet(piece.expression, 2)) for piece in self.pieces]
        self.at_ends = [dict(_at_ends(piece, jet)) for piece, jet in known]
        self.jets = [_mended(jet, ends) for (_, jet), ends in zip(known, self.at_ends, strict=True)]
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

    @cached_property
    def jump(self) -> tuple[sp.Expr, sp.Expr] | None:
        """(x, size) of the largest jump inside the domain, exactly; None for a continuous target."""
        largest, size = None, sp.S.Zero
        for left, right in pairwise(self.pieces):
            before, after = (value_at(p.expression, X, right.lower, side) for p, side in ((left, -1), (right, 1)))
            found = sp.simplify(after - before) if before.is_finite and after.is_finite else sp.oo
            if found.is_infinite or (sign(found) and sign(abs(found) - size) > 0):
                largest, size = (right.lower, abs(found)), abs(found)
        return largest

    @cached_property
    def half_jump(self) -> float:
        """No continuous function is nearer: half the largest jump, rounded down."""
        if self.jump is None:
            return 0.0
        near = float(self.jump[1]) / 2
        return near if sp.Rational(near) <= self.jump[1] / 2 else float(np.nextafter(near, 0))

    def jet_at(self, x: float) -> Jet:
        return self.jets[bisect_right(self.breaks, x)]

    def values(self, x: np.ndarray, side: Literal["left", "right"] = "right") -> np.ndarray:
        """Rows f, f', f'' at many points; at a break those of the piece on that side."""
        place = np.searchsorted(np.array(self.breaks), x, side)
        found = np.empty((3, len(x)))
        with np.errstate(all="ignore"):
            for i in np.unique(place):
                here = place == i
                for row, value in zip(found, _vectorised(self.pieces[i].expression)(x[here]), strict=True):
                    row[here] = value
                for end, jet in self.at_ends[i].items():
                    found[:, here & (x == end)] = np.reshape(jet, (3, 1))
        return found

    def beyond(self, error: float, ends: tuple[float, float]) -> tuple[list[float], list[float]]:
        """Points beyond both ends of the reach, ever farther apart, to where f is all but its asymptote in doubles."""
        left, right = (self._beyond(k, end, error) for k, end in zip((0, -1), ends, strict=True))
        return left[::-1], right

    def _beyond(self, end: int, x: float, error: float) -> list[float]:
        line, found = self.lines[end], []
        if line is None:
            return []
        direction = 1 if end else -1
        distance, before, step = INF, INF, max(abs(x) / 4, 1.0)
        while distance > max(NOTHING * error, ROUNDING * abs(line[0] * x)) and abs(x) < FARTHEST**3:
            x, step = x + direction * step, FARTHER * step
            distance, before = abs(self.jets[end](x)[0] - line[0] * x - line[1]), distance
            if not distance <= before:
                break
            found.append(x)
        return found

    def reach(self, error: float, farthest: float = FARTHEST) -> tuple[float, float]:
        """The finite part of the domain beyond which f is nowhere near as far as `error` from its asymptotes."""
        low, high = self._reach(0, -1, error, farthest), self._reach(-1, 1, error, farthest)
        return low, max(high, low + 1.0) if self.outer[1] else high

    def _reach(self, end: int, direction: int, error: float, farthest: float) -> float:
        line = self.lines[end]
        if line is None:
            return float(self.lower if direction < 0 else self.upper)
        slope, intercept = line
        x = max([1.0, *(direction * b + 1.0 for b in self.breaks[end:][:1])])
        distance = INF
        while distance > FAINT * error and x < farthest:
            x *= 1.25
            distance = abs(self.jets[end](direction * x)[0] - slope * direction * x - intercept)
        if not distance <= FAINT * error:
            raise Undecided(f"a design near which f comes to its asymptote only beyond {direction * farthest:g}")
        return direction * x
