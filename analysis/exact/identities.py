"""Is an identity true on R? By normal forms, piece by piece; a difference is refuted elsewhere, by a witness."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import sympy as sp

from analysis.activation.errors import BadInput, Undecided
from analysis.activation.parsing import Reading, Requirement, X
from analysis.exact.domains import Domain, domain, requirements
from analysis.exact.logarithms import expanded
from analysis.exact.normal import is_zero, sign, value_at
from analysis.exact.pieces import SWITCHING, Piece, split
from analysis.exact.verdict import Verdict

HIGHEST_DEGREE = 64  # of a polynomial that is factored


@dataclass(frozen=True)
class Identity:
    """The verdict on left = right, the method that gave it, and an exact point where they differ if refuted there.

    `domain` is where both sides have a value, and `pieces` are those of their difference, as far as they are known.
    """

    verdict: Verdict
    method: str
    point: sp.Expr | None = None
    domain: Domain | None = None
    pieces: tuple[Piece, ...] = ()


def identity(
    left: sp.Expr,
    right: sp.Expr,
    x: sp.Symbol = X,
    *,
    at_breakpoints: bool = True,
    reading: Reading | None = None,
) -> Identity:
    """Decides left(x) = right(x) for every real x where both sides are defined, and all admissible free constants.

    `reading` says what the user's text requires beyond what is left of it, such as x nonzero in x/x, and what it
    differentiates: where a branch of that changes, or without `at_breakpoints` of any function, nothing is said.

    PROVED if the normal form of the difference is zero on every piece and at every breakpoint; REFUTED if it is a
    polynomial in independent generators other than zero, or if the sides differ at a breakpoint; else UNDECIDED.
    """
    reading = reading or Reading()
    difference = _with_roots_as_sizes(left, x) - _with_roots_as_sizes(right, x)
    needed = [*reading.requirements, *requirements(left), *requirements(right)]
    where = domain([r for r in needed if not _is_met(r)], x)
    if not where.stretches:
        return Identity(Verdict.UNDECIDED, "there is no x at which both sides have a value", domain=where)
    try:
        kinks = _kinks(reading, where, x)
    except Undecided:
        kinks, at_breakpoints = [], False
    try:
        found = _decided(difference, x, where, kinks if at_breakpoints else None)
    except Undecided as reason:
        return Identity(Verdict.UNDECIDED, f"undecided: {reason}", domain=where)
    except BadInput as reason:
        if not where.is_the_line:
            return Identity(Verdict.UNDECIDED, f"undecided: {reason}", domain=where)
        raise
    but = _exceptions(where, kinks, at_breakpoints) if found.verdict is Verdict.PROVED else ""
    return replace(found, method=found.method + but, domain=where)


def _is_met(requirement: Requirement) -> bool:
    return bool(getattr(requirement.expression, f"is_{requirement.kind}"))


def _with_roots_as_sizes(expression: sp.Expr, x: sp.Symbol) -> sp.Expr:
    """sqrt(p^2) as |p|: a kink that is to be seen."""

    def size(base: sp.Expr, exponent: sp.Expr) -> sp.Expr:
        try:
            constant, factors = sp.factor_list(base)
        except sp.PolynomialError:  # of coefficients such as 1/pi
            return base**exponent
        if any(power % 2 for _, power in factors) or not constant.is_positive:
            return base**exponent
        return constant**exponent * sp.Mul(*(sp.Abs(g) ** (power * exponent) for g, power in factors))

    def is_root(e: sp.Basic) -> bool:
        if not (isinstance(e, sp.Pow) and e.exp.is_Rational and e.exp.q == 2 and e.base.is_polynomial(x)):
            return False
        return e.base.has(x) and sp.degree(e.base, x) <= HIGHEST_DEGREE

    return expression.replace(is_root, lambda e: size(*e.args))


def _exceptions(where: Domain, kinks: list[sp.Expr], at_breakpoints: bool) -> str:
    text = ""
    if not where.is_the_line:
        text += f"; where both sides are defined: {where.text()} left out"
    if kinks:
        text += f"; where the derivative exists: breakpoints left out, x = {', '.join(map(str, kinks))}"
    elif not at_breakpoints:
        text += "; breakpoints left out"
    return text


def _kinks(reading: Reading, where: Domain, x: sp.Symbol) -> list[sp.Expr]:
    """The points at which a branch of what is differentiated changes."""
    points: dict[sp.Expr, None] = {}
    for function in reading.differentiated:
        if function.has(*SWITCHING):
            for lower, upper in where.stretches:
                points |= dict.fromkeys(piece.upper for piece in split(function, x, lower, upper)[:-1])
    return _ascending(list(points))


def _ascending(points: list[sp.Expr]) -> list[sp.Expr]:
    return sorted(points, key=lambda p: p.evalf(30)) if all(p.is_number for p in points) else points


def _decided(difference: sp.Expr, x: sp.Symbol, where: Domain, left_out: list[sp.Expr] | None) -> Identity:
    """The verdict on difference = 0 on the domain; `left_out` None leaves all breakpoints out."""
    if difference == 0:
        return Identity(Verdict.PROVED, "the two sides are the same expression")
    if not difference.has(*SWITCHING) and is_zero(difference):
        return Identity(Verdict.PROVED, "normal form of the difference is zero")
    found = tuple(piece for lower, upper in where.stretches for piece in split(difference, x, lower, upper))
    if left_out is not None:
        for point in _joints(found, where):
            if not _is_among(point, left_out) and sign(value_at(difference, x, point)) != 0:
                return Identity(Verdict.REFUTED, "the sides differ at a breakpoint", point, pieces=found)
    verdicts = [_vanishes(piece, x, where) for piece in found]
    on = "" if len(found) == 1 else f" on each of {len(found)} pieces"
    if all(verdicts):
        return Identity(Verdict.PROVED, f"normal form of the difference is zero{on}")
    if False in verdicts:
        piece = found[verdicts.index(False)]
        stretch = "" if len(found) == 1 else f" on ({piece.lower}, {piece.upper})"
        return Identity(Verdict.REFUTED, f"normal form of the difference is not zero{stretch}", pieces=found)
    reason = "the normal form does not tell whether the difference is zero"
    return Identity(Verdict.UNDECIDED, reason, pieces=found)


def _joints(found: tuple[Piece, ...], where: Domain) -> Iterator[sp.Expr]:
    """The points between pieces at which both sides have a value."""
    outside = {end for stretch in where.stretches for end in stretch} - set(where.points)
    for piece in found:
        if piece.upper != sp.oo and piece.upper not in outside:
            yield piece.upper
    yield from (p for p in where.points if all(p != piece.upper for piece in found))


def _is_among(point: sp.Expr, points: list[sp.Expr]) -> bool:
    return point in points or any(sign(point - other) == 0 for other in points)


def _vanishes(piece: Piece, x: sp.Symbol, where: Domain) -> bool | None:
    inside = {x: piece.inside}
    known = is_zero(piece.expression, inside)
    if known is None and not where.undecided and piece.expression.has(sp.log):
        return is_zero(expanded(piece.expression, x, piece.lower, piece.upper), inside)
    return known
