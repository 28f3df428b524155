"""log(u) taken apart where u > 0: into logarithms of the factors of u, each of which keeps its sign on an interval.

u = c g1^m1 g2^m2 ... with coprime factors g gives log u = log|c| + m1 log|g1| + m2 log|g2| + ..., which makes
log(x^2) and 2 log|x| the same expression on either side of zero.
"""

from __future__ import annotations

import sympy as sp

from analysis.activation.errors import Undecided
from analysis.activation.functions import recognise
from analysis.exact.normal import quotient, sign, value_at
from analysis.exact.pieces import interior_point

LARGEST = 10**12  # number that is split into primes


def expanded(expression: sp.Expr, x: sp.Symbol, lower: sp.Expr, upper: sp.Expr) -> sp.Expr:
    """The kink-free expression on (lower, upper), where the arguments of its logarithms must be known to be positive.

    A logarithm whose argument's factors have no sign that we can tell stays as it is.
    """

    def apart(argument: sp.Expr) -> sp.Expr:
        try:
            return _apart(argument, x, interior_point(lower, upper))
        except Undecided:
            return sp.log(argument)

    return recognise(expression.replace(sp.log, apart))


def _apart(argument: sp.Expr, x: sp.Symbol, inside: sp.Expr) -> sp.Expr:
    form = quotient(argument)
    total: sp.Expr = sp.S.Zero
    for polynomial, direction in ((form.numerator, 1), (form.denominator, -1)):
        constant, factors = sp.factor_list(polynomial)
        total += direction * _log_of_constant(abs(constant))
        for factor, power in factors:
            total += direction * power * _log_of_size(factor, form.back(factor), x, inside)
    return total


def _log_of_size(factor: sp.Expr, meaning: sp.Expr, x: sp.Symbol, inside: sp.Expr) -> sp.Expr:
    """log|factor|, by its sign at a point of the interval on which it does not vanish."""
    if factor.is_Symbol and isinstance(meaning, sp.exp):
        return meaning.args[0]
    return sp.log(sign(value_at(meaning, x, inside)) * meaning)


def _log_of_constant(value: sp.Expr) -> sp.Expr:
    if not value.is_Rational or max(value.p, value.q) > LARGEST:
        return sp.log(value)
    primes = [(int(p), k) for p, k in sp.factorint(value.p).items()]
    primes += [(int(p), -k) for p, k in sp.factorint(value.q).items()]
    return sp.Add(*(k * sp.log(p) for p, k in primes))
