"""Checks that several sources share: nearer, best of its form, within a bound, smooth, piecewise linear, convex."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from itertools import pairwise

import sympy as sp

from analysis.activation.errors import Undecided
from analysis.activation.parsing import X, definitions
from analysis.exact.asymptotes import limit_at_infinity
from analysis.exact.normal import sign
from analysis.exact.pieces import pieces
from analysis.ledger import checks
from analysis.ledger.checks import SUP, decided
from analysis.ledger.claim import Evidence, Finding
from analysis.optimal.fitting import constants
from analysis.optimal.fitting.fitted import Fit
from analysis.rigorous.comparison import UNKNOWN
from analysis.rigorous.norms import Norm

PRIME = "'"
NEGLIGIBLE = Decimal(
    "1e-6"
)  # relative: constants so near to the best ones are the best, for the digits they are given to


def nearer(one: str, other: str, target: str, norm: Norm) -> Finding:
    """Whether the first is nearer to the target than the second, with the rank of both among the hard gates."""
    gap, beside = (checks.distance(f, target, norm).distance for f in (one, other))
    gates = checks.nearest(target, (one, other, *checks.published("hard_gate")), norm)
    rank = (
        f"{one} is number {gates.rank(one)}, {other} number {gates.rank(other)} of {len(gates.places)} published ones"
    )
    numbers = f"{checks.short(gap)} against {checks.short(beside)} ({norm})"
    return decided(
        checks.below(gap, beside),
        f"{one} is nearer: {numbers}; {rank}",
        f"{one} is farther: {numbers}; {rank}",
        *(checks.measured_distance(f, target, norm) for f in (one, other)),
    )


def best_of(member: str, family: str, target: str, norm: Norm = SUP, fix: str = "") -> Finding:
    """Whether no constants of the family, but for fixed ones, are nearer to the target by more than NEGLIGIBLE."""
    gap = checks.distance(member, target, norm).distance
    found = fitted(family, target, norm, fix) if fix else checks.best(family, target, norm)
    best = found.error or UNKNOWN
    values = ", ".join(f"{name} = {value:.7g}" for name, value in found.constants.items())
    fixed = ("--fix", fix) if fix else ()
    again = checks.command("fit", family, "--to", target, *fixed, *checks.in_norm(norm))
    nearest = Decimal(gap[1]) <= Decimal(found.optimum.lower) * (1 + NEGLIGIBLE)
    if not nearest and not checks.below(best, gap):
        raise Undecided(f"whether other constants of {family} are nearer to {target}")
    more = float(gap[1]) / float(best[1]) - 1
    return decided(
        nearest,
        f"its error is {checks.short(gap)}, and no member's is smaller by more than a millionth of it ({norm})",
        f"its error {checks.short(gap)} is {more:.1%} larger than the least, {checks.short(best)} at {values} ({norm})",
        checks.measured_distance(member, target, norm),
        Evidence("the best of the family", f"{values}: error {checks.enclosed(best)}, {found.optimum.verdict}", again),
    )


@cache
def fitted(family: str, target: str, norm: Norm, fix: str) -> Fit:
    """The best constants of the family with some of them given, as `--fix` gives them."""
    return constants.fit(family, target, norm, fix=definitions(fix, "--fix"))


def rounds_to_best(stated: str, family: str, name: str, target: str) -> Finding:
    """Whether the one optimal value of the constant rounds to the stated one."""
    found = checks.best(family, target)
    inside = (found.optimal_set or {})[name]
    return decided(
        checks.rounds_to(inside, stated),
        f"every best {name} lies {checks.enclosed(inside)}, which rounds to {stated}",
        f"every best {name} lies {checks.enclosed(inside)}, which does not round to {stated}",
        checks.best_known(family, target),
    )


def within(f: str, target: str, stated: str, norm: Norm = SUP) -> Finding:
    """Whether the distance is below the stated number."""
    gap = checks.distance(f, target, norm).distance
    return decided(
        checks.below(gap, (stated, stated)),
        f"the distance is {checks.short(gap, 6)}, below {stated}",
        f"the distance is {checks.short(gap, 6)}, not below {stated}",
        checks.measured_distance(f, target, norm),
    )


def is_smooth(f: str, order: int) -> Finding:
    """Whether f is C^order, with the exact jumps of the first derivative that jumps."""
    found = pieces(checks.read(f).expression)
    places = [left.upper for left, _ in pairwise(found)]
    jumps = {(k, at): checks.jump(f, at, k) for k in range(order + 1) for at in places}
    broken = [f"f{k * PRIME} jumps by {jump} at x = {at}" for (k, at), jump in jumps.items() if jump != 0]
    return decided(
        not broken,
        f"no derivative up to order {order} jumps at {', '.join(f'x = {at}' for at in places) or 'any x'}",
        f"{'; '.join(broken)}: not C^{order}",
        *(checks.jumps(f, at) for at in places),
    )


def piecewise_linear(f: str) -> Finding:
    """Whether the second derivative is zero on every piece."""
    found = [(piece, sp.simplify(sp.diff(piece.expression, X, 2))) for piece in pieces(checks.read(f).expression)]
    bent = [f"f'' = {second} on ({piece.lower}, {piece.upper})" for piece, second in found if second != 0]
    return decided(
        not bent,
        f"f'' is 0 on each of {len(found)} pieces",
        f"{'; '.join(bent)}: piecewise quadratic; only the gate that x is multiplied with is piecewise linear",
        Evidence(f"pieces of {f}", "; ".join(f"{piece.expression}" for piece, _ in found), checks.command("show", f)),
    )


def convex(f: str, rising: bool = False) -> Finding:
    """Whether f, of pieces with constant f'', is convex, and rising from its left end on if that is asked too."""
    found = pieces(checks.read(f).expression)
    bends = [sp.simplify(sp.diff(piece.expression, X, 2)) for piece in found]
    if any(bend.has(X) for bend in bends):
        raise Undecided(f"the sign of the second derivative of {f}")
    places = [left.upper for left, _ in pairwise(found)]
    continuous = all(checks.jump(f, at) == 0 for at in places)
    bent = all(sign(value) >= 0 for value in (*bends, *(checks.jump(f, at, 1) for at in places)))
    first = sp.diff(found[0].expression, X)
    start = first.is_nonnegative if not first.has(X) else None
    shape = f"f'' is {', '.join(map(str, bends))} on its pieces" + (", and no slope jumps down" if bent else "")
    return decided(
        bool(continuous and bent and (start or not rising)),
        shape + (f"; the first slope is {first}" if rising else ""),
        shape + (f"; the first slope is {first}" if rising else ""),
        *(checks.jumps(f, at) for at in places),
    )


def stated_minimum(f: str, value: str, x: str, of: str = "") -> Finding:
    """Whether the only minimum of f, or the only maximum of -f called `of`, has the stated place and value."""
    lowest = checks.minimum(f)
    at, low = lowest.x, lowest.value
    tails = [limit_at_infinity(checks.read(f).expression, end) for end in (-1, 1)]
    if not all(checks.below(low, checks.pair_of(tail)) for tail in tails):
        raise Undecided(f"the infimum of {f}, whose tails tend to {tails[0]} and {tails[1]}")
    kind, found = ("maximum", (low[1].lstrip("-"), low[0].lstrip("-"))) if of else ("minimum", low)
    numbers = f"x {checks.enclosed(at)}, value {checks.enclosed(found)}"
    return decided(
        checks.rounds_to(found, value) and checks.rounds_to(at, x),
        f"the only {kind} is {float(found[1]):.6g} at x = {float(at[0]):.6g}: {value} at {x} to the digits given",
        f"the only {kind} is {float(found[1]):.6g} at x = {float(at[0]):.6g}, not {value} at {x}",
        Evidence(f"{kind} of {of or f}", numbers, checks.command("show", of or f)),
    )
