"""Proof that no gate x P(clip(x, l, r)), P(l) = 0 and P(r) = 1, P of degree D, is nearer: branch and bound in l and r.

Outside [l, r] a gate is 0 or x, so its error is at least |f| before l and |f - x| beyond r. Inside, D + 2 values of P
have a divided difference that vanishes: those at l, r and D points x_i between them,

    sum mu_i P(x_i) + mu_r = 0,    mu_i = 1/((x_i - l)(x_i - r) prod (x_i - x_j)),    mu_r = 1/((r - l) prod (r - x_j)).

Let P0 be any polynomial of degree D. With e = f - x P and e0 = f - x P0 the same identity for P - P0 reads

    sum (mu_i/x_i) e(x_i) = sum (mu_i/x_i) e0(x_i) + mu_r (1 - P0(r)) - mu_l P0(l).

P0 is the best polynomial for the middle (l0, r0) of a box, whose errors e0 level at points x_i where they have the
signs of mu_i/x_i. So every gate of the box has an error of at least

    min |e0(x_i)| - (|mu_r (1 - P0(r))| + |mu_l P0(l)|)/sum |mu_i/x_i|,

where the fraction vanishes with the box. Boxes are in the variables 1/(c - l) and 1/(r - d), which reach to infinity.
"""

from __future__ import annotations

import heapq
import itertools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from flint import arb, ctx

from analysis.optimal.shapes.gating import COARSE, Curve, Shape
from analysis.rigorous import balls

BITS = 96
FINE = 0.02  # boxes with sides below this share of l or r need no points of their own
DENSE = 240  # points for each of an exchange in such boxes
GAP = 2e-7  # relative; a bound so near to the error is as good as the error
INF = math.inf

Point = tuple[float, arb]  # x and f(x)


@dataclass(frozen=True)
class Box:
    """Intervals of u = 1/(c - l) and v = 1/(r - d); `u` = 0 is l = -inf, `v` = 0 is r = inf."""

    u: tuple[float, float]
    v: tuple[float, float]

    def halves(self, first: bool) -> tuple[Box, Box]:
        low, high = self.u if first else self.v
        middle = (low + high) / 2
        if first:
            return Box((low, middle), self.v), Box((middle, high), self.v)
        return Box(self.u, (low, middle)), Box(self.u, (middle, high))


class Proof:
    """Lower bounds of the error of all gates for the target of a curve."""

    def __init__(self, curve: Curve, shape: Shape, error: float):
        self.curve, self.degree, self.error = curve, curve.degree, error
        self.known: dict[float, arb] = {}
        self.weights: dict[tuple[float, ...], list[arb]] = {}
        self.ends = float(curve.target.lower), float(curve.target.upper)
        with ctx.workprec(BITS):
            self._outside()
            self.pool = self._references(shape)
        self.c = self.most + max(1.0, self.curve.high - self.curve.low) / 2
        self.d = self.least - max(1.0, self.curve.high - self.curve.low) / 2

    def f(self, x: float) -> arb:
        """f at an exact point; at a kink, which may be a little beside its float, by both pieces."""
        if x not in self.known:
            pieces, breaks = self.curve.target.pieces, self.curve.target.breaks
            near = {bisect_left(breaks, x), bisect_right(breaks, x)}
            values = [balls.evaluator(pieces[k].expression)(arb(x)) for k in near]
            self.known[x] = values[0] if len(values) == 1 else values[0].union(values[1])
        return self.known[x]

    def _outside(self) -> None:
        """What is known of |f| before a point and of |f - x| beyond it, and how far l and r may thus go."""
        self.xs = [x for x in self.curve.x.tolist() if x not in self.curve.target.breaks and self._is_inside(x)]
        zero = [(self.f(x), x) for x in self.xs]
        self.before = list(itertools.accumulate((_least(y) for y, _ in zero), max))
        self.after = list(itertools.accumulate((_least(y - x) for y, x in reversed(zero)), max))[::-1]
        self.most = next((x for x, e in zip(self.xs, self.before, strict=True) if e > self.error), self.xs[-1])
        self.least = next(
            (x for x, e in zip(self.xs[::-1], self.after[::-1], strict=True) if e > self.error), self.xs[0]
        )
        # Gates whose knots are beyond these are 0 or x on all of the domain that there is.
        self.ceiling = min(self.before[-1], self.after[0])
        self.floor = _least(self.f(0.0)) if self._is_inside(0.0) and 0.0 not in self.curve.target.breaks else 0.0

    def _is_inside(self, x: float) -> bool:
        return self.ends[0] <= x <= self.ends[1]

    def _references(self, shape: Shape) -> list[list[float]]:
        """The runs of D points in which the error of the design alternates, by the sign of x."""
        error = [
            (x, v * math.copysign(1, x)) for x, v in self.curve.summits(shape) if shape.begin < x < shape.end and x
        ]
        runs: list[tuple[float, float]] = []
        for x, e in error:
            if runs and e * runs[-1][1] > 0:
                if abs(e) > abs(runs[-1][1]):
                    runs[-1] = x, e
            else:
                runs.append((x, e))
        found = [runs[k : k + self.degree] for k in range(len(runs) - self.degree + 1)]
        found.sort(key=lambda run: -min(abs(e) for _, e in run))
        return [[x for x, _ in run] for run in found]

    # the search

    def lower(self, boxes: int, goal: float | None = None) -> float:
        """A proved lower bound; the search stops at the goal, else at the error, or after so many boxes."""
        goal = min(self.error * (1 - GAP), self.ceiling) if goal is None else min(goal, self.ceiling)
        if self.floor >= goal:
            return self.floor
        with ctx.workprec(BITS):
            ticket = itertools.count()
            first = Box((0.0, 1 / (self.c - self.most) * (1 + 1e-12)), (0.0, 1 / (self.least - self.d) * (1 + 1e-12)))
            queue: list[tuple[float, int, Box, bool, list[float]]] = [(self.floor, next(ticket), first, True, [])]
            for _ in range(boxes):
                bound, _, box, cut, points = queue[0]
                if bound >= goal:
                    break
                heapq.heappop(queue)
                for half in box.halves(cut):
                    value, onward, found = self._bound(half, goal, points)
                    heapq.heappush(queue, (max(value, bound), next(ticket), half, onward, found))
            return min(queue[0][0], self.ceiling)

    def _bound(self, box: Box, goal: float, before: list[float]) -> tuple[float, bool, list[float]]:
        """What is proved of the box, whether it is better cut in l, and the points that prove most of it.

        `before` are those of the box that it is a half of.
        """
        (low_l, high_l), (low_r, high_r) = self._range(box)
        if low_l >= high_r:
            return INF, True, before
        best = max(self.floor, self._at(low_l, 1), self._at(high_r, -1))
        cut = (box.u[1] - box.u[0]) * (self.c - self.most) >= (box.v[1] - box.v[0]) * (self.least - self.d)
        if best >= goal:
            return best, cut, before
        middle = self.c - 2 / (box.u[0] + box.u[1]), self.d + 2 / (box.v[0] + box.v[1])
        low, high = max(high_l, self.curve.low), min(low_r, self.curve.high)
        if box.u[0] == 0 and box.v[0] == 0 and low < high:
            best = max(best, self._anywhere(low, high))
            if best >= goal:
                return best, cut, before
        steepest = 0.0
        fine = max(box.u[1] / max(box.u[0], 1e-300), box.v[1] / max(box.v[0], 1e-300)) < 1 + FINE
        if not (middle[0] < middle[1] and low < high and math.isfinite(middle[0] + middle[1])):
            return best, cut, before
        kept, most = before, 0.0
        for points in self._candidates(middle, low, high, fine, before):
            value, by_l, by_r = self._inside(box, middle, points)
            best = max(best, value)
            if value > most:
                kept, most = points, value
            if by_l + by_r > 0 and (value > steepest or not steepest):
                steepest, cut = max(value, 1e-300), by_l >= by_r
            if best >= goal:
                break
        return best, cut, kept

    def _candidates(
        self, middle: tuple[float, float], low: float, high: float, fine: bool, before: list[float]
    ) -> Iterator[list[float]]:
        """Points known already, those of the design, and some where the error of the best gate of the middle levels."""
        if before and low < before[0] and before[-1] < high:
            yield before
        known = [points for points in self.pool if low < points[0] and points[-1] < high]
        if fine:
            yield from known
        found = self.curve.reference(*middle, low, high, DENSE if fine else COARSE)
        if found:
            yield found[0]
        if not fine:
            yield from known

    def _range(self, box: Box) -> tuple[tuple[float, float], tuple[float, float]]:
        """Of l and of r, rounded outward."""
        left = [-INF if u == 0 else self.c - 1 / u for u in box.u]
        right = [INF if v == 0 else self.d + 1 / v for v in reversed(box.v)]
        away = 1e-14 * (abs(self.c) + abs(self.d) + 1)
        (begin, after), (before, end) = (
            (low - away - 1e-14 * abs(low), high + away + 1e-14 * abs(high)) for low, high in (left, right)
        )
        return (begin, after), (before, end)

    def _at(self, knot: float, side: int) -> float:
        """What the error is at least where the gate is 0, up to the knot, or x, from the knot on."""
        if not math.isfinite(knot) or knot in self.curve.target.breaks:
            return 0.0
        if side > 0:
            i = bisect_right(self.xs, knot) - 1
            known = self.before[i] if i >= 0 else 0.0
            if i < 0 or i == len(self.xs) - 1 or known >= self.error:
                return known
            return max(known, _least(self.f(knot))) if self._is_inside(knot) else known
        i = bisect_right(self.xs, knot)
        i = i - 1 if i and self.xs[i - 1] == knot else i
        known = self.after[i] if i < len(self.xs) else 0.0
        if i == 0 or i == len(self.xs) or known >= self.error:
            return known
        return max(known, _least(self.f(knot) - arb(knot))) if self._is_inside(knot) else known

    def _inside(self, box: Box, middle: tuple[float, float], points: Sequence[float]) -> tuple[float, float, float]:
        """(bound, what l takes away from it, what r does) by the points."""
        begin, end = middle
        inner = self._levelled(begin, end, points)
        if inner is None:
            return 0.0, 0.0, 0.0
        l0, width = arb(begin), arb(end) - arb(begin)
        u, v = arb(box.u[0]).union(arb(box.u[1])), arb(box.v[0]).union(arb(box.v[1]))
        c, d = arb(self.c), arb(self.d)
        q = [arb(value) for value in inner]
        least, weights = arb.pos_inf(), self._weights(tuple(points))
        total, beyond, before, first = arb(0), arb(1), arb(1), 0
        for i, x in enumerate(points):
            at = arb(x)
            t = (at - l0) / width
            rest = self.f(x) - at * t * (1 + (1 - t) * _horner(q, t))
            side = (1 - 2 * (i % 2)) * (1 if x > 0 else -1)
            first = first or (1 if side * rest > 0 else -1)
            least = least.min(first * side * rest)
            a, b = 1 + (at - c) * u, 1 + (d - at) * v
            if not (a > 0 and b > 0):
                return 0.0, 0.0, 0.0
            before, beyond = before * a, beyond * b
            total = total + weights[i] / (a * b)
        apart = v + u * (1 + (d - c) * v)  # (r - l) u v
        tl, tr = ((c - l0) * u - 1) / width, ((d - l0) * v + 1) / width  # t u at l, t v at r
        plus = [arb(1)] + [arb(0)] * len(q)  # 1 + (1 - t) q
        minus = [arb(1)] + [-value for value in q]  # 1 - t q
        for k, value in enumerate(q):
            plus[k] = plus[k] + value
            plus[k + 1] = plus[k + 1] - value
        at_l = tl * _homogeneous(plus, tl, u)
        at_r = (v * (arb(end) - d) - 1) / width * _homogeneous(minus, tr, v)
        by_l = abs(at_l / (apart * before * total)).upper()
        by_r = abs(at_r / (apart * beyond * total)).upper()
        bound = (least - by_l - by_r).lower()
        numbers = [float(n) for n in (bound, by_l, by_r)]
        if not all(map(math.isfinite, numbers)):
            return 0.0, 0.0, 0.0
        return numbers[0] - abs(numbers[0]) * 1e-15, numbers[1], numbers[2]

    def _anywhere(self, low: float, high: float) -> float:
        """By D + 2 points between l and r alone, as for all polynomials."""
        found = self.curve.free(low, high)
        if found is None:
            return 0.0
        points, row = found
        exact = [arb(c) for c in row]
        rests = [self.f(x) - arb(x) * _horner(exact, arb(x)) for x in points]
        signed = [
            (1 - 2 * (i % 2)) * (1 if x > 0 else -1) * e for i, (x, e) in enumerate(zip(points, rests, strict=True))
        ]
        side = 1 if signed[0] > 0 else -1
        least = min((side * e).lower() for e in signed)
        return _least(least) if least > 0 else 0.0

    def _weights(self, points: tuple[float, ...]) -> list[arb]:
        """1/(|x_i| prod |x_i - x_j|)."""
        if points not in self.weights:
            exact = [arb(x) for x in points]
            found = []
            for i, x in enumerate(exact):
                value = abs(x)
                for j, y in enumerate(exact):
                    if j != i:
                        value = value * abs(x - y)
                found.append(1 / value)
            self.weights[points] = found
        return self.weights[points]

    def _levelled(self, begin: float, end: float, points: Sequence[float]) -> list[float] | None:
        """q, such that the error levels at the points."""
        x = np.array(points)
        t = (x - begin) / (end - begin)
        w = x * t * (1 - t)
        f = np.array([float(self.f(p)) for p in points])
        signs = (1.0 - 2.0 * (np.arange(len(x)) % 2)) * np.sign(x)
        matrix = np.column_stack([np.vander(t, self.degree - 1, increasing=True) * w[:, None], signs])
        try:
            return np.linalg.solve(matrix, f - x * t)[:-1].tolist()
        except np.linalg.LinAlgError:
            return None


def _horner(row: Sequence[arb], t: arb) -> arb:
    value = arb(0)
    for c in reversed(row):
        value = value * t + c
    return value


def _homogeneous(row: Sequence[arb], t: arb, u: arb) -> arb:
    """sum row_k t^k u^(n - k)."""
    value, power = arb(0), arb(1)
    for c in reversed(row):
        value = value * t + c * power
        power = power * u
    return value


def _least(value: arb) -> float:
    """A lower bound of the size."""
    found = float(abs(value).lower())
    return max(math.nextafter(found, 0), 0.0) if math.isfinite(found) else 0.0
