"""Certified sup norms from both sides: never below a dense high-precision sampling, attained by the witness."""

import itertools

import mpmath
import pytest
import sympy as sp
from flint import arb, ctx

from analysis.activation import lookup
from analysis.activation.errors import Undecided
from analysis.activation.functions import elementary
from analysis.activation.parsing import X
from analysis.exact.pieces import pieces
from analysis.rigorous import balls, distance
from analysis.rigorous.distance import supremum, supremum_of

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


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_a_bound_a_little_above_is_proved_and_one_a_little_below_is_refuted(left, right):
    found = supremum(difference(left, right), tol=1e-10)
    with mpmath.workdps(40):
        sampled, aside = sampled_supremum(difference(left, right)), mpmath.mpf("1e-9")
        low, high = (mpmath.mpf(end) for end in found.pair())
        assert sampled * (1 - aside) < low, "some value is larger than a bound 1e-9 below"
        assert high < sampled * (1 + aside), "no value is larger than a bound 1e-9 above"


@pytest.mark.parametrize("digits", [1, 3, 6, 12, 15, 20, 25, 30])
@pytest.mark.parametrize(("left", "right"), [("mish", "hard_mish"), ("gelu", "quick_gelu"), ("softsign", "tanh")])
def test_printed_pairs_are_as_narrow_as_asked(left, right, digits):
    tolerance = sp.Rational(10) ** -digits
    low, high = map(sp.Rational, supremum(difference(left, right), tol=float(tolerance)).pair())
    finest = list(map(sp.Rational, supremum(difference(left, right), tol=1e-34).pair()))
    assert high - low <= tolerance * high * sp.Rational(101, 100)
    assert low <= finest[0] <= finest[1] <= high


def test_digits_may_be_asked_for():
    found = supremum(difference("softplus", "relu"))
    assert found.pair(4) == ("0.6931", "0.6932")


def test_the_search_runs_each_time(monkeypatch):
    searched = []
    run = distance._Search.over
    monkeypatch.setattr(distance._Search, "over", lambda search, ready: searched.append(search) or run(search, ready))
    assert supremum(difference("mish", "silu")) == supremum(difference("mish", "silu"))
    assert len(searched) == 2


OO = sp.oo
HUGE, THIN = sp.Integer(10) ** 300, sp.Rational(1, 10**40)
KNOWN = [
    # poles and limits at finite ends
    ("1/x", 0, 1, OO),
    ("1/x", -1, 0, OO),
    ("log(x)", 0, 1, OO),
    ("1/(x**2 + 1/1000000)", -OO, OO, 10**6),
    ("sqrt(x) - x", 0, 1, sp.Rational(1, 4)),
    # quotients whose value at an end is a limit
    ("sin(x)/x", 0, 1, 1),
    ("sin(x)/x - 1", -1, 0, 1 - sp.sin(1)),
    ("x/(exp(x) - 1)", 0, OO, 1),
    ("(1 - cos(x))/x**2", 0, 10, sp.Rational(1, 2)),
    ("(1 - cos(x))/x**2 - 1/2", 0, 1, sp.cos(1) - sp.Rational(1, 2)),
    ("log(x)/(x - 1)", 1, 3, 1),
    # suprema attained at infinity alone, with algebraic tails
    ("softsign", -OO, OO, 1),
    ("atan(x)", -OO, OO, sp.pi / 2),
    ("x*atan(x) - abs(x)*pi/2", -OO, OO, 1),
    ("x**4/(1 + x**4)", -OO, OO, 1),
    ("exp(-exp(x))", -OO, OO, 1),
    ("1 + 1/(1 + x**2)", 5, OO, sp.Rational(27, 26)),
    ("sqrt(x**2 + 1) - abs(x)", -OO, OO, 1),
    # domains that are huge, tiny, or end at irrational points
    ("mish - x", 0, HUGE, None),
    ("x - 1", 1, 1 + THIN, THIN),
    ("x", sp.sqrt(2), sp.sqrt(2) + THIN, sp.sqrt(2) + THIN),
    ("exp(x)", -OO, 10**6, sp.exp(10**6)),
    ("sin(x)", 0, 100, 1),
    # steep functions, kinks that almost coincide, distances of zero
    ("swish(beta=10**7) - relu", -OO, OO, sp.LambertW(sp.exp(-1)) / 10**7),
    ("clip(x, -1/10**13, 1/10**13)", -OO, OO, sp.Rational(1, 10**13)),
    ("clip(x, 0, 1) - clip(x, 1/10**16, 1)", -OO, OO, sp.Rational(1, 10**16)),
    ("silu - x/(1 + exp(-x))", -OO, OO, 0),
    ("sin(x)**2 + cos(x)**2 - 1", 0, 1, 0),
    ("relu(x) - relu(x - 1/10**14) - clip(x, 0, 1/10**14)", -OO, OO, 0),
    # what oscillates within an envelope; polynomials times a tail
    ("sin(x)*exp(-x**2)", -OO, OO, None),
    ("sin(x)/(1 + x**2)", -OO, OO, None),
    ("x**6*(gelu - relu)", -OO, OO, None),
    ("mish - x*exp(x)*(exp(x) + 2)/(exp(x)*(exp(x) + 2) + 2)", -OO, OO, 0),
    ("relu - x*exp(x)*(exp(x) + 2)/(exp(x)*(exp(x) + 2) + 2)", -OO, OO, None),
]


@pytest.mark.parametrize(("text", "lower", "upper", "exact"), KNOWN, ids=lambda value: str(value)[:24])
def test_hard_cases(text, lower, upper, exact):
    found = supremum(lookup.expression(text), sp.sympify(lower), sp.sympify(upper))
    if exact == OO:
        assert found.pair() == ("inf", "inf")
        assert "as x tends to" in found.reason
        return
    low, high = found.lower, found.upper
    assert bool(high - low <= high * 1e-12) or high < 1e-90
    if exact is not None:
        with ctx.workprec(300):
            value = balls.enclose(sp.sympify(exact))
            assert low <= value.upper()
            assert value.lower() <= high


@pytest.mark.parametrize(
    ("text", "lower", "upper", "reason"),
    [
        ("1/x", -1, 1, "may be singular"),
        ("sin(x)", -OO, OO, "the tail"),
        ("log(1 + x**2)/(1 + x**2)", -OO, OO, "the tail"),
        ("x*log(x)", 0, 1, "near x"),
    ],
)
def test_what_cannot_be_decided_has_its_reason(text, lower, upper, reason):
    with pytest.raises(Undecided, match=reason):
        supremum(lookup.expression(text), sp.sympify(lower), sp.sympify(upper))


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("-relu(x)", 0),
        ("-exp(-x**2)", 0),
        ("-1/(1 + x**2)", 0),
        ("1 - x**2", 1),
        ("-2 - softplus(x)", -2),
        ("x - relu(x)", 0),
    ],
)
def test_the_supremum_of_f_itself(text, exact):
    low, high = map(sp.Rational, supremum_of(pieces(lookup.expression(text)), size=lambda ball: ball).pair())
    assert low <= exact <= high
    assert high - low <= sp.Rational(1, 10**11)


@pytest.mark.parametrize(
    ("text", "lower", "upper", "exact", "x"),
    [
        ("step(x)*step(-x)", -OO, OO, 1, 0),
        ("{x, x < 0; 1, x <= 0; x, x > 0} - x", -OO, OO, 1, 0),
        ("2*step(x**2 - 2)*step(2 - x**2) - 1", 0, OO, 1, None),
        ("3*step(x**2 - 2)*step(2 - x**2) - 1", 0, OO, 2, sp.sqrt(2)),
        ("step(x)", -1, 0, 1, 0),
        ("step(x)", -2, -1, 0, None),
        ("{x, x < 0; x, x <= 0; x, x > 0} - x", -OO, OO, 0, None),
        ("sigmoid(x)*(1 - step(x)*step(-x))", -OO, 0, sp.Rational(1, 2), None),
    ],
)
def test_a_value_at_a_point_counts(text, lower, upper, exact, x):
    found = supremum(lookup.expression(text), sp.sympify(lower), sp.sympify(upper))
    low, high = map(sp.Rational, found.pair())
    assert low <= exact <= high
    assert high - low <= sp.Rational(1, 10**11)
    assert x is None or found.x == x
