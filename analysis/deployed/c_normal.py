"""Functions of the normal distribution in float32, such as gelu: A(x) Phi(x) + B(x) exp(-x^2/2), A and B powers of x.

With t = |x| and Mills' ratio M(t) = exp(t^2/2) Phi(-t), a quotient of polynomials, what is below a step is

    W = exp(-t^2/2) (A(t) M(t) - B(t)),   f(x) = {0, x < 0; A(x), x >= 0} - W   where A is odd and B even,

    f(x) = {W, x < 0; A(x) - W, x >= 0}   where A is even and B odd.

gelu is x Phi(x), its derivative Phi(x) + x exp(-x^2/2)/sqrt(2 pi). M is P/(sqrt(2 pi) t P + R), R small for large t,
where errors of P cancel. Nothing else cancels but beside zeros, where a polynomial takes over.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import mpmath
import sympy as sp

from analysis.activation.functions import Phi
from analysis.activation.parsing import X
from analysis.deployed import c_float
from analysis.deployed.c_working import high_precision
from analysis.deployed.forms import Form, Stretch
from analysis.deployed.polynomials import hexadecimal

BELL = sp.exp(-(X**2) / 2)


@dataclass(frozen=True)
class Normal:
    """a x^power Phi(x) + b x^other exp(-x^2/2), one of the powers odd; b may be zero, else other > power."""

    a: sp.Expr
    power: int
    b: sp.Expr
    other: int

    @classmethod
    def of(cls, expression: sp.Expr) -> Normal | None:
        """The function in this form, where it has one."""
        whole = sp.expand(expression)
        outer, inner = whole.coeff(Phi(X)), whole.coeff(BELL)
        if outer == 0 or sp.expand(whole - outer * Phi(X) - inner * BELL) != 0:
            return None
        (a, power), (b, other) = _monomial(outer), _monomial(inner)
        if a is None or b is None or (b != 0 and (other <= power or (other - power) % 2 == 0)):
            return None
        return cls(a, power, b, other)


def _monomial(e: sp.Expr) -> tuple[sp.Expr | None, int]:
    """Factor and power of x; no factor for what is none."""
    if e == 0:
        return sp.S.Zero, 0
    factor, rest = e.as_independent(X)
    base, power = rest.as_base_exp()
    if rest != 1 and (base != X or not power.is_Integer or power < 0):
        return None, 0
    return factor, 0 if rest == 1 else int(power)


def lines(found: Sequence[Stretch], wanted: Sequence[str], *, fast: bool) -> list[str] | None:
    """Statements for a float x that leave f in y and f' in dy, in float or in double; None for other functions."""
    if len(found) > 1:
        return None
    parts = []
    for what in wanted:
        form: Form = getattr(found[0], what)
        normal, tail = Normal.of(form.body), form.tails[0]
        if normal is None or tail is None or tail.slope != 0 or tail.intercept != 0:
            return None
        parts.append((normal, form, "y" if what == "value" else "dy", float(tail.start)))
    farthest = c_float.number(sp.Rational(max(-start for *_, start in parts)))
    begun = [
        "const float size = fabsf(x);",
        f"const float held = size > {farthest} ? {farthest} : size;",
    ]
    writer = _Float(float.fromhex(farthest.rstrip("f"))) if fast else _Double()
    begun += writer.exponential()
    for normal, form, result, _ in parts:
        begun += writer.statements(normal, result)
        name = f"{result}_main"
        for j, zero in enumerate(form.zeros):
            more, name = c_float.beside(zero, writer.x, name, f"{result}_z{j}", double=not fast)
            begun += more
        begun.append(f"const float {result} = {writer.rounded(name)};")
    return begun


def _power(t: str, k: int, factor: str) -> str:
    """factor t^k in C; a factor of 1 is the empty text."""
    return " * ".join([*([factor] if factor else []), *[t] * k])


class _Double:
    """In double, rounded once."""

    x = "wide"

    def exponential(self) -> list[str]:
        return [
            "const double wide = x;",
            "const double t = held;",
            "const double e = aa_exp_short(-0.5 * t * t);",
            "const double m = aa_mills(t);",
        ]

    def statements(self, f: Normal, result: str) -> list[str]:
        a, b = (f"({hexadecimal(high_precision(c))})" for c in (f.a, f.b))
        factor = "" if f.a == 1 else a
        below = " * ".join(filter(None, [_power("t", f.power, factor), "m"]))
        if f.b != 0:
            below = f"({below} - {_power('t', f.other, b)})"
        above = _power("wide", f.power, factor) or "1.0"
        lines = [f"const double {result}_below = {below} * e;"]
        if f.power % 2:
            base = f"(x < 0.0f ? 0.0 : {above}) - {result}_below"
        else:
            base = f"x < 0.0f ? {result}_below : {above} - {result}_below"
        return [*lines, f"const double {result}_main = {base};"]

    def rounded(self, name: str) -> str:
        return f"(float){name}"


class _Float:
    """In float, with W 2^k normal until the last multiplication, and x^2 in two parts."""

    x = "x"

    def __init__(self, farthest: float):
        self.k = c_float.lift(-(farthest**2) / 2 / math.log(2))

    def exponential(self) -> list[str]:
        return [
            "const float t = held;",
            "const float half = -0.5f * t;",
            "const float z = half * t;",
            *c_float.reduced("z", " + aa_lost_f32(half, t, z)", self.k, "_"),
            "const float power = aa_power_f32(shifted_);",
            "const float more = aa_more_f32(r_);",
            "const float m = aa_mills_f32(t);",
        ]

    def statements(self, f: Normal, result: str) -> list[str]:
        factor = "" if f.a == 1 else f"({c_float.number(f.a)})"
        below = " * ".join(filter(None, [_power("t", f.power, factor), "m"]))
        if f.b != 0:
            below = f"aa_fma_f32({_power('t', f.other - 1, f'({c_float.number(-f.b)})')}, t, {below})"
        above = _power("x", f.power, factor) or "1.0f"
        back = hexadecimal(mpmath.mpf(2) ** -self.k, c_float.BITS)
        lines = [
            f"const float {result}_w = {below} * power;",
            f"const float {result}_below = aa_fma_f32({result}_w, more, {result}_w);",
        ]
        sign = f"-{back}" if f.power % 2 else f"(x < 0.0f ? {back} : -{back})"
        base = f"aa_fma_f32({result}_below, {sign}, x < 0.0f ? 0.0f : {above})"
        return [*lines, f"const float {result}_main = {base};"]

    def rounded(self, name: str) -> str:
        return name
