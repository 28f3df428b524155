"""Where an expression is continuous, and has the slopes that `derivative` gives wherever it has any.

A sign of a slope makes a function monotone, and slopes bound how far it moves, only where it does not jump: the slope
of step(x - b) by b is zero wherever it exists, and that of 1/(a - b) has one sign on both sides of its pole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import sympy as sp
from sympy.core.relational import Relational

from analysis.activation.errors import Undecided
from analysis.activation.functions import clip, step
from analysis.activation.parsing import X
from analysis.exact.normal import is_zero
from analysis.rigorous import intervals
from analysis.rigorous.intervals import Interval

JUMPING = (step, sp.sign, sp.Heaviside)


class Requirement(NamedTuple):
    """What continuity asks of a part of the expression: that it is nonzero, positive or nonnegative."""

    part: sp.Expr
    kind: str

    def is_met(self, range_: Interval) -> bool:
        """By every number of the range; of a constant, zero may be an end, as that is none of its values."""
        low, high = range_
        if self.kind == "nonnegative":
            return low >= 0
        if self.part.is_Symbol and self.part != X:
            return low >= 0 or (self.kind == "nonzero" and high <= 0)
        return low > 0 or (self.kind == "nonzero" and high < 0)

    def is_broken(self, range_: Interval) -> bool:
        """By every number of the range; zero counts as met, lest rounding discard an end."""
        return range_.high < 0 or (self.kind == "nonzero" and range_ == (0, 0))


@dataclass(frozen=True)
class Continuity:
    """What must hold of the variables for the expression to be continuous in those of them that move."""

    expression: sp.Expr
    variables: tuple[sp.Symbol, ...]
    moving: tuple[sp.Symbol, ...]

    @cached_property
    def requirements(self) -> tuple[Requirement, ...]:
        """Without those that the assumptions about the constants fulfil."""
        found: dict[Requirement, None] = {}
        for node in sp.preorder_traversal(self.expression):
            for part, kind in _required(node):
                if part.has(*self.moving) and not getattr(part, f"is_{kind}"):
                    found.setdefault(Requirement(part, kind))
        return tuple(found)

    def holds(self, inputs: Sequence[Interval]) -> bool:
        """Whether all requirements are met by all values of the variables in the intervals."""
        return all(r.is_met(over(*inputs)[0]) for r, over in zip(self.requirements, self._ranges, strict=True))

    @cached_property
    def _ranges(self) -> list[Callable[..., list[Interval]]]:
        return [intervals.evaluators(r.part, variables=self.variables) for r in self.requirements]


def jumps_along(expression: sp.Expr) -> bool:
    """Whether the expression may jump at some x; a pole is none, as arithmetic in balls does not overlook it."""
    nodes = [e for e in sp.preorder_traversal(expression) if isinstance(e, (*JUMPING, sp.Piecewise)) and e.has(X)]
    return any(not isinstance(node, sp.Piecewise) or _jumps(node) for node in nodes)


def _required(node: sp.Basic) -> Iterator[tuple[sp.Expr, str]]:
    if isinstance(node, JUMPING):
        yield node.args[0], "nonzero"
    elif isinstance(node, sp.Piecewise):
        yield from ((part, "nonzero") for part in _jumps(node))
    elif isinstance(node, sp.log):
        yield node.args[0], "positive"
    elif isinstance(node, clip):  # its slopes are those for limits in order
        yield node.args[2] - node.args[1], "nonnegative"
    elif isinstance(node, sp.Pow) and node.base != sp.E:
        yield from _required_of_power(node)


def _required_of_power(power: sp.Pow) -> Iterator[tuple[sp.Expr, str]]:
    if not power.exp.is_Integer:
        yield power.base, "nonnegative" if power.exp.is_nonnegative else "positive"
    elif power.exp.is_negative:
        yield from ((factor, "nonzero") for factor in sp.Mul.make_args(power.base))


def _jumps(node: sp.Piecewise) -> list[sp.Expr]:
    """What must not be zero for the piecewise function to be continuous: nothing where its arms meet."""
    try:
        check_arms(node)
    except Undecided:
        return [c.lhs - c.rhs for _, condition in node.args for c in condition.atoms(Relational)]
    return []


def check_arms(node: sp.Piecewise) -> None:
    """Undecided unless x alone decides the arm, and neighbouring arms have the same value where they meet."""
    switches = [c.lhs - c.rhs for _, condition in node.args for c in condition.atoms(Relational)]
    if any(s.free_symbols != {X} or not sp.diff(s, X).is_number for s in switches):
        raise Undecided(f"where {node} changes its branch")
    places = sorted({-s.subs(X, 0) / sp.diff(s, X) for s in switches})
    inside = [places[0] - 1, *((a + b) / 2 for a, b in pairwise(places)), places[-1] + 1]
    arms = [arm(node, x) for x in inside]
    for place, (left, right) in zip(places, pairwise(arms), strict=True):
        if not is_zero(sp.simplify((left - right).subs(X, place))):
            raise Undecided(f"whether {node} is continuous")


def arm(node: sp.Piecewise, x: sp.Expr) -> sp.Expr:
    """The arm that holds at x."""
    return next(value for value, condition in node.args if condition.subs(X, x) == sp.true)
