"""Tails: what is left of a function beyond T, bounded by an envelope C t^k e^(-r t).

On t >= T every subexpression is written as A(t) + error, A analytic in 1/t or a power of t times that, and
|error| <= C t^k e^(-r t). Sums and products of such pairs are such pairs; a saturating function of an argument that
grows linearly contributes its own exponential; what oscillates is all error; any other function passes the error on,
times a Lipschitz constant. No case is made for particular activations.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp
from flint import arb, fmpq

from analysis.activation.errors import Undecided
from analysis.activation.functions import Phi, sigmoid, softplus, squareplus
from analysis.activation.parsing import X
from analysis.exact.asymptotes import limit_at_infinity
from analysis.exact.normal import quotient
from analysis.rigorous import balls

T = sp.Symbol("t", positive=True)
ONE = arb(1)
HIGHEST = 8  # power of t, or of 1/t, that a tail is compared with
_POWERS = sorted(range(-HIGHEST, HIGHEST + 1), key=abs)
_S = sp.Symbol("s", positive=True)  # 1/t


@dataclass(frozen=True)
class Envelope:
    """C t^k e^(-r t) for t >= start >= 1, with C >= 0, r >= 0; C = 0 is no error at all."""

    start: int
    scale: arb
    power: int = 0
    rate: arb = ONE

    def at_start(self) -> arb:
        """An upper bound for all t >= start: the value there, once t^k e^(-r t) falls; Undecided where it rises."""
        if self.scale == 0:
            return arb(0)
        place = arb(self.start)
        if self.power > 0:
            if self.rate == 0:
                raise Undecided(f"a bound of an error that may grow like t^{self.power}")
            place = place.max(arb(self.power) / self.rate)
        return (self.scale * place**self.power * (-self.rate * place).exp()).abs_upper()

    def __add__(self, other: Envelope) -> Envelope:
        if self.scale == 0 or other.scale == 0:
            return other if self.scale == 0 else self
        power = max(self.power, other.power)
        return Envelope(self.start, self.scale + other.scale, power, self.rate.min(other.rate))

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
    in_t = expression.subs(X, direction * T)
    try:
        return _tail(in_t, start)
    except Undecided:
        decaying = _by_decaying(in_t)
        if decaying is None:
            raise
        return _tail(decaying, start)


@lru_cache(maxsize=1024)
def _by_decaying(in_t: sp.Expr) -> sp.Expr | None:
    """A fraction of growing exponentials, as of e^t/(e^t + 1), by their inverses; None where there are none."""
    form = quotient(in_t)
    inverses, back = {}, dict(form.generators)
    for generator, meaning in form.generators.items():
        if isinstance(meaning, sp.exp) and limit_at_infinity(meaning.args[0], 1, T) == sp.oo:
            decaying = sp.Dummy(positive=True)
            inverses[generator], back[decaying] = 1 / decaying, sp.exp(-meaning.args[0])
    if not inverses:
        return None
    return sp.cancel((form.numerator / form.denominator).xreplace(inverses)).xreplace(back)


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
    with |A(t)| >= m t^p > |error|, p of either sign.
    """
    in_t = expression.subs(X, direction * T)
    for scaled in (in_t, *(sp.expand(in_t / e) for e in in_t.atoms(sp.exp))):
        try:
            found = _tail(scaled, start)
        except Undecided:
            continue
        if any(_least(found.algebraic, power, start) > _most(found.error, power) for power in _POWERS):
            return True
    return False


def side(expression: sp.Expr, direction: int, start: int) -> int:
    """The sign that the expression is shown to have at all direction*x >= start; 0 where nothing is shown."""
    if not is_definite(expression, direction, start):
        return 0
    value = balls.evaluator(expression)(arb(direction * start))
    return 1 if value > 0 else -1 if value < 0 else 0


def _least(algebraic: sp.Expr, power: int, start: int) -> arb:
    """A lower bound of |A(t)|/t^power for t >= start; zero where that is not found."""
    try:
        return over_tail(algebraic, start, power).abs_lower()
    except Undecided:
        return arb(0)


def _most(error: Envelope, power: int) -> arb:
    """An upper bound of |error|/t^power for t >= start."""
    try:
        return error.times(ONE, -power).at_start()
    except Undecided:
        return arb.pos_inf()


def over_tail(algebraic: sp.Expr, start: int, power: int = 0) -> arb:
    """A ball around all values of A(t)/t^power for t >= start, by s = 1/t in [0, 1/start]."""
    in_s = _in_s(algebraic, power)
    if not in_s.has(_S):
        return balls.enclose(in_s)
    near_zero = arb(0).union(arb(fmpq(1, start)))
    values = balls.evaluator(in_s, (_S,))(near_zero)
    if not values.is_finite():
        values = _without_pole(in_s, near_zero)
    if not values.is_finite():
        raise Undecided(f"a bound of {algebraic} for t >= {start}")
    return values


@lru_cache(maxsize=4096)
def _in_s(algebraic: sp.Expr, power: int) -> sp.Expr:
    """A(t)/t^power as a fraction in lowest terms; the powers of t share the work on A."""
    if power:
        return sp.cancel(_in_s(algebraic, 0) * _S**power)
    if not algebraic.has(T):
        return algebraic
    return sp.cancel(sp.together(algebraic.replace(_is_root, _leading_power_out).subs(T, 1 / _S)))


def _without_pole(in_s: sp.Expr, near_zero: arb) -> arb:
    """N(s)/(s^n D(s)) where N and its first n - 1 derivatives vanish at 0: N^(n)(near 0)/(n! D(s)) by Taylor."""
    numerator, denominator = sp.fraction(in_s)
    order = 0
    while order <= HIGHEST and denominator.subs(_S, 0) == 0:
        if numerator.subs(_S, 0) != 0:
            return arb.nan()
        numerator, denominator, order = sp.diff(numerator, _S), sp.cancel(denominator / _S), order + 1
    above, below = balls.evaluators(numerator, denominator, variables=(_S,))(near_zero)
    return above / (math.factorial(order) * below)


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
    factor, inner = e.args[0].as_coeff_Mul()
    if isinstance(inner, sp.exp) and _has_limit(e.func, factor) and limit_at_infinity(inner.args[0], 1, T) == sp.oo:
        return _saturated(e.func, _tail(factor * inner.args[0], start), start)  # exp(v) > v
    return _function(e.func, _tail(e.args[0], start), start)


def _has_limit(head: type, direction: sp.Expr) -> bool:
    """Whether head(u) tends to a constant as u grows in this direction."""
    rule = _SATURATION.get(head, (None, None))[bool(direction > 0)]
    return rule is not None and rule[0] is not None


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
            factor, power = growth(one.algebraic, one.error.start)
            error = error + other.error.times(factor, power)
    return Tail(sp.expand(a.algebraic * b.algebraic), error)


def growth(algebraic: sp.Expr, start: int) -> tuple[arb, int]:
    """(G, p) with |A(t)| <= G t^p for t >= start."""
    for power in _POWERS:
        try:
            return over_tail(algebraic, start, power), power
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
    if head is sp.sin or head is sp.cos:
        return Tail(sp.S.Zero, Envelope(start, ONE, 0, arb(0)))
    if head is sp.atan:  # atan(u) + atan(1/u) = pi/2 for u > 0, and the slope is at most 1
        return Tail(sp.sign(limit) * sp.pi / 2 - sp.atan(1 / u.algebraic), u.error)
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
    rate, aside = _linear_rate(u.algebraic if limit == sp.oo else -u.algebraic, start), u.error.at_start()
    if head in _GAUSSIAN:  # |u| >= least, and there e^(-q u^2) <= e^(-q least |u|)
        least = rate * start - aside
        steepness = (_GAUSSIAN[head] * least).lower().max(ONE)
    own = Envelope(start, (scale * (aside * steepness).exp()).abs_upper(), 0, rate * steepness)
    if settled is None:  # softplus(u) follows u
        return Tail(u.algebraic, own + u.error)
    return Tail(sp.Integer(settled), own)


def _linear_rate(rising: sp.Expr, start: int) -> arb:
    """r > 0 with A(t) >= r t for t >= start."""
    for power in range(1, HIGHEST + 1):
        try:
            least = over_tail(rising, start, power).lower()
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
_GAUSSIAN = {Phi: ONE / 2, sp.erf: ONE}  # head: q with |head(u) - limit| <= e^(-q u^2)
