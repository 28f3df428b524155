"""`design --shape pwl` with free knots: the best continuous piecewise linear function, proved."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import numpy as np
import sympy as sp

from analysis.activation.errors import BadInput, Refused, Undecided
from analysis.activation.parsing import X
from analysis.activation.record import Activation
from analysis.exact.normal import sign
from analysis.exact.pieces import Piece, Spot, spots
from analysis.exact.verdict import Verdict
from analysis.optimal.designs import Bound, Clock, Design, Polynomials, cost_of
from analysis.optimal.shapes import grid, path
from analysis.optimal.shapes.basis import LINEAR
from analysis.optimal.shapes.bracket import closest
from analysis.optimal.shapes.grid import Attempt, Grid
from analysis.optimal.shapes.itself import already
from analysis.optimal.shapes.linear import MOST, Target
from analysis.optimal.shapes.obstruction import Chain
from analysis.rigorous.balls import Pair
from analysis.rigorous.distance import Beside, supremum_beside
from analysis.rigorous.norms import Norm

SLACKS = (1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6)  # relative, by which the proof stays below the walk
ABOVE = (1e-11, 1e-9, 1e-7)  # relative, of a walk over the tolerance; the last ones where f is rounded coarsely far out
ENOUGH = 1e-9  # relative: a design so near to the bound needs no surer search
TOLERANCE = 1e-12  # of the certified error, relative
UNPROVED = Bound(0.0, "the obstructions that were found do not make a proof")


def free(target: Activation, norm: Norm, pieces: int | None, tolerance: float | None) -> Design:
    """The best design with so many pieces, or with the fewest that keep the tolerance."""
    clock = Clock()
    lower, upper = ends(norm)
    known = Target(target.expression, lower, upper)
    fewest: Verdict | None = None
    walked: Attempt | None = None
    if known.jump and tolerance is not None:
        _check(*known.jump, tolerance)
    if pieces is None:
        assert tolerance is not None
        pieces, fewest, walked = fewest_pieces(known, tolerance)
    given = already(known, LINEAR, pieces)
    if given is not None:
        polynomials, error, bound = given, ("0", "0"), Bound()
        notes: tuple[str, ...] = ("the target itself is of this shape",)
    else:
        polynomials, error, bound, notes = best_free(known, pieces, walked)
        if tolerance is not None and float(error[1]) > tolerance:
            raise Undecided(f"in doubles no design nearer than {float(error[1]):.3g} was found, with {pieces} pieces")
    return Design(target, "pwl", norm, polynomials, error, bound, cost_of(polynomials), None, fewest, tolerance, notes,
                  clock.seconds())  # fmt: skip


def _check(x: sp.Expr, size: sp.Expr, tolerance: float) -> None:
    """A continuous function is beside a jump at least half of it away from one of the two sides."""
    if sign(sp.Rational(tolerance) - size / 2) < 0:
        line = f"the target jumps by {size} at x = {x}, and no continuous function comes nearer than {size / 2}"
        raise Refused(line)


def ends(norm: Norm) -> tuple[sp.Expr, sp.Expr]:
    low, high = norm.ends
    if not low < high:
        raise BadInput(f"expected a domain LO,HI with LO < HI, got {low:g},{high:g}")
    return tuple(sp.oo * int(math.copysign(1, e)) if math.isinf(e) else sp.Rational(e) for e in (low, high))


def fewest_pieces(target: Target, tolerance: float) -> tuple[int, Verdict, Attempt | None]:
    """How many pieces keep the tolerance, whether it is proved that fewer do not, and the walk that tells."""
    if not 0 < tolerance < math.inf:
        raise BadInput(f"expected a positive tolerance, got {tolerance:g}")
    outer = sum(line is not None for line in target.outer)
    itself = already(target, LINEAR, MOST)
    if itself is not None and len(itself.coefficients) <= 1 + outer:
        return len(itself.coefficients), Verdict.PROVED, None
    fewest, alone = _fewest_links(target), path.asymptotes(target)
    for above in ABOVE if outer else ABOVE[:1]:
        walk = grid.fewest_links(target, max(tolerance, target.half_jump * grid.PASSES) * (1 + above))
        found = walk.obstructions
        if len(found) < fewest and alone and float(certified(target, alone)[1]) <= tolerance:
            return len(alone.coefficients), Verdict.PROVED, None
        stopped = Attempt(walk.error, found, walk.begin, walk.end)
        proved = len(found) < fewest or Chain(target, stopped, Fraction(tolerance)).proves()
        if proved:
            break
    return max(len(found) + 1, fewest) + outer, Verdict.PROVED if proved else Verdict.UNDECIDED, walk


def best_free(
    target: Target, pieces: int, walked: Attempt | None = None
) -> tuple[Polynomials, Pair, Bound, tuple[str, ...]]:
    """The best with so many pieces, its error, the bound, and notes; faster where a walk at a like error is known."""
    outer = sum(line is not None for line in target.outer)
    links = pieces - outer
    alone = path.asymptotes(target)
    if links < _fewest_links(target):
        return _only(target, alone, pieces)
    bound, best = Bound(target.half_jump, "" if target.half_jump else UNPROVED.reason), None
    for short, arrived in closest(Grid.of(target, links, walked=walked)):
        bound = max(bound, _bound(target, short, links), key=lambda one: one.lower)
        if best is None or arrived.error < float(best[1][1]) * (1 - ENOUGH):
            polynomials = path.polynomials(target, arrived) or alone
            error = certified(target, polynomials) if polynomials else ("inf", "inf")
            if polynomials and (best is None or float(error[1]) < float(best[1][1])):
                best, notes = (polynomials, error), _notes(polynomials, arrived, pieces)
        if best and float(best[1][1]) <= (1 + ENOUGH) * bound.lower:
            break
    if best is None:
        raise Undecided("a design of this shape whose links meet")
    return *best, bound, notes


def _notes(polynomials: Polynomials, attempt: Attempt, pieces: int) -> tuple[str, ...]:
    fewer, knots = len(polynomials.coefficients), [float(knot) for knot in polynomials.knots]
    notes = [f"{fewer} {'piece is' if fewer == 1 else 'pieces are'} as good as {pieces}"] if fewer < pieces else []
    if knots and (knots[0] < attempt.begin.p or knots[-1] > attempt.end.last):
        notes.append("the farther out its outermost knot, the nearer is a design to the bound, which none attains")
    return tuple(notes)


def _fewest_links(target: Target) -> int:
    """Besides the asymptotes, if there is any: a single link that comes back to the line it left is that line."""
    left, right = target.outer
    return 2 if left is not None and left == right else 1


def _only(target: Target, alone: Polynomials | None, pieces: int) -> tuple[Polynomials, Pair, Bound, tuple[str, ...]]:
    """The asymptotes alone, if they are not too many: no other function consists of so few pieces."""
    if alone is None or len(alone.coefficients) > pieces:
        ends = sum(line is not None for line in target.outer)
        least = len(alone.coefficients) if alone else ends + 1
        raise BadInput(f"expected at least {least} pieces, for the {ends} asymptotes, got {pieces}")
    error = certified(target, alone)
    notes = ("the asymptotes alone",) if target.outer else ()
    return alone, error, Bound(float(np.nextafter(float(error[0]), 0))), notes


def certified(target: Target, polynomials: Polynomials) -> Pair:
    """The enclosed sup norm of target - design over the domain."""
    beside, tails = [], []
    for piece, row in overlaid(target, polynomials):
        if piece.lower.is_infinite or piece.upper.is_infinite:
            tails.append(Piece(piece.lower, piece.upper, piece.expression - row[0] - row[1] * X))
        else:
            first, last = ((x, row[0] + row[1] * x) for x in (piece.lower, piece.upper))
            beside.append(Beside(replace(piece, expression=_separated(piece.expression)), (first, last)))
    return supremum_beside(beside, tails, TOLERANCE, apart(target, polynomials)).pair()


@lru_cache(maxsize=64)
def _separated(expression: sp.Expr) -> sp.Expr:
    """A rational function in partial fractions, which intervals enclose more tightly; else the expression itself."""
    return sp.apart(expression, X) if expression.is_rational_function(X) else expression


def apart(target: Target, polynomials: Polynomials) -> list[Spot]:
    """Values of target - design at the points where the target has one apart from its pieces."""
    own = spots(target.expression, X, target.lower, target.upper)
    return [replace(spot, value=spot.value - polynomials.expression.subs(X, spot.x)) for spot in own]


def common(target: Target, polynomials: Polynomials) -> Iterator[tuple[Piece, sp.Expr]]:
    """The pieces of the target between neighbouring breakpoints of either, each with the design's polynomial there."""
    for piece, row in overlaid(target, polynomials):
        yield piece, sp.Add(*(c * X**k for k, c in enumerate(row)))


def overlaid(target: Target, polynomials: Polynomials) -> Iterator[tuple[Piece, tuple[sp.Expr, ...]]]:
    """The same with the polynomial's coefficients."""
    rows, uppers = polynomials.coefficients, (*polynomials.knots, target.upper)
    i = j = 0
    lower = target.lower
    while True:
        f, end = target.pieces[i], uppers[j]
        order = _order(f.upper, end)
        upper = f.upper if order <= 0 else end
        yield Piece(lower, upper, f.expression), rows[j]
        if upper == target.upper:
            return
        i, j, lower = i + (order <= 0), j + (order >= 0), upper


def _order(a: sp.Expr, b: sp.Expr) -> int:
    """-1, 0 or 1 as a is less than b, b, or more."""
    if a.is_Rational and b.is_Rational:
        left, right = a.p * b.q, b.p * a.q
        return (left > right) - (left < right)
    return 0 if a == b else sign(a - b)


def bound_apart(target: Target, links: int) -> Bound:
    """What is proved of piecewise linear functions whose pieces need not meet."""
    for short, _ in closest(Grid.of(target, links, apart=True)):
        bound = _bound(target, short, links)
        if bound.lower:
            break
    return bound


def _bound(target: Target, short: Attempt, links: int) -> Bound:
    """What the obstructions of a walk prove of so many links, at the largest error at which they do."""
    most = SLACKS[-1]
    if len(short.obstructions) == links and Chain(target, short, Fraction(short.error * (1 - most))).proves():
        for slack in SLACKS:
            error = Fraction(short.error * (1 - slack))
            if slack == most or Chain(target, short, error).proves():
                return Bound(float(error))
    return UNPROVED
