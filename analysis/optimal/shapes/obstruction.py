"""Proof that no continuous piecewise linear function of so many pieces is nearer: a chain of obstructions, in balls.

Claim: let g be continuous and piecewise linear with |g - f| < E. Let x1 < x2 < x3 be the points of the obstruction k
and L the line with L(x1) = f(x1) - s E, L(x2) = f(x2) + s E, where s (f(x3) - L(x3)) >= E. If g has at most k links
up to some x >= x2, then s g(x) < s L(x); so its k-th link ends before x3.

Proof, for s = 1, by induction. Let M be the k-th link, begun at b; by induction b < q, the x3 of the obstruction before
(the beginning of the domain for k = 1). M lies in the open tube from q on. If x1 and x2 are not before q, M passes
above L at x1 and below it at x2, so it is below L from x2 on. A point before q, but not before p, the x2 of the
obstruction before, is allowed on the wall that the line L' of that obstruction touched at p: the upper wall if L' left
through the lower one. Say that it is x1, on the lower wall; L' then left through the upper one. If b <= x1, M lies in
the tube at x1 as before. Else M is above L' at b by induction, and below it at q, where L' is not below the tube; it
is above L' at x1 too, where L' is not below the lower wall, hence above L at x1. The same with the walls exchanged if
it is x2, on the upper wall.

At an infinite end the outermost link is the asymptote itself, which takes the part of L'; at the left end it is in
the tube up to q, and p = -inf. There x1 may be -inf too: L is then the line through L(x2) that is parallel to the
asymptote, and M, which crosses the asymptote and passes L at x2, stays on that side of L from there on. At the right
end the last link M meets the asymptote R not before the point x_R at which R leaves the tube, through the wall of side
r say. An obstruction with x3 <= x_R stops M. So does one of side -r with x2 <= x_R where R is in the tube at x3: M
comes to R from the side r, so it is on the inner side of R at x3.

Links that need not meet are stopped by obstructions that follow one another without overlap: one of the links then has
to pass a whole one.

Every condition is about the values of f at finitely many exact points.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import sympy as sp
from flint import arb, ctx, fmpq

from analysis.activation.parsing import X
from analysis.exact.normal import sign
from analysis.exact.pieces import Piece, value_at
from analysis.optimal.shapes.curve import Obstruction
from analysis.optimal.shapes.grid import Attempt
from analysis.optimal.shapes.linear import Target
from analysis.rigorous import balls

BITS = 160


class Chain:
    """The obstructions of a walk, at an error a little below its own."""

    def __init__(self, target: Target, attempt: Attempt, error: Fraction):
        self.target, self.attempt, self.exact = target, attempt, error

    def proves(self) -> bool:
        """Whether no function with a link for each obstruction, besides the asymptotes, is nearer than `error`."""
        with ctx.workprec(BITS):
            self.error = _ball(self.exact)
            before = self._first()
            if before is None:
                return False
            for one in self.attempt.obstructions:
                if not (self._begins(one, *before) and self._leaves(line := self._line(one), one.side, one.x3)):
                    return False
                before = line, one.side, one.x2, one.x3
            return self._stops(before)

    def _first(self) -> tuple | None:
        """(line, side, p, q) of what comes before the first link that is free."""
        begin, line = self.attempt.begin, self.target.outer[0]
        if line is None:
            return None, 0, begin.p, begin.q
        known = _asymptote(line)
        return (known, begin.side, -math.inf, begin.q) if self._leaves(known, begin.side, begin.q) else None

    def _line(self, one: Obstruction) -> Callable[[arb], arb]:
        x2, y2 = _ball(Fraction(one.x2)), self._wall(one.x2, -one.side)
        if one.x1 == -math.inf:
            assert self.target.outer[0]
            slope = balls.enclose(self.target.outer[0][0])
        else:
            slope = (y2 - self._wall(one.x1, one.side)) / (x2 - _ball(Fraction(one.x1)))
        return lambda x: y2 + slope * (x - x2)

    def _begins(self, one: Obstruction, line: Callable | None, side: int, p: float, q: float) -> bool:
        """Whether both touching points are among those that bound the link."""
        if not one.x1 < one.x2 < one.x3:
            return False
        for x, wall in ((one.x1, one.side), (one.x2, -one.side)):
            if x >= q:
                continue
            if self.attempt.apart or line is None or wall == side or x < p:
                return False
            if x != p and not wall * (self._wall(x, wall) - line(_ball(Fraction(x)))) <= 0:
                return False
        return True

    def _leaves(self, line: Callable[[arb], arb], side: int, x: float) -> bool:
        return bool(side and side * (self._wall(x, side) - line(_ball(Fraction(x)))) >= 0)

    def _stops(self, last: tuple) -> bool:
        """Whether the last link does not arrive."""
        _, side, p, q = last
        end, line = self.attempt.end, self.target.outer[1]
        if line is None:
            return sign(self.target.upper - sp.Rational(q)) >= 0
        known = _asymptote(line)
        if not self._leaves(known, end.side, end.x):
            return False
        if q <= end.x:
            return True
        inside = side * (self._wall(q, side) - known(_ball(Fraction(q)))) <= 0
        return bool(side == -end.side and p <= end.x and inside)

    def _wall(self, x: float, side: int) -> arb:
        """The lower wall for side 1, the upper for -1."""
        return self._f(x, side) - side * self.error

    def _f(self, x: float, wall: int) -> arb:
        """f at x; where it jumps, the larger limit for the lower wall and the smaller one for the upper."""
        at = Fraction(x)
        values = [_value(piece, at) for piece in self.target.pieces if _reaches(piece, at)]
        if len(values) < 2:
            return values[0] if values else arb.nan()
        return values[0].max(values[1]) if wall > 0 else values[0].min(values[1])


def _value(piece: Piece, x: Fraction) -> arb:
    """The value of a piece, at an end the limit if its expression has none."""
    value = balls.evaluator(piece.expression)(_ball(x))
    if not value.is_finite():
        for end, side in ((piece.lower, 1), (piece.upper, -1)):
            if end.is_finite and _compare(x, end) == 0:
                return balls.enclose(value_at(piece.expression, X, end, side))
    return value


def _reaches(piece: Piece, x: Fraction) -> bool:
    return _compare(x, piece.lower) >= 0 and _compare(x, piece.upper) <= 0


def _compare(x: Fraction, end: sp.Expr) -> int:
    """-1, 0 or 1; by algebra where balls do not tell."""
    if end.is_infinite:
        return -1 if end == sp.oo else 1
    if end.is_Rational:
        other = Fraction(int(end.p), int(end.q))
        return (x > other) - (x < other)
    difference = _ball(x) - balls.enclose(end)
    if difference.contains(0):
        return sign(sp.Rational(x.numerator, x.denominator) - end)
    return 1 if difference > 0 else -1


def _asymptote(line: tuple[sp.Expr, sp.Expr] | None) -> Callable[[arb], arb]:
    assert line is not None
    return lambda x: balls.enclose(line[0]) * x + balls.enclose(line[1])


def _ball(value: Fraction) -> arb:
    return arb(fmpq(value.numerator, value.denominator))
