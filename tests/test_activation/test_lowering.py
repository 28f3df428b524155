"""NumPy functions are right over the whole range: in ulp against mpmath, at the ends, for every float type."""

import warnings

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from analysis.activation import functions
from analysis.activation.errors import Undecided
from analysis.activation.functions import derivative
from analysis.activation.lookup import expression, family, function
from analysis.activation.lowering import NUMPY, Program, evaluator, stable
from analysis.activation.parsing import X
from tests import oracles

LONG_DOUBLE = pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="long double is no wider than double here")
TYPES = [np.float16, np.float32, np.float64]
DIGITS = 360  # 1 + exp(-700) needs 305 of them


def lowered(name, order=0):
    return evaluator(derivative(function(name).expression, X, order) if order else function(name).expression)


def ulps(found, exact):
    """The error in units in the last place of the exact value's binade."""
    return abs(mp.mpf(float(found)) - exact) / mp.mpf(float(np.spacing(found.dtype.type(abs(float(exact))))))


def sample(dtype, seed=0):
    random = np.random.default_rng(seed)
    reach = {np.float16: 20, np.float32: 100, np.float64: 740}[dtype]
    ends = random.uniform(-reach, reach, 12)
    return np.concatenate([random.normal(0, 3, 40), ends, random.uniform(-1e-3, 1e-3, 4), [reach * 8.0]]).astype(dtype)


def worst(name, dtype, order=0, digits=DIGITS):
    """The largest error in ulp over the sample, where the value is in the normal range."""
    x = sample(dtype)
    oracle = oracles.FUNCTIONS[name]
    errors = []
    with mp.workdps(digits):
        for at, found in zip(x, lowered(name, order)(x), strict=True):
            exact = mp.diff(oracle, mp.mpf(float(at)), order) if order else oracle(mp.mpf(float(at)))
            assert found == 0 or exact != 0
            if abs(exact) >= mp.mpf(float(np.finfo(dtype).tiny)):
                errors.append(ulps(found, exact))
    assert len(errors) > 25, "hardly anything was compared"
    return max(errors)


@LONG_DOUBLE
@pytest.mark.parametrize("name", oracles.SMOOTH)
def test_float64_is_within_an_ulp(name):
    assert worst(name, np.float64) < 1, "the plan asks for 4"


@LONG_DOUBLE
@pytest.mark.parametrize("name", sorted(set(oracles.FUNCTIONS) - set(oracles.SMOOTH)))
def test_float64_of_the_piecewise_is_within_an_ulp(name):
    assert worst(name, np.float64) < 1


@pytest.mark.parametrize("name", oracles.FUNCTIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_the_narrow_types_are_rounded_once(name, dtype):
    assert worst(name, dtype, digits=70) < 0.51


@pytest.mark.parametrize("name", oracles.SMOOTH)
def test_the_lowered_derivative_is_the_derivative(name):
    x = np.random.default_rng(1).uniform(-9, 9, 12)
    with mp.workdps(50):
        expected = [float(mp.diff(oracles.FUNCTIONS[name], mp.mpf(float(at)))) for at in x]
    np.testing.assert_allclose(lowered(name, 1)(x), expected, rtol=1e-14, atol=1e-16)


@LONG_DOUBLE
@pytest.mark.parametrize("name", ["mish", "silu", "gelu_tanh", "beta_mish"])
def test_the_float64_derivative_keeps_its_digits_in_the_tail(name):
    x = np.linspace(-18, -6, 13)
    with mp.workdps(260):
        exact = [mp.diff(oracles.FUNCTIONS[name], mp.mpf(float(at))) for at in x]
    assert max(map(ulps, lowered(name, 1)(x), exact)) < 4


def extremes(dtype):
    top, tiny = np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal
    normal = np.finfo(dtype).tiny
    finite = [0.0, -0.0, tiny, -tiny, normal, -normal, 1.0, -1.0, 3.0, -3.0, 88.8, -88.8, 1e4, -1e4, top, -top]
    return np.array([*finite, np.inf, -np.inf, np.nan], dtype)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", oracles.FUNCTIONS)
@pytest.mark.parametrize("order", [0, 1])
def test_the_extremes_give_no_warning_and_no_nan(name, dtype, order):
    x = extremes(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = lowered(name, order)(x)
    assert y.dtype == dtype
    assert not np.isnan(y[:-1]).any()
    if order == 0:
        assert np.isnan(y[-1])
        overflows = name in ("selu", "e_swish") or name.startswith("hard_gate3")  # slopes above 1
        assert np.isfinite(y[:14]).all()
        assert np.isfinite(y[15])
        assert overflows or np.isfinite(y[14])


# name -> values at -inf and at inf
LIMITS = {
    "mish": (-0.0, np.inf),
    "silu": (-0.0, np.inf),
    "gelu": (-0.0, np.inf),
    "gelu_tanh": (-0.0, np.inf),
    "hard_swish": (-0.0, np.inf),
    "approx_mish": (-0.0, np.inf),
    "softplus": (0.0, np.inf),
    "squareplus": (0.0, np.inf),
    "softsign": (-1.0, 1.0),
    "tanh": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "relu": (0.0, np.inf),
    "relu6": (0.0, 6.0),
    "elu": (-1.0, np.inf),
    "leaky_relu": (-np.inf, np.inf),
    "hard_tanh": (-1.0, 1.0),
    "cubic_hard_mish": (-0.0, np.inf),
}


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", LIMITS)
def test_at_infinity_the_value_is_the_limit_with_its_sign(name, dtype):
    found = lowered(name)(np.array([-np.inf, np.inf], dtype))
    expected = np.array(LIMITS[name], dtype)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


@pytest.mark.parametrize("name", ["mish", "silu", "gelu", "relu", "hard_swish", "elu"])
@pytest.mark.parametrize("dtype", TYPES)
def test_the_slope_at_infinity_is_its_limit(name, dtype):
    np.testing.assert_array_equal(lowered(name, 1)(np.array([-np.inf, np.inf], dtype)), [0, 1])


def test_large_negative_arguments_keep_their_value():
    """What log(1 + exp(x)) in float32 loses below -16.6."""
    x = np.array([-17, -40, -87, -100], np.float32)
    np.testing.assert_allclose(lowered("softplus")(x), np.exp(x.astype(float)).astype(np.float32), rtol=1e-7)
    assert np.log(1 + np.exp(x[0])) == 0
    assert (lowered("softplus")(x) > 0).all()
    assert (lowered("mish")(x) < 0).all()


def test_large_values_do_not_overflow_on_the_way():
    x = np.array([44, 89, 355, 710, 1e300])
    np.testing.assert_array_equal(lowered("mish")(x), x)
    np.testing.assert_array_equal(lowered("mish", 1)(x), 1)
    np.testing.assert_array_equal(lowered("gelu_tanh")(-x), 0)


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (1, 1, 2), (0, 4)])
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", ["mish", "hard_swish", "softsign"])
def test_shape_and_type_are_kept(name, dtype, shape):
    y = lowered(name)(np.zeros(shape, dtype))
    assert y.shape == shape
    assert y.dtype == dtype


@pytest.mark.parametrize("x", [2, 2.0, [2, 2], np.int32(2), np.array([2], np.int8), True])
def test_other_numbers_are_taken_as_float64(x):
    y = lowered("mish")(x)
    assert y.dtype == np.float64
    np.testing.assert_array_equal(y, lowered("mish")(np.full(np.shape(x), x, np.float64)))


def test_a_constant_function_is_broadcast_too():
    assert evaluator(sp.Integer(2))(np.zeros((2, 3), np.float32)).tolist() == [[2, 2, 2]] * 2


def test_several_variables_are_broadcast_against_each_other():
    gate = family("hard_gate")
    evaluate = evaluator(gate.expression, (X, gate.symbol("a"), gate.symbol("b")))
    x, a = np.linspace(-4, 4, 5, dtype=np.float32), np.array([[5], [6]])
    y = evaluate(x, a, 3)
    assert y.shape == (2, 5)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y[1], lowered("hard_swish")(x))
    np.testing.assert_array_equal(y[0], lowered("hard_mish")(x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["mish", "gelu", "hard_mish", "approx_mish"])
def test_computing_in_the_type_itself_is_nearly_as_good(name, dtype):
    x = np.linspace(-6, 6, 101).astype(dtype)
    narrow = evaluator(function(name).expression, wide=False)(x)
    assert narrow.dtype == dtype
    np.testing.assert_allclose(narrow, lowered(name)(x), rtol=40 * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)


@pytest.mark.parametrize(
    "spelled", ["log(1 + x**2)", "exp(x) - 1", "3*exp(x) - 3", "1 - tanh(x)**2", "log(1 + exp(x))", "1/(1 + exp(x))"]
)
def test_spelled_out_formulas_lose_no_digits(spelled):
    expression = function(spelled).expression
    x = np.array([1e-9, -1e-9, 1e-5, -20, 20.5])
    with mp.workdps(60):
        exact = sp.lambdify(X, expression, [{"softplus": oracles.softplus, "sigmoid": oracles.sigmoid}, "mpmath"])
        expected = [float(exact(mp.mpf(float(at)))) for at in x]
    np.testing.assert_allclose(evaluator(expression, wide=False)(x), expected, rtol=1e-14)
    assert stable(expression) == stable(stable(expression))


def test_a_common_subexpression_is_computed_once():
    program = Program.of(function("mish").expression + sp.tanh(function("softplus").expression))
    heads = [head for head, _ in program.instructions]
    assert heads.count(sp.tanh) == 1
    assert program.run(NUMPY, [np.float64(1)]) == pytest.approx(2 * np.tanh(np.log1p(np.e)))


def test_a_bare_variable_among_several_is_itself():
    a, b = sp.symbols("a b", positive=True)
    for variable, value in ((X, 2.0), (a, 3.0), (b, 5.0)):
        assert evaluator(variable, (X, a, b))(np.float64(2), 3.0, 5.0) == value


@pytest.mark.parametrize(
    "text",
    ["mish", "silu - gelu", "gelu_tanh", "squareplus(x, 4)", "x**2.5/(1 + x)", "atan(x)*sin(x)**3", "exp(x) - 1"],
)
def test_a_jet_is_the_function_with_its_derivatives(text):
    f, x = expression(text), np.linspace(0.1, 4, 40)
    values = Program.jet(f, 3).run(NUMPY, [x])
    for order, value in enumerate(values):
        np.testing.assert_allclose(value, evaluator(sp.diff(f, X, order))(x), rtol=1e-9, atol=1e-12)


def test_a_jet_shares_its_parts():
    heads = [head for head, _ in Program.jet(function("mish").expression, 2).instructions]
    assert [heads.count(head) for head in (sp.tanh, functions.softplus, functions.sigmoid)] == [1, 1, 1]


def test_a_jet_of_a_line_or_a_constant_has_slopes_that_are_constants():
    for text, slope in (("3*x - 1", 3), ("7 + 0*x", 0)):
        _, first, second = Program.jet(expression(text), 2).run(NUMPY, [np.float64(2)])
        assert (first, second) == (slope, 0)


def test_what_has_no_row_says_so():
    with pytest.raises(Undecided, match="zeta"):
        evaluator(sp.zeta(X))(np.float64(3))
