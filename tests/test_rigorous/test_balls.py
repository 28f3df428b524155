"""Balls contain what they enclose, whatever the rounding; printed digits are rounded outward."""

from decimal import Decimal
from fractions import Fraction

import mpmath as mp
import pytest
import sympy as sp
from flint import arb, ctx, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.activation.errors import Undecided
from analysis.activation.functions import derivative
from analysis.activation.lookup import expression, function
from analysis.activation.parsing import X
from analysis.rigorous import balls
from tests import oracles

NAMES = st.sampled_from(sorted(oracles.FUNCTIONS))
FRACTIONS = st.fractions(-40, 40, max_denominator=1000)
EVALUATORS = {name: balls.evaluator(function(name).expression) for name in oracles.FUNCTIONS}


def exactly(point):
    return arb(fmpq(point.numerator, point.denominator))


def contains(ball, value, slack=1e-70):
    """Whether the ball holds the value, which is known to `slack` relatively."""
    middle, radius = (mp.mpf(f.numerator) / f.denominator for f in map(balls.fraction, (ball.mid(), ball.rad())))
    return abs(value - middle) <= radius * (1 + mp.mpf(10) ** -20) + slack * (1 + abs(value))


@settings(max_examples=150)
@given(NAMES, FRACTIONS, st.sampled_from([30, 53, 128, 200]))
def test_the_value_at_a_point_is_in_the_ball(name, point, bits):
    with ctx.workprec(bits), mp.workdps(120):
        ball = EVALUATORS[name](exactly(point))
        assert contains(ball, oracles.FUNCTIONS[name](mp.mpf(point.numerator) / point.denominator))
        assert ball.rad() < 1e-4 * (1 + abs(ball)), "and the ball is narrow"


@settings(max_examples=150)
@given(NAMES, FRACTIONS, st.fractions(0, 3, max_denominator=50), st.fractions(-1, 1, max_denominator=20))
def test_a_wide_ball_contains_the_value_at_each_of_its_points(name, middle, radius, share):
    with ctx.workprec(64), mp.workdps(100):
        ball = EVALUATORS[name](arb(exactly(middle).mid(), exactly(radius).abs_upper()))
        point = balls.fraction(exactly(middle).mid()) + share * radius
        if ball.is_finite():
            assert contains(ball, oracles.FUNCTIONS[name](mp.mpf(point.numerator) / point.denominator))


@pytest.mark.parametrize("name", oracles.SMOOTH)
def test_the_derivative_is_enclosed(name):
    evaluate = balls.evaluator(derivative(function(name).expression, X))
    with ctx.workprec(150), mp.workdps(60):
        for point in (Fraction(n, 8) for n in (-70, -13, -1, 5, 40)):
            exact = mp.diff(oracles.FUNCTIONS[name], mp.mpf(point.numerator) / point.denominator)
            assert contains(evaluate(exactly(point)), exact, 1e-25)


@pytest.mark.parametrize(
    "text", ["step(x)", "{-1, x < 0; 1}", "{-1, x <= 0; 1, x > 0}", "relu(x)/x", "max(min(x, 1), -1)"]
)
def test_at_a_branch_point_the_ball_is_the_union(text):
    evaluate = balls.evaluator(expression(text))
    ball = evaluate(arb(0, 1e-3))
    assert all(ball.overlaps(evaluate(arb(side))) or not ball.is_finite() for side in (-1e-4, 1e-4))


@pytest.mark.parametrize("text", ["1/x", "log(x)", "sqrt(x)"])
def test_where_it_may_be_undefined_nothing_is_claimed(text):
    assert not balls.evaluator(expression(text))(arb(0, 1)).is_finite()


@pytest.mark.parametrize(
    "value",
    [
        sp.Rational(1, 3),
        sp.pi,
        sp.E,
        sp.sqrt(2),
        sp.LambertW(sp.exp(-1)),
        sp.LambertW(-sp.Rational(1, 4), -1),
        sp.erf(1),
        sp.tanh(sp.log(3)),
        sp.CRootOf(X**5 - X - 1, 0),
        2 ** sp.Rational(2, 3) + sp.pi**2,
        sp.exp(-sp.sqrt(2)) * sp.Rational(-7, 5),
    ],
    ids=str,
)
@pytest.mark.parametrize("bits", [53, 256])
def test_constants_are_enclosed(value, bits):
    with ctx.workprec(bits), mp.workdps(110):
        ball = balls.enclose(value)
        assert contains(ball, mp.mpf(str(value.evalf(100))), 1e-98)
        assert ball.rel_accuracy_bits() > bits - 12


def test_what_has_no_row_is_undecided():
    with pytest.raises(Undecided):
        balls.enclose(sp.zeta(3))


@settings(max_examples=200)
@given(st.fractions(-1000, 1000), st.fractions(0, 1), st.integers(-300, 300), st.integers(1, 20))
def test_printed_digits_are_rounded_outward(middle, radius, exponent, digits):
    scale = Fraction(10) ** exponent
    with ctx.workprec(80):
        ball = arb(exactly(middle * scale).mid(), exactly(radius * scale).abs_upper())
        ends = [balls.fraction(ball.mid()) + sign * balls.fraction(ball.rad()) for sign in (-1, 1)]
        lower, upper = map(Fraction, balls.decimals(ball, digits))
    assert lower <= ends[0] <= ends[1] <= upper
    for printed, end in zip((lower, upper), ends, strict=True):
        assert abs(printed - end) <= abs(end) * Fraction(10) ** (1 - digits), "and no farther than a digit"


def test_decimals_of_what_is_unbounded_or_exact():
    assert balls.decimals(arb("nan")) == ("-inf", "inf")
    assert balls.decimals(arb(0, "inf")) == ("-inf", "inf")
    assert balls.decimals(arb(1) / 4) == ("0.25", "0.25")
    assert [Fraction(d) for d in balls.decimals(arb(0))] == [0, 0]


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "Phi", "erf", "squareplus"])
@pytest.mark.parametrize(("low", "high"), [(-3, 2), (-40, 40), (-1000, 5), (0, 4)])
def test_increasing_functions_are_tight_on_wide_balls(name, low, high):
    text = "squareplus(x, 4)" if name == "squareplus" else f"{name}(x)"
    evaluate = balls.evaluator(expression(text))
    ball = evaluate(arb(low).union(arb(high)))
    ends = evaluate(arb(low)).union(evaluate(arb(high)))
    assert ball.contains(ends.mid())
    assert ball.rad() < ends.rad() * 1.05 + 1e-3


@pytest.mark.parametrize("text", ["sigmoid(x)", "softplus(x)", "tanh(x)", "Phi(x)", "mish", "gelu"])
@pytest.mark.parametrize("x", ["1e30", "-1e30", "1e300", "-1e300"])
def test_huge_arguments_have_finite_values(text, x):
    ball = balls.evaluator(expression(text))(arb(x))
    assert ball.is_finite()
    assert ball.rad() <= 1e-10 * (1 + abs(ball))


@pytest.mark.parametrize("name", oracles.SMOOTH)
def test_a_jet_is_the_function_and_its_derivatives(name):
    found = function(name).expression
    with ctx.workprec(150):
        for point in (Fraction(n, 8) for n in (-70, -13, -1, 5, 40)):
            values = balls.jet(found, 2)(exactly(point))
            for order, value in enumerate(values):
                expected = balls.evaluator(derivative(found, X, order))(exactly(point))
                assert value.overlaps(expected)
                assert value.rad() < 1e-30


def test_precision_is_that_of_the_call():
    evaluate = balls.evaluator(expression("x/3 + pi"))
    for bits in (53, 300, 53):
        with ctx.workprec(bits):
            assert evaluate(arb(1)).rel_accuracy_bits() > bits - 8


def test_far_balls_are_printed_without_their_digits():
    low, high = balls.decimals(arb(10) ** 10**15)
    assert (low, high) == ("9.99999999999999E+999999999999999", "1.00000000000001E+1000000000000000")


def test_exponents_that_no_decimal_has_are_rounded_outward():
    tiny, huge = arb((1, -(10**30))), arb((1, 10**30))
    assert balls.decimals(tiny) == ("0", "1E-999999999999999999")
    assert balls.decimals(-tiny) == ("-1E-999999999999999999", "0")
    assert balls.decimals(huge) == ("9E+999999999999999999", "inf")
    assert balls.decimals(-huge) == ("-inf", "-9E+999999999999999999")


def test_a_far_radius_does_not_make_many_digits():
    low, high = balls.decimals(arb(1, (1, -(10**12))))
    assert Decimal(low) <= 1 <= Decimal(high)
    assert len(low) < 30
