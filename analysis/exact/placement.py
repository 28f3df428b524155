"""Which constants put an extremum where one wants it: the points of a family solved for its constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import sympy as sp

from analysis.exact.normal import tidy
from analysis.exact.stationary import Point


@dataclass(frozen=True)
class Placement:
    """The extremum is where it should be exactly if the constants satisfy `equations` and `condition`."""

    equations: Mapping[sp.Symbol, sp.Expr]
    condition: sp.Basic
    point: Point

    def __str__(self) -> str:
        equations = ", ".join(f"{name} = {value}" for name, value in self.equations.items())
        return equations if self.condition == sp.true else f"{equations}, {self.condition}"


def placements(points: tuple[Point, ...], what: Literal["x", "value"], target: sp.Expr) -> tuple[Placement, ...]:
    """All constants for which an extremum has its x, or its value, at the target, case by case."""
    found = []
    for point in points:
        coordinate = point.x if what == "x" else point.value
        symbol = _easiest(coordinate - target)
        for solution in sp.solve(sp.Eq(coordinate, target), symbol, dict=True):
            admissible = [value > 0 for symbol, value in solution.items() if symbol.is_positive]
            condition = _simplified(sp.And(point.condition.subs(solution), *admissible))
            if condition != sp.false:
                found.append(Placement({k: tidy(v) for k, v in solution.items()}, condition, point))
    return tuple(found)


def _easiest(expression: sp.Expr) -> sp.Symbol:
    """The constant in which the equation has the lowest degree."""
    numerator = sp.numer(sp.together(expression))
    return min(sorted(numerator.free_symbols, key=lambda s: s.name), key=lambda s: sp.degree(numerator, s))


def _simplified(condition: sp.Basic) -> sp.Basic:
    """Relations in one positive constant, solved for it."""
    free = condition.free_symbols
    if len(free) != 1 or condition in (sp.true, sp.false):
        return condition
    (symbol,) = free
    plain = sp.Symbol(symbol.name, real=True)
    solved = sp.reduce_inequalities([r.subs(symbol, plain) for r in sp.And.make_args(condition)], plain)
    solved = sp.And(solved, plain > 0) if symbol.is_positive else solved
    if solved in (sp.true, sp.false):
        return solved
    relations = solved.as_set().as_relational(plain).subs(plain, symbol)
    return sp.And(*(r.canonical for r in sp.And.make_args(relations) if r != (symbol < sp.oo)))
