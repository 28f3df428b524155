"""The difference between a family and its target as a function of x and of the free constants, made numeric."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy as sp

from analysis.activation import lowering
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.functions import clip, derivative
from analysis.activation.parsing import X
from analysis.activation.record import Activation, Family
from analysis.exact.asymptotes import limit_at_infinity
from analysis.exact.expansions import UnknownSign
from analysis.exact.pieces import SWITCHING, switches
from analysis.optimal.fitting.continuity import Requirement
from analysis.optimal.fitting.elimination import Elimination, eliminations, exchanged
from analysis.rigorous.norms import Norm

_QUIET = np.errstate(all="ignore")  # constants far out overflow, and what has no value is nan


@dataclass(frozen=True)
class Residual:
    """r(x; theta) = family(x; theta) - target(x), theta the free constants in the order of `free`.

    `given` are the constants that are fixed, tied, or forced by the asymptotes, as expressions in the free ones; those
    in `forced` are forced. `required` is what makes a member admissible, where not all values of the free ones do.
    """

    expression: sp.Expr
    target: sp.Expr
    free: tuple[sp.Symbol, ...]
    given: Mapping[str, sp.Expr]
    norm: Norm
    forced: tuple[str, ...] = ()
    required: tuple[Requirement, ...] = ()

    @classmethod
    def of(cls, family: Family, target: Activation, norm: Norm, given: Mapping[str, sp.Expr]) -> Residual:
        """The residual, the first of the `branches`."""
        return cls.branches(family, target, norm, given)[0]

    @classmethod
    def branches(
        cls, family: Family, target: Activation, norm: Norm, given: Mapping[str, sp.Expr]
    ) -> tuple[Residual, ...]:
        """The residuals that together hold every member at a finite distance.

        Where the norm sees the tails, constants that the target's asymptotes force are solved for: a branch for each
        solution. Raises `Unbounded` if no choice of the constants makes the value finite.
        """
        held, required = _admissible(family, given)
        body = family.expression.subs({family.symbol(name): value for name, value in held.items()})
        start = _Branch(body - target.expression, held, (), (*required, *_limits_in_order(body)))
        order = {c.name: i for i, c in enumerate(family.constants)}
        found = []
        for branch in _forced(start, norm) if norm.sees_the_tails else [start]:
            free = sorted(branch.expression.free_symbols - {X}, key=lambda s: order.get(s.name, len(order)))
            left = tuple(r for r in branch.required if not getattr(r.part, f"is_{r.kind}"))
            found.append(
                cls(branch.expression, target.expression, tuple(free), branch.given, norm, branch.forced, left)
            )
        return tuple(found)

    @cached_property
    def member(self) -> sp.Expr:
        """The family's side of the difference."""
        return self.expression + self.target

    # numeric functions of (x, theta); theta is a sequence of floats

    @_QUIET
    def __call__(self, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
        return self._value(x, *theta)

    @_QUIET
    def gradient(self, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Derivatives by the constants, shape (len(x), len(theta))."""
        columns = [np.broadcast_to(g(x, *theta), x.shape) for g in self._gradient]
        return np.stack(columns, axis=-1) if columns else np.empty((*x.shape, 0))

    @_QUIET
    def slopes(self, x: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First and second derivatives by x."""
        return self._slope(x, *theta), self._curvature(x, *theta)

    @_QUIET
    def kinks(self, theta: np.ndarray) -> np.ndarray:
        """Where r may have a kink, for each of `kink_places`."""
        return np.array([float(k(np.float64(0), *theta)) for k in self._kinks])

    @_QUIET
    def at_kink(self, i: int, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """r at the moving i-th kink, and the gradient of that number."""
        value, gradient = self._at_kinks[i]
        zero = np.float64(0)
        return float(value(zero, *theta)), np.array([float(g(zero, *theta)) for g in gradient])

    @_QUIET
    def at_infinity(self, i: int, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """The i-th of `limits`, and its gradient."""
        value, gradient = self._at_limits[i]
        zero = np.float64(0)
        return float(value(zero, *theta)), np.array([float(g(zero, *theta)) for g in gradient])

    @cached_property
    def limits(self) -> tuple[tuple[float, sp.Expr], ...]:
        """(end, limit of r there) for the infinite ends of the domain at which the limit is not zero; sup norm only."""
        found = []
        for end, direction in ((self.norm.lower, -1), (self.norm.upper, 1)):
            if self.norm.kind == "sup" and math.isinf(end):
                with contextlib.suppress(Undecided):  # it only adds to what is known at finite places
                    limit = limit_at_infinity(self.expression, direction)
                    if limit != 0:
                        found.append((end, limit))
        return tuple(found)

    @cached_property
    def kink_places(self) -> tuple[sp.Expr, ...]:
        """Zeros of the switches that are affine in x, in terms of the constants: every place r may have a kink."""
        places: dict[sp.Expr, None] = {}
        for node in sp.preorder_traversal(self.expression):
            if isinstance(node, SWITCHING) and node.has(X):
                for switch in switches(node):
                    slope = sp.diff(switch, X)
                    if switch.has(X) and not slope.has(X) and not switch.has(*SWITCHING):
                        places.setdefault(sp.together(-switch.subs(X, 0) / slope))
        return tuple(places)

    def is_admissible(self, theta: np.ndarray) -> bool:
        """Whether the given constants have the signs that are assumed of them."""
        return all(value > 0 if r.kind == "positive" else value >= 0 for r, value in self._margins(theta))

    @_QUIET
    def _margins(self, theta: np.ndarray) -> list[tuple[Requirement, float]]:
        return [(r, float(f(np.float64(0), *theta))) for r, f in zip(self.required, self._required, strict=True)]

    # lowered pieces

    def _lower(self, e: sp.Expr):
        return lowering.evaluator(e, (X, *self.free), wide=False)

    @cached_property
    def _value(self):
        return self._lower(self.expression)

    @cached_property
    def _gradient(self):
        return [self._lower(derivative(self.expression, s)) for s in self.free]

    @cached_property
    def _slope(self):
        return self._lower(derivative(self.expression, X))

    @cached_property
    def _curvature(self):
        return self._lower(derivative(self.expression, X, 2))

    @cached_property
    def _required(self):
        return [self._lower(r.part) for r in self.required]

    @cached_property
    def _kinks(self):
        return [self._lower(place) for place in self.kink_places]

    @cached_property
    def _at_kinks(self):
        return [self._with_gradient(self.expression.subs(X, place)) for place in self.kink_places]

    @cached_property
    def _at_limits(self):
        return [self._with_gradient(limit) for _, limit in self.limits]

    def _with_gradient(self, e: sp.Expr):
        return self._lower(e), [self._lower(derivative(e, s)) for s in self.free]


class Unbounded(Exception):
    """Every member of the family is infinitely far from the target; the message is the reason."""


@dataclass(frozen=True)
class _Branch:
    """The difference with some constants put in: `given` by name, and what must hold of the others for these."""

    expression: sp.Expr
    given: Mapping[str, sp.Expr]
    forced: tuple[str, ...]
    required: tuple[Requirement, ...]

    def with_forced(self, solved: Elimination) -> _Branch:
        def put(e: sp.Expr) -> sp.Expr:
            return sp.sympify(e).subs(solved.symbol, solved.value)

        given = {name: put(value) for name, value in self.given.items()} | {solved.symbol.name: solved.value}
        required = [Requirement(put(r.part), r.kind) for r in self.required]
        required += [solved.requirement] if solved.requirement else []
        return _Branch(put(self.expression), given, (*self.forced, solved.symbol.name), tuple(required))


def _admissible(family: Family, given: Mapping[str, sp.Expr]) -> tuple[dict[str, sp.Expr], tuple[Requirement, ...]]:
    """The given constants, ties turned round where that makes both sides admissible: b = a + 4 for a = b - 4.

    With what the free constants must fulfil where turning does not help.
    """
    held, required = dict(given), []
    for name, value in given.items():
        constant = next(c for c in family.constants if c.name == name)
        if not value.free_symbols or held.get(name) != value or getattr(value, f"is_{constant.assumption}"):
            continue
        other = exchanged(family.symbol(name), value)
        if other is None or any(v.has(other.symbol) for n, v in held.items() if n != name):
            required.append(Requirement(value, constant.assumption))
        else:
            del held[name]
            held[other.symbol.name] = other.value
    return held, tuple(required)


def _limits_in_order(body: sp.Expr) -> Iterator[Requirement]:
    """clip(z, lo, hi) means something for lo <= hi alone."""
    for node in sorted(body.atoms(clip), key=sp.default_sort_key):
        yield Requirement(node.args[2] - node.args[1], "nonnegative")


def _forced(branch: _Branch, norm: Norm) -> Iterator[_Branch]:
    """The branches in which the asymptotes of the difference allow the norm to be finite, all of which are given."""
    demand = _demand(branch.expression, norm)
    if demand is None:
        yield branch
        return
    value, reason = demand
    try:
        solutions = eliminations(value)
    except Undecided as problem:
        raise BadInput(f"cannot tell whether the distance is finite ({problem}); give a --domain") from None
    unbounded: Unbounded | None = None if solutions else Unbounded(reason)
    reached = False
    for solved in solutions:
        try:
            for found in _forced(branch.with_forced(solved), norm):
                reached = True
                yield found
        except Unbounded as problem:
            unbounded = problem
    if not reached and unbounded:
        raise unbounded


def _demand(expression: sp.Expr, norm: Norm) -> tuple[sp.Expr, str] | None:
    """What must be zero for the norm to be finite, and why; None where nothing more is known to be forced.

    A limit whose sign depends on the constants forces none of them, unless it is that of a growth without bound.
    """
    for end, direction in ((norm.lower, -1), (norm.upper, 1)):
        if not math.isinf(end):
            continue
        side = "-oo" if direction < 0 else "oo"
        for what in ("slope", "limit") if norm.kind == "l2" else ("slope",):
            try:
                value = limit_at_infinity(expression / X if what == "slope" else expression, direction)
            except UnknownSign as unknown:
                if unknown.leading is None:
                    continue
                return unknown.leading, f"the {what} of the difference at {side} grows like {unknown.leading}"
            except Undecided as reason:
                raise BadInput(f"cannot tell whether the distance is finite ({reason}); give a --domain") from None
            if value != 0:
                return value, f"the {what} of the difference at {side} is {value}"
    return None
