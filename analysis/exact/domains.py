"""Where a formula has a value: the stretches of the line on which divisors do not vanish and logarithms have arguments.

A requirement (`analysis.activation.parsing.Requirement`) says that an expression is nonzero, positive or nonnegative.
Each is decided exactly, by the zeros of its expression and one sign between neighbours, after those before it, so that
log(1/x) is asked for its sign only where 1/x has a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import sympy as sp

from analysis.activation.errors import BadInput, Undecided
from analysis.activation.parsing import Requirement, X
from analysis.exact.equations import zeros
from analysis.exact.normal import is_zero, sign, value_at
from analysis.exact.pieces import interior_point, split

_SIGNS = {"nonzero": (-1, 1), "positive": (1,), "nonnegative": (0, 1)}
_NOT = {"nonzero": "= 0", "positive": "<= 0", "nonnegative": "< 0"}
MOST_NAMED = 4  # places in a sentence


@dataclass(frozen=True)
class Domain:
    """Open intervals and points between them on which every requirement is met; None where that is not decided.

    `undecided` are the requirements whose zeros we cannot find: they hold on the stretches or not.
    """

    stretches: tuple[tuple[sp.Expr, sp.Expr], ...]
    points: tuple[sp.Expr, ...]
    left_out: tuple[str, ...] = ()
    undecided: tuple[Requirement, ...] = ()

    @property
    def is_the_line(self) -> bool:
        return not self.left_out and not self.undecided

    def text(self) -> str:
        """What is left out, for a sentence; empty if nothing is."""
        parts = list(self.left_out)
        parts += [f"where {r.expression} {_NOT[r.kind]}" for r in self.undecided]
        if len(parts) > MOST_NAMED:
            parts = [*parts[:MOST_NAMED], "and so on"]
        return ", ".join(parts)


def requirements(expression: sp.Expr) -> Iterator[Requirement]:
    """What the expression itself requires, innermost first; in a piece, where that piece is meant."""
    if isinstance(expression, sp.Piecewise):
        earlier: list[sp.Basic] = []
        for value, condition in expression.args:
            for relation in condition.atoms(sp.core.relational.Relational):
                yield from requirements(relation.lhs - relation.rhs)
            yield from (r.only_where(condition, earlier) for r in requirements(value))
            earlier.append(condition)
        return
    for argument in expression.args:
        yield from requirements(argument)
    needed = _requirement(expression)
    if needed and not getattr(needed.expression, f"is_{needed.kind}"):
        yield needed


def _requirement(node: sp.Expr) -> Requirement | None:
    if isinstance(node, sp.log):
        return Requirement(node.args[0], "positive")
    if isinstance(node, sp.exp) or not isinstance(node, sp.Pow):
        return None
    if not node.exp.is_Integer:
        return Requirement(node.base, "nonnegative" if node.exp.is_number and node.exp.is_positive else "positive")
    return Requirement(node.base, "nonzero") if node.exp.is_negative else None


def domain(needed: Iterable[Requirement], x: sp.Symbol = X) -> Domain:
    """Where all the requirements hold, each looked at where the earlier ones do."""
    stretches: list[tuple[sp.Expr, sp.Expr]] = [(-sp.oo, sp.oo)]
    points: list[sp.Expr] = []
    undecided: list[Requirement] = []
    for requirement in dict.fromkeys(needed):
        if not requirement.expression.has(x):
            if not _holds_at(requirement, x, sp.S.Zero):
                undecided.append(requirement)
            continue
        try:
            stretches, points = _restricted(requirement, x, stretches, points)
        except (Undecided, BadInput, NotImplementedError):
            undecided.append(requirement)
    return Domain(tuple(stretches), tuple(points), tuple(_gaps(stretches, points)), tuple(undecided))


def _restricted(requirement: Requirement, x: sp.Symbol, stretches: list, points: list) -> tuple[list, list]:
    allowed = _SIGNS[requirement.kind]
    kept, between = [], []
    for lower, upper in stretches:
        for piece in split(requirement.expression, x, lower, upper):
            if piece.lower != lower:
                between.append(piece.lower)
            if is_zero(piece.expression):
                if 0 in allowed:
                    kept.append((piece.lower, piece.upper))
                continue
            found = zeros(piece.expression, x, piece.lower, piece.upper)
            if found.open or any(zero.condition != sp.true for zero in found.exact):
                raise Undecided(f"the zeros of {piece.expression}")
            edges = [piece.lower, *(zero.x for zero in found.exact), piece.upper]
            between += edges[1:-1]
            for left, right in pairwise(edges):
                if sign(value_at(piece.expression, x, interior_point(left, right))) in allowed:
                    kept.append((left, right))
    return kept, [point for point in [*points, *between] if _holds_at(requirement, x, point)]


def _holds_at(requirement: Requirement, x: sp.Symbol, point: sp.Expr) -> bool:
    """Whether the requirement is known to hold at the point; what is not known is left out and said to be."""
    try:
        return sign(value_at(requirement.expression, x, point)) in _SIGNS[requirement.kind]
    except (Undecided, TypeError):
        return False


def _gaps(stretches: list, points: list) -> Iterator[str]:
    """The parts of the line in no stretch and at no point, as a reader says them."""
    if not stretches:
        yield "every x"
        return
    if stretches[0][0] != -sp.oo:
        yield f"x {_relation(stretches[0][0], points)} {stretches[0][0]}"
    for (_, left), (right, _) in pairwise(stretches):
        if left != right:
            yield f"from {left} to {right}"
        elif left not in points:
            yield f"x = {left}"
    if stretches[-1][1] != sp.oo:
        end = stretches[-1][1]
        yield f"x {'>' if end in points else '>='} {end}"


def _relation(start: sp.Expr, points: list) -> str:
    return "<" if start in points else "<="
