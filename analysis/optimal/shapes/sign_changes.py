"""What no smooth spline with free knots can do: a proof by the sign changes that the difference of two splines has.

Let s be a spline of degree d with j simple knots, and let f - s have opposite signs in turn at m points, and a size of
at least E at each. If a spline t with k simple knots had an error below E, s - t = (f - t) - (f - s) would have the
signs of s - f there, and so m - 1 sign changes. But it is a spline with j + k simple knots, and has at most j + k + d,
less d + 1 for each end at which s and t follow the same line (Schumaker, Spline Functions: Basic Theory, 1981, chapter
4). So

    m >= j + k + d + 2 - (d + 1) * (ends with an asymptote)

proves that the error of t is at least E. Where f^(d+1) has one sign, the best spline itself is such an s.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import sympy as sp
from flint import arb, ctx, fmpq

from analysis.exact.normal import sign
from analysis.optimal.designs import Polynomials
from analysis.optimal.shapes.alternation import alternating
from analysis.optimal.shapes.pigeonhole import BITS
from analysis.optimal.shapes.spacing import Search
from analysis.rigorous import balls

SAMPLES = 24  # of a gap between knots, to find where the error is largest
NEWTON = 6


def lower(search: Search, reference: Polynomials, knots: int) -> Fraction:
    """A proved lower bound of the error of all splines with so many knots; zero where the signs do not suffice.

    `reference` has the smoothness and the outer pieces of the shape that is searched.
    """
    degree = search.shape.degree
    assert search.shape.smooth == degree - 1
    count = len(reference.knots) + knots + degree + 2 - (degree + 1) * search.outer
    if count < 1:
        return Fraction(0)
    x, error = _extrema(search, reference)
    chosen = alternating(list(zip(x.tolist(), error.tolist(), strict=True)), count)
    return _proved(search, reference, [at for at, _ in chosen]) if len(chosen) == count else Fraction(0)


def _extrema(search: Search, reference: Polynomials) -> tuple[np.ndarray, np.ndarray]:
    """Abscissae from left to right, the maxima of the size of the error among them, and f - s there."""
    curve = search.problem.curve
    low, high = (
        float(one.x[0]) if one else float(end)
        for end, one in zip((search.target.lower, search.target.upper), search.outside, strict=True)
    )
    knots = np.array([float(k) for k in reference.knots])
    cuts = np.unique(np.clip([low, *knots, *curve.breaks, high], low, high))
    share = np.linspace(0, 1, SAMPLES + 1)
    x = np.unique(cuts[:-1, None] * (1 - share) + cuts[1:, None] * share)
    if search.outer:
        x = np.unique(np.append(x, np.sinh(np.linspace(np.arcsinh(low), np.arcsinh(high), SAMPLES**2))))
    rows = np.array([[float(c) for c in row] + [0.0] * (3 - len(row)) for row in reference.coefficients])

    def error(at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        f, slope, bend = curve.jets(at, np.searchsorted(curve.breaks, at))
        a, b, c = rows[np.searchsorted(knots, at, side="right")].T
        return f - a - b * at - c * at**2, slope - b - 2 * c * at, bend - 2 * c

    better = x.copy()
    width = np.gradient(x)
    for _ in range(NEWTON):
        _, slope, bend = error(better)
        with np.errstate(all="ignore"):
            moved = better - slope / bend
        better = np.where(np.isfinite(moved) & (abs(moved - x) < width), moved, better)
    x = np.unique(np.clip(np.append(x, better), low, high))
    return x, np.nan_to_num(error(x)[0])


def _proved(search: Search, reference: Polynomials, x: list[float]) -> Fraction:
    """The least size of f - s at the points, if the signs alternate; in balls."""
    with ctx.workprec(BITS):
        errors = [_error(search, reference, Fraction(at)) for at in x]
        turns = [(-1) ** i * error for i, error in enumerate(errors)]
        if not (all(turn > 0 for turn in turns) or all(turn < 0 for turn in turns)):
            return Fraction(0)
        return min(balls.fraction(error.abs_lower()) for error in errors)


def _error(search: Search, reference: Polynomials, at: Fraction) -> arb:
    exact, ball = sp.Rational(at.numerator, at.denominator), arb(fmpq(at.numerator, at.denominator))
    piece = next(p for p in search.target.pieces if sign(exact - p.lower) >= 0 and sign(p.upper - exact) >= 0)
    row = reference.coefficients[sum(sign(exact - knot) >= 0 for knot in reference.knots)]
    value = balls.evaluator(piece.expression)(ball)
    for k, c in enumerate(row):
        value = value - balls.enclose(c) * ball**k
    return value
