"""The best constants of a family for a target: `fit`, from several starts, and the landscape of the error.

The value found is a floating-point estimate: it is not certified, and that no other constants are better is not
proved, until `analysis.rigorous` does so; the record says UNDECIDED.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import sympy as sp

from analysis.activation import lookup
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.parsing import X, number
from analysis.activation.record import Activation, Family
from analysis.activation.sheet import Line, Record, Sheet, Table, decimal
from analysis.exact.verdict import Verdict
from analysis.optimal import minimax, search
from analysis.optimal.residual import Residual, Unbounded
from analysis.rigorous.distance import supremum
from analysis.rigorous.norms import Norm
from analysis.rigorous.pointwise import Pair, enclose_mean_square, enclose_size

NOT_YET = "found from several starts in floating point; that no other constants are better is not proved"


@dataclass(frozen=True)
class Published:
    """A published member of the family with its error and the ratio to the error of the fit."""

    name: str
    constants: Mapping[str, sp.Expr]
    error: Pair | None
    estimate: float
    ratio: float

    def to_dict(self) -> dict:
        return {
            "name": self.name,
            "constants": {name: str(value) for name, value in self.constants.items()},
            "error": self.error and list(self.error),
            "estimate": self.estimate if math.isfinite(self.estimate) else None,
            "ratio": self.ratio if math.isfinite(self.ratio) else None,
        }


@dataclass(frozen=True)
class Fit(Record):
    """The best constants found; `estimate` is the error in floating point, in the norm's unit, perhaps inf."""

    family: Family
    target: Activation
    norm: Norm
    constants: Mapping[str, float]
    exact: Mapping[str, sp.Expr | None]
    estimate: float
    attained_at: float | None
    published: tuple[Published, ...]
    note: str = ""
    seconds: float = field(default=0.0, compare=False)
    verdict: Verdict = Verdict.UNDECIDED

    def to_dict(self) -> dict:
        """The JSON of `actapprox fit`; an error that no enclosure bounds from above has "inf" as its upper end."""
        return {
            "family": self.family.name,
            "target": self.target.name,
            "norm": self.norm.kind,
            "domain": [f"{self.norm.lower:g}", f"{self.norm.upper:g}"],
            "setting": self.norm.label,
            "constants": {name: v if math.isfinite(v) else None for name, v in self.constants.items()},
            "exact": {name: None if v is None else str(v) for name, v in self.exact.items()},
            "formula": self.activation().formula if math.isfinite(self.estimate) else None,
            "error": self.error and list(self.error),
            "estimate": self.estimate if math.isfinite(self.estimate) else None,
            "attained_at": None if self.attained_at is None else f"{self.attained_at:.17g}",
            "optimum": {"verdict": str(self.verdict), "lower": None, "gap": None, "reason": NOT_YET},
            "unique": None,
            "optimal_set": None,
            "published": [published.to_dict() for published in self.published],
            "note": self.note,
            "seconds": round(self.seconds, 3),
        }

    def sheet(self) -> Sheet:
        """The answer for people: the constants, their standing, and the published ones beside them."""
        finite = math.isfinite(self.estimate)
        values = ", ".join(f"{name} = {v:.12g}" for name, v in self.constants.items()) if finite else "none"
        lines = [Line("family", self.family.formula, sp.latex(self.family.expression)), Line("constants", values)]
        where = "" if self.attained_at is None else f", attained at x = {decimal(self.attained_at, 9)}"
        # What is shown lies in the enclosure, where there is one: the grid of an estimate may miss a narrow peak.
        shown = float(self.error[1]) if self.error and math.isfinite(float(self.error[1])) else self.estimate
        lines.append(Line("error", f"{decimal(shown, 9)} ({self.norm.unit}{where})"))
        if self.error and math.isfinite(self.estimate):
            lines.append(Line("certified", f"the error of these constants is in [{self.error[0]}, {self.error[1]}]"))
        if finite:
            lines.append(Line("optimum", f"{self.verdict}: {NOT_YET}"))
        names = tuple(self.constants)
        rows = [
            (p.name, *(decimal(float(p.constants[n])) for n in names), decimal(p.estimate), decimal(p.ratio, 4))
            for p in self.published
        ]
        tables = (Table(("published", *names, "error", "times the best"), tuple(rows)),) if rows else ()
        title = f"{self.family.name} to {self.target.name}, {self.norm}"
        return Sheet(title, tuple(lines), tables, (self.note,) if self.note else ())

    @cached_property
    def error(self) -> Pair | None:
        """A rigorous enclosure of the error of these very constants as printed, where there is one yet.

        Over points the sum is enclosed, in the sup norm the supremum; where a tail resists, the value at one point
        bounds it from below.
        """
        if math.isinf(self.estimate):
            return "inf", "inf"
        return enclosure(self.activation(), self.target, self.norm, self.attained_at or 0.0, self.estimate)

    def activation(self) -> Activation:
        """The family with the constants as printed: an activation like any other."""
        if math.isinf(self.estimate):
            raise BadInput(self.note)
        values = {name: self.exact[name] or number(repr(v)) for name, v in self.constants.items()}
        body = self.family.expression.subs({self.family.symbol(k): v for k, v in values.items()})
        name = lookup.called(self.family.name, values) if self.family.name.isidentifier() else self.family.name
        return Activation(name, body, lookup.filled(self.family.formula, values), values, self.family.name)


def fit(
    family: str | Family,
    to: str | Activation,
    norm: Norm | None = None,
    *,
    fix: Mapping[str, str] | None = None,
    tie: Mapping[str, str] | None = None,
) -> Fit:
    """The constants of the family with the least distance to the target.

    `fix` gives constants a value, `tie` an expression in the others, both as text. Constants that the asymptotes of the
    target force (any other choice is infinitely far) are found exactly. Raises BadInput for names that are not there.
    """
    began = time.perf_counter()
    family, target, norm = lookup.family(family), lookup.function(to), norm or Norm()
    given = _given(family, fix or {}, tie or {})
    try:
        residual = Residual.of(family, target, norm, given)
    except Unbounded as reason:
        nowhere = dict.fromkeys((c.name for c in family.constants), math.nan)
        note = f"no member with {_assumed(family)} constants is at a finite distance: {reason}"
        return Fit(family, target, norm, nowhere, dict.fromkeys(nowhere), math.inf, None, (), note)
    theta, best = search.best(residual, {c.name: c.box for c in family.constants}, _members_inside(family, residual))
    values = dict(zip(residual.free, theta, strict=True))
    exact, constants = {}, {}
    for constant in family.constants:
        expression = residual.given.get(constant.name, family.symbol(constant.name))
        known = sp.sympify(expression)
        exact[constant.name] = None if known.free_symbols else known
        constants[constant.name] = float(known.subs(residual.given).subs(values))
    forced = [f"{k} = {v}" for k, v in residual.given.items() if k not in given]
    where = search.value(residual, theta)[1]
    published = tuple(_published(member, target, norm, best) for member in family.members)
    return Fit(
        family,
        target,
        norm,
        constants,
        exact,
        best,
        where,
        published,
        _note(residual, theta, forced, bool(family.sources)),
        time.perf_counter() - began,
    )


def _assumed(family: Family) -> str:
    return "/".join(sorted({c.assumption for c in family.constants}))


def _members_inside(family: Family, residual: Residual) -> list[np.ndarray]:
    """The published members that satisfy what is given, as values of the free constants: starts of the search."""
    inside = []
    for member in family.members:
        values = {family.symbol(name): value for name, value in member.constants.items()}
        held = {name: sp.sympify(given).subs(values) for name, given in residual.given.items()}
        if all(member.constants[name] == value for name, value in held.items()):
            inside.append(np.array([float(values[s]) for s in residual.free]))
    return inside


def distance(f: str | Activation, g: str | Activation, norm: Norm | None = None) -> float:
    """The distance in floating point, in the unit of the norm: an estimate, not a bound."""
    return _distance(lookup.function(f), lookup.function(g), norm or Norm())[0]


def _distance(f: Activation, g: Activation, norm: Norm) -> tuple[float, float | None]:
    """The distance and, for the sup norm, the x that attains it."""
    try:
        residual = Residual.of(Family(f.name, f.expression, f.formula, ()), g, norm, {})
    except Unbounded:
        return math.inf, None
    return search.value(residual, np.array([]))


def enclosure(f: Activation, g: Activation, norm: Norm, where: float, estimate: float) -> Pair | None:
    """What is rigorously known of the distance; None where nothing is. `where` is a place at which it is large."""
    if math.isinf(estimate):
        return "inf", "inf"
    if norm.points is not None:
        return enclose_mean_square(f.expression - g.expression, norm.points)
    if norm.kind == "sup":
        lower, upper = (sp.oo * (1 if end > 0 else -1) if math.isinf(end) else sp.Rational(end) for end in norm.ends)
        try:
            return supremum(f.expression - g.expression, lower, upper).pair()
        except Undecided:
            return (enclose_size(f.expression - g.expression, where)[0], "inf") if math.isfinite(where) else None
    return None


def landscape(
    family: str | Family,
    to: str | Activation,
    norm: Norm,
    axes: Mapping[str, Sequence[float]],
    *,
    fix: Mapping[str, str] | None = None,
) -> np.ndarray:
    """The estimate of the error over the grid of the two constants in `axes`; shape (len(second), len(first))."""
    family, target = lookup.family(family), lookup.function(to)
    residual = Residual.of(family, target, norm, _given(family, fix or {}, {}))
    names = [s.name for s in residual.free]
    if sorted(names) != sorted(axes):
        raise BadInput(f"expected axes for the free constants {', '.join(names)}, got {', '.join(axes)}")
    first, second = axes
    swap = [first, second] != names
    fixed = search.coarse_points(residual)
    table = np.empty((len(axes[second]), len(axes[first])))
    for i, v in enumerate(axes[second]):
        for j, u in enumerate(axes[first]):
            theta = np.array([v, u] if swap else [u, v], float)
            table[i, j] = search.coarse(residual, theta, *fixed)
    return table


def _given(family: Family, fix: Mapping[str, str], tie: Mapping[str, str]) -> dict[str, sp.Expr]:
    names = {c.name: family.symbol(c.name) for c in family.constants}
    if unknown := sorted((set(fix) | set(tie)) - set(names)):
        raise BadInput(f"expected constants out of {', '.join(names)} of {family.name}, got {', '.join(unknown)}")
    if twice := sorted(set(fix) & set(tie)):
        raise BadInput(f"expected each constant fixed or tied, got both for {', '.join(twice)}")
    given = {}
    for name, text in fix.items():
        value = lookup.expression(text)
        if value.free_symbols:
            raise BadInput(f"expected a number for {name}, got {text!r}")
        given[name] = value
    for name, text in tie.items():
        value = lookup.expression(text, {n: s for n, s in names.items() if n != name})
        if value.has(X):
            raise BadInput(f"expected {name} as an expression in the other constants, got {text!r}")
        given[name] = value.subs({names[n]: v for n, v in given.items()})
    still = {names[n] for n in given}
    if any(v.free_symbols & still for v in given.values()):
        raise BadInput(f"expected ties without a circle, got {', '.join(f'{k}={v}' for k, v in tie.items())}")
    for name, value in given.items():
        assumption = next(c.assumption for c in family.constants if c.name == name)
        if getattr(value, f"is_{assumption}") is False:
            raise BadInput(f"expected {name} of {family.name} to be a {assumption} number, got {value}")
    return given


def _note(residual: Residual, theta: np.ndarray, forced: list[str], is_catalogued: bool) -> str:
    notes = [f"forced by the asymptotes: {', '.join(forced)}"] if forced else []
    if not is_catalogued:
        notes.append("free constants are taken to be positive; write (-c) for a negative one")
    for symbol, at in zip(residual.free, theta, strict=True):
        if at > 0.99 * search.LARGEST or 0 < at < 1.01 / search.LARGEST:
            limit = "without bound" if at > 1 else "to zero"
            notes.append(f"no best constant: the error falls as {symbol} goes {limit}")
    if residual.norm.kind == "sup" and (unfelt := minimax.unfelt(residual, theta)):
        names = ", ".join(residual.free[i].name for i in unfelt)
        notes.append(
            f"not unique: {names} moves no point at which the error is attained, so that other values do as well"
        )
    return "; ".join(notes)


def _published(member: Activation, target: Activation, norm: Norm, best: float) -> Published:
    error, where = _distance(member, target, norm)
    ratio = 1.0 if error == best else error / best if best > 0 else math.inf
    return Published(member.name, member.constants, enclosure(member, target, norm, where or 0.0, error), error, ratio)
