"""Real zeros in closed form: of polynomials, of polynomials in one exponential, and of the Lambert W kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sympy as sp

from analysis.activation.errors import Undecided
from analysis.exact.normal import Quotient, quotient, sign, tidy


@dataclass(frozen=True)
class Zero:
    """A zero at the exact point x, if `condition` on the free constants holds (true where there are none)."""

    x: sp.Expr
    condition: sp.Basic = sp.true


@dataclass(frozen=True)
class Zeros:
    """All zeros of a function in an open interval: the exact ones, and those of the factors in `open`.

    A factor in `open` has no closed form that we know; with `open` empty the list is complete.
    """

    exact: tuple[Zero, ...]
    open: tuple[sp.Expr, ...] = ()


def zeros(f: sp.Expr, x: sp.Symbol, lower: sp.Expr = -sp.oo, upper: sp.Expr = sp.oo) -> Zeros:
    """The real zeros of the kink-free f in (lower, upper); f must not vanish identically."""
    if (root := _shifted(f, x)) is not None:
        return Zeros(tuple(_inside(root, lower, upper)))
    exact: dict[sp.Expr, Zero] = {}
    unsolved: list[sp.Expr] = []
    form = quotient(sp.Mul(*(g for g in sp.Mul.make_args(f) if not g.is_positive)))
    for factor, _ in sp.factor_list(form.numerator)[1]:
        if not form.back(factor).has(x) or form.back(factor).is_positive:
            continue
        try:
            candidates = list(_solve(factor, form, x))
        except Undecided:
            unsolved.append(form.back(factor))
            continue
        for candidate in candidates:
            for zero in _inside(tidy(candidate), lower, upper):
                exact.setdefault(zero.x, zero)
    return Zeros(_sorted(exact.values()), tuple(unsolved))


def _shifted(f: sp.Expr, x: sp.Symbol) -> sp.Rational | None:
    """The number r where f is x - r: the conditions of a function of many pieces are such."""
    rest, along = f.as_coeff_Add()
    return -rest if along == x else None


def between(point: sp.Expr, lower: sp.Expr, upper: sp.Expr) -> sp.Basic:
    """The condition on the free constants for lower < point < upper: true, false, or relations."""
    conditions = []
    for left, right in ((lower, point), (point, upper)):
        try:
            conditions.append(sp.true if sign(right - left) > 0 else sp.false)
        except Undecided:
            conditions.append(_positive(right - left))
    return sp.And(*conditions)


def _positive(value: sp.Expr) -> sp.Basic:
    """value > 0 as a relation solved for a free constant where it is linear in one, else as it stands."""
    value = sp.numer(sp.together(value)) * (
        1 if sp.denom(sp.together(value)).is_positive else sp.denom(sp.together(value))
    )
    if value.is_number:
        raise Undecided(f"the sign of {value}")
    for symbol in sorted(value.free_symbols, key=lambda s: s.name):
        slope = sp.diff(value, symbol)
        if slope.is_number and slope.is_real:
            bound = tidy(symbol - value / slope)
            return symbol > bound if slope > 0 else symbol < bound
    return value > 0


def _inside(point: sp.Expr, lower: sp.Expr, upper: sp.Expr) -> Iterator[Zero]:
    condition = between(point, lower, upper)
    if condition != sp.false:
        yield Zero(point, condition)


def _solve(factor: sp.Expr, form: Quotient, x: sp.Symbol) -> Iterator[sp.Expr]:
    """The real zeros of one irreducible factor; Undecided where we have no closed form."""
    used = [g for g in form.generators if factor.has(g)]
    if not used:
        yield from _polynomial_zeros(factor, x)
        return
    if len(used) > 1:
        raise Undecided("several transcendental functions")
    generator = used[0]
    if generator in form.opaque:
        yield from _square_root_zeros(factor, generator, form.generators[generator], x)
        return
    rate = form.generators[generator].args[0] / x
    if rate.has(x):
        raise Undecided("an exponential of a nonlinear argument")
    if not factor.has(x):
        for root in _polynomial_zeros(factor, generator):
            if sign(root) > 0:
                yield sp.log(root) / rate
        return
    yield from _lambert_zeros(sp.Poly(factor, generator), rate, x)


def _polynomial_zeros(factor: sp.Expr, x: sp.Symbol) -> list[sp.Expr]:
    polynomial = sp.Poly(factor, x)
    if polynomial.degree() < 1:
        return []
    if all(c.is_Rational for c in polynomial.all_coeffs()):
        return sp.real_roots(polynomial, multiple=True)
    if polynomial.degree() == 1:
        return [-polynomial.nth(0) / polynomial.nth(1)]
    if polynomial.degree() == 2:
        return _quadratic_zeros(*polynomial.all_coeffs())
    raise Undecided("a polynomial of degree above 2 with irrational or free coefficients")


def _quadratic_zeros(a: sp.Expr, b: sp.Expr, c: sp.Expr) -> list[sp.Expr]:
    discriminant = b**2 - 4 * a * c
    found = sign(discriminant)
    if found < 0:
        return []
    if found == 0:
        return [-b / (2 * a)]
    return [(-b - sp.sqrt(discriminant)) / (2 * a), (-b + sp.sqrt(discriminant)) / (2 * a)]


def _square_root_zeros(factor: sp.Expr, root: sp.Symbol, meaning: sp.Expr, x: sp.Symbol) -> Iterator[sp.Expr]:
    """Zeros of p(x, sqrt(q(x))): those zeros of the norm p(x, sqrt q) p(x, -sqrt q) at which p itself vanishes."""
    if not (isinstance(meaning, sp.Pow) and meaning.exp == sp.S.Half and meaning.base.is_polynomial(x)):
        raise Undecided("a function without an inverse that we know")
    norm = sp.rem(sp.Poly(factor * factor.subs(root, -root), root), sp.Poly(root**2 - meaning.base, root))
    for candidate in _polynomial_zeros(norm.as_expr(), x):
        if sign(factor.subs(root, meaning).subs(x, candidate)) == 0:
            yield candidate


def _lambert_zeros(polynomial: sp.Poly, rate: sp.Expr, x: sp.Symbol) -> Iterator[sp.Expr]:
    """Zeros of (alpha x + beta) + gamma exp(r x): x = -beta/alpha - W((r gamma/alpha) exp(-r beta/alpha))/r."""
    if polynomial.degree() != 1:
        raise Undecided("an exponential to a higher power beside x")
    linear, constant = sp.Poly(polynomial.nth(0), x), sp.Poly(polynomial.nth(1), x)
    if linear.degree() < constant.degree():  # divide by the exponential
        linear, constant, rate = constant, linear, -rate
    if linear.degree() != 1 or constant.degree() > 0:
        raise Undecided("an exponential times x beside x")
    alpha, beta, gamma = linear.nth(1), linear.nth(0), constant.nth(0)
    argument = tidy(rate * gamma / alpha * sp.exp(-rate * beta / alpha))
    branches = [0] if sign(argument) >= 0 else [0, -1] if sign(argument + sp.exp(-1)) >= 0 else []
    for branch in branches:
        yield -beta / alpha - sp.LambertW(argument, branch) / rate


def _sorted(found) -> tuple[Zero, ...]:
    found = list(found)
    if all(zero.x.is_number for zero in found):
        found.sort(key=lambda zero: zero.x.evalf(30))
    return tuple(found)
