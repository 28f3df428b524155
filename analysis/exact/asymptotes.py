"""Asymptotes m x + c at both ends of the line, and the limits of f and f' there.

At infinity tanh, sigmoid, erf, exp(-u) and the like differ from their limits by exponentially little once their
argument grows at least like a root of x, so each is replaced by its limit; what remains is algebraic, and its limits
are quotients of leading terms. An expression that grows exponentially, or oscillates, has no asymptote.

A limit of an expression with free constants holds for all admissible values of theirs, or it is Undecided.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from analysis.activation.errors import Undecided
from analysis.activation.functions import Phi, clip, elementary, relu, sigmoid, softplus, squareplus, step
from analysis.activation.parsing import X
from analysis.exact.expansions import LEVEL, UnknownSign, check_divisor, expansion, known_sign, steep

_T = sp.Symbol("t", positive=True)

# head -> what it becomes where its argument u tends to -oo, and to +oo
_SATURATED = {
    sigmoid: (lambda u: sp.S.Zero, lambda u: sp.S.One),
    Phi: (lambda u: sp.S.Zero, lambda u: sp.S.One),
    softplus: (lambda u: sp.S.Zero, lambda u: u),
    sp.tanh: (lambda u: sp.S.NegativeOne, lambda u: sp.S.One),
    sp.erf: (lambda u: sp.S.NegativeOne, lambda u: sp.S.One),
    sp.exp: (lambda u: sp.S.Zero, None),
}


@dataclass(frozen=True)
class Asymptote:
    """f(x) - (slope x + intercept) tends to zero."""

    slope: sp.Expr
    intercept: sp.Expr


class _Unsettled(Exception):
    """The expression is not algebraic at infinity after saturation."""


def asymptote(expression: sp.Expr, direction: int, x: sp.Symbol = X) -> Asymptote | None:
    """The asymptote of the expression as x tends to direction*oo, or None where there is none."""
    try:
        slope = direction * limit_at_infinity(expression.subs(x, direction * _T) / _T, 1, _T)
    except Undecided:
        return None
    if not slope.is_finite:
        return None
    try:
        intercept = limit_at_infinity(expression - slope * x, direction, x)
    except Undecided:
        return None
    return Asymptote(slope, intercept) if intercept.is_finite else None


@lru_cache(maxsize=1024)
def limit_at_infinity(expression: sp.Expr, direction: int, x: sp.Symbol = X) -> sp.Expr:
    """The limit as x tends to direction*oo, perhaps infinite; Undecided where none is found, as for sin.

    UnknownSign where it depends on the sign of an expression in the free constants.
    """
    at_infinity = expression.subs(x, direction * _T)
    try:
        return _algebraic_limit(_settle(at_infinity))
    except _Unsettled:
        pass
    if at_infinity.free_symbols != {_T}:
        return expansion(at_infinity, _T).limit()
    try:
        found = sp.limit(elementary(at_infinity), _T, sp.oo)
    except (NotImplementedError, ValueError, RecursionError):
        raise Undecided(f"the limit of {expression} at {'-' * (direction < 0)}oo") from None
    if found.has(sp.Limit, sp.AccumBounds, sp.nan, sp.zoo):
        raise Undecided(f"the limit of {expression} at {'-' * (direction < 0)}oo")
    return found


def limit_at(expression: sp.Expr, at: sp.Expr, direction: int, x: sp.Symbol = X) -> sp.Expr:
    """The limit, perhaps infinite, as x tends to a finite point from the right (direction 1) or left; or Undecided."""
    try:
        found = sp.limit(elementary(expression), x, at, "+" if direction > 0 else "-")
    except (NotImplementedError, ValueError, RecursionError):
        found = sp.nan
    if found.has(sp.Limit, sp.AccumBounds, sp.nan, sp.zoo):
        raise Undecided(f"the limit of {expression} at {at}")
    return found


def _settle(e: sp.Expr) -> sp.Expr:
    """The expression in t with all that saturates as t tends to oo replaced by its limit."""
    if not e.has(_T) or e == _T:
        return e
    if isinstance(e, sp.sin | sp.cos):
        raise _Unsettled
    if isinstance(e, sp.Piecewise):
        return _settle(next(value for value, condition in e.args if _holds(condition)))
    if isinstance(e, LEVEL):
        with contextlib.suppress(Undecided):  # such as tanh(exp(t)), whose argument itself never settles
            if side := steep(e.args[0], _T):
                return e.func(side * sp.oo)
    args = [_settle(a) for a in e.args]
    if isinstance(e, sp.exp | sigmoid | Phi | softplus | sp.tanh | sp.erf):
        return _saturate(e.func, args[0])
    if isinstance(e, sp.Pow) and e.base == sp.E:
        return _saturate(sp.exp, args[1])
    if isinstance(e, (clip, relu, step, sp.Abs, sp.sign, sp.Heaviside, sp.Max, sp.Min)):
        return _last_branch(e.func, args)
    if isinstance(e, squareplus):
        return squareplus.elementary(*args)
    if isinstance(e, sp.Pow) and e.exp.has(_T):
        raise _Unsettled
    if _may_be_singular(e) and not args[0].has(_T):
        check_divisor(args[0])  # 1/(a - b + exp(-t)) is no 1/(a - b) where a = b
    settled = e.func(*args)
    if settled.has(sp.nan, sp.zoo, sp.oo):
        raise _Unsettled
    return settled


def _may_be_singular(e: sp.Expr) -> bool:
    """Whether e is a function of its first argument with a singularity at zero."""
    return isinstance(e, sp.log) or (isinstance(e, sp.Pow) and not (e.exp.is_Integer and e.exp.is_positive))


def _last_branch(head: type, args: list[sp.Expr]) -> sp.Expr:
    """The branch of a switching function that holds for all large t."""
    z = args[0]
    if head is clip:
        return _larger(_smaller(z, args[2]), args[1])
    if head is relu:
        return _larger(z, sp.S.Zero)
    if head is sp.Max or head is sp.Min:
        for other in args[1:]:
            z = _larger(z, other) if head is sp.Max else _smaller(z, other)
        return z
    positive = _eventual_sign(z)
    if head is sp.Abs:
        return z if positive >= 0 else -z
    if head is sp.sign:
        return sp.Integer(positive)
    return sp.S.One if positive > 0 or (positive == 0 and head is step) else sp.S.Zero


def _larger(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    return a if _eventual_sign(a - b) >= 0 else b


def _smaller(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    return b if _eventual_sign(a - b) >= 0 else a


def _eventual_sign(difference: sp.Expr) -> int:
    """The sign for all large t of a settled expression; a difference that tends to zero is left undecided."""
    if difference.is_zero:
        return 0
    limit = _inner_limit(difference)
    if limit.is_zero:
        raise _Unsettled
    return known_sign(limit)


def _holds(condition: sp.Basic) -> bool:
    if condition in (sp.true, sp.false):
        return bool(condition)
    if isinstance(condition, (sp.And, sp.Or)):
        return (all if isinstance(condition, sp.And) else any)(map(_holds, condition.args))
    side = _eventual_sign(_settle(condition.lhs - condition.rhs))
    return side > 0 if isinstance(condition, (sp.Gt, sp.Ge)) else side < 0


def _saturate(head: type, u: sp.Expr) -> sp.Expr:
    if not u.has(_T):
        return head(u)
    limit = _inner_limit(u)
    if not limit.is_infinite or u.has(sp.log):  # algebraically slow, or slower than any root
        raise _Unsettled
    below, above = _SATURATED[head]
    branch = above if known_sign(limit) > 0 else below
    if branch is None:
        raise _Unsettled
    return branch(u)


def _inner_limit(e: sp.Expr) -> sp.Expr:
    """The limit of what stands inside another function: that it grows does not make the whole unbounded."""
    try:
        return _algebraic_limit(e)
    except UnknownSign as unknown:
        raise UnknownSign(unknown.coefficient) from None


def _algebraic_limit(e: sp.Expr) -> sp.Expr:
    if not e.has(_T):
        return e
    if e.is_rational_function(_T):
        numerator, denominator = (sp.Poly(part, _T) for part in sp.fraction(sp.cancel(sp.together(e))))
        check_divisor(denominator.LC())
        gap = numerator.degree() - denominator.degree()
        ratio = numerator.LC() / denominator.LC()
        return sp.S.Zero if gap < 0 else ratio if gap == 0 else known_sign(ratio, leads=True) * sp.oo
    if e.free_symbols != {_T}:
        return expansion(e, _T).limit()
    limit = sp.limit(e, _T, sp.oo)
    if limit.has(sp.Limit, sp.AccumBounds, sp.nan, sp.zoo):
        raise _Unsettled
    return limit
