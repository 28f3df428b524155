"""The target of piecewise linear designs: analytic pieces with their jets, and asymptotes at infinite ends."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
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
MOST = 4096  # pieces
FARTHEST = 1e5


@lru_cache(maxsize=1024)
def _vectorised(expression: sp.Expr) -> Callable[[np.ndarray], list]:
    """A function from many x to f, f', f''; f analytic."""
    return Program.jet(expression, 2).on(NUMPY)


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
