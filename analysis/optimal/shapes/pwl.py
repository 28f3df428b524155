"""`design --shape pwl` with free knots: the best continuous piecewise linear function, proved."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain, pairwise

import sympy as sp

from analysis.activation.errors import BadInput, Refused, Undecided
from analysis.activation.parsing import X
from analysis.activation.record import Activation
from analysis.exact.normal import sign
from analysis.exact.pieces import Piece, Spot, spots
from analysis.exact.verdict import Verdict
from analysis.optimal.designs import Bound, Clock, Design, Polynomials, cost_of
from analysis.optimal.shapes import grid
from analysis.optimal.shapes.basis import LINEAR
from analysis.optimal.shapes.bracket import closest
from analysis.optimal.shapes.curve import Obstruction
from analysis.optimal.shapes.grid import Attempt, Grid
from analysis.optimal.shapes.itself import already
from analysis.optimal.shapes.linear import MOST, Target
from analysis.optimal.shapes.obstruction import Chain
from analysis.rigorous.balls import Pair
from analysis.rigorous.distance import Beside, supremum_beside
from analysis.rigorous.norms import Norm

SLACKS = (1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6)  # relative, by which the proof stays below the walk
FINE = 1e-11  # times the error: to what decimal place nodes are rounded
ENOUGH = 1e-9  # relative: a design so near to the bound needs no surer search
TOLERANCE = 1e-12  # of the certified error, relative


def free(target: Activation, norm: Norm, pieces: int | None, tolerance: float | None) -> Design:
    """The best design with so many pieces, or with the fewest that keep the tolerance."""
    clock = Clock()
    lower, upper = ends(norm)
    known = Target(target.expression, lower, upper)
    fewest: Verdict | None = None
    walked: tuple[Obstruction, ...] = ()
    if known.jump:
        _refuse(*known.jump, tolerance)
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


def _refuse(x: sp.Expr, size: sp.Expr, tolerance: float | None) -> None:
    """A continuous function is beside a jump at least half of it away from one of the two sides."""
    line = f"the target jumps by {size} at x = {x}, and no continuous function comes nearer than {size / 2}"
    if tolerance is not None and sign(sp.Rational(tolerance) - size / 2) < 0:
        raise Refused(line)
    raise BadInput(f"expected a continuous target, or --domain on one side of the jump: {line}")


def ends(norm: Norm) -> tuple[sp.Expr, sp.Expr]:
    low, high = norm.ends
    if not low < high:
        raise BadInput(f"expected a domain LO,HI with LO < HI, got {low:g},{high:g}")
    return tuple(sp.oo * int(math.copysign(1, e)) if math.isinf(e) else sp.Rational(e) for e in (low, high))


def fewest_pieces(target: Target, tolerance: float) -> tuple[int, Verdict, tuple[Obstruction, ...]]:
    """How many pieces keep the tolerance, whether it is proved that fewer do not, and the walk that tells."""
    if not 0 < tolerance < math.inf:
        raise BadInput(f"expected a positive tolerance, got {tolerance:g}")
    outer = sum(line is not None for line in target.outer)
    itself = already(target, LINEAR, MOST)
    if itself is not None and len(itself.coefficients) <= 1 + outer:
        return len(itself.coefficients), Verdict.PROVED, ()
    walk = grid.fewest_links(target, tolerance * (1 + FINE))  # a little more than what is then proved impossible
    stopped = Attempt(walk.error, walk.obstructions, walk.begin, walk.end)
    exact = Fraction(tolerance)
    count = len(walk.obstructions) + 1 + outer
    proved = not walk.obstructions or Chain(target, stopped, exact).proves()
    if proved and (beyond := _beyond_first(target, stopped)) and count > 2:
        fewest, verdict, _ = fewest_pieces(beyond, tolerance)
        proved = fewest >= count - 1 and verdict is Verdict.PROVED
    return count, Verdict.PROVED if proved else Verdict.UNDECIDED, walk.obstructions


def best_free(
    target: Target, pieces: int, walked: tuple[Obstruction, ...] = ()
) -> tuple[Polynomials, Pair, Bound, tuple[str, ...]]:
    """The best with so many pieces, its error, the bound, and notes; faster where a walk at a like error is known."""
    outer = sum(line is not None for line in target.outer)
    links = pieces - outer
    if links < 1:
        raise BadInput(f"expected at least {outer + 1} pieces, {outer} of which are asymptotes, got {pieces}")
    far: Bound | None = None
    for short, arrived in closest(Grid.of(target, links, walked=walked)):
        bound, polynomials = _bound(target, short), None
        if bound.lower and (beyond := _beyond_first(target, short)):
            far = far or _bound_beyond(beyond, pieces - 1)
            is_less = far.lower < (1 - SLACKS[-1]) * bound.lower
            bound = far if is_less else Bound(min(far.lower, bound.lower))
        if bound.lower:
            polynomials = _polynomials(target, arrived)
            error = certified(target, polynomials)
            if float(error[1]) <= (1 + ENOUGH) * bound.lower:
                break
    if polynomials is None:
        polynomials = _polynomials(target, arrived)
        error = certified(target, polynomials)
    fewer = len(polynomials.coefficients)
    return polynomials, error, bound, (f"{fewer} pieces are as good as {pieces}",) if fewer < pieces else ()


def _polynomials(target: Target, attempt: Attempt) -> Polynomials:
    """Knots and slopes rounded to a decimal place far below the error, the values at knots from left to right.

    The last slope before an asymptote is the one that meets it.
    """
    place = 2 - math.floor(math.log10(FINE * attempt.error))
    found = grid.nodes(target, attempt)
    if not all(map(math.isfinite, chain.from_iterable(found))):
        raise Undecided("a design of this shape whose links meet")
    left, right = target.outer
    knots = [_decimal(x, place) for x, _ in found]
    y = left[0] * knots[0] + left[1] if left else _decimal(found[0][1], place)
    rows = [left[::-1]] if left else []
    for i, (x, onward) in enumerate(pairwise(knots)):
        slope = _decimal((found[i + 1][1] - found[i][1]) / (found[i + 1][0] - found[i][0]), place)
        if right and onward == knots[-1]:
            slope = (right[0] * onward + right[1] - y) / (onward - x)
        rows.append((y - slope * x, slope))
        y += slope * (onward - x)
    rows += [right[::-1]] if right else []
    return Polynomials(tuple(knots[0 if left else 1 : None if right else -1]), tuple(rows))


def _decimal(value: float, place: int) -> sp.Rational:
    return sp.Rational(f"{value:.{max(place, 0)}f}")


def certified(target: Target, polynomials: Polynomials) -> Pair:
    """The enclosed sup norm of target - design over the domain."""
    beside, tails = [], []
    for piece, row in overlaid(target, polynomials):
        if piece.lower.is_infinite or piece.upper.is_infinite:
            tails.append(Piece(piece.lower, piece.upper, piece.expression - row[0] - row[1] * X))
        else:
            first, last = ((x, row[0] + row[1] * x) for x in (piece.lower, piece.upper))
            beside.append(Beside(piece, (first, last)))
    return supremum_beside(beside, tails, TOLERANCE, apart(target, polynomials)).pair()


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
        bound = _bound(target, short)
        if bound.lower:
            break
    return bound


def _beyond_first(target: Target, attempt: Attempt) -> Target | None:
    """Where the proof supposes that no knot lies left of a place p, as its obstruction touches the asymptote at p:
    the target from p on. Designs with a knot before p have one piece less there."""
    place = attempt.begin.p
    if attempt.begin.y is None or not any(place in (one.x1, one.x2) for one in attempt.obstructions):
        return None
    return Target(target.expression, sp.Rational(place), target.upper)


def _bound_beyond(target: Target, pieces: int) -> Bound:
    """What is proved of functions with so many pieces, the first of them free."""
    reason = f"a first knot left of {float(target.lower):g} is not excluded"
    try:
        given = already(target, LINEAR, pieces)
        found = Bound() if given is not None else best_free(target, pieces)[2]
    except (BadInput, Undecided):
        return Bound(0.0, reason)
    return Bound(found.lower, reason)


def _bound(target: Target, short: Attempt) -> Bound:
    """What the obstructions of a walk prove, at the largest error at which they do."""
    most = SLACKS[-1]
    if Chain(target, short, Fraction(short.error * (1 - most))).proves():
        for slack in SLACKS:
            error = Fraction(short.error * (1 - slack))
            if slack == most or Chain(target, short, error).proves():
                return Bound(float(error))
    return Bound(0.0, "the obstructions that were found do not make a proof")
