"""Expressions in which the constants of a gate cancel, so that bounds over unbounded boxes exist."""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from analysis.activation.functions import clip, gated, sigmoid
from analysis.activation.parsing import X


def homogeneous(expression: sp.Expr) -> sp.Expr:
    """The expression with positive factors taken into clip, where they cancel: clip(z, 0, a)/a = clip(z/a, 0, 1)."""
    cancelled = expression.replace(
        lambda e: isinstance(e, sp.Function) and not isinstance(e, sp.Piecewise) and bool(e.free_symbols),
        lambda e: e.func(*(_cancel(a) if a.is_rational_function() else a for a in e.args)),
    )
    cancelled = cancelled.replace(lambda e: e.is_Add and e.is_rational_function(), _cancel)
    return cancelled.replace(lambda e: e.is_Mul and e.has(clip), _taken_in)


@lru_cache(maxsize=4096)
def _cancel(expression: sp.Expr) -> sp.Expr:
    """sympy's, remembered: the places and slopes of a chart share most of their terms."""
    return sp.cancel(expression)


def gates_joined(expression: sp.Expr) -> sp.Expr:
    """c z sigmoid(z) as c gated(z), for a c without x: a product of the unbounded with the small is bounded again."""
    return expression.replace(lambda e: e.is_Mul and e.has(sigmoid), _joined)


def _joined(product: sp.Mul) -> sp.Expr:
    gates = [f for f in product.args if isinstance(f, sigmoid)]
    if len(gates) != 1 or not gates[0].args[0].is_rational_function():
        return product
    (z,) = gates[0].args
    factor = sp.cancel(product / gates[0] / z)
    return product if factor.has(X) else factor * gated(z)


def _taken_in(product: sp.Mul) -> sp.Expr:
    caps = [f for f in product.args if isinstance(f, clip)]
    if len(caps) != 1:
        return product
    (z, low, high), rest = caps[0].args, product / caps[0]
    size = [f for f in sp.Mul.make_args(high) if f.is_positive and f.free_symbols]
    factor = sp.Mul(*size)
    if factor == 1 or low != 0:
        return product
    return _cancel(rest * factor) * clip(_cancel(z / factor), 0, high / factor)
