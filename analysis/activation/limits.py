"""How large an expression a user's text may become, looked at before sympy is asked to build it.

sympy evaluates while it builds: exp(1e60*log(2)) would be a power of two with 10^60 digits, sin(exp(exp(20))) needs pi
to 10^8 digits, and each mish(mish(...)) doubles the tree. So every part of an expression is measured when it is new,
and what would make the next step long is refused before that step:

    nodes of the tree                                at most 4000, of a derivative before it is shortened 60,000
    digits of numerator or denominator               at most 1000, under a root 400
    numeric exponents                                at most 10,000, denominators at most 10^9, no less than 10^-9 on a
                                                     constant (whose powers would be too near to one to be told from it)
    numbers in a variable exponent over a number     at most 1000; so are factors of the logarithm of a number
    constants (no x, no free names)                  between 10^-1000 and 10^1000 in size, or zero; at most 60 nodes
    abs, sign, max, min inside one another           at most 24
"""

from __future__ import annotations

import math
from functools import lru_cache

import sympy as sp

from analysis.activation import functions
from analysis.activation.errors import BadInput

MAX_NODES = 4000
MAX_NODES_OF_DERIVATIVE = 60_000
MAX_DIGITS = 1000
MAX_DIGITS_UNDER_ROOT = 400
MAX_POWER = 10_000
MAX_ROOT = 10**9
MAX_FACTOR = 1000  # of a variable exponent over a number, and of the logarithm of a number
MAX_MAGNITUDE = 1000  # decimal, of a constant
MAX_NODES_OF_CONSTANT = 60  # sympy evaluates a constant whenever it is asked for a sign
MAX_NESTED_KINKS = 24  # sympy compares the arguments of each with all below it

_BITS = math.log2(10)


class TooLarge(BadInput):
    """The next step would be long; the message says what was expected."""


@lru_cache(maxsize=16_384)
def nodes(e: sp.Basic) -> int:
    """The size of the tree, in which a shared part counts as often as it stands; TooLarge beyond what is allowed."""
    size = 1 + sum(nodes(a) for a in e.args)
    if size > MAX_NODES:
        raise TooLarge(f"expected an expression of at most {MAX_NODES} parts")
    if e.is_number and size > 1 and _nodes_when_evaluated(e) > MAX_NODES_OF_CONSTANT:
        raise TooLarge(f"expected constants of at most {MAX_NODES_OF_CONSTANT} parts")
    if _nested_kinks(e) > MAX_NESTED_KINKS:
        raise TooLarge(f"expected at most {MAX_NESTED_KINKS} of abs, sign, max and min inside one another")
    if isinstance(e, sp.Expr):
        _check(e)
    return size


@lru_cache(maxsize=16_384)
def _nodes_when_evaluated(e: sp.Basic) -> int:
    """As `nodes`, with the argument of squareplus counted twice, as it stands in what is evaluated."""
    return 1 + sum(map(_nodes_when_evaluated, e.args)) * (2 if isinstance(e, functions.squareplus) else 1)


@lru_cache(maxsize=16_384)
def _nested_kinks(e: sp.Basic) -> int:
    return isinstance(e, sp.Abs | sp.sign | sp.Max | sp.Min) + max(map(_nested_kinks, e.args), default=0)


def check_power(base: sp.Expr, exponent: sp.Expr) -> None:
    """Refuses base**exponent where sympy would make a number of too many digits, or factor one for its roots."""
    if exponent.is_Rational:
        if abs(exponent) > MAX_POWER or _digits_of_factors(base) * abs(float(exponent)) > MAX_DIGITS:
            raise TooLarge("expected a smaller power")
        if not exponent.is_Integer and _digits_of_factors(base) > MAX_DIGITS_UNDER_ROOT:
            raise TooLarge(f"expected at most {MAX_DIGITS_UNDER_ROOT} digits under a root")
    elif not exponent.free_symbols and base.is_number:
        # A power of logarithms may be a power of numbers: 2**(60*log(10)/log(2)).
        far = abs(_approximately(exponent)) * (abs(_log10(base)) + 1) > MAX_MAGNITUDE
        if far:
            raise TooLarge("expected a smaller power")


def check_function(head: object, arguments: list[sp.Expr]) -> None:
    """Refuses an exponential of a constant that is far from one."""
    if head is sp.exp and not arguments[0].free_symbols:
        _check_exponent(arguments[0])


def check_substitution(body: sp.Expr, x: sp.Symbol, argument: sp.Expr) -> None:
    """Refuses body(argument) where it would be too large a tree."""
    if nodes(body) + body.count(x) * nodes(argument) > MAX_NODES:
        raise TooLarge(f"expected an expression of at most {MAX_NODES} parts")


def check_derivative(e: sp.Expr) -> None:
    """Refuses a derivative whose product rules alone write too much."""
    if _nodes_of_derivative(e) > MAX_NODES_OF_DERIVATIVE:
        raise TooLarge("expected a shorter expression to differentiate")


@lru_cache(maxsize=4096)
def _nodes_of_derivative(e: sp.Basic) -> int:
    inner = sum(_nodes_of_derivative(a) for a in e.args if a.free_symbols)
    if isinstance(e, sp.Mul):
        return inner + len(e.args) * nodes(e)
    return inner + 4 * nodes(e) if e.args and not isinstance(e, sp.Add | sp.Piecewise) else inner + nodes(e)


def _check(e: sp.Expr) -> None:
    """What one node may not be; its parts have been looked at before."""
    if e.is_Rational:
        if _digits(e) > MAX_DIGITS:
            raise TooLarge(f"expected numbers of at most {MAX_DIGITS} digits")
        return
    if isinstance(e, sp.exp):
        if not e.args[0].free_symbols:
            _check_exponent(e.args[0])
    elif isinstance(e, sp.Pow):
        if e.exp.is_Rational and abs(e.exp) > MAX_POWER:
            raise TooLarge(f"expected powers of at most {MAX_POWER}")
        is_near_one = not e.free_symbols and _log10(e.exp) < -math.log10(MAX_ROOT)
        if is_near_one or (e.exp.is_Rational and e.exp.q > MAX_ROOT):
            raise TooLarge(f"expected roots of at most {MAX_ROOT:.0e}")
        if e.base.is_number and e.exp.free_symbols and _largest_number(e.exp) > MAX_FACTOR:
            raise TooLarge(f"expected numbers of at most {MAX_FACTOR} in the variable exponent of a number")
    elif isinstance(e, sp.Mul):
        has_logarithm = any(isinstance(f, sp.log) and f.is_number for f in e.args)
        if has_logarithm and abs(e.as_coeff_Mul()[0]) > MAX_FACTOR:
            raise TooLarge(f"expected a factor of at most {MAX_FACTOR} at the logarithm of a number")
    grows = isinstance(e, sp.Add | sp.Mul | sp.Pow)  # the other functions grow no faster than their arguments
    if grows and not e.free_symbols and abs(_log10(e)) > MAX_MAGNITUDE:
        raise TooLarge(f"expected constants between 1e-{MAX_MAGNITUDE} and 1e{MAX_MAGNITUDE}")


def _check_exponent(value: sp.Expr) -> None:
    limit = MAX_MAGNITUDE * math.log(10)
    if not abs(_approximately(value)) <= limit:
        raise TooLarge(f"expected an exponent of e of at most {limit:.0f} where it is a constant")


def _approximately(value: sp.Expr) -> sp.Expr:
    """Two digits of a constant that is small enough to be evaluated; its parts have been looked at before."""
    approximate = value.evalf(2, maxn=100)
    return approximate if approximate.is_Float else sp.Float(0)


def _log10(value: sp.Expr) -> float:
    approximate = _approximately(value)
    if not approximate:
        return 0.0
    mantissa, exponent = approximate._mpf_[1], approximate._mpf_[2]
    return (exponent + math.log2(int(mantissa))) / _BITS


def _digits(value: sp.Expr) -> int:
    return int(max(int(value.p).bit_length(), int(value.q).bit_length()) / _BITS) + 1


def _digits_of_factors(base: sp.Expr) -> float:
    """The digits of the numbers in a product, which sympy raises to a power one by one."""
    if base.is_Rational:
        return 0 if abs(base) == 1 else _digits(base)
    if isinstance(base, sp.Mul):
        return sum(map(_digits_of_factors, base.args))
    if isinstance(base, sp.Pow) and base.exp.is_Rational:
        return _digits_of_factors(base.base) * max(1.0, abs(float(base.exp)))
    return 0


def _largest_number(e: sp.Expr) -> sp.Rational:
    return max((abs(n) for n in e.atoms(sp.Rational)), default=sp.S.Zero)
