"""L2 norms and Gaussian root mean squares from both sides: closed forms, and mpmath's quadrature at 30 digits."""

import itertools
import signal
from fractions import Fraction

import mpmath
import pytest
import sympy as sp

from analysis.activation.errors import OutOfTime, Undecided
from analysis.activation.lookup import expression
from analysis.activation.parsing import X
from analysis.exact.pieces import Piece
from analysis.rigorous.integral import TooWide, gaussian, l2, l2_of
from tests import oracles

REACH = 60  # the differences below fall like x exp(-x) at the least
PAIRS = [
    ("mish", "hard_mish"),
    ("mish", "silu"),
    ("gelu", "quick_gelu"),
    ("gelu", "gelu_tanh"),
    ("mish", "relu"),
    ("mish", "linear_swish(s=2, beta=1.25)"),
    ("approx_mish", "cubic_hard_mish"),
    ("beta_mish", "split_hard_gate(b=3, p=7, q=5)"),
]


def quadrature(left: str, right: str, weight, lower: int, upper: int) -> mpmath.mpf:
    """The root of the integral of weight times (left - right)^2, at 30 digits; ends at the kinks."""
    f, g = oracles.FUNCTIONS[left], oracles.FUNCTIONS[right]
    kinks = [mpmath.mpf(k) for name in (left, right) for k in oracles.KINKS.get(name, (0, {}))[1]]
    ends = sorted({lower, upper, *(k for k in (*kinks, *range(-REACH, REACH, 4)) if lower < k < upper)})
    return mpmath.sqrt(mpmath.quad(lambda x: weight(x) * (f(x) - g(x)) ** 2, ends))


def assert_holds(pair: tuple[str, str], known, slack: str = "1e-9") -> None:
    """The pair holds the number; that it is larger, or smaller, by the relative `slack` is refuted."""
    low, high, known, slack = (mpmath.mpf(v) for v in (*pair, known, slack))
    noise = mpmath.mpf(10) ** -25  # of the quadrature
    assert low <= known * (1 + noise)
    assert known * (1 - noise) <= high
    assert known * (1 - slack) < low
    assert high < known * (1 + slack)


@pytest.fixture(autouse=True)
def thirty_digits():
    with mpmath.workdps(30):
        yield


# both sides


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_l2_holds_the_quadrature(left, right):
    known = quadrature(left, right, lambda x: 1, -REACH, REACH)
    assert_holds(l2(expression(f"{left} - ({right})")).pair(), known, "1e-12")


@pytest.mark.parametrize(("left", "right"), PAIRS[:4])
@pytest.mark.parametrize("sigma", [0.5, pytest.param(3.0, marks=pytest.mark.proof)])
def test_gaussian_holds_the_quadrature(left, right, sigma):
    known = quadrature(left, right, lambda x: mpmath.npdf(x, 0, sigma), -REACH, REACH)
    assert_holds(gaussian(expression(f"{left} - ({right})"), sigma).pair(), known, "1e-12")


@pytest.mark.parametrize(("left", "right"), [("elu", "hard_sigmoid"), ("relu", "leaky_relu"), ("softsign", "tanh")])
def test_a_bounded_domain_holds_the_quadrature(left, right):
    known = quadrature(left, right, lambda x: 1, -5, 7)
    assert_holds(l2(expression(f"{left} - {right}"), sp.Integer(-5), sp.Integer(7)).pair(), known, "1e-12")


@pytest.mark.parametrize(
    ("text", "square"),
    [
        ("relu - softplus", sp.zeta(3) / 2),
        ("silu - relu", 3 * sp.zeta(3) - sp.pi**2 / 3),
        ("hard_swish - relu", sp.Rational(9, 20)),
        ("hard_mish - relu", sp.Rational(11, 30)),
        ("squareplus - relu", sp.Rational(8, 3)),
        ("exp(-x**2)", sp.sqrt(sp.pi / 2)),
        ("1/(1 + x**2)", sp.pi / 2),
        ("1/(1 + x**2)**(3/8)", sp.sqrt(sp.pi) * sp.gamma(sp.Rational(1, 4)) / sp.gamma(sp.Rational(3, 4))),
        ("x*sigmoid(x)*sigmoid(-x)", (sp.pi**2 - 6) / 18),
    ],
)
def test_l2_in_closed_form(text, square):
    assert_holds(l2(expression(text)).pair(), str(sp.sqrt(square).n(35)))


@pytest.mark.parametrize("text", ["mish - mish", "tanh - (2*sigmoid(2*x) - 1)", "relu + relu(-x) - abs(x)"])
def test_a_difference_that_vanishes_has_size_zero(text):
    assert l2(expression(text)).pair() == gaussian(expression(text)).pair() == ("0", "0")


@pytest.mark.parametrize(
    ("text", "sigma", "square"),
    [
        ("relu", 1.0, sp.Rational(1, 2)),
        ("relu - leaky_relu", 2.0, sp.Rational(2, 10**4)),
        ("x**3", 1.0, sp.Integer(15)),
        ("step(x) - step(x - 1)", 1.0, sp.erf(sp.sqrt(2) / 2) / 2),
        ("exp(-x**2)", 1.0, 1 / sp.sqrt(5)),
        ("Phi(x)", 1.0, sp.Rational(1, 3)),
        ("x", 1e-6, sp.Rational(1e-6) ** 2),
        ("x", 1e6, sp.Integer(10) ** 12),
    ],
)
def test_gaussian_in_closed_form(text, sigma, square):
    assert_holds(gaussian(expression(text), sigma).pair(), str(sp.sqrt(square).n(35)))


def test_a_steeper_swish_is_nearer_by_a_power():
    """||swish_beta - relu|| = beta^(-3/2) ||silu - relu||."""
    for beta in (1e-3, 100, 1e6):
        found = l2(expression(f"swish(beta={beta}) - relu")).pair()
        known = mpmath.sqrt(3 * mpmath.zeta(3) - mpmath.pi**2 / 3) / mpmath.mpf(beta) ** 1.5
        assert_holds(found, known)


def test_squares_add_up_over_the_domain():
    f = expression("mish - hard_mish")
    whole, *parts = (
        [Fraction(end) ** 2 for end in l2(f, *map(sp.sympify, ends)).pair()]
        for ends in (("-oo", "oo"), ("-oo", "-1"), ("-1", "sqrt(2)"), ("sqrt(2)", "oo"))
    )
    low, high = (sum(ends) for ends in zip(*parts, strict=True))
    assert max(low, whole[0]) <= min(high, whole[1])


@pytest.mark.parametrize("tol", [1e-3, 1e-8, 1e-16, 1e-25])
def test_the_tolerance_is_met(tol):
    for size in (l2(expression("mish - hard_mish"), tol=tol), gaussian(expression("gelu - quick_gelu"), tol=tol)):
        assert size.upper - size.lower <= size.lower * tol


def test_what_rounding_hides_at_first_is_found():
    """x - mish(x) = 2 x/((1 + e^x)^2 + 1)."""
    size = l2(expression("mish - x"), sp.Integer(100))
    scale = mpmath.exp(200)  # as the tolerance of the quadrature is absolute
    square = mpmath.quad(lambda x: (scale * 2 * x / ((1 + mpmath.exp(x)) ** 2 + 1)) ** 2, range(100, 130, 2))
    assert_holds(size.pair(), mpmath.sqrt(square) / scale)


# infinite and undecided


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mish - leaky_relu", "tends to oo as x tends to -oo"),
        ("elu - relu", "tends to -1 as x tends to -oo"),
        ("1/sqrt(1 + x**2) + exp(x)/(1 + exp(x))", "tends to 1 as x tends to oo"),
        ("(1 + x**2)**(-1/4)", "falls no faster than |x|**(-1/2)"),
    ],
)
def test_an_infinite_distance_has_its_reason(text, reason):
    size = l2(expression(text))
    assert size.pair() == ("inf", "inf")
    assert reason in size.reason


@pytest.mark.parametrize(
    ("measure", "text", "lower", "upper"),
    [(l2, "1/x", -1, 1), (l2, "log(x)", 0, 4), (l2, "sin(x)", 0, sp.oo), (gaussian, "exp(x)", 0, sp.oo)],
)
def test_what_the_methods_do_not_reach_is_undecided(measure, text, lower, upper):
    with pytest.raises(Undecided):
        measure(expression(text), lower=sp.sympify(lower), upper=sp.sympify(upper))


def test_a_time_limit_ends_an_integral():
    def stop(*_):
        raise OutOfTime

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(OutOfTime):
            l2(expression("sin(x**2)*tanh(sin(x))"), sp.Integer(-3000), sp.Integer(3000))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


# the catalogue


@pytest.mark.parametrize("name", oracles.FUNCTIONS)
@pytest.mark.parametrize("other", ["relu", *(pytest.param(one, marks=pytest.mark.proof) for one in ("mish", "tanh"))])
def test_every_catalogued_function_has_a_size(name, other):
    f = expression(f"{name} - {other}")
    for size in (l2(f), gaussian(f)):
        assert size.reason or 0 <= size.upper - size.lower <= size.lower * 1e-12


@pytest.mark.slow
def test_every_pair_of_the_catalogue_has_a_size():
    for left, right in itertools.combinations(oracles.FUNCTIONS, 2):
        for measure in (l2, gaussian):
            size = measure(expression(f"{left} - ({right})"))
            assert size.reason or size.upper - size.lower <= size.lower * 1e-12


# far away


@pytest.mark.parametrize(
    ("text", "lower", "upper", "square"),
    [
        ("silu", 30000, 40000, sp.Integer(40000**3 - 30000**3) / 3),
        ("silu - x + 1/x", 30000, 40000, sp.Rational(1, 30000) - sp.Rational(1, 40000)),
        ("softsign - 1", 1, 10**300, sp.Rational(1, 2) - 1 / sp.Integer(1 + 10**300)),
        ("softsign - tanh", sp.Rational(201, 2), sp.oo, sp.Rational(2, 203)),
        ("silu - relu", -(10**6), 10**6, 3 * sp.zeta(3) - sp.pi**2 / 3),
    ],
)
def test_far_domains_hold_closed_forms(text, lower, upper, square):
    size = l2(expression(text), sp.sympify(lower), sp.sympify(upper))
    assert_holds(size.pair(), str(sp.sqrt(square).n(35)))


@pytest.mark.parametrize(("lower", "upper"), [(30000, 40000), (10**5, 10**6), (-(10**6), -(10**5)), (10**5, sp.oo)])
def test_what_is_nearly_zero_is_answered(lower, upper):
    low, high = l2(expression("silu - gelu"), sp.sympify(lower), sp.sympify(upper)).pair()
    assert low == "0"
    assert mpmath.mpf(high) < mpmath.mpf("1e-10000")


@pytest.mark.parametrize(
    ("measure", "text", "options", "known"),
    [
        (l2, "sin(x)", {"lower": sp.Integer(0), "upper": sp.Integer(10**6)}, "707.1068"),
        (gaussian, "sin(100*x)", {"sigma": 1000.0}, "0.70710678"),
    ],
)
def test_a_wide_enclosure_is_no_answer_and_is_kept(measure, text, options, known):
    with pytest.raises(TooWide, match="relative width") as caught:
        measure(expression(text), **options)
    low, high = (mpmath.mpf(end) for end in caught.value.size.pair())
    assert low <= mpmath.mpf(known) <= high


def test_an_oscillation_within_reach_is_answered():
    known = mpmath.sqrt(mpmath.mpf(5000) - mpmath.sin(20000) / 4)
    assert_holds(l2(expression("sin(x)"), sp.Integer(0), sp.Integer(10**4)).pair(), known, "1e-12")


@pytest.mark.parametrize("direction", [-1, 1])
@pytest.mark.parametrize("text", ["x/100 + 1", "1/x + 2", "x/50 + 1/(1 + x**2)"])
def test_far_stretches_on_either_side_agree_with_the_primitive(text, direction):
    """Stretches beyond the envelopes' start are integrated over distances from zero, whichever side they are on."""
    f = sp.sympify(text, locals={"x": X})
    low, high = sorted((direction * 33, direction * 230))
    exact = sp.sqrt(sp.integrate(sp.expand(f**2), (X, low, high))).evalf(25)
    pair = l2_of((Piece(sp.Integer(low), sp.Integer(high), f),)).pair()
    assert sp.Rational(pair[0]) <= exact * (1 + sp.Rational(1, 10**15))
    assert sp.Rational(pair[1]) >= exact * (1 - sp.Rational(1, 10**15))
    assert float(pair[1]) == pytest.approx(float(exact), rel=1e-12)
