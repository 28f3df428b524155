"""Certified sup norms from both sides: never below a dense high-precision sampling, attained by the witness."""

import itertools

import mpmath
import pytest
import sympy as sp
from flint import arb, ctx

from analysis.activation import lookup
from analysis.activation.functions import elementary
from analysis.activation.parsing import X
from analysis.rigorous import balls
from analysis.rigorous.distance import supremum

PAIRS = [
    ("mish", "hard_mish"),
    ("mish", "hard_swish"),
    ("mish", "silu"),
    ("mish", "relu"),
    ("mish", "approx_mish"),
    ("mish", "linear_swish(s=2, beta=1.25)"),
    ("gelu", "quick_gelu"),
    ("gelu", "gelu_tanh"),
    ("softsign", "tanh"),
    ("x*tanh(exp(x))", "mish"),
]


def difference(left: str, right: str) -> sp.Expr:
    return lookup.function(left).expression - lookup.function(right).expression


def sampled_supremum(expression: sp.Expr) -> mpmath.mpf:
    """The largest |f| on a grid of [-12, 12], climbed by golden sections: a value that f does take."""
    f = sp.lambdify(X, elementary(expression), "mpmath")
    with mpmath.workdps(40):
        points = [mpmath.mpf(k) / 64 for k in range(-12 * 64, 12 * 64 + 1)]
        best = max(points, key=lambda x: abs(f(x)))
        low, high = best - mpmath.mpf(1) / 64, best + mpmath.mpf(1) / 64
        for _ in range(120):
            third = (high - low) / 3
            if abs(f(low + third)) < abs(f(high - third)):
                low += third
            else:
                high -= third
        return abs(f((low + high) / 2))


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_the_enclosure_holds_the_sampled_supremum_and_is_narrow(left, right):
    found = supremum(difference(left, right))
    low, high = (mpmath.mpf(end) for end in found.pair())
    with mpmath.workdps(40):
        sampled = sampled_supremum(difference(left, right))
        assert low - mpmath.mpf("1e-14") <= sampled * (1 + mpmath.mpf("1e-12"))
        assert sampled <= high
        assert high - low <= 2e-12 * high


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_the_witness_attains_the_lower_bound(left, right):
    found = supremum(difference(left, right))
    with ctx.workprec(balls.PRECISION):
        value = abs(balls.evaluator(difference(left, right))(balls.enclose(found.x)))
        assert value.abs_upper() >= found.lower
        assert value.rad() < arb("1e-30")


@pytest.mark.parametrize(
    ("left", "right", "exact"),
    [
        ("softplus", "relu", sp.log(2)),
        ("silu", "relu", sp.LambertW(sp.exp(-1))),
        ("swish(beta=100)", "relu", sp.LambertW(sp.exp(-1)) / 100),
        ("relu6", "relu", sp.oo),
        ("hard_sigmoid", "step(x)", sp.Rational(1, 2)),
        ("tanh", "1", sp.Integer(2)),
        ("elu", "relu", sp.Integer(1)),
        ("squareplus", "relu", sp.Integer(1)),
        ("mish", "mish", sp.Integer(0)),
    ],
)
def test_known_suprema_are_enclosed(left, right, exact):
    low, high = supremum(difference(left, right)).pair()
    if exact == sp.oo:
        assert (low, high) == ("inf", "inf")
        return
    assert sp.Rational(low) <= exact <= sp.Rational(high)
    assert sp.Rational(high) - sp.Rational(low) <= sp.Rational(1, 10**11)


def test_infinite_distance_has_its_reason():
    found = supremum(difference("mish", "leaky_relu"))
    assert found.pair() == ("inf", "inf")
    assert "tends to oo as x tends to -oo" in found.reason


def test_a_compact_domain_ignores_the_rest():
    whole = supremum(difference("elu", "relu"))
    part = supremum(difference("elu", "relu"), sp.Integer(-1), sp.Integer(5))
    assert whole.x == -sp.oo
    assert part.x == -1
    assert sp.Rational(part.pair()[0]) <= 1 - sp.exp(-1) <= sp.Rational(part.pair()[1])


def test_symmetry_and_triangle_inequality():
    names = ["mish", "silu", "gelu", "hard_swish"]
    high = {pair: sp.Rational(supremum(difference(*pair)).pair()[1]) for pair in itertools.permutations(names, 2)}
    low = {pair: sp.Rational(supremum(difference(*pair)).pair()[0]) for pair in high}
    for a, b, c in itertools.permutations(names, 3):
        assert low[a, b] <= high[b, a]
        assert low[a, c] <= high[a, b] + high[b, c]
