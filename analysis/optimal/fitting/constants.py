"""The best constants of a family for a target: `fit`, from several starts, and the landscape of the error.

The search is in floating point; the record it gives certifies the error of the constants as printed, and proves how
much better any other constants can be, when asked.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

import numpy as np
import sympy as sp

from analysis.activation import lookup
from analysis.activation.errors import BadInput
from analysis.activation.parsing import X
from analysis.activation.record import Activation, Family
from analysis.exact.normal import is_zero, sign
from analysis.optimal.descent import descended
from analysis.optimal.fitting import search
from analysis.optimal.fitting.fitted import Fit, Published, measured, with_constants
from analysis.optimal.fitting.residual import Residual, Unbounded
from analysis.optimal.lattice import Lattice
from analysis.rigorous.norms import Norm

SIMPLE = 12  # denominators of the numbers that constants may turn out to be
ROUNDING = 1e-14  # errors below are zero but for rounding
NEARLY = 1e-6  # relative distance to such a number
FARTHEST = 1e50  # end of a domain: beyond, powers of x overflow
INWARD = 10.0  # by this factor a constant is moved to see whether its being extreme matters


def fit(
    family: str | Family,
    to: str | Activation,
    norm: Norm | None = None,
    *,
    fix: Mapping[str, str] | None = None,
    tie: Mapping[str, str] | None = None,
    round: str | None = None,
) -> Fit:
    """The constants of the family with the least distance to the target.

    `fix` gives constants a value, `tie` an expression in the others, both as text. Constants that the asymptotes of the
    target force (any other choice is infinitely far) are found exactly. `round` names a format in which the free
    constants ship (see `analysis.optimal.lattice`): the best constants of that format, which are seldom the nearest to
    the best of all. Raises BadInput for names that are not there.
    """
    began = time.perf_counter()
    family, target, norm = lookup.family(family), lookup.function(to), norm or Norm()
    given = _given(family, fix or {}, tie or {})
    _check_domain(norm)
    grid = Lattice.of(round) if round else None
    try:
        branches = Residual.branches(family, target, norm, given)
    except Unbounded as reason:
        nowhere = dict.fromkeys((c.name for c in family.constants), math.nan)
        note = f"no member with {_assumed(family)} constants is at a finite distance: {reason}"
        return Fit(family, target, norm, nowhere, dict.fromkeys(nowhere), ("inf", "inf"), math.inf, None, (), note)
    (residual, found), *others = _searched(family, branches)
    chosen = _on_lattice(residual, found, grid) if grid else _simple(residual, found)
    theta = np.array([float(v) for v in chosen])
    exact, constants = _values(family, residual, chosen)
    error, best, where = measured(
        with_constants(family, constants, exact), target, norm, *search.value(residual, theta)
    )
    if not math.isfinite(best) and residual.free:
        raise _nowhere(residual)
    return Fit(
        family,
        target,
        norm,
        constants,
        exact,
        error,
        best,
        where,
        tuple(_published(one, target, norm, best) for one in family.members),
        _note(family, residual, theta, constants, best, grid),
        grid,
        residual,
        tuple(others),
        found if grid else theta,
        time.perf_counter() - began,
    )


def _searched(family: Family, branches: Sequence[Residual]) -> list[tuple[Residual, np.ndarray]]:
    """Each branch with the best constants found, the branch of the least error first."""
    boxes = {c.name: c.box for c in family.constants}
    found = []
    for residual in branches:
        try:
            theta, error = search.best(residual, boxes, _members_inside(family, residual))
        except BadInput:
            if len(branches) == 1:
                raise
            theta, error = np.ones(len(residual.free)), math.inf
        found.append((error, residual, theta))
    found.sort(key=lambda one: one[0])
    return [(residual, theta) for _, residual, theta in found]


def _nowhere(residual: Residual) -> BadInput:
    names = ", ".join(s.name for s in residual.free)
    return BadInput(f"no choice of {names} that was tried gives a finite error; give a --domain")


def _on_lattice(residual: Residual, theta: np.ndarray, grid: Lattice) -> list[sp.Rational]:
    least = np.array([search.LEAST if s.is_positive else 0.0 if s.is_nonnegative else -np.inf for s in residual.free])
    for symbol, at in zip(residual.free, theta, strict=True):
        # A constant that grows without bound ends at the largest of the format.
        if abs(at) < 0.99 * search.LARGEST and not grid.reaches(at):
            raise BadInput(f"expected a format that reaches the best {symbol}, {at:.9g}, got {grid.range}")
    found = descended(grid, theta, lambda point: search.value(residual, point)[0], least)
    return [sp.Rational(c.numerator, c.denominator) for c in found]


def _simple(residual: Residual, theta: np.ndarray) -> list[sp.Expr | float]:
    """The constants, as simple fractions where these are as good: where a member is the target itself, it is exact."""
    simple = [sp.Rational(t).limit_denominator(SIMPLE) for t in theta]
    near = all(abs(float(q) - t) <= NEARLY * (1 + abs(t)) for q, t in zip(simple, theta, strict=True))
    admissible = all(q > 0 or not s.is_positive for q, s in zip(simple, residual.free, strict=True))
    admissible = admissible and residual.is_admissible(np.array([float(q) for q in simple]))
    if near and admissible and len(theta):
        values = dict(zip(residual.free, simple, strict=True))
        before = search.value(residual, theta)[0]
        after = search.value(residual, np.array([float(q) for q in simple]))[0]
        if after <= before or (before < NEARLY and is_zero(residual.expression.subs(values))):
            return list(simple)
    return list(theta)


def _values(family: Family, residual: Residual, chosen: Sequence) -> tuple[dict, dict]:
    """All constants: exactly where that is known, and as numbers."""
    values = dict(zip(residual.free, chosen, strict=True))
    exact: dict[str, sp.Expr | None] = {}
    numbers = {}
    for constant in family.constants:
        expression = sp.sympify(residual.given.get(constant.name, family.symbol(constant.name)))
        known = expression.subs({s: v for s, v in values.items() if isinstance(v, sp.Basic)})
        exact[constant.name] = None if known.free_symbols else known
        numbers[constant.name] = float(known.subs(values))
    return exact, numbers


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


def _check_domain(norm: Norm) -> None:
    if far := [end for end in norm.ends if FARTHEST < abs(end) < math.inf]:
        raise BadInput(f"expected ends of the domain within {FARTHEST:g}, or infinite, got {far[0]:g}")


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
        if _fails(value, assumption):
            raise BadInput(f"expected {name} of {family.name} to be a {assumption} number, got {value}")
    return given


def _fails(value: sp.Expr, assumption: str) -> bool:
    """Whether no values of the constants in it make the value what is assumed."""
    known = getattr(value, f"is_{assumption}")
    if known is not None or value.free_symbols or assumption == "real":
        return known is False
    return sign(value) < (1 if assumption == "positive" else 0)


def _note(
    family: Family,
    residual: Residual,
    theta: np.ndarray,
    constants: Mapping[str, float],
    best: float,
    grid: Lattice | None,
) -> str:
    forced = [f"{name} = {residual.given[name]}" for name in residual.forced]
    notes = [f"forced by the asymptotes: {', '.join(forced)}"] if forced else []
    if not family.sources:
        notes.append("free constants are taken to be positive; write (-c) for a negative one")
    if grid and (other := [f"{n} = {constants[n]:.12g}" for n in residual.given if not grid.holds(constants[n])]):
        notes.append(f"only free constants are rounded; not of {grid.name}: {', '.join(sorted(other))}")
    return "; ".join([*notes, *_extreme(residual, theta, best)])


def _extreme(residual: Residual, theta: np.ndarray, best: float) -> list[str]:
    """Which constants end where the search does and have no best value: held farther in, they make the error larger,
    whatever the others are."""
    notes = []
    for i, (symbol, at) in enumerate(zip(residual.free, theta, strict=True)):
        if at > 0.99 * search.LARGEST or 0 < at < 1.01 / search.LARGEST:
            inward = at / INWARD if at > 1 else at * INWARD
            if search.with_one_held(residual, theta, i, inward) > best * (1 + NEARLY) + ROUNDING:
                limit = "without bound" if at > 1 else "to zero"
                notes.append(f"no best constant: the error falls as {symbol} goes {limit}")
    return notes


def _published(member: Activation, target: Activation, norm: Norm, best: float) -> Published:
    estimate, where = _distance(member, target, norm)
    error, estimate, _ = measured(member, target, norm, estimate, where)
    same = max(estimate, best) < ROUNDING or estimate == best
    ratio = 1.0 if same else estimate / best if best > 0 else math.inf
    return Published(member.name, member.constants, error, estimate, ratio)
