"""Tails: what is left of a function beyond T, bounded by an envelope C t^k e^(-r t).

On t >= T every subexpression is written as A(t) + error, A algebraic and |error| <= C t^k e^(-r t). Sums and products
of such pairs are such pairs; a saturating function of an argument that grows linearly contributes its own exponential;
any other function passes the error on, times a Lipschitz constant. No case is made for particular activations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp
from flint import arb, fmpq

from analysis.activation.errors import Undecided
from analysis.activation.functions import Phi, sigmoid, softplus, squareplus
from analysis.activation.parsing import X
from analysis.exact.asymptotes import limit_at_infinity
from analysis.rigorous import balls

T = sp.Symbol("t", positive=True)
ONE = arb(1)
HIGHEST = 8  # power of t that a tail is compared with
_S = sp.Symbol("s", positive=True)  # 1/t


@dataclass(frozen=True)
class Envelope:
    """C t^k e^(-r t) for t >= start >= 1, with C >= 0, k >= 0, r > 0; C = 0 is no error at all."""

    start: int
    scale: arb
    power: int = 0
    rate: arb = ONE

    def at_start(self) -> arb:
        """An upper bound for all t >= start: the value there, once t^k e^(-r t) falls."""
        if self.scale == 0:
            return arb(0)
        peak = arb(self.power) / self.rate
        place = peak if peak > self.start else arb(self.start)
        return (self.scale * place**self.power * (-self.rate * place).exp()).abs_upper()

    def __add__(self, other: Envelope) -> Envelope:
        if self.scale == 0 or other.scale == 0:
            return other if self.scale == 0 else self
        power = max(self.power, other.power)
        return Envelope(self.start, self.scale + other.scale, power, _smaller(self.rate, other.rate))

    def __mul__(self, other: Envelope) -> Envelope:
        rate = self.rate + other.rate if self.scale != 0 and other.scale != 0 else self.rate
        return Envelope(self.start, self.scale * other.scale, self.power + other.power, rate)

    def times(self, factor: arb, power: int = 0) -> Envelope:
        """The envelope times |factor| t^power."""
        return Envelope(self.start, self.scale * factor.abs_upper(), self.power + power, self.rate)


@dataclass(frozen=True)
class Tail:
    """A(t) + error on t >= error.start."""

    algebraic: sp.Expr
    error: Envelope


def tail(expression: sp.Expr, direction: int, start: int) -> Tail:
    """The kink-free expression at x = direction*t, t >= start; Undecided where the algebra has no rule."""
    return _tail(expression.subs(X, direction * T), start)


def beyond(expression: sp.Expr, direction: int, start: int) -> tuple[sp.Expr, arb]:
    """(L, D): the finite limit, and a bound with |expression - L| <= D for all direction*x >= start."""
    limit = limit_at_infinity(expression, direction)
    if not limit.is_finite:
        raise Undecided(f"the limit of {expression} is not finite")
    found = tail(expression, direction, start)
    rest = over_tail(found.algebraic - limit, start)
    return limit, (abs(rest) + found.error.at_start()).abs_upper()


def below(expression: sp.Expr, direction: int, start: int) -> arb:
    """An upper bound for all direction*x >= start of an expression that falls to -oo at least linearly."""
    found = tail(expression, direction, start)
    return (found.error.at_start() - _linear_rate(-found.algebraic, start) * start).upper()


def is_definite(expression: sp.Expr, direction: int, start: int) -> bool:
    """Whether the expression is shown to have no zero at direction*x >= start.

    Tried as it stands and divided by each of its exponentials, one of which dominates: what is left is A(t) + error
    with |A(t)| >= m t^p > |error|.
    """
    in_t = expression.subs(X, direction * T)
    for scaled in (in_t, *(sp.expand(in_t / e) for e in in_t.atoms(sp.exp))):
        try:
            found = _tail(scaled, start)
        except Undecided:
            continue
        if any(_least(found.algebraic, power, start) > found.error.at_start() for power in range(HIGHEST + 1)):
            return True
    return False


def _least(algebraic: sp.Expr, power: int, start: int) -> arb:
    """A lower bound of |A(t)| for t >= start, from A(t)/t^power; zero where that is unbounded."""
    try:
        return over_tail(algebraic / T**power, start).abs_lower() * arb(start) ** power
    except Undecided:
        return arb(0)


def over_tail(algebraic: sp.Expr, start: int) -> arb:
    """A ball around all values of the algebraic expression for t >= start, by s = 1/t in [0, 1/start]."""
    if not algebraic.has(T):
        return balls.enclose(algebraic)
    for form in (algebraic, _by_conjugate(algebraic)):
        values = _over_inverse(form, start)
        if values.is_finite():
            return values
    raise Undecided(f"a bound of {algebraic} for t >= {start}")


def _over_inverse(algebraic: sp.Expr, start: int) -> arb:
    in_s = sp.cancel(sp.together(algebraic.replace(_is_root, _leading_power_out).subs(T, 1 / _S)))
    try:
        return balls.evaluator(in_s, (_S,))(arb(0).union(arb(fmpq(1, start))))
    except ZeroDivisionError:
        return arb.nan()


def _by_conjugate(algebraic: sp.Expr) -> sp.Expr:
    """A + B sqrt(q), whose parts may cancel, as (A^2 - B^2 q)/(A - B sqrt(q)); else the expression itself."""
    roots = [e for e in algebraic.atoms(sp.Pow) if _is_root(e) and e.exp == sp.S.Half]
    if len(roots) != 1:
        return algebraic
    symbol = sp.Dummy()
    numerator, denominator = sp.fraction(sp.together(algebraic.subs(roots[0], symbol)))
    if denominator.has(symbol) or sp.degree(numerator, symbol) != 1:
        return algebraic
    b, a = sp.Poly(numerator, symbol).all_coeffs()
    return sp.cancel(a**2 - b**2 * roots[0].base) / ((a - b * roots[0]) * denominator)


def _is_root(e: sp.Expr) -> bool:
    return isinstance(e, sp.Pow) and not e.exp.is_Integer and e.base.is_polynomial(T) and e.base.has(T)


def _leading_power_out(root: sp.Pow) -> sp.Expr:
    """q(t)^p = t^(p n) (q(t)/t^n)^p, n the degree of q: the second factor is bounded."""
    degree = sp.degree(root.base, T)
    return T ** (root.exp * degree) * sp.expand(root.base / T**degree) ** root.exp


def _tail(e: sp.Expr, start: int) -> Tail:
    none = Envelope(start, arb(0))
    if not e.has(T) or e == T:
        return Tail(e, none)
    if isinstance(e, sp.Add | sp.Mul):
        combine = _sum if isinstance(e, sp.Add) else _product
        total = _tail(e.args[0], start)
        for argument in e.args[1:]:
            total = combine(total, _tail(argument, start))
        return total
    if isinstance(e, squareplus):
        return _tail(_uncancelled(*e.args), start)
    if isinstance(e, sp.Pow) and not isinstance(e, sp.exp):
        return _power(_tail(e.base, start), e.exp, start)
    if len(e.args) != 1:
        raise Undecided(f"the tail of {e.func}")
    argument = e.args[0]
    if isinstance(argument, sp.exp) and e.func in _SATURATION and limit_at_infinity(argument.args[0], 1, T) == sp.oo:
        return _saturated(e.func, _tail(argument.args[0], start), start)  # exp(v) > v
    return _function(e.func, _tail(argument, start), start)


def _uncancelled(z: sp.Expr, b: sp.Expr) -> sp.Expr:
    root = sp.sqrt(z**2 + b)
    return (z + root) / 2 if limit_at_infinity(z, 1, T) != -sp.oo else b / (2 * (root - z))


def _sum(a: Tail, b: Tail) -> Tail:
    return Tail(a.algebraic + b.algebraic, a.error + b.error)


def _product(a: Tail, b: Tail) -> Tail:
    """|ab - AB| <= |A| |b - B| + |B| |a - A| + |a - A| |b - B|."""
    error = a.error * b.error
    for one, other in ((a, b), (b, a)):
        if other.error.scale != 0:
            factor, power = _growth(one.algebraic, one.error.start)
            error = error + other.error.times(factor, power)
    return Tail(sp.expand(a.algebraic * b.algebraic), error)


def _growth(algebraic: sp.Expr, start: int) -> tuple[arb, int]:
    """(G, p) with |A(t)| <= G t^p for t >= start."""
    for power in range(HIGHEST + 1):
        try:
            return over_tail(algebraic / T**power, start), power
        except Undecided:
            continue
    raise Undecided(f"the growth of {algebraic}")


def _power(base: Tail, exponent: sp.Expr, start: int) -> Tail:
    if exponent.is_Integer and exponent > 0:
        total = base
        for _ in range(int(exponent) - 1):
            total = _product(total, base)
        return total
    if base.error.scale == 0 and not exponent.has(T):
        return Tail(base.algebraic**exponent, base.error)
    if exponent.has(T):
        raise Undecided(f"the tail of a power with the exponent {exponent}")
    return _lipschitz(lambda z: z**exponent, base, start)


def _function(head: type, u: Tail, start: int) -> Tail:
    limit = limit_at_infinity(u.algebraic, 1, T)
    if limit.is_finite:
        return _lipschitz(head, u, start)
    if head not in _SATURATION:
        raise Undecided(f"the tail of {head.__name__} where its argument is unbounded")
    return _saturated(head, u, start)


def _saturated(head: type, u: Tail, start: int) -> Tail:
    limit = limit_at_infinity(u.algebraic, 1, T)
    below, above = _SATURATION[head]
    rule = above if limit == sp.oo else below
    if rule is None:
        raise Undecided(f"{head.__name__} grows exponentially")
    settled, scale, steepness = rule
    rate = _linear_rate(u.algebraic if limit == sp.oo else -u.algebraic, start) * steepness
    slack = (u.error.at_start() * steepness).exp()
    own = Envelope(start, (scale * slack).abs_upper(), 0, rate)
    if settled is None:  # softplus(u) follows u
        return Tail(u.algebraic, own + u.error)
    return Tail(sp.Integer(settled), own)


def _linear_rate(rising: sp.Expr, start: int) -> arb:
    """r > 0 with A(t) >= r t for t >= start."""
    for power in range(1, HIGHEST + 1):
        try:
            least = over_tail(rising / T**power, start).lower()
        except Undecided:
            continue
        if least > 0:
            return (least * arb(start) ** (power - 1)).lower()
    raise Undecided(f"the growth of {rising} for t >= {start}")


def _lipschitz(head: Callable, u: Tail, start: int) -> Tail:
    """head(A) with the error of the argument times the largest |head'| between."""
    settled = head(u.algebraic)
    if u.error.scale == 0:
        return Tail(settled, u.error)
    radius = u.error.at_start()
    hull = over_tail(u.algebraic, start) + arb(0, 1) * radius
    slope = balls.evaluator(sp.diff(head(X), X))(hull)
    if not slope.is_finite():
        raise Undecided(f"the slope of {head} on {hull}")
    return Tail(settled, u.error.times(slope))


def _smaller(a: arb, b: arb) -> arb:
    return a.min(b)


# head: for u -> -oo and u -> oo: (limit, C, s) with |head(u) - limit| <= C e^(-s |u|), None for "follows u";
# Phi(u) <= e^(-u^2/2) and e^(-u^2/2) <= e^(1/2 - |u|); erfc(u) <= e^(-u^2) <= e^(1/4 - u).
_SATURATION: dict = {
    sigmoid: ((0, arb(1), 1), (1, arb(1), 1)),
    softplus: ((0, arb(1), 1), (None, arb(1), 1)),
    Phi: ((0, arb(0.5).exp(), 1), (1, arb(0.5).exp(), 1)),
    sp.erf: ((-1, arb(0.25).exp(), 1), (1, arb(0.25).exp(), 1)),
    sp.tanh: ((-1, arb(2), 2), (1, arb(2), 2)),
    sp.exp: ((0, arb(1), 1), None),
}
