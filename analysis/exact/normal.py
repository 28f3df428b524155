"""Normal forms: an expression as a quotient of polynomials in x, exponentials and whatever else stays opaque.

tanh, sigmoid and the like become rational functions of exponentials; exp(c m) with rational c is a power of one
generator exp(g m) for each monomial m. The functions x, exp(x), exp(beta x), exp(x^2), ... are algebraically
independent over the constants (Ax 1971: exponentials of polynomials whose differences are not constant), so with these
generators alone a quotient is zero if and only if its numerator is the zero polynomial.

What would take long is not begun: exponents and values that are too large are looked at first, and leave it undecided.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from analysis.activation.errors import Undecided
from analysis.activation.functions import Phi, elementary, sigmoid, softplus, squareplus

HIGHEST_POWER = 64  # of one generator; beyond, coefficients such as 0.9290406 get generators of their own
MOST_TERMS = 5000  # of a power when it is multiplied out
MOST_BITS = 2**17  # of an exact power, and of the argument of a function that is to be evaluated


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
    if _terms(spelled) > MOST_TERMS:
        raise Undecided(f"a polynomial of more than {MOST_TERMS} terms")
    generators: dict[sp.Symbol, sp.Expr] = {}
    spelled = _name_exponentials(spelled, generators)
    independent = frozenset(generators) if _are_independent(generators) else frozenset()
    spelled = _name_opaque(spelled, generators)
    numerator, denominator = sp.fraction(sp.cancel(sp.together(spelled)))
    return Quotient(numerator, denominator, generators, frozenset(generators) - independent)


def is_zero(expression: sp.Expr, at: Mapping[sp.Symbol, sp.Expr] | None = None) -> bool | None:
    """Whether the kink-free expression vanishes identically; None where the normal form does not tell.

    `at` gives a point of the interval that is meant, where the expression has kinks elsewhere that cannot be seen.
    """
    if expression.is_zero:
        return True
    try:
        if _differs_from_zero_somewhere(expression, at or {}):
            return False
        form = quotient(expression.replace(sp.erf, lambda u: 2 * Phi(sp.sqrt(2) * u) - 1))
        numerator = sp.expand(form.numerator)
        if numerator == 0 or numerator.is_zero:
            return True
        if form.opaque or _constants_may_cancel(numerator):
            return _vanishes_by_trigonometry(expression) or None
    except Undecided:
        return None
    return False


def value_at(expression: sp.Expr, x: sp.Symbol, point: sp.Expr) -> sp.Expr:
    """The exact value at an exact point; Undecided where a power in it would have too many digits to write down."""
    _log2(expression, {x: _log2(point, {})})
    return expression.subs(x, point)


def _vanishes_by_trigonometry(expression: sp.Expr) -> bool:
    """Whether sin u = (exp(iu) - exp(-iu))/(2i) and cos u = (exp(iu) + exp(-iu))/2 make the numerator zero.

    i is a symbol in the normal form, and i^2 + 1 is divided out of the numerator.
    """
    i = sp.Dummy("i", real=True)
    spelled = _spell_trigonometry(expression, i)
    if spelled == expression:
        return False
    numerator = sp.expand(quotient(spelled).numerator)
    return sp.rem(sp.Poly(numerator, i), sp.Poly(i**2 + 1, i)).is_zero


def _spell_trigonometry(e: sp.Expr, i: sp.Symbol) -> sp.Expr:
    """In sums, products and whole powers only: the laws of roots and logarithms do not hold for a symbol i."""
    if isinstance(e, sp.sin):
        return (sp.exp(i * e.args[0]) - sp.exp(-i * e.args[0])) / (2 * i)
    if isinstance(e, sp.cos):
        return (sp.exp(i * e.args[0]) + sp.exp(-i * e.args[0])) / 2
    if isinstance(e, sp.Add | sp.Mul):
        return e.func(*(_spell_trigonometry(a, i) for a in e.args))
    if isinstance(e, sp.Pow) and e.exp.is_Integer:
        return _spell_trigonometry(e.base, i) ** e.exp
    return e


def _differs_from_zero_somewhere(expression: sp.Expr, given: Mapping[sp.Symbol, sp.Expr]) -> bool:
    """Whether sympy's error-tracking evaluation separates the expression from zero at one point."""
    at = {s: sp.Rational(7 + 2 * i, 5) for i, s in enumerate(sorted(expression.free_symbols, key=lambda s: s.name))}
    if any(not s.is_real or s.is_nonpositive for s in at):
        return False
    at |= {s: value for s, value in given.items() if s in at and value.is_number}
    try:
        _log2(expression, {s: _log2(value, {}) for s, value in at.items()})
    except Undecided:
        return False
    value = elementary(expression.subs(at)).evalf(15, maxn=100)
    return bool(value.is_Float and value._prec > 1 and abs(value) > sp.Float("1e-10"))


def sign(value: sp.Expr) -> int:
    """-1, 0 or 1 for an exact constant, or an expression in constants whose assumptions tell; else Undecided.

    A number is separated from zero by sympy's error-tracking evaluation; that it is zero is shown by algebra alone.
    """
    if value.is_Rational:
        return (value.p > 0) - (value.p < 0)
    for known in (value, None):
        value = tidy(value) if known is None else known
        if value.is_zero:
            return 0
        if value.is_extended_positive:
            return 1
        if value.is_extended_negative:
            return -1
    if value.is_number:
        _log2(value, {})
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
    if value.is_Rational:
        return value
    plain = elementary(value)
    if plain.has(sp.LambertW):
        plain = plain.replace(sp.exp, _unfold_lambert)
    forms = [plain, sp.expand(plain)]
    if not _has_high_powers(plain):
        forms += [sp.cancel(plain), sp.factor(plain)]
    if plain.is_number and plain.has(sp.tanh, sp.log) and not plain.has(sp.CRootOf):
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


# how large it would be


def _terms(e: sp.Basic) -> float:
    """About how many terms a polynomial in what stands in it has when it is multiplied out."""
    if isinstance(e, sp.Add):
        return sum(map(_terms, e.args))
    if isinstance(e, sp.Mul):
        return math.prod(map(_terms, e.args))
    if isinstance(e, sp.Pow) and e.exp.is_Integer and isinstance(e.base, sp.Add):
        terms, n = _terms(e.base), abs(int(e.exp))
        return math.comb(n + len(e.base.args) - 1, n) if terms <= MOST_TERMS and n <= MOST_TERMS else math.inf
    return 1


def _log2(e: sp.Basic, known: dict[sp.Symbol, float]) -> float:
    """About |log2 |e||, as an upper estimate; Undecided where a part of e is too large to write down or to evaluate.

    Only a guard against long computations: no verdict rests on it.
    """
    if e.is_Rational:
        return int(e.p).bit_length() + int(e.q).bit_length()
    if not e.args:
        return known.get(e, 2.0)
    sizes = [_log2(a, known) for a in e.args]
    if isinstance(e, sp.Add):
        return max(sizes) + math.log2(len(sizes))
    if isinstance(e, sp.Mul):
        return sum(sizes)
    if isinstance(e, sp.Pow) and not isinstance(e, sp.exp):
        if e.exp.is_Rational:
            size = sizes[0] * abs(float(e.exp))
        else:
            size = sizes[0] * 2.0 ** min(sizes[1], 1000.0)
        if size > MOST_BITS:
            raise Undecided(f"the value of {e.func.__name__.lower()} of {size:.0g} bits")
        return size
    if isinstance(e, sp.Function | sp.exp) and max(sizes) > MOST_BITS:
        raise Undecided(f"a value of {type(e).__name__} at {max(sizes):.0g} bits")
    return 1.5 * 2.0 ** min(sizes[0], 1000.0) if isinstance(e, sp.exp) else max(sizes)


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
    """Whether the exponents are known to be linearly independent over the rationals, and to be what Ax speaks of.

    exp(x/7) and exp(x/3) are powers of one function, and exp(x/(1 + x)) exp(1/(1 + x)) is constant: each exponent must
    be a product of powers of symbols and of exponentials of such, no two alike but for a constant of unclear ratio.
    """
    monomials = [e.args[0].as_coeff_Mul()[1].as_independent(*e.free_symbols, as_Add=False) for e in generators.values()]
    seen: dict[sp.Expr, list[sp.Expr]] = defaultdict(list)
    for constant, monomial in monomials:
        if not _is_monomial(monomial):
            return False
        seen[monomial].append(constant)
    return all(len(c) == 1 or (len(c) == 2 and sp.S.One in c and math.prod(c).is_irrational) for c in seen.values())


def _is_monomial(e: sp.Expr) -> bool:
    for factor in sp.Mul.make_args(e):
        base, power = factor.as_base_exp() if not isinstance(factor, sp.exp) else (factor, sp.S.One)
        if isinstance(base, sp.exp):
            if not all(
                _is_monomial(t.as_independent(*t.free_symbols, as_Add=False)[1]) for t in sp.Add.make_args(base.args[0])
            ):
                return False
        elif not (base.is_Symbol and power.is_Integer):
            return False
    return True


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
