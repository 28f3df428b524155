"""The residual made numeric: gradients, slopes, moving kinks, limits, and what the asymptotes force."""

import math

import numpy as np
import pytest
import sympy as sp

from analysis.activation.errors import BadInput
from analysis.activation.lookup import family, function
from analysis.optimal.fitting.residual import Residual, Unbounded
from analysis.rigorous.norms import Norm

X = np.array([-7.3, -2.9, -1.1, -0.2, 0.3, 1.7, 4.4])
CASES = [
    ("hard_gate", "mish", [5.1, 3.2]),
    ("swish", "gelu", [1.6]),
    ("two_sided_swish", "mish", [0.9, 2.1]),
    ("gelu_tanh", "gelu", [0.8, 0.04]),
    ("squareplus", "softplus", [1.5]),
    ("split_hard_gate", "silu", [3.1, 6.9, 5.2]),
    ("elu", "mish", [0.4]),
]


def residual(name, target, norm=None, given=()):
    return Residual.of(family(name), function(target), norm or Norm(), dict(given))


def differences(f, theta, h=1e-6):
    """Central differences of f by each constant, on the last axis."""
    steps = h * np.eye(len(theta))
    return np.stack([(f(np.add(theta, s)) - f(np.subtract(theta, s))) / (2 * h) for s in steps], axis=-1)


@pytest.mark.parametrize(("name", "target", "theta"), CASES)
def test_the_gradient_is_that_of_the_value(name, target, theta):
    r = residual(name, target)
    np.testing.assert_allclose(r.gradient(X, theta), differences(lambda t: r(X, t), theta), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("name", "target", "theta"), CASES)
def test_slopes_and_curvatures(name, target, theta):
    r, h = residual(name, target), 1e-4
    left, here, right = (r(X + side * h, theta) for side in (-1, 0, 1))
    slope, curvature = r.slopes(X, theta)
    np.testing.assert_allclose(slope, (right - left) / (2 * h), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(curvature, (right - 2 * here + left) / h**2, rtol=1e-3, atol=1e-5)


def test_kinks_move_with_the_constants():
    r, theta = residual("hard_gate", "hard_swish"), [5.6, 2.5]
    assert sorted(r.kinks(theta)) == pytest.approx([-3, -2.5, 3, 3.1])
    for i, place in enumerate(r.kinks(theta)):
        value, gradient = r.at_kink(i, theta)
        assert value == pytest.approx(r(np.array([place]), theta)[0], abs=1e-15)
        moved = differences(lambda t, i=i: np.array(r.at_kink(i, t)[0]), theta)
        np.testing.assert_allclose(gradient, moved, atol=1e-7)


def test_limits_at_the_ends():
    (left,) = residual("elu", "mish").limits
    assert left[0] == -math.inf
    assert residual("elu", "mish").at_infinity(0, [0.3]) == (-0.3, [-1])
    assert residual("swish", "mish").limits == ()
    assert residual("elu", "mish", Norm("sup", -5, 5)).limits == ()


@pytest.mark.parametrize(
    ("name", "norm", "forced"),
    [
        ("hard_gate3", Norm(), {"c": "a"}),
        ("aptx", Norm(), {"alpha": "1", "gamma": "1/2"}),
        ("aptx", Norm("l2"), {"alpha": "1", "gamma": "1/2"}),
        ("e_swish", Norm(), {"beta": "1"}),
        ("hard_gate3", Norm("gaussian"), {}),
        ("hard_gate3", Norm("sup", -6, 6), {}),
        ("hard_gate3", Norm("sup", -math.inf, 6), {}),
        ("hard_gate3", Norm.grid(-6, 6, 9), {}),
        ("swish", Norm("l2"), {}),
    ],
)
def test_what_the_asymptotes_force(name, norm, forced):
    r = residual(name, "mish", norm)
    assert {k: str(v) for k, v in r.given.items()} == forced
    assert {s.name for s in r.free} == {c.name for c in family(name).constants} - set(forced)


@pytest.mark.parametrize(
    ("name", "target", "norm"),
    [
        ("leaky_relu", "mish", Norm()),
        ("relu_n", "mish", Norm()),
        ("swish", "tanh", Norm()),
        ("elu", "mish", Norm("l2")),
    ],
)
def test_where_no_choice_is_finitely_far(name, target, norm):
    with pytest.raises(Unbounded, match="of the difference at"):
        residual(name, target, norm)


def test_a_fixed_constant_is_not_forced_again():
    c = family("hard_gate3").symbol("c")
    r = residual("hard_gate3", "mish", given={"c": sp.Integer(5)}.items())
    assert r.given["a"] == 5
    assert c not in r.free


def test_an_oscillating_difference_asks_for_a_domain():
    with pytest.raises(BadInput, match="--domain"):
        Residual.of(family("x*sin(b*x)"), function("mish"), Norm(), {})


def test_a_limit_whose_sign_depends_on_the_constants_is_left_out():
    assert residual("sigmoid((a - b)*x)", "sigmoid").limits == ()
    assert residual("x*tanh((a - b)*x)", "x*tanh(2*x)").forced == ()
    assert [limit for _, limit in residual("tanh(a*x) + b", "tanh").limits] == [family("b*x").symbol("b")] * 2


def test_each_solution_is_a_branch():
    found = Residual.branches(family("(a - 1)*(a - 2)*x + tanh(a*x)"), function("tanh"), Norm(), {})
    assert sorted(r.given["a"] for r in found) == [1, 2]
    (only,) = Residual.branches(family("(a - 1)*x**2 + tanh(a*x)"), function("tanh"), Norm(), {})
    assert only.given == {"a": 1}
    with pytest.raises(BadInput, match=r"tanh\(a\)"):
        residual("(tanh(a) - 1/2)*x + tanh(x)", "tanh")


def test_forced_and_tied_constants_stay_admissible():
    r = residual("(b + 1 - a)*x + sigmoid(a*x)", "sigmoid")
    assert {name: str(value) for name, value in r.given.items()} == {"a": "b + 1"}
    tied = residual("hard_gate", "mish", given={"a": family("hard_gate").symbol("b") - 4})
    assert {name: str(value) for name, value in tied.given.items()} == {"b": "a + 4"}
    both = residual("hard_gate", "mish", given={"a": 5 - family("hard_gate").symbol("b")})
    assert both.is_admissible([4.9])
    assert not both.is_admissible([5.1])
    assert not residual("clip(x, a, b)", "tanh", Norm("sup", -1, 1)).is_admissible([2.0, 1.0])
