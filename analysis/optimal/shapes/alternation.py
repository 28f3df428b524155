"""The best rational function p/q of degrees (M, N) on an interval, and the proof that none is nearer.

Differential correction (Cheney and Loeb 1961; Barrodale, Powell and Roberts 1972), a sequence of linear programs over a
grid, comes near the best from anywhere. Remez' exchange then draws the error level at M + N + 2 points where it
alternates: the bilinear equations p(x_i) = (f(x_i) - (-1)^i h) q(x_i) by Newton's method, in balls' midpoints, so that
the level has many digits.

Claim (de la Vallee Poussin): let q > 0 on the interval, and let f - p/q take values of alternating signs at n points,
none nearer to zero than e. If n >= max(deg p + N, M + deg q) + 2, no p1/q1 of degrees (M, N) without a pole on the
interval is nearer to f than e.

Proof: if it were, p/q - p1/q1 would have the signs of p1/q1's superiority at those points, alternating too, hence n - 1
zeros between them; they are zeros of p q1 - p1 q, whose degree is at most max(deg p + N, M + deg q) < n - 1. So it
vanishes identically, both functions are one, and their errors are the same: a contradiction.

Where the degrees of both p and q fall short of M and N, n is smaller; then the best of lower degrees is the best.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import numpy as np
from flint import arb, arb_mat, ctx, fmpq

from analysis.activation.errors import Undecided
from analysis.optimal.shapes.linear import Target
from analysis.rigorous import balls

BITS = 256
PER_POINT = 24  # points of the grid for each point of the alternation
SPARSE = 8  # of those of the grid for linear programs
NEAREST = 2.0**-40  # of a piece's width: how near to its ends the grid goes
CORRECTIONS = 40
SETTLED = 1e-5  # relative; linear programs go on while they lower the error by more
EXCHANGES = 40
LEVEL = 1e-13  # relative; the largest error may exceed the level by so much
NEWTON = 8
FLOOR = 1e-12  # of the denominator in linear programs

Row = tuple[Fraction, ...]  # ascending powers


@dataclass(frozen=True)
class Rational:
    """p/q in ascending powers, exactly."""

    numerator: Row
    denominator: Row

    def at(self, x: arb) -> arb:
        return horner(self.numerator, x) / horner(self.denominator, x)

    def has_no_pole(self, low: Fraction, high: Fraction) -> bool:
        """Whether q > 0 on [low, high] is shown."""
        with ctx.workprec(BITS):
            return _is_positive(self.denominator, low, high, 40)


def horner(row: Row, x: arb) -> arb:
    value = ball(row[-1])
    for c in reversed(row[:-1]):
        value = value * x + ball(c)
    return value


def ball(value: Fraction) -> arb:
    return arb(fmpq(value.numerator, value.denominator))


def _is_positive(row: Row, low: Fraction, high: Fraction, halvings: int) -> bool:
    middle = (low + high) / 2
    around = shifted(row, middle, (high - low) / 2)
    if around[0] > sum(map(abs, around[1:])):
        return True
    if around[0] <= 0 or halvings == 0:
        return False
    return _is_positive(row, low, middle, halvings - 1) and _is_positive(row, middle, high, halvings - 1)


def shifted(row: Row, middle: Fraction, radius: Fraction) -> Row:
    """The coefficients in s, for x = middle + radius s."""
    found: list[Fraction] = []
    for c in reversed(row):
        onward = [middle * a for a in found] + [Fraction(0)]
        for k, a in enumerate(found):
            onward[k + 1] += radius * a
        onward[0] += c
        found = onward
    return tuple(found[: len(row)])


@dataclass(frozen=True)
class Alternation:
    """A rational function in s on [-1, 1], and the x at which its error alternates."""

    rational: Rational
    points: tuple[float, ...]
    error: float


class Problem:
    """f on a finite interval and the degrees (M, N)."""

    def __init__(self, target: Target, numerator: int, denominator: int):
        self.target, self.m, self.n = target, numerator, denominator
        self.low, self.high = (Fraction(int(e.p), int(e.q)) for e in (target.lower, target.upper))
        self.middle, self.radius = (self.low + self.high) / 2, (self.high - self.low) / 2

    @property
    def count(self) -> int:
        return self.m + self.n + 2

    def scaled(self, x: float) -> float:
        return (x - float(self.middle)) / float(self.radius)

    def f(self, x: float) -> float:
        return self.target.jet_at(x)(x)[0]

    @cached_property
    def grid(self) -> np.ndarray:
        return self._spread(PER_POINT)

    def _spread(self, per_point: int) -> np.ndarray:
        """Crowded at the ends of every piece."""
        ends = [float(self.low), *self.target.breaks, float(self.high)]
        pieces = len(ends) - 1
        each = max(per_point * self.count // pieces, 4 * per_point)
        near = np.geomspace(NEAREST, 0.1, each // 2)
        found = [np.array(ends)]
        for a, b in pairwise(ends):
            found.append((a + b) / 2 - (b - a) / 2 * np.cos(np.linspace(0, math.pi, each)))
            if pieces > 1:
                found += [a + (b - a) * near, b - (b - a) * near]
        return np.unique(np.clip(np.concatenate(found), ends[0], ends[-1]))

    def near(self, points: Sequence[float]) -> np.ndarray:
        """The grid, and more points close to these, so that no maximum beside them is missed by much."""
        width = float(self.high - self.low) / len(self.grid)
        steps = width * 2.0 ** -np.arange(9)
        close = np.add.outer(points, np.concatenate([-steps, [0.0], steps])).ravel()
        return np.unique(np.concatenate([self.grid, np.clip(close, float(self.low), float(self.high))]))

    # differential correction

    def nearly(self) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients in s that come near the best on a grid."""
        from scipy import optimize

        x = self._spread(SPARSE)
        f, s = np.array([self.f(v) for v in x.tolist()]), (x - float(self.middle)) / float(self.radius)
        basis = np.polynomial.chebyshev.chebvander(s, max(self.m, self.n))
        a, b = basis[:, : self.m + 1], basis[:, : self.n + 1]
        p, q = np.linalg.lstsq(a, f, rcond=None)[0], np.eye(self.n + 1)[0]
        error = np.abs(f - a @ p).max()
        for _ in range(CORRECTIONS if self.n else 0):
            weight = 1 / ((b @ q) * error)
            above = np.hstack([a, -(f + error)[:, None] * b]) * weight[:, None]
            below = np.hstack([-a, (f - error)[:, None] * b]) * weight[:, None]
            rows = np.hstack([np.vstack([above, below]), -np.ones((2 * len(s), 1))])
            positive = np.hstack([np.zeros_like(a), -b, np.zeros((len(s), 1))])
            bounds = [(None, None)] * (self.m + 1) + [(-1, 1)] * (self.n + 1) + [(None, 0)]
            right = np.concatenate([np.zeros(2 * len(s)), np.full(len(s), -FLOOR)])
            found = optimize.linprog(np.eye(rows.shape[1])[-1], np.vstack([rows, positive]), right, bounds=bounds)
            if found.x is None:
                break
            p1, q1 = found.x[: self.m + 1], found.x[self.m + 1 : -1]
            if not (b @ q1 > 0).all():
                break
            now = np.abs(f - (a @ p1) / (b @ q1)).max()
            if not now < error:
                break
            p, q, before, error = p1, q1, error, now
            if before - now < SETTLED * now:
                break
        return np.polynomial.chebyshev.cheb2poly(p), np.polynomial.chebyshev.cheb2poly(q)

    # exchange

    def best(self) -> Alternation | None:
        """The best function, if its error is found to alternate at M + N + 2 points."""
        p, q = self.nearly()
        if not q[0] > 0:
            return None
        p, q = np.resize(p, len(p)) / q[0], q / q[0]
        p, q = (np.pad(row, (0, degree + 1 - len(row))) for row, degree in ((p, self.m), (q, self.n)))
        best: Alternation | None = None
        for _ in range(EXCHANGES):
            summits = self._summits(p, q)
            points = alternating(summits, self.count)
            if len(points) < self.count:
                return best
            largest = max(abs(e) for _, e in summits)
            if best and largest <= best.error * (1 + LEVEL):
                return best
            level = sum(abs(e) for _, e in points) / len(points)
            found = self._levelled([x for x, _ in points], math.copysign(level, points[0][1]), p, q)
            if found is None:
                return best
            rational, h = found
            if best and abs(h) <= best.error * (1 + LEVEL):
                return best
            best = Alternation(rational, tuple(x for x, _ in points), abs(h))
            p, q = (np.array([float(c) for c in row]) for row in (rational.numerator, rational.denominator))
            if not (
                np.polynomial.polynomial.polyval((self.grid - float(self.middle)) / float(self.radius), q) > 0
            ).all():
                return None
        return best

    @cached_property
    def _values(self) -> np.ndarray:
        return np.array([self.f(x) for x in self.grid.tolist()])

    def _summits(self, p: np.ndarray, q: np.ndarray) -> list[tuple[float, float]]:
        """(x, error) at the local extrema of the error, those inside a piece by Newton's method."""
        x, polyval = self.grid, np.polynomial.polynomial.polyval
        s = (x - float(self.middle)) / float(self.radius)
        error = self._values - polyval(s, p) / polyval(s, q)
        fixed = {float(self.low), float(self.high), *self.target.breaks}
        found = []
        for i in range(len(x)):
            sides = [error[j] for j in (i - 1, i + 1) if 0 <= j < len(x)]
            size = abs(error[i])
            if any(size < abs(e) and e * error[i] > 0 for e in sides):
                continue
            place = float(x[i])
            found.append((place, float(error[i])) if place in fixed else self._summit(i, p, q))
        return found

    def _summit(self, i: int, p: np.ndarray, q: np.ndarray) -> tuple[float, float]:
        low, x, high = (float(v) for v in self.grid[i - 1 : i + 2])
        jet = self.target.jet_at(x)
        for _ in range(6):
            _, slope, bend = self._error_jet(jet, x, p, q)
            step = slope / bend if bend else 0.0
            if not low < x - step < high:
                break
            x -= step
            if abs(step) < 1e-9 * (high - low):
                break
        return x, self._error_jet(jet, x, p, q)[0]

    def _error_jet(self, jet, x: float, p: np.ndarray, q: np.ndarray) -> tuple[float, float, float]:
        s, r = self.scaled(x), 1 / float(self.radius)
        (p0, p1, p2), (q0, q1, q2) = (_polynomial_jet(row, s) for row in (p, q))
        ratio = p0 / q0
        slope = (p1 - ratio * q1) / q0
        bend = (p2 - 2 * slope * q1 - ratio * q2) / q0
        f0, f1, f2 = jet(x)[:3]
        return f0 - ratio, f1 - slope * r, f2 - bend * r * r

    def _levelled(self, points: Sequence[float], h0: float, p0, q0) -> tuple[Rational, float] | None:
        """p, q and h with f - p/q = h, -h, h, ... at the points; q(s = 0) = 1."""
        m, n, count = self.m, self.n, self.count
        with ctx.workprec(BITS):
            s = [(ball(Fraction(x)) - ball(self.middle)) / ball(self.radius) for x in points]
            f = [self.value(x) for x in points]
            unknowns = [arb(float(c)) for c in (*p0, *q0[1:], h0)]
            for _ in range(NEWTON):
                p, q, h = unknowns[: m + 1], [arb(1), *unknowns[m + 1 : -1]], unknowns[-1]
                rows, rest = [], []
                for i in range(count):
                    powers = [s[i] ** k for k in range(max(m, n) + 1)]
                    sign = 1 - 2 * (i % 2)
                    below = _dot(q, powers)
                    wanted = f[i] - sign * h
                    rest.append([wanted * below - _dot(p, powers)])
                    rows.append([*powers[: m + 1], *(-wanted * t for t in powers[1 : n + 1]), sign * below])
                try:
                    step = arb_mat([[v.mid() for v in row] for row in rows]).solve(
                        arb_mat([[v[0].mid()] for v in rest])
                    )
                except ZeroDivisionError:
                    return None
                moved = [step[i, 0].mid() for i in range(count)]
                unknowns = [(u + d).mid() for u, d in zip(unknowns, moved, strict=True)]
                if not all(u.is_finite() for u in unknowns):
                    return None
                if abs(moved[-1]) <= abs(unknowns[-1]) * 1e-30:
                    break
            exact = [balls.fraction(u) for u in unknowns]
            rational = Rational(tuple(exact[: m + 1]), (Fraction(1), *exact[m + 1 : -1]))
            return rational, float(unknowns[-1])

    def value(self, x: float) -> arb:
        """f at an exact point; at a kink, which may be a little beside its float, by both pieces."""
        pieces, breaks = self.target.pieces, self.target.breaks
        near = {bisect_left(breaks, x), bisect_right(breaks, x)}
        values = [balls.evaluator(pieces[k].expression)(ball(Fraction(x))) for k in near]
        return values[0] if len(values) == 1 else values[0].union(values[1])

    def bound(self, rational: Rational, points: Sequence[float]) -> float:
        """What the alternation of f - p/q, in powers of x, at the points proves, or at more; zero if nothing."""
        p, q = (trimmed(row) for row in (rational.numerator, rational.denominator))
        count = max(len(p) - 1 + self.n, self.m + len(q) - 1) + 2
        if len(points) < count:
            floats = (np.array([float(c) for c in shifted(row, self.middle, self.radius)]) for row in (p, q))
            points = [x for x, _ in alternating(self._summits(*floats), count)]
        if len(points) < count or not rational.has_no_pole(self.low, self.high):
            return 0.0
        with ctx.workprec(BITS):
            errors = [self.value(x) - rational.at(ball(Fraction(x))) for x in points]
            sign = 1 if errors[0] > 0 else -1
            least = min((sign * (1 - 2 * (i % 2)) * e).lower() for i, e in enumerate(errors))
            return max(math.nextafter(float(least), 0), 0.0) if least > 0 else 0.0


def trimmed(row: Row) -> Row:
    kept = list(row)
    while len(kept) > 1 and kept[-1] == 0:
        kept.pop()
    return tuple(kept)


def _dot(row: Sequence[arb], powers: Sequence[arb]) -> arb:
    total = arb(0)
    for c, t in zip(row, powers, strict=False):
        total = total + c * t
    return total


def _polynomial_jet(row: np.ndarray, s: float) -> tuple[float, float, float]:
    value = slope = bend = 0.0
    for c in row[::-1].tolist():
        bend = bend * s + 2 * slope
        slope = slope * s + value
        value = value * s + c
    return value, slope, bend


def alternating(summits: list[tuple[float, float]], count: int) -> list[tuple[float, float]]:
    """So many summits of alternating signs, the largest in sum; fewer if there are not so many."""
    runs: list[tuple[float, float]] = []
    for x, e in summits:
        if runs and e * runs[-1][1] > 0:
            if abs(e) > abs(runs[-1][1]):
                runs[-1] = x, e
        elif e:
            runs.append((x, e))
    while len(runs) > count:
        sizes = [abs(e) for _, e in runs]
        least = min(range(len(runs)), key=sizes.__getitem__)
        if len(runs) == count + 1 or least in (0, len(runs) - 1):
            del runs[0 if sizes[0] <= sizes[-1] else -1]
            continue
        beside = least - 1 if sizes[least - 1] <= sizes[least + 1] else least + 1
        first = min(least, beside)
        del runs[first : first + 2]
    return runs


def best(target: Target, numerator: int, denominator: int) -> tuple[Problem, Alternation]:
    """The best of the degrees, or of lower ones of equal difference where the best is one of those."""
    problem = Problem(target, numerator, denominator)
    for less in range(min(numerator, denominator) + 1):
        lower = Problem(target, numerator - less, denominator - less)
        found = lower.best()
        if found:
            return problem, found
    raise Undecided("a rational function whose error alternates often enough")
