"""The difference between a family and its target as a function of x and of the free constants, made numeric."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy as sp

from analysis.activation import lowering
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.functions import derivative
from analysis.activation.parsing import X
from analysis.activation.record import Activation, Family
from analysis.exact.asymptotes import limit_at_infinity
from analysis.exact.pieces import SWITCHING, switches
from analysis.rigorous.norms import Norm


@dataclass(frozen=True)
class Residual:
    """r(x; theta) = family(x; theta) - target(x), theta the free constants in the order of `free`.

    `given` are the constants that are fixed, tied, or forced by the asymptotes, as expressions in the free ones.
    """

    expression: sp.Expr
    target: sp.Expr
    free: tuple[sp.Symbol, ...]
    given: Mapping[str, sp.Expr]
    norm: Norm

    @classmethod
    def of(cls, family: Family, target: Activation, norm: Norm, given: Mapping[str, sp.Expr]) -> Residual:
        """The residual; where the norm sees the tails, constants that the target's asymptotes force are solved for.

        Raises `Unbounded` if no choice of the constants makes the value finite.
        """
        body = family.expression.subs({family.symbol(name): value for name, value in given.items()})
        expression = body - target.expression
        forced = dict(given)
        if norm.sees_the_tails:
            for symbol, value in _forced(expression, norm):
                expression = expression.subs(symbol, value)
                forced = {name: sp.sympify(v).subs(symbol, value) for name, v in forced.items()}
                forced[symbol.name] = value
        order = {c.name: i for i, c in enumerate(family.constants)}
        free = sorted(expression.free_symbols - {X}, key=lambda s: order.get(s.name, len(order)))
        return cls(expression, target.expression, tuple(free), forced, norm)

    @cached_property
    def member(self) -> sp.Expr:
        """The family's side of the difference."""
        return self.expression + self.target

    # numeric functions of (x, theta); theta is a sequence of floats

    def __call__(self, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
        return self._value(x, *theta)

    def gradient(self, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Derivatives by the constants, shape (len(x), len(theta))."""
        columns = [np.broadcast_to(g(x, *theta), x.shape) for g in self._gradient]
        return np.stack(columns, axis=-1) if columns else np.empty((*x.shape, 0))

    def slopes(self, x: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First and second derivatives by x."""
        return self._slope(x, *theta), self._curvature(x, *theta)

    def kinks(self, theta: np.ndarray) -> np.ndarray:
        """Where r may have a kink, for each of `kink_places`."""
        return np.array([float(k(np.float64(0), *theta)) for k in self._kinks])

    def at_kink(self, i: int, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """r at the moving i-th kink, and the gradient of that number."""
        value, gradient = self._at_kinks[i]
        zero = np.float64(0)
        return float(value(zero, *theta)), np.array([float(g(zero, *theta)) for g in gradient])

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


def _forced(expression: sp.Expr, norm: Norm):
    """Pairs (constant, value) that the finiteness of the norm forces, each found with the earlier ones put in."""
    for end, direction in ((norm.lower, -1), (norm.upper, 1)):
        if not math.isinf(end):
            continue
        side = "-oo" if direction < 0 else "oo"
        for what in ("slope", "limit") if norm.kind == "l2" else ("slope",):
            try:
                value = limit_at_infinity(expression / X if what == "slope" else expression, direction)
            except Undecided as reason:
                raise BadInput(f"cannot tell whether the distance is finite ({reason}); give a --domain") from None
            if value == 0:
                continue
            symbol, solution = _solved(value, f"the {what} of the difference at {side} is {value}")
            yield symbol, solution
            expression = expression.subs(symbol, solution)


def _solved(value: sp.Expr, reason: str) -> tuple[sp.Symbol, sp.Expr]:
    if value.is_finite is not False:
        for symbol in sorted(value.free_symbols - {X}, key=lambda s: s.name, reverse=True):
            for solution in sp.solve(value, symbol):
                if solution.is_real and not (symbol.is_positive and solution.is_positive is False):
                    return symbol, solution
    raise Unbounded(reason)
