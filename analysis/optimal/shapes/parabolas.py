"""What a parabola in the tube f +- E can be at its right end, given where it begins: bounds over cells, by arrays.

The parabola q spans a piece from a knot t' in a cell [u0, u1] to a knot t in a cell [v0, v1] right of it. At t' its
value, and its slope, lie between given lines. Each bound is a weak dual of a linear programme in q. For points
x1 < x2 < x3 of [u1, v0] and v >= x3 the weights in q(v) = sum l_i(v) q(x_i) have the signs +, -, +, so

    q(v) <= sum l_i(v) f(x_i) + E sum |l_i(v)|.

With the knot for x1, and p the line through (x1, f(x1) - E) and (x2, f(x2) + E),

    q(v) <= p(v) + g(t') (v - x1)(v - x2),    g(t') = (top(t') - p(t'))/((x1 - t')(x2 - t')).

With value and slope at the knot, which are at least y(t') and m(t'), and one point x1,

    q(v) <= y + m (v - t') + ((v - t')/(x1 - t'))^2 (f(x1) + E - y - m (x1 - t')).

Derivatives by v bound q'(v) likewise. A function of t' is at most the larger of its values at u0 and u1, and
(u1 - u0)^2/8 times a bound of its second derivative. Between v0 and v1 q is off its chord by at most |q''|
(v1 - v0)^2/8, and q'' is bounded by a divided difference; q' is its chord.

Rounding: every term is a product of fewer than 20 doubles, so that SAFE times the sum of the sizes of all terms is
far more than what is lost; it is added to each bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

SAFE = 1e-12
FAR = 1e300  # stands for infinity
POINTS = 9  # of a piece: enough to come near the best triple; a heuristic
SHARES = (1 - np.cos(np.linspace(0, np.pi, POINTS))) / 2
TRIPLES = np.array(list(combinations(range(POINTS), 3))).T
PAIRS = np.array(list(combinations(range(1, POINTS), 2))).T


@dataclass(frozen=True)
class Samples:
    """Abscissae in order, and f there: |f - value| <= off."""

    x: np.ndarray
    value: np.ndarray
    off: np.ndarray


@dataclass(frozen=True)
class Bounds:
    """Lines over cells, by their values at both ends, shape (cells, 2): of a value, and of a slope."""

    below: np.ndarray
    above: np.ndarray
    least: np.ndarray
    most: np.ndarray

    @classmethod
    def unknown(cls, count: int) -> Bounds:
        return cls(*(np.full((count, 2), side * FAR) for side in (-1, 1, -1, 1)))

    def __getitem__(self, chosen: np.ndarray) -> Bounds:
        return Bounds(self.below[chosen], self.above[chosen], self.least[chosen], self.most[chosen])

    def meet(self, other: Bounds) -> Bounds:
        lower, upper = np.maximum, np.minimum
        return Bounds(lower(self.below, other.below), upper(self.above, other.above),
                      lower(self.least, other.least), upper(self.most, other.most))  # fmt: skip

    @property
    def possible(self) -> np.ndarray:
        """False where nothing lies between."""
        between: np.ndarray = (self.below <= self.above) & (self.least <= self.most)
        return between.min(axis=1)


@dataclass(frozen=True)
class Cells:
    """Intervals between samples, by number, and what is known at a knot there."""

    begin: np.ndarray
    end: np.ndarray
    known: Bounds

    def __getitem__(self, chosen: np.ndarray) -> Cells:
        return Cells(self.begin[chosen], self.end[chosen], self.known[chosen])


def at_the_end(samples: Samples, start: Cells, begin: np.ndarray, end: np.ndarray, error: float):
    """(bounds, possible) of q over the cells from `begin` to `end`.

    Not `possible`: no parabola in the tube leads from the one cell to the other.
    """
    x, f, e = _between(samples, start.end, begin, error)
    ends = np.stack([samples.x[begin], samples.x[end]], axis=1)
    found = Bounds.unknown(len(x))
    wide = e[:, -1] + SAFE * (e[:, -1] + abs(f[:, -1]))
    found.above[:, 0], found.below[:, 0] = f[:, -1] + wide, f[:, -1] - wide
    u, v = (samples.x[side][:, None, None] for side in (start.begin, start.end))
    with np.errstate(all="ignore"):
        found = found.meet(_by_points(x, f, e, ends)).meet(_by_the_knot(u, v, start.known, x, f, e, ends))
        if (start.known.most < FAR / 2).any():
            found = found.meet(_by_the_slope(u, v, start.known, x, f, e, ends))
        convex, concave = _bent(x, f, e, ends)
    possible = found.possible
    return Bounds(found.below - convex, found.above + concave, found.least, found.most), possible


def _between(samples: Samples, first: np.ndarray, last: np.ndarray, error: float):
    """Samples from the first to the last: x, f, and the half width of the tube."""
    wanted = samples.x[first][:, None] + (samples.x[last] - samples.x[first])[:, None] * SHARES
    places = np.clip(np.searchsorted(samples.x, wanted), first[:, None], last[:, None])
    places[:, 0], places[:, -1] = first, last
    return samples.x[places], samples.value[places], error + samples.off[places]


def _by_points(x: np.ndarray, f: np.ndarray, e: np.ndarray, ends: np.ndarray) -> Bounds:
    """By three points of the tube."""
    t = ends[:, :, None]
    (a, b, c), fs, es = ([v[:, None, i] for i in TRIPLES] for v in (x, f, e))
    ones = 1 / ((a - b) * (a - c)), 1 / ((b - a) * (b - c)), 1 / ((c - a) * (c - b))
    values = (t - b) * (t - c), (t - a) * (t - c), (t - a) * (t - b)
    slopes = (t - b) + (t - c), (t - a) + (t - c), (t - a) + (t - b)
    found = []
    for factors in (values, slopes):
        weights = [one * factor for one, factor in zip(ones, factors, strict=True)]
        middle = sum(w * y for w, y in zip(weights, fs, strict=True))
        around = sum(abs(w) * y for w, y in zip(weights, es, strict=True))
        around = around + SAFE * (around + sum(abs(w * y) for w, y in zip(weights, fs, strict=True)))
        found += [_largest(middle - around), _least(middle + around)]
    return Bounds(*found)


def _by_the_knot(u, v, known: Bounds, x: np.ndarray, f: np.ndarray, e: np.ndarray, ends: np.ndarray) -> Bounds:
    """By the value where the piece begins, and two points."""
    t = ends[:, :, None]
    (a, b), (fa, fb), (ea, eb) = ([w[:, None, i] for i in PAIRS] for w in (x, f, e))
    width, beyond, onward = v - u, (t - a) * (t - b), (t - a) + (t - b)
    at_u, at_v = 1 / ((a - u) * (b - u)), 1 / ((a - v) * (b - v))
    first, second = 1 / (a - v) + 1 / (b - v), 1 / (a - v) ** 2 + 1 / (b - v) ** 2
    found = []
    for side, line in ((-1, known.below), (1, known.above)):
        y = fa - side * ea
        slope = (fb + side * eb - y) / (b - a)
        rest_u, rest_v = (line[:, k, None, None] - y - slope * (end - a) for k, end in ((0, u), (1, v)))
        size = np.maximum(abs(rest_u), abs(rest_v))
        bend = at_v * (2 * abs(rest_v - rest_u) * width * first + size * width**2 * (first**2 + second)) / 8
        g = np.maximum(side * rest_u * at_u, side * rest_v * at_v) + bend
        far = abs(line).max(axis=1)[:, None, None]
        sizes = (abs(fa) + abs(fb) + ea + eb) * (1 + (t - u) / (b - a)) + far
        value = y + slope * (t - a) + side * (g * beyond + SAFE * sizes * (1 + beyond * at_v))
        steep = slope + side * (g * onward + SAFE * sizes * (1 / (b - a) + onward * at_v))
        found.append([np.where(far < FAR / 2, bound, side * FAR) for bound in (value, steep)])
    (below, least), (above, most) = found
    return Bounds(_largest(below), _least(above), _largest(least), _least(most))


def _by_the_slope(u, v, known: Bounds, x: np.ndarray, f: np.ndarray, e: np.ndarray, ends: np.ndarray) -> Bounds:
    """By the value and the slope where the piece begins, and one point."""
    t, width = ends[:, :, None], v - u
    a, fa, ea = (w[:, None, 1:] for w in (x, f, e))
    found = []
    for side, line, tangent in ((-1, known.above, known.most), (1, known.below, known.least)):
        y, m = ([row[:, k, None, None] for k in (0, 1)] for row in (line, tangent))
        turn, rise = (m[1] - m[0]) / width, (y[1] - y[0]) / width
        turn, rise = (np.where(width > 0, slope, 0.0) for slope in (turn, rise))
        rests = [fa + side * ea - y[k] - m[k] * (a - end) for k, end in ((0, u), (1, v))]
        ratios = [(t - end) / (a - end) for end in (u, v)]
        # what a change of t' does, at its largest
        rest = np.maximum(abs(rests[0]), abs(rests[1])) + abs(turn) * width**2 / 4
        change = np.maximum(abs(m[0] - rise - turn * (a - u)), abs(m[1] - rise - turn * (a - v)))
        ratio, by_one = ratios[1], (t - a) / (a - v) ** 2
        by_two = 2 * by_one / (a - v)
        bend = 2 * abs(turn) * (1 + ratio**2) + 2 * (by_one**2 + ratio * by_two) * rest + 4 * ratio * by_one * change
        value = [y[k] + m[k] * (t - end) + ratios[k] ** 2 * rests[k] for k, end in ((0, u), (1, v))]
        # the slope: m + 2 (v - t') rest/(x1 - t')^2, whose factor h has h' and h'' as its derivatives
        h = [2 * (t - end) / (a - end) ** 2 for end in (u, v)]
        h_one = 2 * (2 * (t - v) - (a - v)) / (a - v) ** 3
        h_two = 4 * (3 * (t - v) - 2 * (a - v)) / (a - v) ** 4
        curl = h_two * rest + 2 * h_one * change + 2 * h[1] * abs(turn)
        steep = [m[k] + h[k] * rests[k] for k in (0, 1)]
        far = np.maximum(abs(line).max(axis=1), abs(tangent).max(axis=1))[:, None, None]
        sizes = (abs(fa) + ea + (abs(y[0]) + abs(y[1])) + (abs(m[0]) + abs(m[1])) * (t - u)) * (1 + ratio**2)
        bounds = [
            side * (np.maximum(side * pair[0], side * pair[1]) + more * width**2 / 8 + SAFE * size)
            for pair, more, size in ((value, bend, sizes), (steep, curl, sizes * (1 + 1 / (a - v))))
        ]
        found.append([np.where(far < FAR / 2, bound, side * FAR) for bound in bounds])
    (below, least), (above, most) = found
    return Bounds(_largest(below), _least(above), _largest(least), _least(most))


def _bent(x: np.ndarray, f: np.ndarray, e: np.ndarray, ends: np.ndarray):
    """How far a parabola may be below its chord over the end's cell, and above."""
    chosen = [0, POINTS // 2, POINTS - 1]
    a, b, c = (x[:, k] for k in chosen)
    weights = 1 / ((a - b) * (a - c)), 1 / ((b - a) * (b - c)), 1 / ((c - a) * (c - b))
    middle = sum(w * f[:, k] for w, k in zip(weights, chosen, strict=True))
    around = sum(abs(w) * (e[:, k] + SAFE * (e[:, k] + abs(f[:, k]))) for w, k in zip(weights, chosen, strict=True))
    share = (1 + SAFE) * (ends[:, 1] - ends[:, 0]) ** 2 / 4
    found = (np.maximum(around + sign * middle, 0) * share for sign in (1, -1))
    return tuple(np.nan_to_num(bend, nan=FAR, posinf=FAR)[:, None] for bend in found)


def _least(bounds: np.ndarray) -> np.ndarray:
    return np.nan_to_num(bounds, nan=FAR, posinf=FAR, neginf=FAR).min(axis=2)


def _largest(bounds: np.ndarray) -> np.ndarray:
    return np.nan_to_num(bounds, nan=-FAR, posinf=-FAR, neginf=-FAR).max(axis=2)
