"""The records of a fit: the constants with their certified error and standing, and the published ones beside them."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import sympy as sp
from flint import arb

from analysis.activation import lookup
from analysis.activation.errors import BadInput, OutOfTime, Undecided
from analysis.activation.parsing import number
from analysis.activation.record import Activation, Family
from analysis.activation.sheet import Line, Record, Sheet, Table, decimal
from analysis.exact.verdict import Verdict
from analysis.optimal import convexity, proof, rounding, uniqueness
from analysis.optimal.lattice import Lattice
from analysis.optimal.proof import Optimum
from analysis.optimal.residual import Residual
from analysis.rigorous import balls, intervals
from analysis.rigorous.balls import Pair
from analysis.rigorous.comparison import enclose
from analysis.rigorous.intervals import Interval
from analysis.rigorous.norms import Norm
from analysis.rigorous.pointwise import enclose_size

DIGITS = 17  # of what was a double
ROUNDING = 1e-13  # an error below it comes from the last digits of the constants


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
    """The best constants found, and on demand the proof of how good they are.

    `estimate` is the error in floating point, in the norm's unit, perhaps inf. `lattice` is the format the constants
    were rounded to, `unrounded` the best of any format, in the order of the residual's free constants. `error`,
    `optimum`, `unique` and `optimal_set` are worked out when first asked for.
    """

    family: Family
    target: Activation
    norm: Norm
    constants: Mapping[str, float]
    exact: Mapping[str, sp.Expr | None]
    estimate: float
    attained_at: float | None
    published: tuple[Published, ...]
    note: str = ""
    lattice: Lattice | None = None
    residual: Residual | None = field(default=None, compare=False, repr=False)
    unrounded: np.ndarray | None = field(default=None, compare=False, repr=False)
    seconds: float = field(default=0.0, compare=False)

    def to_dict(self) -> dict:
        """The JSON of `actapprox fit`; an error that no enclosure bounds from above has "inf" as its upper end."""
        began = time.perf_counter()
        optimum = self.optimum
        found = {
            "family": self.family.name,
            "target": self.target.name,
            "norm": self.norm.kind,
            "domain": [f"{self.norm.lower:g}", f"{self.norm.upper:g}"],
            "setting": self.norm.label,
            "constants": {name: v if math.isfinite(v) else None for name, v in self.constants.items()},
            "exact": {name: None if v is None else str(v) for name, v in self.exact.items()},
            "round": self.lattice and self.lattice.name,
            "formula": self.activation().formula if math.isfinite(self.estimate) else None,
            "error": self.error and list(self.error),
            "estimate": self.estimate if math.isfinite(self.estimate) else None,
            "attained_at": None if self.attained_at is None else f"{self.attained_at:.17g}",
            "optimum": optimum.to_dict(),
            "unique": self.unique,
            "optimal_set": _lists(self.optimal_set),
            "published": [published.to_dict() for published in self.published],
            "note": self.note,
        }
        return found | {"seconds": round(self.seconds + time.perf_counter() - began, 3)}

    def sheet(self) -> Sheet:
        """The answer for people: the constants, their standing, and the published ones beside them."""
        finite = math.isfinite(self.estimate)
        values = ", ".join(f"{name} = {v:.12g}" for name, v in self.constants.items()) if finite else "none"
        lines = [Line("family", self.family.formula, sp.latex(self.family.expression)), Line("constants", values)]
        where = "" if self.attained_at is None else f", attained at x = {decimal(self.attained_at, 9)}"
        # What is shown lies in the enclosure, where there is one: the grid of an estimate may miss a narrow peak.
        shown = float(self.error[1]) if self.error and math.isfinite(float(self.error[1])) else self.estimate
        lines.append(Line("error", f"{decimal(shown, 9)} ({self.norm.unit}{where})"))
        if self.error and finite:
            lines.append(Line("certified", f"the error of these constants is in [{self.error[0]}, {self.error[1]}]"))
        if finite:
            lines += [Line("optimum", self._standing()), *self._set_lines()]
        names = tuple(self.constants)
        rows = [
            (p.name, *(decimal(float(p.constants[n])) for n in names), decimal(p.estimate), decimal(p.ratio, 4))
            for p in self.published
        ]
        tables = (Table(("published", *names, "error", "times the best"), tuple(rows)),) if rows else ()
        rounded = f", rounded to {self.lattice.name}" if self.lattice else ""
        title = f"{self.family.name} to {self.target.name}, {self.norm}{rounded}"
        return Sheet(title, tuple(lines), tables, (self.note,) if self.note else ())

    def _standing(self) -> str:
        optimum = self.optimum
        if not optimum.lower and optimum.gap:
            return f"{optimum.verdict}: {optimum.reason}"
        gap = f"no member is below {decimal(optimum.lower, 9)}, a gap of {decimal(optimum.gap, 2)}"
        unique = {True: ", unique", False: ", not unique", None: ""}[self.unique]
        return f"{optimum.verdict}{unique}: {gap}" + (f"; {optimum.reason}" if optimum.reason else "")

    def _set_lines(self) -> list[Line]:
        if self.unique is not False or not self.optimal_set:
            return []
        ends = {name: (float(low), float(high)) for name, (low, high) in self.optimal_set.items()}
        wide = {n: e for n, e in ends.items() if math.isinf(e[1]) or e[1] - e[0] > 1e-6 * abs(e[1])}
        text = ", ".join(f"{n} in [{low:.6g}, {high:.6g}]" for n, (low, high) in wide.items())
        return [Line("as good", f"all optima have {text}")] if wide else []

    @property
    def verdict(self) -> Verdict:
        return self.optimum.verdict

    @cached_property
    def error(self) -> Pair | None:
        """A rigorous enclosure of the error of these very constants as printed.

        Where a tail resists, the value at one point bounds the sup norm from below.
        """
        if math.isinf(self.estimate):
            return "inf", "inf"
        return certified(self.activation(), self.target, self.norm, self.attained_at or 0.0)

    @cached_property
    def optimum(self) -> Optimum:
        """The lower bound on the error of every member, and whether these constants are proved to be best.

        With a lattice the verdict is about its members, the bound about those with any constants.
        """
        if not math.isfinite(self.estimate):
            return Optimum.undecided("no member is at a finite distance")
        if self.error is None or not math.isfinite(float(self.error[1])):
            return Optimum.undecided("the error of these constants is not certified")
        if self.error == ("0", "0"):
            return Optimum(0.0, 0.0, {}, Verdict.PROVED, "")
        if float(self.error[1]) < ROUNDING:
            return Optimum.undecided(
                "the error is that of rounding the constants: a member equals the target, or nearly"
            )
        try:
            return self._on_lattice(self.lattice) if self.lattice else _proved(*self._problem, self.error)
        except OutOfTime as reason:  # the fit itself is an answer
            return Optimum.undecided(f"the proof was stopped: {reason}")

    def _on_lattice(self, lattice: Lattice) -> Optimum:
        residual, theta = self._problem
        assert self.error is not None
        assert self.unrounded is not None
        error = _above(self.error)
        best = {s: sp.Rational(v) for s, v in zip(residual.free, self.unrounded, strict=True)}
        anywhere = _proved(residual, self.unrounded, enclose(residual.expression.subs(best), self.norm))
        gap = (error - anywhere.lower) / error
        if anywhere.verdict is Verdict.PROVED and gap <= anywhere.tolerance:
            return replace(anywhere, gap=gap)
        is_best = self.norm.kind == "sup" and rounding.none_better(residual, theta, error, lattice) is True
        if is_best:
            reason = f"no other constants of the format {lattice.name} are better"
        else:
            reason = f"found by search; whether other constants of the format {lattice.name} are better is open"
        return replace(anywhere, gap=gap, verdict=Verdict.PROVED if is_best else Verdict.UNDECIDED, reason=reason)

    @property
    def _problem(self) -> tuple[Residual, np.ndarray]:
        """The residual, and the values of its free constants."""
        assert self.residual is not None
        return self.residual, np.array([self.constants[s.name] for s in self.residual.free])

    @cached_property
    def unique(self) -> bool | None:
        """Whether no other constants are as good; None where that is not decided."""
        optimum = self.optimum
        if self.lattice or optimum.verdict is not Verdict.PROVED:
            return None
        if optimum.unique is not None or not optimum.box or self.norm.kind != "sup":
            return optimum.unique
        residual, theta = self._problem
        return uniqueness.is_unique(residual, tuple(optimum.box[s.name] for s in residual.free), theta, optimum.lower)

    @cached_property
    def optimal_set(self) -> dict[str, Pair] | None:
        """For each constant an interval that holds its value in every optimum; outside, the error is larger."""
        if self.optimum.verdict is not Verdict.PROVED or self.lattice or self.residual is None:
            return None
        free = self.residual.free
        if len(self.optimum.box) != len(free):
            return None
        box = [self.optimum.box[s.name] for s in free]
        found = {}
        for constant in self.family.constants:
            given = sp.sympify(self.residual.given.get(constant.name, self.family.symbol(constant.name)))
            (interval,) = intervals.evaluators(given, variables=free)(*box) if free else (intervals.constant(given),)
            found[constant.name] = _pair(interval)
        return found

    def activation(self) -> Activation:
        """The family with the constants as printed: an activation like any other."""
        if math.isinf(self.estimate):
            raise BadInput(self.note)
        values = {name: self.exact[name] or number(repr(v)) for name, v in self.constants.items()}
        body = self.family.expression.subs({self.family.symbol(k): v for k, v in values.items()})
        name = lookup.called(self.family.name, values) if self.family.name.isidentifier() else self.family.name
        return Activation(name, body, lookup.filled(self.family.formula, values), values, self.family.name)


def _proved(residual: Residual, theta: np.ndarray, error: Pair) -> Optimum:
    """By branch and bound in the sup norm, by convexity near the optimum in the others."""
    if residual.free:
        return (proof if residual.norm.kind == "sup" else convexity).prove(residual, theta, _above(error))
    lower = math.nextafter(float(error[0]), -math.inf)
    return Optimum(lower, 1 - lower / _above(error), {}, Verdict.PROVED, "", unique=True)


def _above(error: Pair) -> float:
    """A double that is no smaller than the upper end."""
    return math.nextafter(float(error[1]), math.inf)


def certified(f: Activation, g: Activation, norm: Norm, where: float) -> Pair | None:
    """What is rigorously known of the distance; None where nothing is. `where` is a place at which it is large."""
    difference = f.expression - g.expression
    try:
        return enclose(difference, norm)
    except Undecided:
        if norm.kind != "sup" or not math.isfinite(where):
            return None
        return enclose_size(difference, where)[0], "inf"


def _lists(pairs: Mapping[str, Pair] | None) -> dict[str, list[str]] | None:
    return None if pairs is None else {name: list(pair) for name, pair in pairs.items()}


def _pair(interval: Interval) -> Pair:
    """The ends as decimal strings, rounded outward."""
    low, high = (balls.decimals(arb(float(end)), DIGITS) for end in interval)
    return low[0], high[1]
