"""Zeros without a closed form, enclosed: floating point finds a candidate, a sign change in balls proves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy as sp
from flint import arb, ctx

from analysis.activation import lowering
from analysis.activation.parsing import X
from analysis.rigorous import balls

REACH = 60.0  # candidates are looked for up to here; a zero beyond is not found, so nothing is called complete
SAMPLES = 4001
GUARD_BITS = 64


@dataclass(frozen=True)
class Root:
    """g has a zero in the ball x, and goes from - to + across it if `rising`, else from + to -."""

    x: arb
    rising: bool


def sign_changes(g: sp.Expr, lower: sp.Expr, upper: sp.Expr, digits: int = 30) -> tuple[Root, ...]:
    """Enclosures, `digits` digits wide, of zeros at which g changes sign in (lower, upper).

    Each is proved to exist; that there are no others is not claimed.
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
