"""Suprema of random differences against dense sampling: never exceeded, and attained at the witness.

Long double finds where the difference is largest, mpmath at 50 digits decides.
"""

import random

import mpmath
import numpy as np
import pytest
import sympy as sp

from analysis.activation import lookup, lowering
from analysis.activation.catalogue import FAMILIES, FUNCTIONS
from analysis.activation.functions import elementary
from analysis.activation.parsing import X
from analysis.exact.pieces import pieces
from analysis.rigorous.distance import supremum

DIGITS = 50
ROUNDING = mpmath.mpf("1e-40")
SPAN = 40  # of the samples on an unbounded domain
FAR = 10**9  # stands for infinity; algebraic tails are this near to their limit
HELD = 3  # of the largest samples, judged by mpmath
MEMBERS = [entry for entry in FAMILIES if entry.name != "lerp"]


def random_function(rng):
    """A catalogue function, a family with random constants, or a mixture of the two."""
    kind = rng.random()
    if kind < 0.3:
        return rng.choice(FUNCTIONS).name
    if kind < 0.9:
        entry = rng.choice(MEMBERS)
        constants = (f"{c.name}={max(c.box[0], round(rng.uniform(*c.box), 3))}" for c in entry.constants)
        return f"{entry.name}({', '.join(constants)})"
    return f"lerp({rng.choice(FUNCTIONS).name}, {rng.choice(FUNCTIONS).name}, {rng.random():.3f})"


def random_case(seed):
    """Two functions and a domain: mostly the whole line."""
    rng = random.Random(seed)
    pair = f"{random_function(rng)} - {random_function(rng)}"
    if rng.random() < 0.7:
        return pair, -sp.oo, sp.oo
    low = sp.Rational(rng.randint(-800, 800), 100)
    return pair, rng.choice([low, -sp.oo]), low + sp.Rational(rng.randint(1, 1600), 100)


def samples(expression, low, high):
    """A grid within the domain, finer beside each breakpoint."""
    first, last = (float(end) for end in (max(low, sp.Integer(-SPAN)), min(high, sp.Integer(SPAN))))
    first, last = np.nextafter(first, last), np.nextafter(last, first)  # ends are no doubles
    kinks = [float(piece.lower) for piece in pieces(expression, X, low, high) if piece.lower.is_finite]
    beside = [kink + sign * 10.0**-k for kink in kinks for sign in (-1, 1) for k in range(1, 12)]
    x = np.concatenate([np.linspace(first, last, 6001), kinks, beside])
    return x[(x >= first) & (x <= last)].astype(np.longdouble)


def check(seed):
    text, low, high = random_case(seed)
    expression = lookup.expression(text)
    found = supremum(expression, low, high)
    exact = sp.lambdify(X, elementary(expression), "mpmath")
    x = samples(expression, low, high)
    size = np.abs(lowering.evaluator(expression)(x))
    with mpmath.workdps(DIGITS):
        if found.reason:
            far = FAR if found.x == sp.oo else -FAR
            assert abs(exact(mpmath.mpf(far))) > FAR / 10**4, (seed, text)
            return
        least, most = (mpmath.mpf(end) for end in found.pair())
        assert most - least <= mpmath.mpf("1.1e-12") * most, (seed, text)
        for place in np.argsort(size)[-HELD:]:
            assert abs(exact(mpmath.mpf(float(x[place])))) <= most + ROUNDING, (seed, text, float(x[place]))
        if found.x.is_infinite:
            attained = abs(exact(mpmath.mpf(FAR if found.x == sp.oo else -FAR))) * (1 + mpmath.mpf(100) / FAR)
        else:
            attained = abs(exact(mpmath.mpf(found.x.p) / found.x.q if found.x.is_Rational else found.x.evalf(DIGITS)))
        assert attained + ROUNDING >= least, (seed, text, found.x)


@pytest.mark.parametrize("chunk", [*range(3), *(pytest.param(n, marks=pytest.mark.proof) for n in range(3, 15))])
def test_150_random_pairs(chunk):
    for seed in range(10 * chunk, 10 * (chunk + 1)):
        check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(100))
def test_10000_random_pairs(chunk):
    for seed in range(100 * chunk, 100 * (chunk + 1)):
        check(seed)
