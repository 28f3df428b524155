"""The supremum of f or |f| over an interval or over R, enclosed, with a point that attains the lower bound.

Exact breakpoints split the domain into pieces, a piece into cells: intervals, and tails that reach to infinity. A cell
is discarded where its bound is no larger than a value that f takes: tails by their envelopes, intervals by the range of
f, by the mean-value form or by the second-order form. On what is left f is monotone, or is concave and lies below a
tangent, or the cell is halved; the most promising cell comes first. What does not depend on the tolerance (pieces,
derivatives, envelopes) is kept from call to call; suprema are not.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp
from flint import arb, ctx

from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.exact import normal
from analysis.exact.asymptotes import limit_at, limit_at_infinity
from analysis.exact.normal import is_zero
from analysis.exact.pieces import Piece, Spot, pieces, spots
from analysis.rigorous import balls, tails
from analysis.rigorous.balls import Pair

FIRST_TAIL = 4  # where tails begin
DOUBLINGS = 12  # of the start of a tail
MOST_CELLS = 50_000
HALVINGS = 400
HIGHEST_ZERO = 6  # of a numerator and a denominator that vanish together
TANGENTS = 8  # steps of Newton's method towards the summit of a concave function
GUARD_BITS = 40  # beyond those of the tolerance
FINEST = 4096  # bits
NEGLIGIBLE = (1e-18, 1e-100, 0.0)  # times the tolerance: absolute, for suprema that are zero; as little as is reached

_ZERO = arb(0)
Size = Callable[[arb], arb]
Jet = Callable[[arb], list[arb]]  # from a ball to enclosures of f, f', ... on it


@dataclass(frozen=True)
class Supremum:
    """lower <= sup <= upper; `x`, an exact point or +-oo, attains the lower bound; `reason` says why it is infinite."""

    lower: arb
    upper: arb
    x: sp.Expr
    reason: str = ""
    is_size: bool = True  # of |f|, and so not negative
    digits: int = 15  # that show the tolerance

    def pair(self, digits: int | None = None) -> Pair:
        """Two decimal strings, rounded outward."""
        if self.reason:
            return "inf", "inf"
        low, high = (balls.decimals(end, digits or self.digits)[i] for i, end in enumerate((self.lower, self.upper)))
        return ("0" if self.is_size and low.startswith("-") else low), high


def supremum(f: sp.Expr, lower: sp.Expr = -sp.oo, upper: sp.Expr = sp.oo, tol: float = 1e-12) -> Supremum:
    """sup |f| over [lower, upper] to the relative width tol; Undecided where a tail or a breakpoint resists."""
    return supremum_of(pieces(f, X, lower, upper), tol, apart=spots(f, X, lower, upper))


def supremum_of(found: Iterable[Piece], tol: float = 1e-12, size: Size = abs, apart: Iterable[Spot] = ()) -> Supremum:
    """The supremum of size(f) for f given by its pieces, and by its values `apart` from them.

    `size` is abs, or the identity for sup f itself.
    """
    return _best_searched([*map(_ready, found), *map(_ReadySpot, apart)], tol, size)


def _best_searched(ready: list[_Ready], tol: float, size: Size) -> Supremum:
    for piece in ready:
        for end, limit in piece.limits.items():
            if limit == sp.oo or (size is abs and limit.is_infinite):
                return Supremum(arb.pos_inf(), arb.pos_inf(), end, f"it tends to {limit} as x tends to {end}")
    best = _searched(ready, tol, size, NEGLIGIBLE[0])
    for negligible in NEGLIGIBLE[1:]:
        if best.upper - best.lower <= abs(best.lower) * tol:
            break
        try:
            best = _searched(ready, tol, size, negligible)
        except Undecided:
            break
    return best


@dataclass(frozen=True)
class Beside:
    """An analytic piece of f, less a line that is given by its values at two exact points."""

    piece: Piece
    points: tuple[tuple[sp.Expr, sp.Expr], tuple[sp.Expr, sp.Expr]]


def supremum_beside(
    found: Iterable[Beside], tails_: Iterable[Piece] = (), tol: float = 1e-12, apart: Iterable[Spot] = ()
) -> Supremum:
    """sup |f - g| for a piecewise linear g: what `supremum_of` gives, without algebra for each of many pieces.

    `tails_` are pieces of f - g itself, for those that reach to infinity, and `apart` its values apart from the pieces.
    """
    return _best_searched([*map(_Ready, tails_), *map(_ReadyBeside, found), *map(_ReadySpot, apart)], tol, abs)


class _TooCoarse(Exception):
    """Rounding hides what is sought."""


def _searched(ready: list[_Ready], tol: float, size: Size, negligible: float) -> Supremum:
    bits = GUARD_BITS + math.ceil(-math.log2(tol))
    while bits <= FINEST:
        try:
            with ctx.workprec(bits):
                return _Search(tol, size, negligible).over(ready)
        except _TooCoarse:
            bits *= 2
    raise Undecided(f"the supremum, which rounding hides at {FINEST} bits")


class _Search:
    """The best lower bound so far, and the cells that may hold a larger value."""

    def __init__(self, tol: float, size: Size, negligible: float):
        self.size, self.signs = size, (1, -1) if size is abs else (1,)
        self.share, self.negligible = arb(tol) / 2, arb(tol) * negligible
        self.digits = max(15, 3 - math.floor(math.log10(tol)))
        self.best, self.place = arb.neg_inf(), sp.S.Zero
        self.enough = arb.neg_inf()  # what is no larger changes the answer by less than the tolerance
        self.ceiling = arb.neg_inf()  # over what has been settled
        self.queue: list[tuple[float, int, _Cell]] = []
        self.ticket = itertools.count()

    def over(self, ready: list[_Ready]) -> Supremum:
        for piece in ready:
            for x, value in piece.known():
                if not self.point(value, x) and piece.is_constant:
                    raise _TooCoarse
        for piece in ready:
            self.push(piece.cells())
        for _ in range(MOST_CELLS):
            if not self.queue:
                break
            _, _, cell = heapq.heappop(self.queue)
            if not self.settled(cell.most):
                self.push(cell.refined(self))
        else:
            raise Undecided(f"the supremum after {MOST_CELLS} intervals")
        if not self.is_beaten(self.ceiling):
            raise _TooCoarse
        upper = max(self.best, self.ceiling)
        return Supremum(self.best, upper, _exactly(self.place), is_size=self.size is abs, digits=self.digits)

    def push(self, cells: Iterable[_Cell]) -> None:
        for cell in cells:
            cell.most = cell.bound(self)
            if cell.most.is_nan():
                cell.most = arb.pos_inf()
            if not self.settled(cell.most):
                heapq.heappush(self.queue, (-float(cell.most), next(self.ticket), cell))

    def point(self, value: arb, x: sp.Expr | arb) -> bool:
        """f takes this value at x, or tends to it; False, and nothing is learnt, where the value is not known."""
        size = self.size(value)
        most = size.upper()
        if most > self.ceiling and value.is_finite():
            self.ceiling = most
        if most > self.best and (least := size.lower()) > self.best and (isinstance(x, sp.Expr) or x.is_exact()):
            self.best, self.place = least, x
            self.enough = (least + abs(least) * self.share + self.negligible).lower()
        return value.is_finite()

    def is_beaten(self, bound: arb) -> bool:
        """Whether values up to the bound change the answer by less than the tolerance."""
        return bool(bound <= self.enough)

    def settled(self, bound: arb) -> bool:
        """Whether the bound is beaten; it then counts."""
        most = bound.upper()
        if not most <= self.enough:
            return False
        if most > self.ceiling:
            self.ceiling = most
        return True


# pieces


@lru_cache(maxsize=1024)
def _ready(piece: Piece) -> _Ready:
    return _Ready(piece)


class _Ready:
    """A piece with what the search needs: evaluators of f, f', f'', limits at the ends, where its tails begin."""

    def __init__(self, piece: Piece):
        self.f, self.inside, self.ends = piece.expression, piece.inside, (piece.lower, piece.upper)
        self.value, self.slope, self.curvature = (balls.jet(self.f, order) for order in range(3))
        self.is_constant = self._is_constant()
        self.limits: dict[sp.Expr, sp.Expr] = {} if self.is_constant else dict(self._limits())
        for end, limit in self.limits.items():
            if end.is_finite and limit.is_finite and (filled := _filled(self.f, end)):
                self.value, self.slope, self.curvature = (
                    _narrowest(known, filled(order))
                    for order, known in enumerate((self.value, self.slope, self.curvature))
                )
        self.starts = self._start(-1, *self.ends), self._start(1, *reversed(self.ends))

    def _is_constant(self) -> bool:
        """Whether f' vanishes identically: a ball may tell that it does not, algebra that it does."""
        anchor = next((end for end in self.ends if end.is_finite), sp.S.NegativeOne)
        for k in range(0, 64, 8):  # ever nearer to one end, where all of a steep function may happen
            if not self.slope(balls.enclose(anchor + (self.inside - anchor) / 2**k))[1].contains(0):
                return False
        return bool(is_zero(sp.diff(self.f, X)))

    def _limits(self) -> Iterator[tuple[sp.Expr, sp.Expr]]:
        """At infinity, and where f itself has no value; none of a function like sin, whose tails decide."""
        for end, direction in zip(self.ends, (-1, 1), strict=True):
            try:
                if end.is_infinite:
                    yield end, limit_at_infinity(self.f, direction)
                elif not self.value(balls.enclose(end))[0].is_finite():
                    yield end, limit_at(self.f, end, -direction)
            except Undecided:
                continue

    def _start(self, direction: int, end: sp.Expr, other: sp.Expr) -> int | None:
        """Where the tail towards this end begins, if the end is far away."""
        end, other = direction * end, direction * other
        start = FIRST_TAIL
        while other >= start:
            start *= 2
        return start if end > start << DOUBLINGS else None

    def known(self) -> Iterator[tuple[sp.Expr, arb]]:
        """Values at the ends, or limits there; one value if it is the only one."""
        if self.is_constant:
            yield self.inside, balls.enclose(self.f.subs(X, self.inside))
            return
        for end in self.ends:
            if end not in self.limits and end.is_finite:
                yield end, self.value(balls.enclose(end))[0]
            elif end in self.limits and self.limits[end].is_finite:
                yield end, balls.enclose(self.limits[end])

    def cells(self) -> Iterator[_Cell]:
        """One interval, and the tails that make up the piece with it."""
        if self.is_constant:
            return
        for direction, start, end in zip((-1, 1), self.starts, self.ends, strict=True):
            if start is not None:
                yield _Tail(self, direction, start, end)
        (low, high), (first, last) = self.ends, self.starts
        yield _Interval(
            self,
            balls.enclose(low) if first is None else arb(-first),
            balls.enclose(high) if last is None else arb(last),
        )


def _filled(f: sp.Expr, end: sp.Expr) -> Callable[[int], Jet] | None:
    """The jets of f = N/D from an end at which N and D vanish to the order m, as sin(x)/x from 0; None elsewhere.

    By Taylor's theorem the k-th derivative of N/(x - end)^m at x is k!/(m + k)! times a mean of N^(m + k) on the way
    from the end to x; so is that of D, and f is their quotient.
    """
    parts = sp.fraction(sp.together(f))
    try:
        orders = [_order_of_zero(part, end) for part in parts]
    except Undecided:
        return None
    m = orders[1]
    if m == 0 or orders[0] < m:
        return None

    def filled(order: int) -> Jet:
        jets = [balls.jet(part, m + order) for part in parts]
        shares = [sp.Rational(math.factorial(k), math.factorial(m + k)) for k in range(order + 1)]

        def values(at: arb) -> list[arb]:
            way = at.union(balls.enclose(end))
            n, d = ([balls.enclose(c) * v for c, v in zip(shares, jet(way)[m:], strict=True)] for jet in jets)
            found = [n[0] / d[0]]
            if order > 0:
                found.append((n[1] - found[0] * d[1]) / d[0])
            if order > 1:
                found.append((n[2] - 2 * found[1] * d[1] - found[0] * d[2]) / d[0])
            return found

        return values

    return filled


def _order_of_zero(f: sp.Expr, at: sp.Expr) -> int:
    """How many derivatives of f, counted from f itself, vanish there; no more than HIGHEST_ZERO are looked at."""
    for order in range(HIGHEST_ZERO):
        if normal.sign(f.subs(X, at)) != 0:
            return order
        f = sp.diff(f, X)
    return HIGHEST_ZERO


def _narrowest(one: Jet, other: Jet) -> Jet:
    """Where both are finite, what they have in common."""

    def meet(a: arb, b: arb) -> arb:
        return b if not a.is_finite() else a if not b.is_finite() else a.intersection(b)

    return lambda at: [meet(a, b) for a, b in zip(one(at), other(at), strict=True)]


class _ReadySpot(_Ready):
    """A point of the domain, as a piece on which f has one value."""

    def __init__(self, spot: Spot):
        self.f, self.inside, self.ends = spot.value, spot.x, (spot.x, spot.x)
        self.is_constant, self.limits, self.starts = True, {}, (None, None)


class _ReadyBeside(_Ready):
    """The same for a piece less a line, from the jets of the piece alone."""

    def __init__(self, beside: Beside):
        piece = beside.piece
        self.f, self.inside, self.ends = sp.S.Zero, piece.inside, (piece.lower, piece.upper)
        self.is_constant, self.limits, self.starts = False, {}, (None, None)
        (x, y), (x2, y2) = beside.points
        exact = x, y, (y2 - y) / (x2 - x)
        enclosed: dict[int, tuple[arb, ...]] = {}  # at each precision

        def less(order: int) -> Callable[[arb], list[arb]]:
            jet = balls.jet(piece.expression, order)

            def values(at: arb) -> list[arb]:
                if ctx.prec not in enclosed:
                    enclosed[ctx.prec] = tuple(map(balls.enclose, exact))
                a, b, m = enclosed[ctx.prec]
                found = jet(at)
                found[0] = found[0] - (b + m * (at - a))
                if order:
                    found[1] = found[1] - m
                return found

            return values

        self.value, self.slope, self.curvature = (less(order) for order in range(3))


# cells


class _Tail:
    """direction*x >= start, as far as the end, finite or not; `doubled` says how often the start was."""

    most: arb

    def __init__(self, ready: _Ready, direction: int, start: int, end: sp.Expr, doubled: int = 0):
        self.ready, self.direction, self.start, self.end, self.doubled = ready, direction, start, end, doubled

    def bound(self, search: _Search) -> arb:
        """An upper bound of the size; infinite where the envelopes have no rule."""
        most = arb.pos_inf()
        for one_sided in (False, True):
            values = _extremes(self.ready.f, self.direction, self.start, one_sided, ctx.prec)
            if values:
                most = max(search.size(value).upper() for value in values)
            if search.is_beaten(most):
                break
        return most

    def refined(self, _search: _Search) -> list[_Cell]:
        """The interval up to twice the start, and the tail beyond it."""
        low, nearer = arb(self.direction * self.start), arb(self.direction * 2 * self.start)
        if self.doubled < DOUBLINGS:
            beyond = _Tail(self.ready, self.direction, 2 * self.start, self.end, self.doubled + 1)
            return [beyond, _Interval(self.ready, low.min(nearer), low.max(nearer))]
        if self.end.is_infinite:
            raise Undecided(f"the tail beyond {self.direction * self.start}{_why(self.ready.f, self.direction)}")
        end = balls.enclose(self.end)
        return [_Interval(self.ready, low.min(end), low.max(end))]


@lru_cache(maxsize=4096)
def _extremes(f: sp.Expr, direction: int, start: int, one_sided: bool, _bits: int) -> tuple[arb, ...]:
    """Balls between which f stays on a tail; none where that is not known.

    `one_sided` asks for the proof that f does not cross its limit.
    """
    try:
        if limit_at_infinity(f, direction) == -sp.oo:
            return (tails.below(f, direction, start),)
        limit, rest = tails.beyond(f, direction, start)
        side = tails.side(f - limit, direction, start) if one_sided else 0
    except Undecided:
        return ()
    settled = balls.enclose(limit)
    values = settled, *(settled + sign * rest for sign in ((side,) if side else (-1, 1)))
    return values if all(value.is_finite() for value in values) else ()


def _why(f: sp.Expr, direction: int) -> str:
    try:
        tails.beyond(f, direction, FIRST_TAIL << DOUBLINGS)
    except Undecided as problem:
        return f": {problem}"
    return ""


class _Interval:
    """[low, high], thin balls, with enclosures of f, f' and f'' over it."""

    most: arb

    def __init__(self, ready: _Ready, low: arb, high: arb, halved: int = 0):
        self.ready, self.low, self.high, self.halved = ready, low, high, halved
        self.hull = low.union(high)
        self.middle = self.hull.mid()
        self.spread, self.rounding = arb.pos_inf(), _ZERO  # of f around its value in the middle, and of that value
        self.is_steep = False  # in the middle, and not much less steep elsewhere

    def bound(self, search: _Search) -> arb:
        """An upper bound of the size: by the range, the mean-value form, or the second-order form."""
        self.around = self.ready.curvature(self.hull)
        value, slope, curvature = self.around
        direct = search.size(value).upper()
        if search.is_beaten(direct) or not self.low < self.middle < self.high:
            return direct
        at, tilt = self.ready.slope(self.middle)
        search.point(at, self.middle)
        radius = self.hull.rad()
        bend = abs(curvature) * radius  # of the slope
        self.is_steep = bool(abs(tilt) > bend)
        self.spread = _least((abs(slope) * radius).upper(), ((abs(tilt) + bend / 2) * radius).upper())
        self.rounding = at.rad()
        return _least(direct, (search.size(at) + self.spread).upper())

    def refined(self, search: _Search) -> list[_Cell]:
        """Nothing if the summit of the size is found; else two halves."""
        if self._is_monotone(search) or self._is_curved(search):
            return []
        if not self.low < self.middle < self.high or self.spread < self.rounding:
            raise _TooCoarse
        if self.halved == HALVINGS:
            raise Undecided(f"the supremum near x = {self.middle.str(8, radius=False)}")
        ends = ((self.low, self.middle), (self.middle, self.high))
        return [_Interval(self.ready, low, high, self.halved + 1) for low, high in ends]

    def _is_monotone(self, search: _Search) -> bool:
        return (self.is_steep or _has_sign(self.around[1])) and self._at_ends(search)

    def _is_curved(self, search: _Search) -> bool:
        """With f'' of one sign: convex, and largest at an end, or concave."""
        value, _, curvature = self.around
        if not _has_sign(curvature):
            return False
        convex = 1 if curvature > 0 else -1
        for sign in search.signs:
            if search.settled((sign * value).upper()):
                continue
            if not (self._at_ends(search) if sign == convex else self._below_tangent(search, sign)):
                return False
        return True

    def _at_ends(self, search: _Search) -> bool:
        """Whether the values at both ends are known, which are then all that counts."""
        return all(search.point(self.ready.value(end)[0], end) for end in (self.low, self.high))

    def _below_tangent(self, search: _Search, sign: int) -> bool:
        """Whether the concave sign*f is beaten by a tangent, whose point moves to the summit by Newton's method."""
        at, first, last = self.middle, self.low.upper(), self.high.lower()
        for _ in range(TANGENTS):
            value, slope, curvature = self.ready.curvature(at)
            search.point(value, at)
            rise = max((sign * slope * (end - at)).upper() for end in (self.low, self.high))
            if search.settled((sign * value).upper() + max(rise, _ZERO)):
                return True
            step = (at - slope / curvature).mid()
            if not step.is_finite():
                return False
            at = min(max(step, first), last)
        return False


_Cell = _Tail | _Interval


def _has_sign(value: arb) -> bool:
    return value.is_finite() and not value.contains(0)


def _least(a: arb, b: arb) -> arb:
    """The smaller of two points, of which one may be undefined."""
    return b if b < a or a.is_nan() else a


def _exactly(place: sp.Expr | arb) -> sp.Expr:
    if isinstance(place, sp.Expr):
        return place
    exact = balls.fraction(place)
    return sp.Rational(exact.numerator, exact.denominator)
