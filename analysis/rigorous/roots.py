"""Zeros without a closed form, enclosed: floating point finds a candidate, a sign change in balls proves it.

That there are no others is proved apart: on the tails by their envelopes, in between by intervals on which the
function, or its derivative, has one sign.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import sympy as sp
from flint import arb, ctx

from analysis.activation import lowering
from analysis.activation.parsing import X
from analysis.rigorous import balls, tails

REACH = 60.0  # candidates are looked for up to here; a zero beyond is not found, so nothing is called complete
SAMPLES = 4001
GUARD_BITS = 64
STRIDE = 0.75  # of the first subdivision
ASIDE = 0.41421356  # where a step is cut: no ratio at which a zero of interest lies
DEEPEST = 40  # bisections
FARTHEST = 256  # tails begin no later than here


@dataclass(frozen=True)
class Root:
    """g has a zero in the ball x, and goes from - to + across it if `rising`, else from + to -."""

    x: arb
    rising: bool


def sign_changes(g: sp.Expr, lower: sp.Expr, upper: sp.Expr, digits: int = 30) -> tuple[Root, ...]:
    """Enclosures, `digits` digits wide, of zeros at which g changes sign in (lower, upper).

    Each is proved to exist; whether there are others is for `isolated`.
    """
    found: list[Root] = []
    with ctx.workprec(int(3.33 * digits) + GUARD_BITS):
        ball, slope = balls.evaluator(g), balls.evaluator(sp.diff(g, X))
        for guess in _candidates(g, lower, upper):
            root = _proved(ball, slope, guess, digits)
            if root is not None and not any(root.x.overlaps(other.x) for other in found):
                found.append(root)
    return tuple(found)


def _candidates(g: sp.Expr, lower: sp.Expr, upper: sp.Expr) -> list[float]:
    lo = max(-REACH, float(lower)) if lower != -sp.oo else -REACH
    hi = min(REACH, float(upper)) if upper != sp.oo else REACH
    if not lo < hi:
        return []
    x = np.linspace(lo, hi, SAMPLES)[1:-1]
    signs = np.sign(lowering.evaluator(g)(x))
    places = np.flatnonzero(signs[:-1] * signs[1:] < 0)
    exact = np.flatnonzero(signs == 0)
    return [*((x[places] + x[places + 1]) / 2), *(x[exact[:8]])]


def _proved(ball: Callable, slope: Callable, guess: float, digits: int) -> Root | None:
    x = arb(guess)
    for _ in range(60):
        step = (ball(x) / slope(x)).mid()
        if not step.is_finite() or abs(step) > 1:
            return None
        x = (x - step).mid()
        if abs(step) < arb(10) ** (-digits - 4):
            break
    radius = (arb(10) ** -digits * max(abs(x), arb(10) ** -digits)).mid()
    left, right = ball((x - radius).mid()), ball((x + radius).mid())
    enclosure = (x - radius).mid().union((x + radius).mid())
    if left < 0 < right:
        return Root(enclosure, True)
    if left > 0 > right:
        return Root(enclosure, False)
    return None


def isolated(g: sp.Expr, lower: sp.Expr, upper: sp.Expr) -> tuple[arb, ...] | None:
    """Intervals that hold exactly one zero of g each, and together all zeros of g in (lower, upper).

    None where that cannot be shown, as for a double zero or a tail without a rule.
    """
    with ctx.workprec(balls.PRECISION):
        low, high = _start_of_tail(g, -1, lower), _start_of_tail(g, 1, upper)
        if low is None or high is None:
            return None
        value, slope = balls.evaluator(g), balls.evaluator(sp.diff(g, X))
        count = max(1, int(float(high - low) / STRIDE))
        ends = [low, *(low + (high - low) * (k + ASIDE) / count for k in range(count)), high]
        found: list[arb] = []
        for pair in pairwise(ends):
            inside = _isolated_between(value, slope, *pair, DEEPEST)
            if inside is None:
                return None
            found += inside
        return tuple(found)


def _start_of_tail(g: sp.Expr, direction: int, end: sp.Expr) -> arb | None:
    """The end itself if finite; else a point beyond which g has no zero."""
    if end.is_finite:
        return balls.enclose(end)
    start = 8
    while start <= FARTHEST:
        if tails.is_definite(g, direction, start):
            return arb(direction * start)
        start *= 2
    return None


def _isolated_between(value: Callable, slope: Callable, low: arb, high: arb, depth: int) -> list[arb] | None:
    hull = low.union(high)
    if _excludes_zero(value, hull):
        return []
    if _excludes_zero(slope, hull):
        left, right = value(low), value(high)
        if left.contains(0) or right.contains(0):
            return None
        return [hull] if (left > 0) != (right > 0) else []
    if depth == 0:
        return None
    cut = (low + (high - low) * ASIDE).mid()
    left_part = _isolated_between(value, slope, low, cut, depth - 1)
    right_part = None if left_part is None else _isolated_between(value, slope, cut, high, depth - 1)
    return None if left_part is None or right_part is None else [*left_part, *right_part]


def _excludes_zero(evaluate: Callable, hull: arb) -> bool:
    found = evaluate(hull)
    return found.is_finite() and not found.contains(0)
