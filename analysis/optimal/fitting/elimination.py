"""All ways to make an expression in positive constants zero, each as one constant in terms of the others."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from analysis.activation.errors import Undecided
from analysis.exact.normal import sign
from analysis.optimal.fitting.continuity import Requirement


@dataclass(frozen=True)
class Elimination:
    """symbol = value; `requirement` is what makes the value admissible, if not all other constants do."""

    symbol: sp.Symbol
    value: sp.Expr
    requirement: Requirement | None = None


def eliminations(expression: sp.Expr) -> tuple[Elimination, ...]:
    """The solutions of expression = 0 in admissible constants, all of them; Undecided where some may be missed."""
    if expression.is_infinite or expression.is_nonzero:
        return ()
    numerator, _ = sp.fraction(sp.cancel(sp.together(expression)))
    found: dict[tuple[sp.Symbol, sp.Expr], Elimination] = {}
    for factor, _ in sp.factor_list(numerator)[1]:
        if not factor.is_nonzero:
            for solved in _solutions(factor):
                found.setdefault((solved.symbol, solved.value), solved)
    return tuple(found.values())


def exchanged(symbol: sp.Symbol, value: sp.Expr) -> Elimination | None:
    """The equation symbol = value solved for another constant, if that is then admissible whatever the others are."""
    for other in _by_name(value.free_symbols):
        solved = _solved_for(symbol - value, other)
        if solved is not None and len(solved) == 1 and solved[0].requirement is None:
            return solved[0]
    return None


def _solutions(factor: sp.Expr) -> tuple[Elimination, ...]:
    """By the constant that gives all solutions with the fewest requirements."""
    complete = [s for symbol in _by_name(factor.free_symbols) if (s := _solved_for(factor, symbol)) is not None]
    if not complete:
        raise Undecided(f"for which constants {factor} is zero")
    return min(complete, key=lambda solved: sum(s.requirement is not None for s in solved))


def _solved_for(equation: sp.Expr, symbol: sp.Symbol) -> tuple[Elimination, ...] | None:
    """All admissible solutions for the symbol, None where some may be missed."""
    polynomial = equation.as_poly(symbol)
    if polynomial is None or any(c.has(symbol) for c in polynomial.all_coeffs()) or not _differs(polynomial.LC()):
        return None
    roots = sp.roots(polynomial)
    if sum(roots.values()) != polynomial.degree():
        return None
    found = [_admitted(symbol, root) for root in roots if root.is_real is not False]
    if any(not root.is_real for root in roots if root.is_real is not False):
        return None
    return tuple(one for one in found if one)


def _differs(coefficient: sp.Expr) -> bool:
    """Whether the coefficient is nonzero for all constants."""
    try:
        return bool(coefficient.is_nonzero or sign(coefficient))
    except Undecided:
        return False


def _admitted(symbol: sp.Symbol, root: sp.Expr) -> Elimination | None:
    """The solution, None if it is never admissible."""
    kind = "positive" if symbol.is_positive else "nonnegative" if symbol.is_nonnegative else "real"
    met = getattr(root, f"is_{kind}")
    if met is None and root.is_number:
        met = sign(root) > 0 if kind == "positive" else sign(root) >= 0
    if met is False:
        return None
    return Elimination(symbol, root, None if met else Requirement(root, kind))


def _by_name(symbols: set[sp.Symbol]) -> list[sp.Symbol]:
    return sorted(symbols, key=lambda s: s.name, reverse=True)
