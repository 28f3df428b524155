"""`design --knots uniform|dyadic|float`: the best splines on knots that arithmetic finds, and the best such knots.

On given knots the best coefficients are a linear programme (`exchange`), whose multipliers prove them best
(`multipliers`); which knots are best is for `spacing`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import sympy as sp

from analysis.activation.errors import BadInput, Undecided
from analysis.activation.record import Activation
from analysis.exact.pieces import Piece
from analysis.exact.verdict import Verdict
from analysis.optimal.designs import Bound, Clock, Design, Polynomials, cost_of
from analysis.optimal.lattice import Lattice
from analysis.optimal.shapes import grid, lattices, pwl
from analysis.optimal.shapes.basis import LINEAR, Shape, beside
from analysis.optimal.shapes.exchange import Problem
from analysis.optimal.shapes.linear import MOST, Target
from analysis.optimal.shapes.pigeonhole import Pigeonhole
from analysis.optimal.shapes.spacing import Candidate, Search
from analysis.rigorous.balls import Pair
from analysis.rigorous.distance import supremum_of
from analysis.rigorous.norms import Norm

KINDS = ("uniform", "dyadic", "float")
FINE = 1e-12  # times the error: to what decimal place coefficients are rounded
LEAST = 1e-16  # errors below are noise
TOLERANCE = 1e-12  # of the certified error, relative
NO_NOTES: tuple[str, ...] = ()
OF_FREE = "this is the bound of free knots"
ARITHMETIC = "the knots are found by arithmetic and are not rounded"


def best(
    target: Activation,
    norm: Norm,
    pieces: int | None,
    tolerance: float | None,
    knots: str,
    lattice: Lattice | None = None,
    shape: Shape = LINEAR,
) -> Design:
    """The best design with so many pieces and knots of that kind, or with the fewest pieces that keep the tolerance.

    With dyadic and float knots `pieces` is the most that there may be.
    """
    clock = Clock()
    if knots not in KINDS:
        raise BadInput(f"expected knots out of {', '.join(KINDS)}, got {knots!r}")
    search = Search(target_of(target, norm), shape)
    fewest = None
    if pieces is None:
        assert tolerance is not None
        pieces, fewest = _fewest(search, knots, tolerance)
        if lattice is not None:
            return lattices.keeping(
                tolerance, pieces, lambda count: best(target, norm, count, None, knots, lattice, shape)
            )
    found = search.best(knots, pieces)
    bound, notes = bound_of(search, found, target, norm, pieces), NO_NOTES
    polynomials = assembled(search.problem, found.knots, found.fit.coefficients, found.error)
    if lattice is not None:
        polynomials = lattices.rounded(search.target, polynomials, lattice)
        chain = Pigeonhole(search.target, search.problem.curve, shape.degree, search.outside)
        bound, notes = Bound(below(chain.lower(pieces)), lattices.REASON), (lattices.NOTE, ARITHMETIC)
    cost = cost_of(polynomials, by_arithmetic=True)
    polynomials = without_idle_knots(polynomials)
    error = certified(search.target, polynomials)
    name, rounding = f"{name_of(shape)}:{knots}", None if lattice is None else lattice.name
    seconds = clock.seconds()
    return Design(target, name, norm, polynomials, error, bound, cost, rounding, fewest, tolerance, notes, seconds)


def name_of(shape: Shape) -> str:
    return "pwl" if shape.degree == 1 else "pwq" if shape.smooth else "pwq:c0"


def target_of(target: Activation, norm: Norm) -> Target:
    """The target on the norm's domain."""
    if norm.kind != "sup":
        raise BadInput(f"expected the norm sup for this shape, got {norm.kind}")
    lower, upper = (sp.oo * int(math.copysign(1, e)) if math.isinf(e) else sp.Rational(e) for e in norm.ends)
    return Target(target.expression, lower, upper)


def positive(tolerance: float) -> Fraction:
    if not 0 < tolerance < math.inf:
        raise BadInput(f"expected a positive tolerance, got {tolerance:g}")
    return Fraction(tolerance)


def below(value: Fraction) -> float:
    """The largest float that is not above the value."""
    near = float(value)
    return near if Fraction(near) <= value else math.nextafter(near, -math.inf)


def bound_of(search: Search, found: Candidate, target: Activation, norm: Norm, pieces: int) -> Bound:
    if found.lower or search.shape != LINEAR:
        return Bound(below(found.lower), search.reason)
    if found.error <= LEAST:
        return Bound()
    try:
        free = pwl.free(target, norm, pieces, None).bound
    except Undecided as problem:
        return Bound(0.0, f"{search.reason}; {problem}")
    return Bound(free.lower, f"{OF_FREE}: {search.reason}")


# by tolerance


def _fewest(search: Search, kind: str, tolerance: float) -> tuple[int, Verdict]:
    """The fewest pieces found that keep the tolerance, and whether it is proved that fewer do not."""
    exact = positive(tolerance)
    first = search.outer + 1
    if search.shape == LINEAR:
        walk = grid.fewest_links(search.target, tolerance)
        first = max(first, len(walk.obstructions) + 1 + search.outer)
    if kind == "uniform":
        return _first_uniform(search, first, tolerance, exact)
    return _first_of_nested(search, kind, first, tolerance, exact)


def _first_of_nested(search: Search, kind: str, first: int, tolerance: float, exact: Fraction) -> tuple[int, Verdict]:
    """More pieces are never worse: by doubling and bisection."""
    low, high = first - 1, max(first, 3 if kind == "float" else 1)
    while not _keeps(search.best(kind, high), tolerance):
        if high == MOST:
            raise BadInput(f"expected a tolerance that {MOST} pieces can keep, got {tolerance:g}")
        low, high = high, min(2 * high, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _keeps(search.best(kind, middle), tolerance) else (middle, high)
    if high <= search.outer + 1:
        return high, Verdict.PROVED
    fewer = search.best(kind, high - 1) if high > (3 if kind == "float" else 1) else None
    return high, Verdict.PROVED if fewer is None or fewer.lower > exact else Verdict.UNDECIDED


def _keeps(found: Candidate, tolerance: float) -> bool:
    return found.error <= tolerance * (1 - 2 * FINE)


def _first_uniform(search: Search, first: int, tolerance: float, exact: Fraction) -> tuple[int, Verdict]:
    """One number of pieces after the other, those left out for which one piece by itself is too far off."""
    proved = not search.outer
    for pieces in range(search.outer + 1, MOST + 1):
        if proved and pieces > 1 and _one_is_too_far(search, pieces, exact):
            continue
        if not proved and pieces < first:
            continue
        found = search.best("uniform", pieces)
        if _keeps(found, tolerance):
            return pieces, Verdict.PROVED if proved or pieces <= search.outer + 1 else Verdict.UNDECIDED
        proved = proved and found.lower > exact
    raise BadInput(f"expected a tolerance that {MOST} pieces can keep, got {tolerance:g}")


def _one_is_too_far(search: Search, pieces: int, exact: Fraction) -> bool:
    """Whether the piece where f is bent most has too large an error whatever its coefficients; proved."""
    low, high = search.low, search.high
    assert low is not None
    assert high is not None
    share = np.linspace(0, 1, 4 * pieces + 1)
    x = float(low) * (1 - share) + float(high) * share
    f = search.problem.curve.jets(x, np.searchsorted(search.problem.curve.breaks, x))[0]
    ends = f[::4]
    if search.shape.degree == 1:  # |f(u) - 2 f(m) + f(v)|/4
        sizes = abs(ends[:-1] - 2 * f[2::4] + ends[1:]) / 4
    else:  # the same with the third difference, whose weights add up to 8
        sizes = abs(-f[0:-3:4] + 3 * f[1:-2:4] - 3 * f[2:-1:4] + f[3::4]) / 8
    most = int(np.nan_to_num(sizes).argmax())
    if not sizes[most] > float(exact):
        return False
    width = (high - low) / pieces
    return search.proved_between(low + most * width, low + (most + 1) * width) > exact


# from coefficients to a design


def assembled(problem: Problem, knots: Sequence[Fraction], coefficients: np.ndarray, error: float) -> Polynomials:
    """The spline with its free coefficients as short decimals, far below the error, and the others exactly."""
    place = 1 - math.floor(math.log10(FINE * max(error, LEAST)))
    values = [sp.Rational(f"{c:.{max(place, 0)}f}") for c in coefficients]
    return joined(problem, knots, values)


def joined(problem: Problem, knots: Sequence[Fraction], values: list[sp.Expr]) -> Polynomials:
    """The spline with these coefficients exactly; those that asymptotes give are put in their place."""
    shape, exact = problem.shape, [sp.Rational(k.numerator, k.denominator) for k in knots]
    abscissae = shape.abscissae(exact)
    k, size = shape.fixed, len(values)
    for line, part in zip(problem.outer, (range(k), range(size - k, size)), strict=True):
        if line is not None:
            for i in part:
                values[i] = line[0] * abscissae[i] + line[1]
    rows = [_row(problem, exact, values, i) for i in range(len(exact) - 1)]
    left, right = ([(line[1], line[0])] if line else [] for line in problem.outer)
    inner = exact[0 if left else 1 : len(exact) - (0 if right else 1)]
    return Polynomials(tuple(inner), (*left, *rows, *right))


def without_idle_knots(polynomials: Polynomials) -> Polynomials:
    """Neighbours with the same polynomial as one piece."""
    rows, knots = [polynomials.coefficients[0]], []
    for knot, row in zip(polynomials.knots, polynomials.coefficients[1:], strict=True):
        if row != rows[-1]:
            rows.append(row)
            knots.append(knot)
    return Polynomials(tuple(knots), tuple(rows))


def _row(problem: Problem, knots: Sequence[sp.Expr], values: Sequence[sp.Expr], piece: int) -> tuple[sp.Expr, ...]:
    """The coefficients of the powers of x."""
    first, u = problem.shape.first(piece), knots[piece]
    local = problem.shape.powers(values[first : first + problem.shape.degree + 1], *beside(knots, piece))
    if len(local) == 2:
        a, b = local
        return a - b * u, b
    a, b, c = local
    return a - b * u + c * u**2, b - 2 * c * u, c


def certified(target: Target, polynomials: Polynomials) -> Pair:
    """The enclosed sup norm of target - design over the domain."""
    if all(len(row) <= 2 for row in polynomials.coefficients):
        return pwl.certified(target, polynomials)
    pieces = [Piece(f.lower, f.upper, f.expression - g) for f, g in pwl.common(target, polynomials)]
    return supremum_of(pieces, TOLERANCE, apart=pwl.apart(target, polynomials)).pair()
