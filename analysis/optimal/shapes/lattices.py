"""Piecewise polynomials whose coefficients are numbers of a format: each piece searched by itself.

Rounded pieces do not meet at the knots, so nothing ties them together: each takes the coefficients of the lattice that
are best on its own interval, among neighbours of the exact ones. The certificate counts the jumps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import sympy as sp

from analysis.activation.errors import BadInput, Refused
from analysis.exact.verdict import Verdict
from analysis.optimal.descent import descended
from analysis.optimal.designs import Design, Polynomials
from analysis.optimal.lattice import Lattice
from analysis.optimal.shapes.exchange import Curve
from analysis.optimal.shapes.linear import Target

SAMPLES = 200  # of a piece
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
        asymptote(row, lattice) if low.is_infinite or high.is_infinite else _piece(curve, row, low, high, lattice)
        for low, high, row in zip(ends, ends[1:], polynomials.coefficients, strict=False)
    ]
    return Polynomials(polynomials.knots, tuple(rows))


def asymptote(row: tuple[sp.Expr, ...], lattice: Lattice) -> tuple[sp.Expr, ...]:
    """The same coefficients, which cannot be rounded. Raises BadInput where one is not of the format."""
    for c in row:
        if not (c.is_Rational and lattice.holds(fraction(c))):
            raise BadInput(
                f"expected a format that holds the asymptote's {c}, or --domain with finite ends, got {lattice.range}"
            )
    return row


def fraction(value: sp.Expr) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def _piece(curve: Curve, row: Sequence[sp.Expr], low: sp.Expr, high: sp.Expr, lattice: Lattice) -> tuple[sp.Expr, ...]:
    x = np.linspace(float(low), float(high), SAMPLES)
    inner = curve.breaks[(curve.breaks > x[0]) & (curve.breaks < x[-1])]
    x = np.sort(np.append(x, inner))
    values = curve.jets(x, np.searchsorted(curve.breaks, x))[0]
    powers = np.vander(x, len(row), increasing=True)
    for c in row:
        lattice.nearest(float(c))
    found = descended(lattice, [float(c) for c in row], lambda c: float(abs(values - powers @ c).max()))
    return tuple(sp.Rational(c.numerator, c.denominator) for c in found)
