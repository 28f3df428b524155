"""Expansions at infinity: sums of c t^p log(t)^k with exact coefficients in the free constants, and a remainder.

sympy's limits hold for constants in general position: that of ((a - b) t)/((a - b) t + 1) is given as 1, though it is 0
where a = b. Here every sign that an expansion rests on, and every divisor, is known for all admissible constants, or
the answer is Undecided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from analysis.activation.errors import Undecided
from analysis.activation.functions import Phi, elementary, sigmoid, softplus, squareplus
from analysis.exact.normal import sign

TERMS = 6  # of an expansion, and of the series put into it
LEVEL = (sp.tanh, sp.erf, sigmoid, Phi)  # reach their limits at both ends exponentially fast
SATURATING = (sp.exp, softplus, *LEVEL)

Order = tuple[sp.Rational, sp.Rational]  # (p, k) stands for t^p log(t)^k; compared as tuples are
CONSTANT: Order = (sp.S.Zero, sp.S.Zero)


class UnknownSign(Undecided):
    """An answer depends on the sign of an expression in constants.

    `leading` is that expression where it leads a growth that no other term of the function matches: unless it is zero,
    the function is unbounded.
    """

    def __init__(self, coefficient: sp.Expr, leading: sp.Expr | None = None):
        super().__init__(f"the sign of {coefficient}")
        self.coefficient, self.leading = coefficient, leading


def known_sign(coefficient: sp.Expr, *, leads: bool = False) -> int:
    """The sign for all admissible constants; UnknownSign where there is no such."""
    try:
        return sign(coefficient)
    except Undecided:
        raise UnknownSign(coefficient, coefficient if leads else None) from None


def check_divisor(divisor: sp.Expr) -> None:
    """UnknownSign where the divisor may be zero for some constants."""
    if not divisor.is_nonzero and known_sign(divisor) == 0:
        raise UnknownSign(divisor)


@dataclass(frozen=True)
class Expansion:
    """The sum of the terms, and a rest that is O(t^p log(t)^k) for its order; None for one below all powers of t."""

    terms: dict[Order, sp.Expr]
    rest: Order | None = None

    @classmethod
    def of(cls, terms: dict[Order, sp.Expr], rest: Order | None) -> Expansion:
        """The largest terms above the rest."""
        above = {o: sp.cancel(c) for o, c in terms.items() if rest is None or o > rest}
        kept = {o: c for o, c in above.items() if c != 0}
        largest = sorted(kept, reverse=True)
        if len(largest) > TERMS:
            rest = largest[TERMS]
        return cls({o: kept[o] for o in largest[:TERMS]}, rest)

    def __add__(self, other: Expansion) -> Expansion:
        terms = dict(self.terms)
        for order, c in other.terms.items():
            terms[order] = terms.get(order, sp.S.Zero) + c
        return Expansion.of(terms, _larger(self.rest, other.rest))

    def __mul__(self, other: Expansion) -> Expansion:
        terms: dict[Order, sp.Expr] = {}
        for p, c in self.terms.items():
            for q, d in other.terms.items():
                terms[_product(p, q)] = terms.get(_product(p, q), sp.S.Zero) + c * d
        rests = [
            _product(rest, top)
            for rest, top in ((self.rest, other.top), (other.rest, self.top), (self.rest, other.rest))
            if rest is not None and top is not None
        ]
        return Expansion.of(terms, max(rests, default=None))

    @property
    def top(self) -> Order | None:
        """The order of the first term, None where there is none."""
        return max(self.terms, default=None)

    def leading(self) -> tuple[Order, sp.Expr]:
        """The first term; its coefficient is nonzero for all constants."""
        if self.top is None:
            raise Undecided("the leading term, as all known ones cancel")
        check_divisor(self.terms[self.top])
        return self.top, self.terms[self.top]

    def limit(self) -> sp.Expr:
        """The limit, perhaps infinite."""
        if self.top is not None and self.top > CONSTANT:
            return known_sign(self.terms[self.top], leads=True) * sp.oo
        if self.rest is not None and self.rest >= CONSTANT:
            raise Undecided("the limit, as all known terms cancel")
        return self.terms.get(CONSTANT, sp.S.Zero)


def expansion(e: sp.Expr, t: sp.Symbol) -> Expansion:
    """The expansion of e as t tends to infinity; Undecided where the rules below do not reach."""
    if not e.has(t):
        return Expansion.of({CONSTANT: e}, None)
    if e == t:
        return Expansion({(sp.S.One, sp.S.Zero): sp.S.One})
    if isinstance(e, sp.Add | sp.Mul):
        found = expansion(e.args[0], t)
        for other in e.args[1:]:
            found = found + expansion(other, t) if isinstance(e, sp.Add) else found * expansion(other, t)
        return found
    if isinstance(e, squareplus):
        return expansion(squareplus.elementary(*e.args), t)
    if isinstance(e, sp.Pow) and e.base != sp.E and e.exp.is_Rational:
        return _power(expansion(e.base, t), e.exp)
    if isinstance(e, sp.log):
        return _logarithm(expansion(e.args[0], t))
    if isinstance(e, sp.exp):  # also E**u, which has no arguments of a function
        return _function(sp.exp, expansion(e.exp, t))
    if isinstance(e, LEVEL) and (side := steep(e.args[0], t)):
        return Expansion.of({CONSTANT: e.func(side * sp.oo)}, None)
    if isinstance(e, (*SATURATING, sp.atan, sp.sin, sp.cos)):
        return _function(e.func, expansion(e.args[0], t))
    raise Undecided(f"an expansion of {e.func.__name__}")


def steep(e: sp.Expr, t: sp.Symbol) -> int:
    """1 or -1 where e tends to oo or -oo faster than every power of t; 0 where that is not seen."""
    if isinstance(e, sp.exp):
        order, c = expansion(e.exp, t).leading() if e.exp.has(t) else (CONSTANT, sp.S.Zero)
        return int(order[0] > 0 and known_sign(c) > 0)
    if not isinstance(e, sp.Add | sp.Mul):
        return 0
    sides = [steep(part, t) for part in e.args]
    others = [part for part, side in zip(e.args, sides, strict=True) if not side]
    if len(others) != len(sides) - 1:
        return 0
    if isinstance(e, sp.Add):
        expansion(sp.Add(*others), t)  # Undecided where these may be steep as well
        return sum(sides)
    return sum(sides) * known_sign(expansion(sp.Mul(*others), t).leading()[1])


def _larger(a: Order | None, b: Order | None) -> Order | None:
    return max((o for o in (a, b) if o is not None), default=None)


def _product(a: Order, b: Order) -> Order:
    return a[0] + b[0], a[1] + b[1]


def _power(base: Expansion, exponent: sp.Rational) -> Expansion:
    if exponent.is_Integer and exponent > 0:
        found = base
        for _ in range(int(exponent) - 1):
            found = found * base
        return found
    order, c = base.leading()
    if not exponent.is_Integer and known_sign(c) < 0:
        raise Undecided(f"the power {exponent} of what is negative")
    raised = Expansion({(order[0] * exponent, order[1] * exponent): c**exponent})
    return raised * _series(lambda k: sp.binomial(exponent, k), _aside(base, order, c))


def _logarithm(argument: Expansion) -> Expansion:
    """log(c t^p log(t)^k (1 + v)) = log(c) + p log(t) + log(1 + v) + k log(log(t)), whose last term has no order."""
    order, c = argument.leading()
    if order[1] != 0 or known_sign(c) < 0:
        raise Undecided("the logarithm of a logarithm, or of what is negative")
    first = Expansion.of({CONSTANT: sp.log(c), (sp.S.Zero, sp.S.One): order[0]}, None)
    return first + _series(lambda k: sp.Rational((-1) ** (k + 1), k) if k else sp.S.Zero, _aside(argument, order, c))


def _aside(base: Expansion, order: Order, c: sp.Expr) -> Expansion:
    """v, which tends to zero, of base = c t^p log(t)^k (1 + v)."""
    inverse = Expansion({(-order[0], -order[1]): 1 / c})
    return base * inverse + Expansion({CONSTANT: -sp.S.One})


def _function(head: Callable, argument: Expansion) -> Expansion:
    """A function that is analytic on the line: by its Taylor series, or its limit where the argument grows."""
    if argument.top is not None and argument.top > CONSTANT:
        return _beyond(head, argument)
    at = argument.limit()
    z = sp.Dummy("z", real=True)
    values = [sp.diff(elementary(head(z)), z, k).subs(z, at) / sp.factorial(k) for k in range(TERMS)]
    return _series(values.__getitem__, argument + Expansion.of({CONSTANT: -at}, None))


def _beyond(head: Callable, u: Expansion) -> Expansion:
    """exp(-u), 1 - tanh(u) and their like are below every power of t where u grows like a power of t."""
    order, c = u.leading()
    side = known_sign(c)
    if head is sp.atan:  # atan(u) = pi/2 - atan(1/u) for u > 0
        return Expansion({CONSTANT: side * sp.pi / 2}) + _function(sp.atan, _power(u, sp.S.NegativeOne)) * _number(-1)
    if order[0] <= 0 or head not in SATURATING or (head is sp.exp and side > 0):
        raise Undecided(f"an expansion of {head.__name__} of what grows")
    if head is softplus:
        return u if side > 0 else Expansion({})
    return Expansion.of({CONSTANT: head(side * sp.oo)}, None)


def _number(value: int) -> Expansion:
    return Expansion.of({CONSTANT: sp.Integer(value)}, None)


def _series(coefficient: Callable[[int], sp.Expr], v: Expansion) -> Expansion:
    """The sum of coefficient(k) v^k over k < TERMS, for a v that tends to zero, and what is left out."""
    first = _larger(v.top, v.rest)
    total, power = Expansion({}), _number(1)
    for k in range(TERMS):
        total = total + power * Expansion.of({CONSTANT: coefficient(k)}, None)
        power = power * v
    left_out = None if first is None else (first[0] * TERMS, first[1] * TERMS)
    return Expansion.of(total.terms, _larger(total.rest, left_out))
