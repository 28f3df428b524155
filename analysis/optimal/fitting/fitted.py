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
from analysis.optimal.fitting import convexity, proof, rounding, uniqueness
from analysis.optimal.fitting.proof import Optimum
from analysis.optimal.fitting.residual import Residual
from analysis.optimal.lattice import Lattice
from analysis.rigorous import balls, intervals
from analysis.rigorous.balls import Pair
from analysis.rigorous.comparison import compare, enclose
from analysis.rigorous.intervals import Interval
from analysis.rigorous.norms import Norm
from analysis.rigorous.pointwise import enclose_size

DIGITS = 17  # of what was a double
ROUNDING = 1e-13  # an error below it comes from the last digits of the constants
AGREE = 1e-8  # relative distance of an estimate to the enclosure
FARTHER = 1 + 1e-5  # an error by which another branch is farther than the best, beyond the tolerance of a proof


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
            "constants": {name: float(value) for name, value in self.constants.items()},
            "exact": {name: str(value) for name, value in self.constants.items()},
            "error": self.error and list(self.error),
            "estimate": self.estimate if math.isfinite(self.estimate) else None,
            "ratio": self.ratio if math.isfinite(self.ratio) else None,
        }


@dataclass(frozen=True)
class Fit(Record):
    """The best constants found, and on demand the proof of how good they are.

    `error` is a rigorous enclosure of the error of these very constants as printed, or what is known of it; `estimate`
    the error in floating point, in the norm's unit, perhaps inf. `lattice` is the format the free constants were
    rounded to, `unrounded` the best of any format, in the order of the residual's free constants. `others` are the
    other branches of the family at a finite distance, each with the best constants found in it. `optimum`, `unique`
    and `optimal_set` are worked out when first asked for.
    """

    family: Family
    target: Activation
    norm: Norm
    constants: Mapping[str, float]
    exact: Mapping[str, sp.Expr | None]
    error: Pair | None
    estimate: float
    attained_at: float | None
    published: tuple[Published, ...]
    note: str = ""
    lattice: Lattice | None = None
    residual: Residual | None = field(default=None, compare=False, repr=False)
    others: tuple[tuple[Residual, np.ndarray], ...] = field(default=(), compare=False, repr=False)
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
            "domain": self.norm.domain,
            "setting": self.norm.setting,
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
        which = f" {self._rounded[0]}" if self.lattice and finite and self.residual and self.residual.given else ""
        rounded = f",{which} rounded to {self.lattice.name}" if self.lattice else ""
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
    def optimum(self) -> Optimum:
        """The lower bound on the error of every member, and whether these constants are proved to be best.

        With a lattice the verdict is about its members, the bound about those with any constants.
        """
        if not math.isfinite(self.estimate):
            return Optimum.undecided("no member is at a finite distance")
        if self.error is None or not math.isfinite(float(self.error[1])):
            return Optimum.undecided("the error of these constants is not certified")
        if self.error == ("0", "0"):
            return self._exactly()
        if float(self.error[1]) < ROUNDING:
            return Optimum.undecided(
                "the error is that of rounding the constants: a member equals the target, or nearly"
            )
        try:
            return self._on_lattice(self.lattice) if self.lattice else self._among(_proved(*self._problem, self.error))
        except OutOfTime as reason:  # the fit itself is an answer
            return Optimum.undecided(f"the proof was stopped: {reason}")

    def _exactly(self) -> Optimum:
        """Nothing is below zero; where no other member is the target, that is the set of optima."""
        residual, _ = self._problem
        if self.lattice or self.others or not uniqueness.is_only_zero(residual):
            return Optimum(0.0, 0.0, {}, Verdict.PROVED, "")
        box = {s.name: intervals.constant(sp.sympify(self.exact[s.name])) for s in residual.free}
        return Optimum(0.0, 0.0, box, Verdict.PROVED, "", unique=True)

    def _among(self, found: Optimum) -> Optimum:
        """What was found in one branch of the family, in view of the others."""
        assert self.error is not None
        error = _above(self.error)
        least = min((_least_in(*branch, error * FARTHER) for branch in self.others), default=math.inf)
        if least > error:
            return found
        lower = min(least, found.lower)
        gap = (error - lower) / error
        is_proved = found.verdict is Verdict.PROVED and gap <= found.tolerance
        reason = "" if is_proved else found.reason or "other solutions for the forced constants may be better"
        return replace(
            found,
            lower=lower,
            gap=gap,
            box={},
            verdict=Verdict.PROVED if is_proved else Verdict.UNDECIDED,
            reason=reason,
            unique=None,
        )

    def _on_lattice(self, lattice: Lattice) -> Optimum:
        residual, theta = self._problem
        assert self.error is not None
        assert self.unrounded is not None
        error = _above(self.error)
        best = {s: sp.Rational(v) for s, v in zip(residual.free, self.unrounded, strict=True)}
        try:
            unrounded = enclose(residual.expression.subs(best), self.norm)
        except Undecided as problem:
            return Optimum.undecided(str(problem))
        anywhere = self._among(_proved(residual, self.unrounded, unrounded))
        gap = (error - anywhere.lower) / error
        if anywhere.verdict is Verdict.PROVED and gap <= anywhere.tolerance:
            return replace(anywhere, gap=gap)
        better: bool | tuple = False
        if self.norm.kind == "sup" and not self.others and residual.free:
            better = rounding.none_better(residual, theta, error, lattice)
        is_best = better is True
        what, are = self._rounded
        if is_best:
            reason = f"no other {what} of the format {lattice.name} {are} better"
        elif isinstance(better, tuple):
            names = ", ".join(f"{s} = {value}" for s, value in zip(residual.free, better, strict=True))
            reason = f"found by search, and not the best of the format {lattice.name}: {names} is better"
        else:
            reason = f"found by search; whether other {what} of the format {lattice.name} {are} better is open"
        return replace(anywhere, gap=gap, verdict=Verdict.PROVED if is_best else Verdict.UNDECIDED, reason=reason)

    @property
    def _problem(self) -> tuple[Residual, np.ndarray]:
        """The residual, and the values of its free constants."""
        assert self.residual is not None
        return self.residual, np.array([self.constants[s.name] for s in self.residual.free])

    @property
    def _rounded(self) -> tuple[str, str]:
        """What was rounded, and its verb: the constants, or those that are neither given nor forced."""
        residual, _ = self._problem
        names = ", ".join(s.name for s in residual.free)
        if not residual.given:
            return "constants", "are"
        return (f"constants {names}", "are") if len(residual.free) > 1 else (f"constant {names}", "is")

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
        if len(self.optimum.box) != len(free) or not (free or self.optimum.unique):
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
        return with_constants(self.family, self.constants, self.exact)


def with_constants(family: Family, constants: Mapping[str, float], exact: Mapping[str, sp.Expr | None]) -> Activation:
    """The member with the constants as printed: exact where that is known, else the doubles."""
    values = {name: exact[name] or number(repr(v)) for name, v in constants.items()}
    body = family.expression.subs({family.symbol(k): v for k, v in values.items()})
    name = lookup.called(family.name, values) if family.name.isidentifier() else family.name
    return Activation(name, body, lookup.filled(family.formula, values), values, family.name)


def _proved(residual: Residual, theta: np.ndarray, error: Pair) -> Optimum:
    """By branch and bound in the sup norm, by convexity near the optimum in the others."""
    if residual.free:
        return (proof if residual.norm.kind == "sup" else convexity).prove(residual, theta, _above(error))
    lower, upper = max(0.0, math.nextafter(float(error[0]), -math.inf)), _above(error)
    gap = (upper - lower) / upper
    if gap > proof.GAP[1]:
        return replace(Optimum.undecided("the error is enclosed too widely"), lower=lower, gap=gap, unique=True)
    return Optimum(lower, gap, {}, Verdict.PROVED, "", unique=True)


def _least_in(residual: Residual, theta: np.ndarray, error: float) -> float:
    """A lower bound on every member of a branch, or on its members below the error."""
    if residual.free:
        return (proof if residual.norm.kind == "sup" else convexity).prove(residual, theta, error).lower
    try:
        return math.nextafter(float(enclose(residual.expression, residual.norm)[0]), -math.inf)
    except Undecided:
        return 0.0


def _above(error: Pair) -> float:
    """A double that is no smaller than the upper end."""
    return math.nextafter(float(error[1]), math.inf)


def measured(
    f: Activation, g: Activation, norm: Norm, estimate: float, where: float | None
) -> tuple[Pair | None, float, float | None]:
    """What is rigorously known of the distance, and its estimate with the x that attains it.

    An estimate that contradicts the enclosure, as where the largest difference lies beyond the grid, gives way to it.
    """
    if math.isinf(estimate):
        return ("inf", "inf"), estimate, where
    pair = certified(f, g, norm, where or 0.0)
    if pair is None or pair[1] == "inf" != pair[0]:
        return pair, estimate, where
    if pair == ("0", "0"):
        return pair, 0.0, None
    low, high = (float(end) for end in pair)
    if low * (1 - AGREE) <= estimate <= high * (1 + AGREE) + ROUNDING:
        return pair, estimate, where
    witness = compare(f, g, norm).witness if norm.kind == "sup" and math.isfinite(high) else None
    return pair, high, float(witness.x) if witness else None


def certified(f: Activation, g: Activation, norm: Norm, where: float) -> Pair | None:
    """What is rigorously known of the distance; None where nothing is.

    Where a tail resists, the value at `where`, a place at which it is large, bounds the sup norm from below.
    """
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
