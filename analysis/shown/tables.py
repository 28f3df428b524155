"""Tables for notebooks: exact facts, jumps and errors, a row for each function, with LaTeX where it is mathematics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

import sympy as sp

from analysis.activation.parsing import X
from analysis.activation.record import Activation, Family
from analysis.activation.sheet import Record, Sheet, Table, decimal
from analysis.exact.asymptotes import Asymptote
from analysis.exact.breakpoints import breakpoints, value_at
from analysis.exact.placement import Placement
from analysis.rigorous.balls import Pair
from analysis.rigorous.identity import Proof
from analysis.rigorous.norms import Norm
from analysis.shown.figures import card, place, slopes_beside
from analysis.shown.words import label, mathematics, number

if TYPE_CHECKING:
    from analysis.optimal.fitting.constants import Fit


@dataclass(frozen=True)
class Rows(Record):
    """A table with a title, which a notebook shows typeset."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def sheet(self) -> Sheet:
        return Sheet(self.title, tables=(Table(self.headings, self.rows, texts=len(self.headings)),), notes=self.notes)


def exact_facts(functions: Iterable[Activation]) -> Rows:
    """Formula, smoothness class, jumps of the slope, minima and asymptotes of each function.

    A minimum without a closed form is shown by decimals of its rigorous enclosure.
    """
    headings = ("function", "formula", "class", "jumps of the slope", "minimum (x, value)", "at -oo", "at oo")
    return Rows("Exact facts", headings, tuple(map(_facts, functions)))


def _facts(f: Activation) -> tuple[str, ...]:
    known = card(f)
    smooth = {sp.oo: "analytic", -1: "discontinuous"}.get(known.smoothness, f"C^{known.smoothness}")
    jumps = [f"{_tex(p.jumps[1])} at {_tex(p.x)}" for p in known.breakpoints if p.jumps[1] != 0]
    minima = [_minimum(m) for m in known.minima]
    lines = [_line(known.asymptotes[end]) for end in ("-oo", "oo")]
    return label(f), _tex(f.expression), smooth, ", ".join(jumps) or "none", "; ".join(minima) or "none", *lines


def _minimum(found) -> str:
    if isinstance(found.x, sp.Interval):
        return f"{_tex(found.value)} on {_tex(found.x)}"
    x, value = place(found)
    if found.x is None:
        return f"{x:.6f}, {value:.6f}"
    if found.x.is_Rational:
        return f"{_tex(found.x)}, {_tex(found.value)}"
    return f"{_tex(found.x)} = {x:.6f}, {_tex(found.value)} = {value:.6f}"


def _line(asymptote: Asymptote | None) -> str:
    return "none" if asymptote is None else _tex(asymptote.slope * X + asymptote.intercept)


def continuity(functions: Iterable[Activation], points: Sequence[sp.Expr]) -> Rows:
    """The exact value at each point with the slopes to its left and right, and what they make of the function there."""
    headings = ["function"]
    for at in points:
        headings += [f"value at {at}", "slope left", "right", f"smooth at {at}?"]
    rows = []
    for f in functions:
        row = [label(f)]
        for at in map(sp.sympify, points):
            left, right = slopes_beside(f, at)
            said = "yes" if left == right else f"no: jump {_tex(right - left)}"
            row += [_tex(value_at(f.expression, X, at)), _tex(left), _tex(right), said]
        rows.append(tuple(row))
    return Rows("Values and one-sided slopes, exactly", tuple(headings), tuple(rows))


def kinks(family: Family) -> Rows:
    """The jumps of f, f' and f'' at every breakpoint of a family for all its constants, and when the slope has none."""
    rows = []
    for point in breakpoints(family.expression):
        rows.append((_tex(point.x), *map(_tex, point.jumps), _condition(point.smooth_if(1))))
    return Rows(family.formula, ("breakpoint", "jump of f", "of f'", "of f''", "slope continuous if"), tuple(rows))


def _condition(condition: sp.Basic) -> str:
    """The condition solved for the first constant in it."""
    if condition in (sp.true, sp.false):
        return "always" if condition == sp.true else "never"
    relations = []
    for relation in sp.And.make_args(condition):
        symbol = min(relation.free_symbols, key=lambda s: s.name)
        relations += [sp.Eq(symbol, value) for value in sp.solve(relation, symbol)]
    return ", ".join(map(_tex, relations)) or "never"


def placed(found: Iterable[Placement]) -> Rows:
    """Which constants put the extremum where it should be: a row for each case."""
    rows = []
    for case in found:
        equations = ", ".join(_tex(sp.Eq(name, value)) for name, value in case.equations.items())
        place_and_value = (_tex(e.subs(case.equations)) for e in (case.point.x, case.point.value))
        rows.append((equations, _tex(case.condition), *place_and_value))
    return Rows("Cases", ("constants", "if", "the minimum is at x =", "with the value"), tuple(rows))


def distances(functions: Iterable[Activation], target: Activation, norms: Sequence[Norm]) -> Rows:
    """The estimated distance of each function to the target in each norm, sorted by the first norm."""
    from analysis.optimal.fitting.constants import distance

    rows = [(f, [distance(f, target, norm) for norm in norms]) for f in functions]
    rows.sort(key=lambda row: row[1][0])
    shown = tuple((label(f), *(f"{d:.4f}" for d in row)) for f, row in rows)
    return Rows(f"Distance to {target.name}", ("function", *map(_norm, norms)), shown, (ESTIMATE,))


def _norm(norm: Norm) -> str:
    """Short where nothing is left open: one of the three norms on the whole line, the Gaussian one with sigma = 1."""
    return norm.kind if not norm.is_discrete and norm == Norm(norm.kind) else str(norm)


ESTIMATE = "estimated in floating point"


def live(fit: Fit) -> str:
    """The standing of a fit, proved here and now."""
    return f"optimum {fit.verdict}"


def published_and_best(fits: Sequence[Fit], standing: Callable[[Fit], str] = live) -> Rows:
    """Every fit followed by the published members of its family: constants, error, and how many times the best.

    `standing` says what is proved of a fit; `records.standing` takes it from a record where it is there.
    """
    rows: list[tuple[str, ...]] = []
    for fit in fits:
        values = ", ".join(f"{name} = {decimal(v, 8)}" for name, v in fit.constants.items())
        figures = decimal(fit.estimate, 8), enclosed(fit.error)
        rows.append((f"best {fit.family.name}", _norm(fit.norm), values, *figures, standing(fit)))
        for p in sorted(fit.published, key=lambda p: p.ratio):
            values = ", ".join(f"{name} = {number(v)}" for name, v in p.constants.items())
            figures = decimal(p.estimate, 8), enclosed(p.error)
            rows.append((p.name.split("(")[0], _norm(fit.norm), values, *figures, f"{p.ratio:.4f} times the best"))
    headings = ("function", "norm", "constants", "error, estimated", "enclosed", "standing")
    notes = [f"{fit.family.name}, {_norm(fit.norm)}: {fit.note}" for fit in fits if fit.note]
    return Rows("Best constants beside the published ones", headings, tuple(rows), tuple(notes))


def enclosed(error: Pair | None) -> str:
    """An enclosure with eight decimals, rounded outward; "not yet" where nothing bounds the error from above."""
    if error is None or not all(Decimal(end).is_finite() for end in error):
        return "not yet"
    if error == ("0", "0"):
        return "0"
    ends = zip(error, (ROUND_FLOOR, ROUND_CEILING), strict=True)
    low, high = (Decimal(end).quantize(Decimal("1e-8"), rounding=rounding) for end, rounding in ends)
    return f"[{low}, {high}]"


def verdicts(proofs: Iterable[Proof]) -> Rows:
    """Identities with their verdicts; a refuted one with the point at which the sides differ."""
    rows = []
    for proof in proofs:
        why = proof.method
        if (w := proof.witness) is not None:
            why += f"; at x = {w.x} left {decimal(float(w.left[0]))}, right {decimal(float(w.right[0]))}"
        rows.append((f"{proof.left} = {proof.right}", str(proof.verdict), why))
    return Rows("Identities for every real x", ("identity", "verdict", "why"), tuple(rows))


def _tex(value: sp.Basic) -> str:
    return f"${mathematics(value)}$"
