"""Breakpoints: where a function or one of its derivatives jumps, by how much, and what smoothness remains."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import sympy as sp

from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.exact.normal import sign, tidy
from analysis.exact.pieces import Piece, Spot, pieces, spots, value_at

JUMPS_SHOWN = 3  # f, f', f''
DEEPEST = 24  # analytic pieces that agree so far at a point and differ are not met in practice


@dataclass(frozen=True)
class Breakpoint:
    """The function is C^smoothness at x and no smoother; jumps[k] is the jump of the k-th derivative, right minus left.

    With free constants `smoothness` is None where it depends on them. A jump is nan where both sides are infinite and
    of one sign. `value` is f(x) where neither side tends to it; the jumps are those between the sides.
    """

    x: sp.Expr
    smoothness: int | None
    jumps: tuple[sp.Expr, ...]
    value: sp.Expr | None = None

    def smooth_if(self, order: int = 1) -> sp.Basic:
        """The condition on the free constants under which all jumps up to that order vanish."""
        return sp.And(*(sp.Eq(sp.numer(sp.together(jump)), 0) for jump in self.jumps[: order + 1] if jump != 0))


def breakpoints(expression: sp.Expr, x: sp.Symbol = X) -> tuple[Breakpoint, ...]:
    """All points where the function is not analytic because its branch changes, from left to right."""
    return breakpoints_of(pieces(expression, x), x, spots(expression, x))


def breakpoints_of(found: tuple[Piece, ...], x: sp.Symbol = X, apart: tuple[Spot, ...] = ()) -> tuple[Breakpoint, ...]:
    alone = {spot.x: spot.value for spot in apart if spot.alone}
    return tuple(_breakpoint(left, right, x, alone.get(left.upper)) for left, right in pairwise(found))


def smoothness(expression: sp.Expr, x: sp.Symbol = X) -> int | sp.Expr | None:
    """The largest k with f in C^k on R: -1, 0, 1, ..., or oo; None where it depends on free constants."""
    return smoothness_of(breakpoints(expression, x))


def smoothness_of(points: tuple[Breakpoint, ...]) -> int | sp.Expr | None:
    known = [point.smoothness for point in points if point.smoothness is not None]
    return min(known, default=sp.oo) if len(known) == len(points) else None


def jump(left: sp.Expr, right: sp.Expr, x: sp.Symbol, at: sp.Expr) -> sp.Expr:
    """right - left at the point, exactly; nan where both are infinite and of one sign."""
    return tidy(value_at(right, x, at, 1) - value_at(left, x, at, -1))


def _breakpoint(left: Piece, right: Piece, x: sp.Symbol, value: sp.Expr | None) -> Breakpoint:
    at = left.upper
    jumps: list[sp.Expr] = []
    decided = value is not None
    smooth: int | None = -1 if decided else None
    left_k, right_k = left.expression, right.expression
    for k in range(DEEPEST):
        if decided and k >= JUMPS_SHOWN:
            return Breakpoint(at, smooth, tuple(jumps[:JUMPS_SHOWN]), value)
        jumps.append(jump(left_k, right_k, x, at))
        if not decided and not _vanishes(jumps[-1]):
            decided, smooth = True, _class_at(jumps)
        left_k, right_k = sp.diff(left_k, x), sp.diff(right_k, x)
    if decided:
        return Breakpoint(at, smooth, tuple(jumps[:JUMPS_SHOWN]), value)
    raise Undecided(f"the order of the breakpoint at {at}: no jump up to derivative {DEEPEST - 1}")


def _vanishes(value: sp.Expr) -> bool:
    """Whether the jump is zero; one that depends on free constants counts as a jump, and so does one that is none."""
    if value.free_symbols:
        return value.is_zero
    return value is not sp.nan and sign(value) == 0


def _class_at(jumps: list[sp.Expr]) -> int | None:
    """The class from the first jump; None if the jump may vanish for some constants."""
    last = jumps[-1]
    return len(jumps) - 2 if not last.free_symbols or last.is_nonzero else None
