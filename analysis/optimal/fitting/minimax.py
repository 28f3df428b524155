"""Sup-norm fits in epigraph form: minimise t subject to |r(x; theta)| <= t for every x.

Only the local maxima of |r| matter: each is a smooth function of the constants (Danskin 1967), be it at a stationary
point of r, at a kink that moves with the constants, at an end of the domain or at infinity. A sequence of linear
programs with a trust region finds the active ones; sequential quadratic programming on those then gives the digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import optimize

from analysis.optimal.fitting.residual import Residual

NEAR_ACTIVE = 0.02  # branches within this share of the largest take part in the final step; a heuristic
RELEVANT = 0.5  # lower maxima are left to the coarse grid of the linear programs; a heuristic
SAME = 1e-9  # maxima that differ by less than this share are one value
REACH = 1e3  # of the grid on an infinite domain
BEYOND = 4.0  # times what lies out there the grid goes on
FAR_POINTS, FARTHEST = 400, 1e12
SIGNIFICANT = 1e-9  # share of |x| below which a difference far out may be that of rounding
STEPS = 60
BRACKETING = 22  # golden sections of a bracket before Newton's method takes over
GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Branch:
    """A local maximum of |r| as a function of the constants: its place now, and (value, gradient) of r there."""

    x: float
    value: float
    gradient: np.ndarray
    follow: Callable[[np.ndarray], tuple[float, np.ndarray]]


def base_grid(residual: Residual) -> np.ndarray:
    """Abscissas among which the local maxima are bracketed: out to +-1e3 at least on an infinite domain.

    They crowd towards zero, where families that scale their argument by a large constant have their features.
    """
    low, high = _window(*residual.norm.ends)
    spread = np.sinh(np.linspace(np.arcsinh(low), np.arcsinh(high), 1501))
    near_zero = np.geomspace(1e-8, 1e-2, 60)
    crowd = np.concatenate([-near_zero, near_zero])
    # The ends as they are: the inverse of arcsinh is not exact.
    return np.unique(np.concatenate([[low, high], spread[1:-1], crowd[(crowd > low) & (crowd < high)]]))


def _window(lower: float, upper: float) -> tuple[float, float]:
    """The domain, an infinite end replaced by `REACH`, or by a multiple of the other end where that lies far out."""
    low = -max(REACH, -BEYOND * upper if math.isfinite(upper) else 0.0) if math.isinf(lower) else lower
    high = max(REACH, BEYOND * lower if math.isfinite(lower) else 0.0) if math.isinf(upper) else upper
    return low, high


def _reaching(grid: np.ndarray, kinks: np.ndarray, residual: Residual) -> np.ndarray:
    """The grid, continued on an infinite domain where kinks lie beyond it: their neighbourhoods have maxima too."""
    far = np.abs(kinks[np.abs(kinks) < FARTHEST]).max(initial=0.0)
    parts = [grid]
    for side, start, end in ((-1, -grid[0], residual.norm.lower), (1, grid[-1], residual.norm.upper)):
        if math.isinf(end) and far > start > 0:
            parts.append(side * np.geomspace(start, BEYOND * far, FAR_POINTS))
    return np.unique(np.concatenate(parts)) if len(parts) > 1 else grid


def _followed_out(residual: Residual, theta: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """The grid, continued on an infinite domain as long as |r| is among the largest at its end and still grows."""
    for side, end in ((-1, residual.norm.lower), (1, residual.norm.upper)):
        size = np.abs(residual(grid, theta))
        while math.isinf(end) and abs(grid[::side][-1]) < FARTHEST:
            last, before = size[::side][-1], size[::side][-2]
            start = abs(float(grid[::side][-1]))
            if not (before < last and last >= max(RELEVANT * size.max(), SIGNIFICANT * start)):
                break
            grid = np.unique(np.concatenate([grid, side * np.geomspace(start, REACH * start, FAR_POINTS)[1:]]))
            size = np.abs(residual(grid, theta))
    return grid


def branches(residual: Residual, theta: np.ndarray, grid: np.ndarray) -> list[Branch]:
    """The local maxima of |r| on the domain that are not small beside the largest, and the limits at infinity."""
    kinks = residual.kinks(theta)
    grid = _reaching(grid, kinks, residual)
    grid = _followed_out(residual, theta, grid)
    low, high = grid[0], grid[-1]
    inside = [(float(k), i) for i, k in enumerate(kinks) if low < k < high]
    x = np.unique(np.concatenate([grid, [k for k, _ in inside]]))
    size = np.abs(residual(x, theta))
    padded = np.concatenate([[-1.0], size, [-1.0]])
    is_peak = (padded[1:-1] >= padded[:-2]) & (padded[1:-1] > padded[2:])
    peaks = np.flatnonzero(is_peak & (size >= RELEVANT * size.max()))
    left, right = x[np.maximum(peaks - 1, 0)], x[np.minimum(peaks + 1, len(x) - 1)]
    places = _climb(residual, theta, left, right)
    limits = [_limit_branch(residual, theta, i) for i in range(len(residual.limits))]
    widths = right - left
    followed = [
        _follow_place(residual, theta, x, width, inside, (low, high)) for x, width in zip(places, widths, strict=True)
    ]
    return limits + followed


def _climb(residual: Residual, theta: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Golden-section search for the maxima of |r| in all brackets at once, to some 1e-6 of their width."""
    a, b = left.copy(), right.copy()
    c, d = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
    fc, fd = np.abs(residual(c, theta)), np.abs(residual(d, theta))
    for _ in range(BRACKETING):
        keep_left = fc >= fd
        a, b = np.where(keep_left, a, c), np.where(keep_left, d, b)
        new = np.where(keep_left, b - GOLDEN * (b - a), a + GOLDEN * (b - a))
        fnew = np.abs(residual(new, theta))
        c, d, fc, fd = (
            np.where(keep_left, new, d),
            np.where(keep_left, c, new),
            np.where(keep_left, fnew, fd),
            np.where(keep_left, fc, fnew),
        )
    return (a + b) / 2


def _follow_place(residual: Residual, theta: np.ndarray, x: float, width: float, kinks: list, ends: tuple) -> Branch:
    """The branch of the maximum at x, which was found in a bracket of that width."""
    close = 1e-4 * width
    for k, i in kinks:
        if abs(k - x) < close and not _is_smooth_peak(residual, theta, k, 10 * close):
            value, gradient = residual.at_kink(i, theta)
            return Branch(k, value, gradient, partial(residual.at_kink, i))
    for end in ends:
        if abs(end - x) < close:
            return Branch(end, *_at(residual, end, theta), partial(_at, residual, end))
    peak = _Peak(residual, x, width)
    return Branch(x, *peak(theta), peak)


def _is_smooth_peak(residual: Residual, theta: np.ndarray, kink: float, aside: float) -> bool:
    """Whether r has the same slope's sign on both sides of the kink, so that the maximum is beside it."""
    slopes, _ = residual.slopes(np.array([kink - aside, kink + aside]), theta)
    return bool(slopes[0] * slopes[1] > 0)


@dataclass
class _Peak:
    """The value of r at the stationary point that continues the one at x; one step goes no farther than `reach`."""

    residual: Residual
    x: float
    reach: float

    def __call__(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        x = self.x
        for _ in range(8):
            slope, curvature = (float(s[0]) for s in self.residual.slopes(np.array([x]), theta))
            step = slope / curvature if curvature else math.inf
            if not abs(step) < self.reach:
                break
            x -= step
            if abs(step) < 1e-14 * (1 + abs(x)):
                break
        if abs(x - self.x) < 4 * self.reach:
            self.x = x
        return _at(self.residual, self.x, theta)


def _at(residual: Residual, x: float, theta: np.ndarray) -> tuple[float, np.ndarray]:
    place = np.array([x])
    return float(residual(place, theta)[0]), residual.gradient(place, theta)[0]


def _limit_branch(residual: Residual, theta: np.ndarray, i: int) -> Branch:
    value, gradient = residual.at_infinity(i, theta)
    return Branch(residual.limits[i][0], value, gradient, partial(residual.at_infinity, i))


def value(residual: Residual, theta: np.ndarray, grid: np.ndarray) -> tuple[float, float]:
    """The sup norm, in floating point, and the leftmost x that attains it; inf where r has no value on the grid."""
    known = branches(residual, theta, grid)
    if not known:
        return math.inf, float(grid[0])
    top = max(abs(b.value) for b in known)
    return top, min(b.x for b in known if abs(b.value) >= (1 - SAME) * top)


def minimise(residual: Residual, starts: list[np.ndarray], bounds: np.ndarray) -> tuple[np.ndarray, float]:
    """The least of the local minima of the sup norm reached from the starts: the constants and the value."""
    grid = base_grid(residual)
    reached = [_linear_programs(residual, start, bounds, grid) for start in starts]
    least = min(best for _, best in reached)
    if least == 0:
        return next((theta, best) for theta, best in reached if best == 0)
    return min(
        (_polished(residual, theta, best, bounds, grid) for theta, best in _distinct(reached, least)),
        key=lambda pair: pair[1],
    )


def _distinct(reached: list, least: float) -> list:
    """Those that may still become the best, without repetitions."""
    kept: list = []
    for theta, best in sorted(reached, key=lambda pair: pair[1]):
        if best <= 1.001 * least and not any(np.allclose(theta, other, rtol=1e-3) for other, _ in kept):
            kept.append((theta, best))
    return kept


def _polished(residual, theta, best, bounds, grid):
    if best == 0:
        return theta, best
    polished = _quadratic_programs(residual, theta, bounds, grid)
    reached = value(residual, polished, grid)[0]
    return (polished, reached) if reached <= best and residual.is_admissible(polished) else (theta, best)


def _linear_programs(residual: Residual, theta: np.ndarray, bounds: np.ndarray, grid: np.ndarray):
    """Steps to a local minimum; the coarse grid stands for what lies low, the followed maxima for what lies high.

    A grid point on the flank of a peak would only be in the way: where a kink is to pass it, its gradient is that of
    the wrong side.
    """
    coarse = grid[::10]
    radius = 0.25
    known = branches(residual, theta, grid)
    best = max((abs(b.value) for b in known), default=math.inf)
    for _ in range(STEPS):
        low = coarse[np.abs(residual(coarse, theta)) < RELEVANT * best]
        values = np.concatenate([[b.value for b in known], residual(low, theta)])
        gradients = np.vstack([*(b.gradient for b in known), residual.gradient(low, theta)])
        finite = np.isfinite(values) & np.isfinite(gradients).all(axis=1)
        values, gradients = values[finite], gradients[finite]
        step, predicted = _epigraph_step(values, gradients, theta, bounds, radius)
        if step is None or best - predicted <= 1e-9 * best or radius < 1e-12:
            break
        trial = theta + step
        known_there = branches(residual, trial, grid)
        reached = max((abs(b.value) for b in known_there), default=math.inf)
        if reached < best and residual.is_admissible(trial):
            good = best - reached > 0.5 * (best - predicted)
            theta, best, known = trial, reached, known_there
            radius *= 2 if good else 1
        else:
            radius *= 0.25
    return theta, best


def _epigraph_step(values, gradients, theta, bounds, radius):
    """The step and predicted value of: minimise t, |values + gradients d| <= t, |d| <= radius (1 + |theta|)."""
    n = len(theta)
    reach = radius * (0.1 + np.abs(theta))
    low, high = np.maximum(-reach, bounds[:, 0] - theta), np.minimum(reach, bounds[:, 1] - theta)
    ones = np.ones((len(values), 1))
    solution = optimize.linprog(
        np.append(np.zeros(n), 1.0),
        A_ub=np.vstack([np.hstack([gradients, -ones]), np.hstack([-gradients, -ones])]),
        b_ub=np.concatenate([-values, values]),
        bounds=[*zip(low, high, strict=True), (0, None)],
        method="highs",
    )
    return (solution.x[:n], solution.x[n]) if solution.success else (None, math.inf)


def _quadratic_programs(residual: Residual, theta: np.ndarray, bounds: np.ndarray, grid: np.ndarray) -> np.ndarray:
    known = branches(residual, theta, grid)
    top = max(abs(b.value) for b in known)
    active = [(b.follow, math.copysign(1, b.value)) for b in known if abs(b.value) >= (1 - NEAR_ACTIVE) * top]

    def room(z):  # t - sigma r >= 0, scaled by the value at the start
        return np.array([z[-1] - sign * follow(z[:-1])[0] / top for follow, sign in active])

    def room_slopes(z):
        return np.array([np.append(-sign * follow(z[:-1])[1] / top, 1.0) for follow, sign in active])

    result = optimize.minimize(
        lambda z: z[-1],
        np.append(theta, 1.0),
        jac=lambda z: np.append(np.zeros(len(theta)), 1.0),
        bounds=[*bounds, (0, None)],
        constraints={"type": "ineq", "fun": room, "jac": room_slopes},
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 60},
    )
    return result.x[:-1] if np.isfinite(result.x).all() else theta
