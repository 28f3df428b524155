"""Sup-norm fits: every local maximum is found, optima satisfy the conditions of optimality, traps of the search."""

import functools
import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from analysis.activation.lookup import family, function
from analysis.optimal.fitting import minimax
from analysis.optimal.fitting.constants import distance, fit
from analysis.optimal.fitting.residual import Residual
from analysis.rigorous.norms import Norm
from tests import oracles

fitted = functools.cache(fit)

DENSE = np.linspace(-20, 20, 400_001)


def mish(x):
    return x * np.tanh(np.logaddexp(0, x))


def sigmoid(z):
    return (1 + np.tanh(z / 2)) / 2


# name -> the family in NumPy, written out by hand
BY_HAND = {
    "hard_gate": lambda x, a, b: x * np.clip(x + b, 0, a) / a,
    "swish": lambda x, beta: x * sigmoid(beta * x),
    "split_hard_gate": lambda x, b, p, q: x * np.where(x < 0, np.clip(x + b, 0, p) / p, np.clip(x + b, 0, q) / q),
}


def residual(name, target="mish", norm=None):
    return Residual.of(family(name), function(target), norm or Norm(), {})


@settings(max_examples=15)
@given(st.floats(0.3, 15), st.floats(0.3, 10))
def test_the_value_is_that_of_brute_force(a, b):
    r = residual("hard_gate")
    value, place = minimax.value(r, np.array([a, b]), minimax.base_grid(r))
    sampled = np.abs(BY_HAND["hard_gate"](DENSE, a, b) - mish(DENSE)).max()
    assert sampled <= value * (1 + 1e-12)
    assert value <= sampled + 2e-4 * (1 + b / a)
    assert abs(r(np.array([place]), [a, b])[0]) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("beta", ["1/100", "1", "30", "1000", "10**6"])
def test_steep_and_flat_members_are_measured_at_their_peak(beta):
    """|x sigmoid(beta x) - relu(x)| is W(1/e)/beta at most, and softplus(beta x)/beta exceeds relu by log(2)/beta."""
    scale = float(eval(beta.replace("1/100", "0.01")))
    least = float(mp.lambertw(mp.exp(-1)))
    assert distance(f"swish(beta={beta})", "relu") * scale == pytest.approx(least, rel=1e-9)
    assert distance(f"softplus(beta={beta})", "relu") * scale == pytest.approx(math.log(2), rel=1e-12)


def peak_values(name, constants, places):
    """The maxima of |r| near the places, by dense sampling; the number of samples is odd, so that places are hit."""
    values = []
    for place in places:
        x = place + np.linspace(-0.25, 0.25, 200_001)
        values.append(np.abs(BY_HAND[name](x, *constants) - mish(x)).max())
    return np.array(values)


@pytest.mark.parametrize(("name", "places"), [("hard_gate", 3), ("swish", 2)])
def test_an_optimum_satisfies_the_conditions_of_optimality(name, places):
    """Enough places attain the error, and some convex combination of their gradients vanishes (finite differences)."""
    best = fitted(name, "mish")
    theta = np.array(list(best.constants.values()))
    size = np.abs(BY_HAND[name](DENSE, *theta) - mish(DENSE))
    local = (
        np.flatnonzero((size[1:-1] >= size[:-2]) & (size[1:-1] > size[2:]) & (size[1:-1] > 0.999 * best.estimate)) + 1
    )
    assert len(local) == places == len(theta) + 1
    h = 1e-5
    ups, downs = (
        np.stack([peak_values(name, theta + s, DENSE[local]) for s in side * h * np.eye(len(theta))])
        for side in (1, -1)
    )
    gradients = (ups - downs) / (2 * h)
    system = np.vstack([gradients / np.abs(gradients).max(), np.ones(len(local))])
    multipliers, rest = optimize.nnls(system, np.append(np.zeros(len(theta)), 1.0))
    assert rest < 1e-3
    assert (multipliers > 0.01).all()


def test_the_split_gate_by_its_equal_errors():
    """b and p from |r| = E at the kink -b and at both extrema on the negative side, in 30 digits; q is then free."""
    with mp.workdps(30):

        def r(x, b, p):
            return x * (x + b) / p - oracles.mish(x)

        def slope(x, b, p):
            return (2 * x + b) / p - mp.diff(oracles.mish, x)

        def conditions(b, p, u, v):
            error = -oracles.mish(-b)
            return [slope(u, b, p), slope(v, b, p), r(u, b, p) + error, r(v, b, p) - error]

        b, p, *_ = mp.findroot(conditions, (3.8, 11.7, -2.4, -0.6))
        error = -oracles.mish(-b)
    best = fit("split_hard_gate", "mish")
    assert best.estimate == pytest.approx(float(error), rel=1e-8)
    assert (best.constants["b"], best.constants["p"]) == pytest.approx((float(b), float(p)), rel=1e-8)


@pytest.mark.parametrize("start", [[3.0, 6, 5], [3.3, 7, 5.5], [3.1, 6.5, 4]])
def test_a_kink_is_not_held_up_by_a_grid_point(start):
    """From (3, 6, 5) the search once stopped at 0.0885, where the kink at -b met a point of the coarse grid."""
    r = residual("split_hard_gate")
    bounds = np.array([(1e-6, 1e6)] * 3)
    _, value = minimax.minimise(r, [np.array(start)], bounds)
    assert value == pytest.approx(0.0830991278, abs=1e-9)


@pytest.mark.parametrize(("name", "box"), [("hard_gate", ((3, 9), (1.5, 5))), ("swish", ((0.2, 6),))])
def test_no_point_of_a_coarse_global_grid_is_better(name, box):
    best = fitted(name, "mish")
    x = DENSE[::40]
    axes = np.meshgrid(*[np.linspace(low, high, 41) for low, high in box])
    scanned = [
        np.abs(BY_HAND[name](x, *theta) - mish(x)).max() for theta in zip(*(a.ravel() for a in axes), strict=True)
    ]
    assert best.estimate <= min(scanned) + 1e-12
    assert min(scanned) < 1.1 * best.estimate, "and the grid comes near it"


def test_a_domain_confines_the_error():
    best = fit("swish", "mish", Norm("sup", 0, 3))
    x = np.linspace(0, 3, 30_001)
    errors = [np.abs(BY_HAND["swish"](x, beta) - mish(x)).max() for beta in np.linspace(0.5, 4, 701)]
    assert best.estimate == pytest.approx(np.abs(BY_HAND["swish"](x, best.constants["beta"]) - mish(x)).max(), rel=1e-7)
    assert best.estimate <= min(errors)
    assert 0 <= best.attained_at <= 3


def test_an_error_that_sits_at_infinity():
    """elu to mish: at -oo the difference is -alpha, which balances the largest error near x = 1."""
    best = fit("elu", "mish")
    assert best.estimate == pytest.approx(best.constants["alpha"], rel=1e-9)


def test_maxima_between_far_kinks_are_seen():
    """x (x + 10000)/20000 - mish(x) is least at -5000."""
    r = residual("hard_gate")
    value, place = minimax.value(r, np.array([20000.0, 10000.0]), minimax.base_grid(r))
    assert (value, place) == (pytest.approx(1250, rel=1e-9), pytest.approx(-5000, rel=1e-6))


@pytest.mark.parametrize("ends", [(-math.inf, -5000.0), (5000.0, math.inf), (-math.inf, 3.0), (-2e3, 7e4), (0, 1e-3)])
def test_the_grid_lies_in_the_domain(ends):
    grid = minimax.base_grid(residual("swish", norm=Norm("sup", *ends)))
    assert ends[0] <= grid[0] < grid[-1] <= ends[1]
    assert all(end in grid for end in ends if math.isfinite(end))
    assert (np.diff(grid) > 0).all()
