"""Knots that arithmetic finds: which of a kind are best for a target.

uniform   evenly spaced over the domain; over the line between two ends that are searched
dyadic    neighbouring multiples of a power of two
float     +-2^e (1 + j/2^m): the piece is read from a float's exponent and its leading m mantissa bits

Dyadic and float knots are tried exhaustively. What lies outside the outermost knots has an error that only grows as
they move inward, and what is between two neighbours one that grows as they move apart, so that a proof for a few
exclusions is one for all but finitely many.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from analysis.activation.errors import BadInput
from analysis.optimal.shapes import multipliers
from analysis.optimal.shapes.basis import Shape
from analysis.optimal.shapes.exchange import Fit, Problem
from analysis.optimal.shapes.grid import Grid
from analysis.optimal.shapes.linear import MOST, Target
from analysis.optimal.shapes.moving import Place, settled
from analysis.optimal.shapes.outside import Outside

TRIES, BEGUN = 10, 3  # ends of evenly spaced knots that are looked at, and from which of these the search starts
QUICK = 128  # pieces beyond which the ends are searched from one start, and in few steps
STEPS, FEW = 60, 3
MANY = 128  # offsets of one spacing
LEVELS = 24  # spacings, or exponents, that are tried in one direction
SURE = 1 + 1e-7  # by so much worse is what is excluded
INF = math.inf
Knots = tuple[Fraction, ...]


@dataclass(frozen=True)
class Candidate:
    """The best spline on some knots, its error with what is outside, and a proved lower bound of that."""

    knots: Knots
    fit: Fit
    error: float
    lower: Fraction


class Search:
    """The best knots of a kind; `reason` says why the bound of the last answer is not one of all such knots."""

    def __init__(self, target: Target, shape: Shape):
        self.target, self.shape, self.reason = target, shape, ""
        self.problem = Problem(target, shape)
        self.alone = Problem(target, shape, self.problem.curve, (None, None))  # for one piece by itself
        self.low, self.high = (exactly(e) if e.is_finite else None for e in (target.lower, target.upper))
        left, right = target.outer
        self.outside = (
            Outside(target, self.problem.curve, -1) if left else None,
            Outside(target, self.problem.curve, 1) if right else None,
        )
        self.outer = sum(one is not None for one in self.outside)
        self.known: dict[Knots, Candidate] = {}
        self.beyonds: dict[tuple[int, Fraction], float] = {}

    def best(self, kind: str, pieces: int) -> Candidate:
        """The best with so many pieces, or at most so many where knots are tried exhaustively."""
        if not self.outer + 1 <= pieces <= MOST:
            asymptotes = f", {self.outer} of which are asymptotes," if self.outer else ""
            raise BadInput(f"expected at least {self.outer + 1} pieces{asymptotes} and at most {MOST}, got {pieces}")
        self.reason = ""
        return {"uniform": self._uniform, "dyadic": self._dyadic, "float": self._float}[kind](pieces)

    def on(self, inner: Sequence[Fraction]) -> Candidate:
        """The best spline with these knots besides the ends of the domain."""
        low, high = ([] if end is None else [end] for end in (self.low, self.high))
        key = (*low, *inner, *high)
        if key not in self.known:
            fit = self.problem.best(np.array([float(k) for k in key]))
            error, lower = fit.error, multipliers.lower(self.problem, fit, key)
            for one, end in zip(self.outside, (key[0], key[-1]), strict=True):
                if one:
                    error, lower = max(error, one(float(end))), max(lower, one.proved(end))
            self.known[key] = Candidate(key, fit, error, lower)
        return self.known[key]

    def _dyadic(self, pieces: int) -> Candidate:
        return _Dyadic(self, pieces - 1).best()

    def _float(self, pieces: int) -> Candidate:
        return _Floats(self, pieces - 1).best()

    # uniform

    def _uniform(self, pieces: int) -> Candidate:
        n = pieces - self.outer
        if self.low is not None and self.high is not None:
            return self.on(_evenly(self.low, self.high, n)[1:-1])
        place, starts = self._moving_ends(n)
        steps = FEW if n > QUICK else STEPS
        theta, _ = min((settled(place, start, steps) for start in starts), key=lambda found: found[1])
        first, last = place.knots(theta)[[0, -1]].tolist()
        low = Fraction(f"{first:.12g}") if self.low is None else self.low
        high = Fraction(f"{last:.12g}") if self.high is None else self.high
        knots = _evenly(low, high, n)
        found = self.on(knots[self.low is not None : n + 1 - (self.high is not None)])
        self.reason = "where evenly spaced knots begin and end is searched, without proof: the choices are a continuum"
        return replace(found, lower=Fraction(0))

    def _moving_ends(self, n: int) -> tuple[Place, list[np.ndarray]]:
        share = np.linspace(0, 1, n + 1)
        base = float(self.low or 0) * (1 - share) + float(self.high or 0) * share
        columns = [c for c, one in zip((1 - share, share), self.outside, strict=True) if one]
        place = Place(self.problem, base, np.stack(columns, axis=1), self.outside)
        largest = max(float(one.farthest[-1]) for one in self.outside if one)
        scale = max(Grid.of(self.target, max(n, 1)).expected(), 1e-13)
        errors = [e for e in scale * np.geomspace(0.5, 64, TRIES if n <= QUICK else FEW) if e < largest] or [
            largest / 2
        ]
        starts = [self._ends_at(error) for error in errors]
        sizes = [max(self.problem.best(place.knots(t)).error, place.aside(place.knots(t))) for t in starts]
        order = np.argsort(sizes)[: BEGUN if n <= QUICK else 1]
        half = np.diff(place.knots(starts[order[0]]))[0] / 2  # how knots and f are aligned makes local minima
        return place, [*(starts[k] for k in order), *([starts[order[0]] + half] if n <= QUICK else [])]

    def _ends_at(self, error: float) -> np.ndarray:
        """The innermost ends outside which the error is no larger."""
        found = np.array([one.nearest(error) for one in self.outside if one])
        if len(found) == 2 and found[1] <= found[0]:
            return found.mean() + np.array([-0.5, 0.5])
        if self.low is not None:
            return np.maximum(found, float(self.low) + 0.5)
        return found if self.high is None else np.minimum(found, float(self.high) - 0.5)

    # what is outside the outermost knots, and between two neighbours

    def beyond(self, side: int, x: Fraction) -> float:
        """The error outside an outermost knot on the left (0) or on the right (1)."""
        if (side, x) not in self.beyonds:
            one = self.outside[side]
            self.beyonds[side, x] = one(float(x)) if one else self._between(*self._outer_piece(side, x))
        return self.beyonds[side, x]

    def proved_beyond(self, side: int, x: Fraction) -> Fraction:
        """A lower bound of it."""
        one = self.outside[side]
        return one.proved(x) if one else self.proved_between(*self._outer_piece(side, x))

    def _outer_piece(self, side: int, x: Fraction) -> tuple[Fraction, Fraction]:
        end = self.high if side else self.low
        assert end is not None
        return (x, end) if side else (end, x)

    def _between(self, low: Fraction, high: Fraction) -> float:
        return self.alone.best(np.array([float(low), float(high)])).error if low < high else 0.0

    def proved_between(self, low: Fraction, high: Fraction) -> Fraction:
        """A lower bound of the error of one polynomial between two points of the domain, as far as they are in it."""
        low = low if self.low is None else max(low, self.low)
        high = high if self.high is None else min(high, self.high)
        if low >= high:
            return Fraction(0)
        fit = self.alone.best(np.array([float(low), float(high)]))
        return multipliers.lower(self.alone, fit, (low, high))

    def inside(self, x: Fraction) -> bool:
        return (self.low is None or self.low < x) and (self.high is None or x < self.high)

    def reaches(self, width: Fraction) -> bool:
        """Whether the domain comes nearer to 0 than that."""
        return (self.low is None or self.low < width) and (self.high is None or -width < self.high)


def exactly(x) -> Fraction:
    return Fraction(int(x.p), int(x.q))


def _evenly(low: Fraction, high: Fraction, n: int) -> list[Fraction]:
    return [low + (high - low) * Fraction(i, n) for i in range(n + 1)]


class _Exhaustive:
    """Candidates one after another; `lower` collects what is proved of each, and of those that are left out."""

    def __init__(self, search: Search, count: int):
        self.search, self.count = search, count
        self.found: Candidate | None = None
        self.lower: list[Fraction] = []

    @property
    def error(self) -> float:
        return self.found.error if self.found else INF

    def tries(self, inner: Sequence[Fraction]) -> None:
        search = self.search
        if inner and max(search.beyond(0, inner[0]), search.beyond(1, inner[-1])) > self.error * SURE:
            proved = max(search.proved_beyond(0, inner[0]), search.proved_beyond(1, inner[-1]))
            if self.excludes(proved):
                return
        candidate = search.on(inner)
        self.lower.append(candidate.lower)
        if candidate.error < self.error:
            self.found = candidate

    def excludes(self, proved: Fraction) -> bool:
        """Whether what is proved is no better than the best so far; it then counts."""
        if proved < self.error:
            return False
        self.lower.append(proved)
        return True

    def answer(self, complete: bool) -> Candidate:
        assert self.found is not None
        if not complete:
            self.search.reason = f"more than {LEVELS} sizes of the pieces would have to be excluded"
            return replace(self.found, lower=Fraction(0))
        return replace(self.found, lower=min(self.lower))


class _Endless(Exception):
    """Too many offsets remain."""


class _Dyadic(_Exhaustive):
    """`count` neighbouring multiples of 2^k, or all in the domain if there are fewer."""

    def best(self) -> Candidate:
        if self.count == 0:
            return self.search.on([])
        start = self._start()
        try:
            complete = any(self._level(k) for k in range(start, start - LEVELS, -1))
            if self.search.outer:
                complete &= any(self._excludes_from(k) for k in range(start + 1, start + LEVELS))
        except _Endless:
            complete = False
        return self.answer(complete)

    def _start(self) -> int:
        """A spacing with which the knots cover about what they should; on a finite domain the finest that covers it."""
        search = self.search
        if search.low is not None and search.high is not None:
            k = math.floor(math.log2(search.high - search.low)) + 1
            while self._covers(k - 1):
                k -= 1
            return k
        expected = Grid.of(search.target, max(self.count - 1, 1)).expected()
        left, right = (
            one.nearest(expected) if one else float(end)
            for one, end in zip(search.outside, (search.target.lower, search.target.upper), strict=True)
        )
        return math.ceil(math.log2((right - left) / self.count)) if right > left else 0

    def _covers(self, k: int) -> bool:
        """Whether all multiples of 2^k in the domain may be knots."""
        first, last = self._range(k)
        return not self.search.outer and last - first + 1 <= self.count

    def _range(self, k: int) -> tuple[int, int]:
        """The first and the last multiple of 2^k that may be a knot."""
        h, search = Fraction(2) ** k, self.search
        left, right = (math.ceil(abs(one.x[0]) / h) + self.count if one else 0 for one in search.outside)
        first = -left if search.low is None else math.floor(search.low / h) + 1
        last = right if search.high is None else math.ceil(search.high / h) - 1
        if search.low is None and search.high is not None:
            first = min(first, last - self.count)
        if search.high is None and search.low is not None:
            last = max(last, first + self.count)
        return first, last

    def _level(self, k: int) -> bool:
        """Tries all offsets; whether every finer spacing is excluded then."""
        h, (first, last) = Fraction(2) ** k, self._range(k)
        if self._covers(k):
            self.tries([j * h for j in range(first, last + 1)])
            return False
        if self.found is None:
            self.tries(self._grid((first + last + 1 - self.count) // 2, h))
        inmost, outmost = self._last(0, first, last, h), -self._last(1, -last, -first, h)
        offsets = range(max(first, outmost - self.count + 1), min(inmost, last - self.count + 1) + 1)
        if len(offsets) > MANY:
            raise _Endless
        for j in sorted(offsets, key=lambda j: self._aside(j, h)):
            self.tries(self._grid(j, h))
        proofs = [
            self.excludes(self.search.proved_beyond(side, j * h))
            for side, j in ((0, inmost + 1), (1, outmost - 1))
            if first <= j <= last
        ]
        return proofs == [True, True] and self.count - 1 <= 2 * (outmost - inmost - 2)

    def _grid(self, j: int, h: Fraction) -> list[Fraction]:
        return [(j + i) * h for i in range(self.count)]

    def _aside(self, j: int, h: Fraction) -> float:
        return max(self.search.beyond(0, j * h), self.search.beyond(1, (j + self.count - 1) * h))

    def _last(self, side: int, low: int, high: int, h: Fraction) -> int:
        """The innermost outer knot outside which the error is no larger than the best; mirrored for the right side."""
        sign = -1 if side else 1

        def is_small(j: int) -> bool:
            return self.search.beyond(side, sign * j * h) <= self.error * SURE

        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if is_small(middle) else (low, middle - 1)
        return low if is_small(low) else low - 1

    def _excludes_from(self, k: int) -> bool:
        """Whether every spacing of at least 2^k is excluded; if not, 2^k is tried.

        The first knot is to the right of 0, at 2^k or farther; or it is 0, and what is left of it and the next piece
        count; or a piece ends at 0; or all knots are to the left of 0.
        """
        search, h, zero = self.search, Fraction(2) ** k, Fraction(0)
        cases = [search.proved_beyond(0, h)] if search.inside(h) else []
        if search.inside(zero):
            cases.append(max(search.proved_between(zero, h), search.proved_beyond(0, zero)))
        if search.inside(-h):
            cases += [search.proved_between(-h, zero), search.proved_beyond(1, -h)]
        if not cases or self.excludes(min(cases)):
            return True
        self._level(k)
        return False


class _Floats(_Exhaustive):
    """+-2^e (1 + j/2^m) for e from the first on, as many as `count` allows, and the power of two that closes them."""

    def best(self) -> Candidate:
        complete, m, start = True, 0, self._start()
        while m == 0 or 2**m <= self.count:
            wider = any(self._excludes_wider(m, e) for e in range(start, start + LEVELS))
            narrower = any(self._excludes_narrower(m, e) for e in range(start - 1, start - LEVELS, -1))
            complete, m = complete and wider and narrower, m + 1
        if self.found is None:
            raise BadInput(f"expected at least 3 pieces for knots at plus and minus 2^e, got {self.count + 1}")
        return self.answer(complete)

    def _start(self) -> int:
        ends = [abs(e) for e in (self.search.low, self.search.high) if e is not None]
        return math.floor(math.log2(max(ends))) - 2 if len(ends) == 2 else -1

    def _excludes_wider(self, m: int, e: int) -> bool:
        """Whether the piece around 0 has too large an error, and with it all wider ones; else the knots are tried."""
        width, search = Fraction(2) ** e, self.search
        if self.found is not None and self.excludes(search.proved_between(-width, width)):
            return True
        self._try(m, e)
        return not (search.inside(width) or search.inside(-width))

    def _excludes_narrower(self, m: int, e: int) -> bool:
        """Tries the knots that begin with 2^e; whether all that begin with less are excluded."""
        knots, search = self._try(m, e), self.search
        if knots is None:
            return True  # fewer still are allowed nearer to 0
        if not knots or not search.reaches(Fraction(2) ** (e - 1)):
            return True
        return any(
            search.beyond(side, x) > self.error * SURE and self.excludes(search.proved_beyond(side, x))
            for side, x in ((0, knots[0]), (1, knots[-1]))
        )

    def _try(self, m: int, e: int) -> list[Fraction] | None:
        knots = self._knots(m, e)
        if knots is not None:
            self.tries(knots)
        return knots

    def _knots(self, m: int, e: int) -> list[Fraction] | None:
        """None if not even the fewest are allowed."""
        found, scale, inside = None, Fraction(2) ** e, self.search.inside
        positive: list[Fraction] = []
        for _ in range(4 * LEVELS):
            mirrored = [*(-x for x in reversed([*positive, scale])), *positive, scale]
            kept = [x for x in mirrored if inside(x)]
            if len(kept) > self.count:
                break
            found = kept
            if not (inside(scale) or inside(-scale)):
                break
            positive += [scale * (1 + Fraction(j, 2**m)) for j in range(2**m)]
            scale *= 2
        return found
