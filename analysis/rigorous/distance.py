"""The supremum of f or |f| over an interval or over R, enclosed, with a point that attains the lower bound.

Exact breakpoints split the domain; tails are bounded by their envelopes; on what is left, intervals are discarded by
value, by monotonicity or by the mean-value form, and bisected otherwise, the most promising first.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp
from flint import arb, ctx

from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.exact.asymptotes import limit_at_infinity
from analysis.exact.breakpoints import value_at
from analysis.exact.normal import is_zero
from analysis.exact.pieces import Piece, pieces
from analysis.rigorous import balls
from analysis.rigorous.balls import Pair
from analysis.rigorous.tails import below, beyond

FARTHEST = 2**14  # tails begin no later than here
MOST_INTERVALS = 200_000
NEGLIGIBLE = arb(1e-30)  # absolute, for suprema that are zero


@dataclass(frozen=True)
class Supremum:
    """lower <= sup <= upper; `x`, an exact point or +-oo, attains the lower bound; `reason` says why it is infinite."""

    lower: arb
    upper: arb
    x: sp.Expr
    reason: str = ""
    is_size: bool = True  # of |f|, and so not negative

    def pair(self, digits: int = 15) -> Pair:
        """Two decimal strings, rounded outward."""
        if self.reason:
            return "inf", "inf"
        low, high = balls.decimals(self.lower, digits)[0], balls.decimals(self.upper, digits)[1]
        return ("0" if self.is_size and low.startswith("-") else low), high


def supremum(f: sp.Expr, lower: sp.Expr = -sp.oo, upper: sp.Expr = sp.oo, tol: float = 1e-12) -> Supremum:
    """sup |f| over (lower, upper) to the relative width tol; Undecided where a tail or a breakpoint resists."""
    return supremum_of(pieces(f, X, lower, upper), tol)


def supremum_of(found: tuple[Piece, ...], tol: float = 1e-12, size: Callable[[arb], arb] = abs) -> Supremum:
    """The supremum of size(f) for f given by its pieces; `size` is abs, or the identity for sup f itself."""
    with ctx.workprec(balls.PRECISION):
        search = _Search(tol, size)
        for piece in found:
            infinite = search.add_piece(piece)
            if infinite is not None:
                return infinite
        return search.finish()


class _Search:
    """The best lower bound so far, and the intervals that may hold a larger value."""

    def __init__(self, tol: float, size: Callable[[arb], arb]):
        self.tol, self.size = arb(tol), size
        self.best, self.place = arb.neg_inf(), sp.S.Zero
        self.ceiling = arb.neg_inf()  # over what has been settled
        self.queue: list = []
        self.ticket = itertools.count()

    # what bounds the supremum

    def point(self, value: arb, x: sp.Expr) -> None:
        """f takes this value at x, or tends to it."""
        size = self.size(value)
        if size.lower() > self.best:
            self.best, self.place = size.lower(), x
        self.settle(size.upper())

    def settle(self, bound: arb) -> None:
        if bound > self.ceiling:
            self.ceiling = bound

    def is_beaten(self, bound: arb) -> bool:
        """Whether values up to the bound change the answer by less than the tolerance."""
        return bool(bound <= self.best + abs(self.best) * self.tol + NEGLIGIBLE)

    # pieces

    def add_piece(self, piece: Piece) -> Supremum | None:
        if is_zero(sp.diff(piece.expression, X)):
            self.point(balls.enclose(piece.expression.subs(X, piece.inside)), piece.inside)
            return None
        ends = []
        for end, direction in ((piece.lower, -1), (piece.upper, 1)):
            if end.is_finite:
                self.point(balls.enclose(value_at(piece.expression, X, end)), end)
                ends.append(end)
                continue
            limit, far = limit_at_infinity(piece.expression, direction), sp.oo * direction
            if not limit.is_finite and (self.size is abs or limit == sp.oo):
                return Supremum(arb.pos_inf(), arb.pos_inf(), far, f"it tends to {limit} as x tends to {far}")
            if limit.is_finite:
                self.point(balls.enclose(limit), far)
            ends.append(None)
        work = _Work(piece.expression, self.size)
        self._sample(work, piece)
        for i, direction in enumerate((-1, 1)):
            if ends[i] is None:
                ends[i] = self._cut_tail(piece, direction, ends[1 - i])
        self.push(_Interval(work, balls.enclose(ends[0]), balls.enclose(ends[1])))
        return None

    def _sample(self, work: _Work, piece: Piece) -> None:
        """A first lower bound, so that tails and poor intervals are discarded early."""
        low, high = max(piece.lower, sp.Integer(-12)), min(piece.upper, sp.Integer(12))
        if low.is_Rational and high.is_Rational and low < high:
            for k in range(1, 24):
                x = low + (high - low) * sp.Rational(k, 24)
                self.point(work.f(balls.enclose(x)), x)

    def _cut_tail(self, piece: Piece, direction: int, other: sp.Expr | None) -> sp.Expr:
        """Where the tail begins that the envelope settles."""
        start = 8
        while other is not None and direction * other >= start:
            start *= 2
        reason = ""
        while start <= FARTHEST:
            try:
                bound = self._tail_bound(piece.expression, direction, start)
                if self.is_beaten(bound):
                    self.settle(bound)
                    return sp.Integer(direction * start)
            except Undecided as problem:
                reason = f": {problem}"
            start *= 2
        raise Undecided(f"the tail beyond {direction * FARTHEST}{reason}")

    def _tail_bound(self, f: sp.Expr, direction: int, start: int) -> arb:
        if limit_at_infinity(f, direction) == -sp.oo:
            return below(f, direction, start)
        limit, rest = beyond(f, direction, start)
        return self.size(balls.enclose(limit) + arb(0, 1) * rest).upper()

    # intervals

    def push(self, interval: _Interval) -> None:
        bound = interval.bound()
        if self.is_beaten(bound):
            self.settle(bound)
        else:
            heapq.heappush(self.queue, (-float(bound), next(self.ticket), interval))

    def finish(self) -> Supremum:
        for _ in range(MOST_INTERVALS):
            if not self.queue:
                break
            _, _, interval = heapq.heappop(self.queue)
            if self.is_beaten(interval.bound()):
                self.settle(interval.bound())
                continue
            self.point(interval.middle_value(), interval.middle())
            if interval.is_monotone():
                for value, x in interval.ends():
                    self.point(value, x)
                continue
            for half in interval.halves():
                self.push(half)
        else:
            raise Undecided(f"the supremum after {MOST_INTERVALS} intervals")
        return Supremum(self.best, self.ceiling.max(self.best), self.place, is_size=self.size is abs)


class _Work:
    """Ball evaluators of f and its first two derivatives, and the size that is measured."""

    def __init__(self, f: sp.Expr, size: Callable[[arb], arb]):
        self.f, self.slope, self.curvature = (balls.evaluator(sp.diff(f, X, k)) for k in (0, 1, 2))
        self.size = size


class _Interval:
    """[low, high] with enclosures of f there; low and high are thin balls."""

    def __init__(self, work: _Work, low: arb, high: arb):
        self.work, self.low, self.high = work, low, high
        self.hull = low.union(high)
        self.slope = self._over(work.slope)
        self._bound: arb | None = None

    def _over(self, evaluate) -> arb:
        try:
            value = evaluate(self.hull)
        except ZeroDivisionError:  # a wide ball around a denominator
            return arb(0, float("inf"))
        return value if value.is_finite() else arb(0, float("inf"))

    def middle(self) -> sp.Expr:
        exact = balls.fraction(self.hull.mid())
        return sp.Rational(exact.numerator, exact.denominator)

    def middle_value(self) -> arb:
        return self.work.f(self.hull.mid())

    def bound(self) -> arb:
        """The least of: the range, the mean-value form, and the second-order form with an enclosed slope."""
        if self._bound is None:
            direct = self.work.size(self._over(self.work.f)).upper()
            aside = self.hull - self.hull.mid()
            centred = self.middle_value() + self.slope * aside
            self._bound = direct.min(self.work.size(centred).upper())
            if self.slope.contains(0) and float(aside.abs_upper()) < 0.25:
                self._bound = self._bound.min(self._second_order())
        return self._bound

    def _second_order(self) -> arb:
        """With f'' of one sign there is at most one stationary point, enclosed by a step of interval Newton."""
        curvature = self._over(self.work.curvature)
        if curvature.contains(0) or not curvature.is_finite():
            return arb.pos_inf()
        middle = self.hull.mid()
        newton = middle - self.work.slope(middle) / curvature
        ends = [self.work.size(self.work.f(end)).upper() for end in (self.low, self.high)]
        bound = ends[0].max(ends[1])
        if newton.overlaps(self.hull):
            try:
                stationary = newton.intersection(self.hull)
            except ValueError:
                return bound
            slope = self.work.slope(stationary)
            value = self.work.f(stationary.mid()) + slope * (stationary - stationary.mid())
            bound = bound.max(self.work.size(value).upper())
        return bound

    def is_monotone(self) -> bool:
        return not self.slope.contains(0)

    def ends(self):
        return ((self.work.f(end), _rational(end)) for end in (self.low, self.high))

    def halves(self) -> tuple[_Interval, _Interval]:
        middle = self.hull.mid()
        return _Interval(self.work, self.low, middle), _Interval(self.work, middle, self.high)


def _rational(end: arb) -> sp.Expr:
    exact = balls.fraction(end.mid())
    return sp.Rational(exact.numerator, exact.denominator)
