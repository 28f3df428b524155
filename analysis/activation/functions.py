"""Our sympy primitives: the words of the field that sympy lacks.

Each is a function of a real argument z with its derivative, its exact values and its form in functions that sympy
knows (`elementary`). Derivatives of the piecewise ones hold wherever they are differentiable; at a kink they take the
value from the side where `step` is one, as `step(0) = 1`. The jumps themselves are the business of `analysis.exact`.

    sigmoid(z)       1/(1 + exp(-z))
    softplus(z)      log(1 + exp(z))
    Phi(z)           (1 + erf(z/sqrt(2)))/2, the standard normal distribution function
    squareplus(z, b) (z + sqrt(z^2 + b))/2, b >= 0
    relu(z)          max(z, 0)
    clip(z, lo, hi)  min(max(z, lo), hi), lo <= hi
    step(z)          1 for z >= 0, else 0
"""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.core.function import ArgumentIndexError


class _Primitive(sp.Function):
    """A real function of real arguments that evaluates through its elementary form."""

    def _eval_is_extended_real(self):
        return all(a.is_extended_real for a in self.args) or None

    def _eval_is_finite(self):
        return all(a.is_finite for a in self.args) or None

    def _eval_evalf(self, prec):
        return self.elementary(*self.args)._eval_evalf(prec)

    def _eval_rewrite_as_exp(self, *args, **_):
        return self.elementary(*args).rewrite(sp.exp)


class sigmoid(_Primitive):
    nargs = 1
    elementary = staticmethod(lambda z: 1 / (1 + sp.exp(-z)))

    @classmethod
    def eval(cls, z):
        return {sp.S.Zero: sp.S.Half, sp.oo: sp.S.One, -sp.oo: sp.S.Zero}.get(z)

    def fdiff(self, argindex=1):
        # s(z) s(-z) rather than s (1 - s): no cancellation for large z.
        return sigmoid(self.args[0]) * sigmoid(-self.args[0])

    def _eval_is_positive(self):
        return self.args[0].is_real

    def _latex(self, printer, exp=None):
        return _power(rf"\sigma\left({printer._print(self.args[0])}\right)", exp)


class gated(_Primitive):
    """z sigmoid(z) as one function, which is bounded for z < 0 where the factors are not; appears in programs only."""

    nargs = 1
    elementary = staticmethod(lambda z: z / (1 + sp.exp(-z)))

    def fdiff(self, argindex=1):
        # s(z) (1 + z s(-z)): one sign where gated(-z) is not 1.
        return sigmoid(self.args[0]) * (1 - gated(-self.args[0]))


class softplus(_Primitive):
    nargs = 1
    elementary = staticmethod(lambda z: sp.log(1 + sp.exp(z)))

    @classmethod
    def eval(cls, z):
        return {sp.S.Zero: sp.log(2), sp.oo: sp.oo, -sp.oo: sp.S.Zero}.get(z)

    def fdiff(self, argindex=1):
        return sigmoid(self.args[0])

    def _eval_is_positive(self):
        return self.args[0].is_real


class Phi(_Primitive):
    nargs = 1
    elementary = staticmethod(lambda z: (1 + sp.erf(z / sp.sqrt(2))) / 2)

    @classmethod
    def eval(cls, z):
        return {sp.S.Zero: sp.S.Half, sp.oo: sp.S.One, -sp.oo: sp.S.Zero}.get(z)

    def fdiff(self, argindex=1):
        return sp.exp(-(self.args[0] ** 2) / 2) / sp.sqrt(2 * sp.pi)

    def _eval_is_positive(self):
        return self.args[0].is_real

    def _latex(self, printer, exp=None):
        return _power(rf"\Phi\left({printer._print(self.args[0])}\right)", exp)


class squareplus(_Primitive):
    nargs = 2
    elementary = staticmethod(lambda z, b: (z + sp.sqrt(z**2 + b)) / 2)

    @classmethod
    def eval(cls, z, b):
        if b.is_zero:
            return relu(z)
        if z.is_zero:
            return sp.sqrt(b) / 2
        return None

    def _eval_is_positive(self):
        return self.args[0].is_real and self.args[1].is_positive

    def fdiff(self, argindex=1):
        z, b = self.args
        root = sp.sqrt(z**2 + b)
        if argindex == 1:
            return squareplus(z, b) / root
        if argindex == 2:
            return 1 / (4 * root)
        raise ArgumentIndexError(self, argindex)


class relu(_Primitive):
    nargs = 1
    elementary = staticmethod(lambda z: sp.Max(z, 0))

    @classmethod
    def eval(cls, z):
        if z.is_extended_nonnegative:
            return z
        if z.is_extended_nonpositive:
            return sp.S.Zero
        return None

    def fdiff(self, argindex=1):
        return step(self.args[0])

    def _eval_is_nonnegative(self):
        return self.args[0].is_real


class clip(_Primitive):
    nargs = 3
    elementary = staticmethod(lambda z, lo, hi: sp.Min(sp.Max(z, lo), hi))

    @classmethod
    def eval(cls, z, lo, hi):
        if (z - hi).is_extended_nonnegative:
            return hi
        if (lo - z).is_extended_nonnegative:
            return lo
        if (z - lo).is_extended_nonnegative and (hi - z).is_extended_nonnegative:
            return z
        return None

    def fdiff(self, argindex=1):
        z, lo, hi = self.args
        if argindex == 1:
            return step(z - lo) * step(hi - z)
        return step(lo - z) if argindex == 2 else step(z - hi)


class step(_Primitive):
    nargs = 1
    elementary = staticmethod(lambda z: sp.Piecewise((1, z >= 0), (0, True)))

    @classmethod
    def eval(cls, z):
        if z.is_extended_nonnegative:
            return sp.S.One
        if z.is_extended_negative:
            return sp.S.Zero
        return None

    def fdiff(self, argindex=1):
        return sp.S.Zero


SMOOTH = (sigmoid, softplus, Phi, squareplus)
PIECEWISE = (relu, clip, step)


def elementary(expression: sp.Expr) -> sp.Expr:
    """The same function written without our primitives, in words that sympy alone understands."""
    for head in SMOOTH + PIECEWISE:
        expression = expression.replace(head, head.elementary)
    return expression


def recognise(expression: sp.Expr) -> sp.Expr:
    """Exact rewrites from spelled-out forms to the primitive they spell.

    log(1 + exp(z)) -> softplus(z); 1/(1 + exp(z)) -> sigmoid(-z); 1 + erf(z) -> 2 Phi(sqrt(2) z);
    1 + tanh(z) -> 2 sigmoid(2 z).
    The right-hand sides have no cancellation and no overflow, and their limits at infinity are immediate.
    """
    return expression.replace(_is_spelled, _respell)


def _is_spelled(e: sp.Basic) -> bool:
    return _respell(e) != e


def _respell(e: sp.Basic) -> sp.Basic:
    if isinstance(e, sp.log) and (match := _one_plus(e.args[0], sp.exp)) and match[0] == 1:
        return softplus(match[1])
    if isinstance(e, sp.Pow) and e.exp.is_Integer and e.exp.is_negative and (match := _one_plus(e.base, sp.exp)):
        return (sigmoid(-match[1]) / match[0]) ** -e.exp
    if isinstance(e, sp.Add) and (match := _one_plus(e, sp.erf)):
        return 2 * match[0] * Phi(sp.sqrt(2) * match[1])
    if isinstance(e, sp.Add) and (match := _one_plus(e, sp.tanh)):
        return 2 * match[0] * sigmoid(2 * match[1])
    return e


def _one_plus(e: sp.Basic, head: Any) -> tuple[sp.Expr, sp.Expr] | None:
    """(c, z) where e is c (1 + head(z)), for the odd heads also where it is c (1 - head(-z)); else None."""
    if not isinstance(e, sp.Add) or len(e.args) != 2:
        return None
    c, term = e.as_coeff_Add()
    times, function = term.as_coeff_Mul()
    if c == 0 or not isinstance(function, head) or abs(times) != abs(c):
        return None
    if times == c:
        return c, function.args[0]
    return None if head is sp.exp else (c, -function.args[0])


def _power(body: str, exp: str | None) -> str:
    return body if exp is None else rf"{body}^{{{exp}}}"


def derivative(expression: sp.Expr, x: sp.Symbol, order: int = 1) -> sp.Expr:
    """The derivative wherever it exists; at a kink the value that `step`, or sympy's Heaviside and sign, give there."""
    return sp.diff(expression, x, order).replace(sp.DiracDelta, lambda *_: sp.S.Zero)
