"""Normal forms: an expression as a quotient of polynomials in x, exponentials and whatever else stays opaque.

tanh, sigmoid and the like become rational functions of exponentials; exp(c m) with rational c is a power of one
generator exp(g m) for each monomial m. The functions x, exp(x), exp(beta x), exp(x^2), ... are algebraically
independent over the constants (Ax 1971: exponentials of polynomials whose differences are not constant), so with these
generators alone a quotient is zero if and only if its numerator is the zero polynomial.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from analysis.activation.errors import Undecided
from analysis.activation.functions import Phi, elementary, sigmoid, softplus, squareplus

HIGHEST_POWER = 64  # of one generator; beyond, coefficients such as 0.9290406 get generators of their own


@dataclass(frozen=True)
class Quotient:
    """numerator/denominator in `generators` (symbol: what it stands for).

    The `opaque` ones are no exponentials, or exponentials that depend on one another.
    """

    numerator: sp.Expr
    denominator: sp.Expr
    generators: dict[sp.Symbol, sp.Expr]
    opaque: frozenset[sp.Symbol]

    def back(self, expression: sp.Expr) -> sp.Expr:
        """The expression with every generator replaced by what it stands for."""
        return expression.xreplace(self.generators)


@lru_cache(maxsize=1024)
def quotient(expression: sp.Expr) -> Quotient:
    """The expression, which must be free of kinks, as numerator over denominator without common factor."""
    spelled = _spell(expression)
    generators: dict[sp.Symbol, sp.Expr] = {}
    spelled = _name_exponentials(spelled, generators)
    independent = frozenset(generators) if _are_independent(generators) else frozenset()
    spelled = _name_opaque(spelled, generators)
    numerator, denominator = sp.fraction(sp.cancel(sp.together(spelled)))
    return Quotient(numerator, denominator, generators, frozenset(generators) - independent)


def is_zero(expression: sp.Expr) -> bool | None:
    """Whether the kink-free expression vanishes identically; None where the normal form does not tell."""
    if expression.is_zero:
        return True
    if _differs_from_zero_somewhere(expression):
        return False
    form = quotient(expression)
    numerator = sp.expand(form.numerator)
    if numerator == 0 or numerator.is_zero:
        return True
    if form.opaque or _constants_may_cancel(numerator):
        return None
    return False


def _differs_from_zero_somewhere(expression: sp.Expr) -> bool:
    """Whether sympy's error-tracking evaluation separates the expression from zero at one point."""
    at = {s: sp.Rational(7 + 2 * i, 5) for i, s in enumerate(sorted(expression.free_symbols, key=lambda s: s.name))}
    if any(not s.is_real or s.is_nonpositive for s in at):
        return False
    value = elementary(expression.subs(at)).evalf(15, maxn=100)
    return bool(value.is_Float and value._prec > 1 and abs(value) > sp.Float("1e-10"))


def sign(value: sp.Expr) -> int:
    """-1, 0 or 1 for an exact constant, or an expression in constants whose assumptions tell; else Undecided.

    A number is separated from zero by sympy's error-tracking evaluation; that it is zero is shown by algebra alone.
    """
    for known in (value, None):
        value = tidy(value) if known is None else known
        if value.is_zero:
            return 0
        if value.is_extended_positive:
            return 1
        if value.is_extended_negative:
            return -1
    if value.is_number:
        approximate = elementary(value).evalf(30, maxn=400)
        if approximate.is_Float and approximate._prec > 1 and abs(approximate) > sp.Float("1e-40"):
            return int(sp.sign(approximate))
        if is_zero(value):
            return 0
    raise Undecided(f"the sign of {value}")


def rational_form(expression: sp.Expr) -> sp.Expr | None:
    """The kink-free expression as one factored fraction in x and one exponential; None if it holds anything else."""
    form = quotient(expression)
    if form.opaque or len(form.generators) > 1:
        return None
    return form.back(sp.factor(form.numerator)) / form.back(sp.factor(form.denominator))


def tidy(value: sp.Expr) -> sp.Expr:
    """A short exact form: the least costly of the value itself, its elementary, cancelled and factored forms."""
    plain = elementary(value)
    if plain.has(sp.LambertW):
        plain = plain.replace(sp.exp, _unfold_lambert)
    forms = [plain, sp.expand(plain)]
    if not _has_high_powers(plain):
        forms += [sp.cancel(plain), sp.factor(plain)]
    if plain.is_number and plain.has(sp.tanh, sp.log):
        forms.append(sp.simplify(plain.rewrite(sp.exp)))
    return min(forms, key=lambda form: (sp.count_ops(form), len(str(form)), str(form)))


def _has_high_powers(expression: sp.Expr) -> bool:
    """Whether sympy would read some exp(p/q z) as exp(z/q)^p with p so large that polynomials in it take forever."""
    exponents = [sp.expand(e.args[0]) for e in expression.atoms(sp.exp)]
    coefficients = [term.as_coeff_Mul()[0] for exponent in exponents for term in sp.Add.make_args(exponent)]
    return any(c.is_Rational and abs(c.p) > HIGHEST_POWER for c in coefficients)


def _unfold_lambert(exponent: sp.Expr) -> sp.Expr:
    """exp(k W(z) + c) = (z/W(z))^k exp(c) for integer k, as W exp(W) = z."""
    factor, rest = sp.S.One, sp.S.Zero
    for term in sp.Add.make_args(sp.expand(exponent)):
        times, w = term.as_coeff_Mul()
        if isinstance(w, sp.LambertW) and times.is_Integer:
            factor *= (w.args[0] / w) ** times
        else:
            rest += term
    return factor * sp.exp(rest)


# spelling out


def _spell(expression: sp.Expr) -> sp.Expr:
    """Rational in exponentials where possible; softplus and Phi of an argument and of its negative made one."""
    expression = expression.replace(
        softplus, lambda u: softplus(-u) + u if u.could_extract_minus_sign() else softplus(u)
    )
    expression = expression.replace(Phi, lambda u: 1 - Phi(-u) if u.could_extract_minus_sign() else Phi(u))
    expression = expression.replace(squareplus, squareplus.elementary)
    expression = expression.replace(sigmoid, sigmoid.elementary)
    for head in (sp.tanh, sp.sech, sp.cosh, sp.sinh):
        expression = expression.replace(head, lambda u, h=head: h(u).rewrite(sp.exp))
    return expression.replace(sp.exp, _spell_exp)


def _softplus_of_positive(u: sp.Expr) -> sp.Expr:
    return u + softplus(-u) if u.could_extract_minus_sign() else softplus(u)


def _spell_exp(exponent: sp.Expr) -> sp.Expr:
    """exp(sum) as a product; exp(k softplus(u)) = (1 + exp(u))^k."""
    factors = []
    for term in sp.Add.make_args(sp.expand(exponent)):
        softpluses = [f for f in sp.Mul.make_args(term) if isinstance(f, softplus)]
        if len(softpluses) == 1 and not (power := term / softpluses[0]).has(softplus):
            factors.append((1 + _spell_exp(softpluses[0].args[0])) ** power)
        else:
            factors.append(sp.exp(term))
    return sp.Mul(*factors)


def _name_exponentials(expression: sp.Expr, generators: dict) -> sp.Expr:
    by_monomial: dict[sp.Expr, list[sp.Rational]] = defaultdict(list)
    for e in expression.atoms(sp.exp):
        for term in sp.Add.make_args(e.args[0]):
            coefficient, monomial = term.as_coeff_Mul()
            if monomial.free_symbols:
                by_monomial[monomial].append(coefficient)
    names: dict[tuple[sp.Expr, sp.Rational], tuple[sp.Symbol, sp.Rational]] = {}
    for monomial, coefficients in sorted(by_monomial.items(), key=lambda item: sp.default_sort_key(item[0])):
        for unit, multiples in _units(coefficients):
            symbol = sp.Dummy("E", positive=True)
            generators[symbol] = sp.exp(unit * monomial)
            names |= {(monomial, c): (symbol, unit) for c in multiples}

    def rename(exponent: sp.Expr) -> sp.Expr:
        factors = []
        for term in sp.Add.make_args(exponent):
            coefficient, monomial = term.as_coeff_Mul()
            if (monomial, coefficient) in names:
                symbol, unit = names[monomial, coefficient]
                factors.append(symbol ** (coefficient / unit))
            else:
                factors.append(sp.exp(term))
        return sp.Mul(*factors)

    return expression.replace(sp.exp, rename)


def _units(coefficients: list[sp.Rational]) -> list[tuple[sp.Rational, list[sp.Rational]]]:
    """One unit of which all coefficients are small multiples; else a unit for each size of coefficient."""
    distinct = list(dict.fromkeys(coefficients))
    unit = sp.Rational(math.gcd(*(int(c.p) for c in distinct)), math.lcm(*(int(c.q) for c in distinct)))
    if max(abs(c / unit) for c in distinct) <= HIGHEST_POWER:
        return [(unit, distinct)]
    sizes = list(dict.fromkeys(abs(c) for c in distinct))
    return [(size, [c for c in distinct if abs(c) == size]) for size in sizes]


def _are_independent(generators: dict) -> bool:
    """Whether no monomial has two generators: exp(x/7) and exp(x/3) are powers of one function."""
    monomials = [e.args[0].as_coeff_Mul()[1] for e in generators.values()]
    return len(set(monomials)) == len(monomials)


def _name_opaque(expression: sp.Expr, generators: dict) -> sp.Expr:
    """Gives a symbol to each function of x that polynomials cannot express, the largest such subexpression first."""

    def is_opaque(e: sp.Basic) -> bool:
        if not getattr(e, "free_symbols", None):
            return False
        if isinstance(e, sp.Function):
            return True
        return isinstance(e, sp.Pow) and not e.exp.is_Integer

    known: dict[sp.Expr, sp.Symbol] = {}

    def symbol(e: sp.Expr) -> sp.Symbol:
        if e not in known:
            known[e] = sp.Dummy("U", real=True)
            generators[known[e]] = e.xreplace(generators)
        return known[e]

    def name(e: sp.Basic) -> sp.Basic:
        if isinstance(e, sp.Pow) and e.exp.is_Rational and e.exp.q != 1 and abs(e.exp.p) <= HIGHEST_POWER:
            root = sp.Pow(e.base, sp.Rational(1, e.exp.q), evaluate=False)
            return symbol(root) ** e.exp.p if is_opaque(root) else e
        if is_opaque(e):
            return symbol(e)
        return e.func(*map(name, e.args)) if e.args else e

    return name(expression)


def _constants_may_cancel(numerator: sp.Expr) -> bool:
    """Whether some coefficient is irrational, so that sympy might not have seen that it is zero."""
    return bool(numerator.atoms(sp.Function) | {p for p in numerator.atoms(sp.Pow) if not p.exp.is_Integer})
