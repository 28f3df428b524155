"""What no piecewise polynomial with N pieces can do, whatever its knots and however it is joined at them.

N intervals without common interior and N - 1 knots: one interval has no knot inside, so one polynomial of degree d has
to do on it. If on each of them d + 2 points x_0 < ... < x_(d+1) have

    |f[x_0, ..., x_(d+1)]| / sum |weights of the divided difference| >= E,

then so has every one of these functions an error of at least E (de la Vallee Poussin 1919). Where the outer pieces are
asymptotes, the first knot is to the left of the point a at which f is E from its asymptote, and the last one to the
right of such a point b: then N - 2 intervals between a and b have N - 3 knots inside, and the same holds.

The intervals are found from left to right, each as far as one polynomial reaches, at an E at which they just cover the
domain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import sympy as sp
from flint import arb, ctx, fmpq

from analysis.exact.normal import sign
from analysis.optimal.shapes.exchange import Curve
from analysis.optimal.shapes.linear import Target
from analysis.optimal.shapes.outside import Outside
from analysis.rigorous import balls

BITS = 160
GRID = 1200  # points of the curve
ROUNDS = 12  # of Remez's exchange on an interval
SKEW = 1.4  # power that makes a start of the exchange asymmetric
BISECTIONS = 60
SLACK = 1e-5  # relative, to which the error is found that the chain just covers
NOTHING = 1e-14  # errors below are those of rounding
LEVEL = 1e-9  # relative: extrema that count as level


@dataclass(frozen=True)
class Links:
    """Disjoint groups of d + 2 abscissae, and the points at which f is far from its asymptotes."""

    groups: tuple[tuple[float, ...], ...]
    first: float | None
    last: float | None


class Pigeonhole:
    """Chains of intervals for polynomials of one degree."""

    def __init__(self, target: Target, curve: Curve, degree: int, outside: tuple[Outside | None, ...]):
        self.target, self.curve, self.degree, self.outside = target, curve, degree, outside
        self.known: dict[int, Fraction] = {}
        self.links: dict[int, Links | None] = {}
        low, high = (
            float(one.x[0]) if one else float(end)
            for end, one in zip((target.lower, target.upper), outside, strict=True)
        )
        evenly = np.linspace(low, high, GRID)
        wide = np.sinh(np.linspace(math.asinh(low), math.asinh(high), GRID))
        inner = curve.breaks[(curve.breaks > low) & (curve.breaks < high)]
        self.x = np.unique(np.clip(np.concatenate([evenly, wide, inner]), low, high))
        self.f = curve.jets(self.x, np.searchsorted(curve.breaks, self.x))[0]

    def lower(self, pieces: int) -> Fraction:
        """A proved lower bound of the error of so many pieces, asymptotes included."""
        if pieces not in self.known:
            self.known[pieces] = self._lower(pieces)
        return self.known[pieces]

    def _lower(self, pieces: int) -> Fraction:
        free = pieces - sum(one is not None for one in self.outside)
        if free < 1:
            return Fraction(0)
        low, high, best = 0.0, math.inf, None
        guess = float(np.ptp(self.f)) / (4 * free) ** (self.degree + 1)
        for _ in range(BISECTIONS):
            if high == math.inf:
                middle = 4 * low or guess
            else:
                middle = math.sqrt(low * high) if low else high / 4
            if middle < NOTHING:
                return Fraction(0)
            found = self._chain(middle, free)
            if found is None:
                high = middle
            else:
                low, best = middle, found
            if high - low <= SLACK * low:
                break
        self.links[pieces] = best
        return self.proved(best) if best else Fraction(0)

    def fewest(self, error: float) -> int:
        """How many pieces are needed at least for the error, as far as the chain tells; not a proof."""
        count = 0
        while self._chain(error, count + 1) is not None:
            count += 1
        return count

    def _chain(self, error: float, count: int) -> Links | None:
        """So many intervals on each of which one polynomial has at least the error; None where they do not fit in."""
        ends = [one.nearest(error) if one else None for one in self.outside]
        first = 0 if ends[0] is None else int(np.searchsorted(self.x, ends[0]))
        last = len(self.x) - 1 if ends[1] is None else int(np.searchsorted(self.x, ends[1], side="right")) - 1
        groups = []
        for _ in range(count):
            found = self._reach(first, last, error)
            if found is None:
                return None
            groups.append(tuple(self.x[found].tolist()))
            first = int(found[-1])
        outer = [float(x) if x is not None else None for x in ends]
        return Links(tuple(groups), outer[0], outer[1])

    def groups(self, first: int, last: int, error: float, most: int, onward: bool = True) -> list[tuple[float, ...]]:
        """Groups between two points of the grid, `most` or as many as there is room for, each proved to tell the error.

        From left to right, or from right to left.
        """
        found: list[tuple[float, ...]] = []
        while len(found) < most:
            places = self._reach(first, last, error * (1 + LEVEL), onward)
            if places is None:
                break
            group = tuple(self.x[places].tolist())
            with ctx.workprec(BITS):
                if not self._difference(group) >= arb(error):
                    break
            found.append(group)
            first, last = (int(places[-1]), last) if onward else (first, int(places[0]))
        return found

    def _reach(self, first: int, last: int, error: float, onward: bool = True) -> np.ndarray | None:
        """The points that level on the shortest interval from `first` on, or up to `last`, with at least that error."""

        def level(length: int) -> tuple[float, np.ndarray, bool]:
            return self._level(first, first + length) if onward else self._level(last - length, last)

        if last - first < self.degree + 1:
            return None
        low, high = self.degree, self.degree + 1
        while high < last - first and level(high)[0] < error:
            low, high = high, min(last - first, 2 * high)
        if level(high)[0] < error:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if level(middle)[0] >= error else (middle, high)
        return level(high)[1]

    def _level(self, first: int, last: int) -> tuple[float, np.ndarray, bool]:
        """By Remez's exchange: the error of the best polynomial on grid points, and the points that prove it.

        A start that is symmetric about a point at which f is even or odd may level at zero: there a second one counts.
        """
        even = (1 - np.cos(np.linspace(0, np.pi, self.degree + 2))) / 2
        found = self._levelled(first, last, even)
        return found if found[2] else max(found, self._levelled(first, last, even**SKEW), key=lambda one: one[0])

    def _levelled(self, first: int, last: int, share: np.ndarray) -> tuple[float, np.ndarray, bool]:
        n = len(share)
        chosen = np.unique(np.round(first + share * (last - first)).astype(int))
        if len(chosen) < n:
            chosen = first + np.arange(n)
        u, v = self.x[first], self.x[last]
        s, f = (2 * self.x[first : last + 1] - u - v) / (v - u), self.f[first : last + 1]
        alternating = (-1.0) ** np.arange(n)
        best = 0.0, chosen
        for _ in range(ROUNDS):
            at = chosen - first
            solved = np.linalg.solve(np.column_stack([np.vander(s[at], n - 1), alternating]), f[at])
            level = abs(float(solved[-1]))
            if level > best[0]:
                best = level, chosen
            residual = f - np.polyval(solved[:-1], s)
            if abs(residual).max() <= level * (1 + LEVEL):
                return level, chosen, True
            exchanged = _alternating(residual, n)
            if exchanged is None or (exchanged + first == chosen).all():
                break
            chosen = exchanged + first
        return (*best, False)

    def is_apart(self, place: int, line: tuple[sp.Expr, sp.Expr], error: float) -> bool:
        """Whether f at a point of the grid is proved to be so far from a line, or farther."""
        with ctx.workprec(BITS):
            return bool(self._aside(self.x[place], line) >= arb(error))

    def _aside(self, x: float, line: tuple[sp.Expr, sp.Expr]) -> arb:
        return abs(self._value(x) - balls.enclose(line[0]) * _ball(x) - balls.enclose(line[1]))

    def proved(self, links: Links) -> Fraction:
        """What the links prove, in balls."""
        with ctx.workprec(BITS):
            found = [self._difference(group) for group in links.groups]
            for end, line, direction in zip((links.first, links.last), self.target.outer, (-1, 1), strict=True):
                if end is not None and line is not None:
                    inner = links.groups[0][0] if direction < 0 else links.groups[-1][-1]
                    if direction * (end - inner) < 0:
                        return Fraction(0)
                    found.append(self._aside(end, line))
            if any(b[0] < a[-1] for a, b in pairwise(links.groups)):
                return Fraction(0)
            least = min(value.abs_lower() for value in found)
            return balls.fraction(least) if least.is_finite() else Fraction(0)

    def _difference(self, group: tuple[float, ...]) -> arb:
        """|divided difference| over the sum of the sizes of its weights."""
        x = [Fraction(a) for a in group]
        weights = [1 / math.prod((a - b for b in x if b != a), start=Fraction(1)) for a in x]
        total = sum((_exact(w) * self._value(a) for w, a in zip(weights, group, strict=True)), arb(0))
        return abs(total) / _exact(sum((abs(w) for w in weights), Fraction(0)))

    def _value(self, x: float) -> arb:
        """f at x; at a jump its limit from one side, which counts as well."""
        at = sp.Rational(x)
        piece = next(p for p in self.target.pieces if sign(at - p.lower) >= 0 and sign(p.upper - at) >= 0)
        return balls.evaluator(piece.expression)(_ball(x))


def _alternating(residual: np.ndarray, n: int) -> np.ndarray | None:
    """The places of n extrema with alternating signs, the largest among them; None if there are fewer."""
    signs = np.sign(residual)
    cuts = np.nonzero(np.diff(signs) != 0)[0] + 1
    runs = np.split(np.arange(len(residual)), cuts)
    tops = [int(run[abs(residual[run]).argmax()]) for run in runs if residual[run].any()]
    while len(tops) > n:  # drop the smaller end, or a neighbouring pair
        sizes = abs(residual[tops])
        if len(tops) == n + 1:
            tops.pop(0 if sizes[0] < sizes[-1] else -1)
            continue
        k = int(np.minimum(sizes[:-1], sizes[1:]).argmin())
        del tops[k : k + 2]
    return np.array(tops) if len(tops) == n else None


def _ball(x: float) -> arb:
    return _exact(Fraction(x))


def _exact(x: Fraction) -> arb:
    return arb(fmpq(x.numerator, x.denominator))
