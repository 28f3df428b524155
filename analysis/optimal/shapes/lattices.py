"""Piecewise polynomials whose coefficients are numbers of a format: each piece searched by itself.

Rounded pieces do not meet at the knots, so nothing ties them together: each takes the coefficients of the lattice that
are best on its own interval, among neighbours of the exact ones. The certificate counts the jumps.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import sympy as sp

from analysis.activation.errors import BadInput, Refused
from analysis.exact.verdict import Verdict
from analysis.optimal.designs import Design, Polynomials
from analysis.optimal.lattice import Lattice
from analysis.optimal.shapes.exchange import Curve
from analysis.optimal.shapes.linear import Target

SAMPLES = 200  # of a piece
REACH = {2: 3, 3: 2}  # lattice steps around a point that one round tries, by the number of coefficients
ROUNDS = 60
NOTE = "rounded pieces need not meet at the knots; the error counts the jumps"
REASON = "the bound is one of all piecewise polynomials; the lattice is searched among neighbours, without proof"


def keeping(tolerance: float, pieces: int, rounded_to: Callable[[int], Design]) -> Design:
    """The first rounded design that keeps the tolerance, of more pieces than the exact one if need be; else Refused."""
    least = math.inf
    for more in (0, *(2**k for k in range(pieces.bit_length() + 1))):
        found = rounded_to(pieces + more)
        if float(found.error[1]) <= tolerance:
            return replace(found, tolerance=tolerance, fewest=Verdict.UNDECIDED)
        least = min(least, float(found.error[1]))
    raise Refused(f"no numbers of the format found that keep {tolerance:g}; the least error is {least:g}")


def rounded(target: Target, polynomials: Polynomials, lattice: Lattice) -> Polynomials:
    """The same knots, and coefficients of the lattice; pieces that reach to infinity must be of it already."""
    curve = Curve(target)
    ends = [target.lower, *polynomials.knots, target.upper]
    rows = [
        _asymptote(row, lattice) if low.is_infinite or high.is_infinite else _piece(curve, row, low, high, lattice)
        for low, high, row in zip(ends, ends[1:], polynomials.coefficients, strict=False)
    ]
    return Polynomials(polynomials.knots, tuple(rows))


def nearest(lattice: Lattice, value: Fraction) -> Fraction:
    points = lattice.around(value, 1)
    if not points:
        raise BadInput(f"expected a format that reaches {float(value):g}, got {lattice.name}")
    return min(points, key=lambda point: abs(point - value))


def _asymptote(row: tuple[sp.Expr, ...], lattice: Lattice) -> tuple[sp.Expr, ...]:
    for c in row:
        if not (c.is_Rational and lattice.below(exact := Fraction(int(c.p), int(c.q))) == exact):
            raise BadInput(
                f"expected a format that holds the asymptote's {c}, or --domain with finite ends, got {lattice.name}"
            )
    return row


def _piece(curve: Curve, row: Sequence[sp.Expr], low: sp.Expr, high: sp.Expr, lattice: Lattice) -> tuple[sp.Expr, ...]:
    x = np.linspace(float(low), float(high), SAMPLES)
    inner = curve.breaks[(curve.breaks > x[0]) & (curve.breaks < x[-1])]
    x = np.sort(np.append(x, inner))
    values = curve.jets(x, np.searchsorted(curve.breaks, x))[0]
    powers = np.vander(x, len(row), increasing=True)
    found = _descended([float(c) for c in row], lattice, lambda c: float(abs(values - powers @ c).max()))
    return tuple(sp.Rational(c.numerator, c.denominator) for c in found)


def _descended(start: list[float], lattice: Lattice, error: Callable[[np.ndarray], float]) -> tuple[Fraction, ...]:
    """Rounds of trying all neighbours."""
    known: dict[tuple[Fraction, ...], float] = {}

    def tried(point: tuple[Fraction, ...]) -> float:
        if point not in known:
            known[point] = error(np.array([float(c) for c in point]))
        return known[point]

    centre: tuple = tuple(start)
    for _ in range(ROUNDS):
        axes = [lattice.around(c, REACH[len(start)]) for c in centre]
        if not all(axes):
            raise BadInput(f"expected a format that reaches the coefficients, got {lattice.name}")
        found = min(itertools.product(*axes), key=tried)
        if found == centre:
            break
        centre = found
    return centre
