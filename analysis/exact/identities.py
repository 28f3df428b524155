"""Is an identity true on R? By normal forms, piece by piece; a difference is refuted elsewhere, by a witness."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.exact.normal import is_zero, sign
from analysis.exact.pieces import split
from analysis.exact.verdict import Verdict


@dataclass(frozen=True)
class Identity:
    """The verdict on left = right, the method that gave it, and an exact point where they differ if refuted there."""

    verdict: Verdict
    method: str
    point: sp.Expr | None = None


def identity(left: sp.Expr, right: sp.Expr, x: sp.Symbol = X, *, at_breakpoints: bool = True) -> Identity:
    """Decides left(x) = right(x) for every real x where both sides are defined, and all admissible free constants.

    Without `at_breakpoints` the points between pieces are left out. What sympy cancels when it reads an expression, as
    in x/x, counts as cancelled.

    PROVED if the normal form of the difference is zero on every piece and at every breakpoint; REFUTED if it is a
    polynomial in independent generators other than zero, or if the sides differ at a breakpoint; else UNDECIDED.
    """
    difference = left - right
    if difference == 0:
        return Identity(Verdict.PROVED, "the two sides are the same expression")
    try:
        found = split(difference, x)
        for piece in found[:-1] if at_breakpoints else ():
            if sign(difference.subs(x, piece.upper)) != 0:
                return Identity(Verdict.REFUTED, "the sides differ at a breakpoint", piece.upper)
    except Undecided as reason:
        return Identity(Verdict.UNDECIDED, f"undecided: {reason}")
    verdicts = [is_zero(piece.expression) for piece in found]
    where = "" if len(found) == 1 else f" on each of {len(found)} pieces"
    if all(verdicts):
        but = "" if at_breakpoints or len(found) == 1 else ", breakpoints left out"
        return Identity(Verdict.PROVED, f"normal form of the difference is zero{where}{but}")
    if False in verdicts:
        piece = found[verdicts.index(False)]
        stretch = "" if len(found) == 1 else f" on ({piece.lower}, {piece.upper})"
        return Identity(Verdict.REFUTED, f"normal form of the difference is not zero{stretch}")
    return Identity(Verdict.UNDECIDED, "the normal form does not tell whether the difference is zero")
