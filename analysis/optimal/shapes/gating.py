"""Gates x P(clip(x, l, r)) in floating point: their errors, the best P for given l and r, and the best of all.

With t = (x - l)/(r - l), P = t + t (1 - t) q(t) is 0 at l and 1 at r whatever q is. For given l and r the best q is a
linear problem, solved by exchange; l, r and q together are found by linear programs in a trust region, in which every
local maximum of the error is a constraint, and so are the knots, which move.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.activation.errors import Undecided
from analysis.optimal.shapes.linear import Target

Vector = np.ndarray

FAR = 1e-5  # where an infinite domain's grid ends, f is so near to its asymptote, or a thousandth of it
PER_DEGREE = 60  # points of the grid
COARSE = 24  # points for each of an exchange
EXCHANGES = 60
SAME = 1e-9  # relative; errors that differ by less are level
SCAN = 14  # values of l, and of r, from which the search may start
STARTS = 3
STEPS = 60
SETTLED = 1e-11  # relative; of the promised progress
NOTHING = 1e-13  # an error so small is rounding
BESIDE = 3.0  # of a finite domain's width, how far outside it knots may lie


@dataclass(frozen=True)
class Shape:
    """l, r and the coefficients of q in ascending powers of t."""

    begin: float
    end: float
    inner: tuple[float, ...]

    @property
    def theta(self) -> Vector:
        return np.array([self.begin, self.end, *self.inner])

    @classmethod
    def of(cls, theta: Vector) -> Shape:
        begin, end, *inner = theta.tolist()
        return cls(begin, end, tuple(inner))

    @property
    def powers(self) -> list[float]:
        """P in powers of t."""
        row = [0.0, 1.0] + [0.0] * len(self.inner)
        for k, c in enumerate(self.inner):
            row[k + 1] += c
            row[k + 2] -= c
        return row

    def values(self, x: Vector) -> Vector:
        t = np.clip((x - self.begin) / (self.end - self.begin), 0, 1)
        return x * np.polynomial.polynomial.polyval(t, self.powers)


class Curve:
    """f on a grid that reaches to where f is its asymptotes."""

    def __init__(self, target: Target, degree: int):
        self.target, self.degree = target, degree
        self.low, self.high = target.reach(FAR)
        self.infinite = target.outer[0] is not None, target.outer[1] is not None
        count = PER_DEGREE * (degree + 4)
        evenly = np.linspace(self.low, self.high, count)
        wide = np.sinh(np.linspace(math.asinh(self.low), math.asinh(self.high), count))
        round_ = (self.low + self.high) / 2 - (self.high - self.low) / 2 * np.cos(np.linspace(0, math.pi, count // 2))
        x = np.concatenate([evenly, np.clip(wide, self.low, self.high), round_, target.breaks])
        self.x = np.unique(x[(self.low <= x) & (x <= self.high)])
        self.f = np.array([self.value(v) for v in self.x.tolist()])
        if not np.isfinite(self.f).all():
            raise Undecided("a gate for a target that has no finite values somewhere")

    def value(self, x: float) -> float:
        return self.target.jet_at(x)(x)[0]

    def near(self, points: Sequence[float]) -> Vector:
        """The grid, and more points close to these, so that no maximum beside them is missed by much."""
        steps = (self.high - self.low) / len(self.x) * 2.0 ** -np.arange(9)
        close = np.add.outer(np.array(points), np.concatenate([-steps, [0.0], steps])).ravel()
        return np.unique(np.concatenate([self.x, np.clip(close, self.low, self.high)]))

    @cached_property
    def before(self) -> Vector:
        """sup |f| up to each point of the grid."""
        return np.maximum.accumulate(np.abs(self.f))

    @cached_property
    def after(self) -> Vector:
        """sup |f - x| from each point of the grid on."""
        return np.maximum.accumulate(np.abs(self.f - self.x)[::-1])[::-1]

    def outside(self, begin: float, end: float) -> float:
        """The error where the gate is 0 or x."""
        i, j = np.searchsorted(self.x, begin, "right") - 1, np.searchsorted(self.x, end, "left")
        return max(self.before[i] if i >= 0 else 0.0, self.after[j] if j < len(self.x) else 0.0)

    def error(self, shape: Shape) -> float:
        return float(np.abs(self.f - shape.values(self.x)).max())

    # l and r given

    def reference(
        self, begin: float, end: float, low: float, high: float, per_point: int = COARSE
    ) -> tuple[list[float], Shape, float] | None:
        """Where the error of the best q levels: D points of the grid inside (low, high), the gate, and the level."""
        inside = self._inside(low, high, per_point)
        if len(inside) < 2 * self.degree + 2:
            return None
        x, f = self.x[inside], self.f[inside]
        t = (x - begin) / (end - begin)
        w, rest = x * t * (1 - t), f - x * t
        side = np.sign(w)
        if not side.all():
            return None
        basis = np.vander(t, self.degree - 1, increasing=True) * w[:, None]
        found = _exchange(basis, rest, side)
        if found is None:
            return None
        points, inner, level = found
        return x[points].tolist(), Shape(begin, end, tuple(inner)), level

    def _inside(self, low: float, high: float, per_point: int = COARSE) -> Vector:
        """As many points of the grid as an exchange needs, without zero, where every gate is zero."""
        found = np.flatnonzero((self.x > low) & (self.x < high) & (np.abs(self.x) > 1e-9 * (high - low)))
        return found[:: max(1, len(found) // (per_point * (self.degree + 2)))]

    def free(self, low: float, high: float) -> tuple[list[float], list[float]] | None:
        """D + 2 points inside (low, high) where the error of the best x P levels, P of degree D and no more, and P."""
        inside = self._inside(low, high)
        if len(inside) < 2 * self.degree + 6:
            return None
        x = self.x[inside]
        scale = float(np.abs(x).max())
        found = _exchange(
            np.vander(x / scale, self.degree + 1, increasing=True) * x[:, None], self.f[inside], np.sign(x)
        )
        if found is None:
            return None
        points, row, _ = found
        return x[points].tolist(), [c / scale**k for k, c in enumerate(row)]

    # everything

    def best(self) -> Shape:
        shapes = sorted(self._starts(), key=lambda s: s[0])[:STARTS]
        if not shapes:
            raise Undecided("a gate with which to begin")
        found = [self._descended(shape) for _, shape in shapes]
        return min(found, key=lambda pair: pair[0])[1]

    def _starts(self):
        wide = BESIDE * (self.high - self.low)
        low = self.low - (0 if self.infinite[0] else wide)
        high = self.high + (0 if self.infinite[1] else wide)
        places = np.sinh(np.linspace(math.asinh(low), math.asinh(high), 2 * SCAN))
        tried = []
        for begin in places.tolist():
            for end in places[places > begin].tolist():
                outside = self.outside(begin, end)
                tried.append((outside, begin, end))
        tried.sort()
        best = math.inf
        for outside, begin, end in tried:
            if outside > best:
                break
            found = self.reference(begin, end, max(begin, self.low), min(end, self.high))
            if found is None:
                continue
            error = max(outside, self.error(found[1]))
            best = min(best, error)
            yield error, found[1]

    def _descended(self, shape: Shape) -> tuple[float, Shape]:
        """By linear programs, as long as they make progress."""
        theta, trust = shape.theta, 0.25 * (shape.end - shape.begin)
        branches = self.branches(Shape.of(theta))
        error = max(abs(v) for _, v, _ in branches)
        for _ in range(STEPS):
            if error < NOTHING:
                break
            step, promised = self._step(branches, error, trust, theta)
            if step is None or promised <= SETTLED * error:
                break
            moved = theta + step
            if moved[1] - moved[0] > 1e-3 * (theta[1] - theta[0]):
                onward = self.branches(Shape.of(moved))
                largest = max(abs(v) for _, v, _ in onward)
                if largest < error:
                    gained = (error - largest) / promised
                    theta, branches, error = moved, onward, largest
                    if gained > 0.75:
                        trust *= 2
                    elif gained > 0.25:
                        continue
                    else:
                        trust *= 0.5
                    continue
            trust = min(trust, float(np.abs(step[:2]).max())) * 0.3
            if trust < 1e-13 * (theta[1] - theta[0]):
                break
        return error, Shape.of(theta)

    def _step(self, branches, error: float, trust: float, theta: Vector):
        from scipy import optimize

        values = np.array([v for _, v, _ in branches]) / error
        slopes = np.array([g for _, _, g in branches]) / error
        ones = np.ones((len(values), 1))
        scale = np.maximum(np.abs(slopes).max(axis=0), 1e-12)
        rows = slopes / scale
        reach = (
            [trust * scale[0], trust * scale[1], *[(1 + np.abs(theta[2:]).max()) * s for s in scale[2:]]]
            if len(theta) > 2
            else [trust * scale[0], trust * scale[1]]
        )
        found = optimize.linprog(
            np.eye(len(theta) + 1)[-1],
            np.block([[rows, -ones], [-rows, -ones]]),
            np.concatenate([-values, values]),
            bounds=[*((-r, r) for r in reach), (0, None)],
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )
        if found.x is None:
            return None, 0.0
        return found.x[:-1] / scale, error * (1 - found.x[-1])

    def branches(self, shape: Shape, every: int = 12) -> list[tuple[float, float, Vector]]:
        """(x, error, its slope by theta) at the local extrema of the error and at both knots, and on a coarse grid."""
        error = self.f - shape.values(self.x)
        size = np.abs(error)
        ahead, behind = np.append(size[1:], -1.0), np.append(-1.0, size[:-1])
        tops = set(np.flatnonzero((size >= ahead) & (size >= behind)).tolist())
        fixed = {self.low, self.high, *self.target.breaks}
        found = []
        for i in sorted(tops | set(range(0, len(self.x), every) if every else ())):
            x = float(self.x[i])
            if i in tops and x not in fixed:
                x = self.summit(i, shape)
            if not shape.begin < x < shape.end and (i not in tops or self._is_at_a_knot(x, shape)):
                continue  # what the knots will leave behind is no matter of theirs
            found.append((x, self.value(x) - float(shape.values(np.array(x))), -self._slopes(x, shape)))
        for k, knot in enumerate((shape.begin, shape.end)):
            if self.low <= knot <= self.high:
                value, slope = self.target.jet_at(knot)(knot)[:2]
                gradient = np.zeros(len(shape.inner) + 2)
                gradient[k] = slope - k
                found.append((knot, value - k * knot, gradient))
        return found

    def summits(self, shape: Shape) -> list[tuple[float, float]]:
        """(x, error) at the local extrema of the error and at the knots."""
        return [(x, value) for x, value, _ in self.branches(shape, every=0)]

    def _is_at_a_knot(self, x: float, shape: Shape) -> bool:
        return min(abs(x - shape.begin), abs(x - shape.end)) <= 1e-9 * (shape.end - shape.begin)

    def _slopes(self, x: float, shape: Shape) -> Vector:
        """Of the gate's value at x."""
        slopes = np.zeros(len(shape.inner) + 2)
        width = shape.end - shape.begin
        t = (x - shape.begin) / width
        if 0 < t < 1:
            steep = x * _jet(shape.powers, t)[1] / width
            slopes[0], slopes[1] = steep * (t - 1), -steep * t
            slopes[2:] = x * t * (1 - t) * t ** np.arange(len(shape.inner))
        return slopes

    def summit(self, i: int, shape: Shape) -> float:
        """The extremum of the error near the point i of the grid, by Newton's method on one side of the knots."""
        low, x, high = float(self.x[max(i - 1, 0)]), float(self.x[i]), float(self.x[min(i + 1, len(self.x) - 1)])
        for knot in (shape.begin, shape.end):
            if low < knot < high:
                low, high = (low, knot) if x <= knot else (knot, high)
        jet, width, row = self.target.jet_at(x), shape.end - shape.begin, shape.powers
        side = 0.0
        for _ in range(40):
            value, slope, bend = jet(x)[:3]
            t = (x - shape.begin) / width
            if 0 < t < 1:
                p, p1, p2 = _jet(row, t)
                value, slope, bend = (
                    value - x * p,
                    slope - p - x * p1 / width,
                    bend - 2 * p1 / width - x * p2 / width**2,
                )
            elif t >= 1:
                value, slope = value - x, slope - 1
            side = side or math.copysign(1.0, value)
            low, high = (x, high) if side * slope > 0 else (low, x)
            onward = x - slope / bend if side * bend < 0 else math.nan
            before, x = x, onward if low <= onward <= high else (low + high) / 2
            if abs(x - before) <= 1e-13 * max(abs(x), 1):
                break
        return x


def _exchange(basis: Vector, f: Vector, side: Vector) -> tuple[Vector, list[float], float] | None:
    """One point more than the basis has functions, where side times the error of the best combination alternates."""
    count = basis.shape[1] + 1
    chosen = np.round((0.5 - 0.5 * np.cos((np.arange(count) + 0.5) * math.pi / count)) * (len(f) - 1))
    points = chosen.astype(int)
    signs = 1.0 - 2.0 * (np.arange(count) % 2)
    for _ in range(EXCHANGES):
        try:
            *row, level = np.linalg.solve(np.column_stack([basis[points], signs * side[points]]), f[points])
        except np.linalg.LinAlgError:
            return None
        error = (f - basis @ np.array(row)) * side
        worst = int(np.argmax(np.abs(error)))
        if abs(error[worst]) <= abs(level) * (1 + SAME) or worst in points:
            break
        points = _exchanged(points, signs * level, worst, error[worst])
    return points, [float(c) for c in row], abs(float(level))


def _exchanged(points: Vector, errors: Vector, worst: int, error: float) -> Vector:
    """One point for the worst, so that the signs go on alternating."""
    place = int(np.searchsorted(points, worst))
    moved = points.copy()
    if place == 0:
        if error * errors[0] > 0:
            moved[0] = worst
        else:
            moved = np.concatenate([[worst], points[:-1]])
    elif place == len(points):
        if error * errors[-1] > 0:
            moved[-1] = worst
        else:
            moved = np.concatenate([points[1:], [worst]])
    else:
        moved[place - 1 if error * errors[place - 1] > 0 else place] = worst
    return moved


def _jet(row: list[float], t: float) -> tuple[float, float, float]:
    value = slope = bend = 0.0
    for c in reversed(row):
        bend = bend * t + 2 * slope
        slope = slope * t + value
        value = value * t + c
    return value, slope, bend
