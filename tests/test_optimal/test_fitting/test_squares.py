"""Least-squares fits against independent optimisers and the vanishing gradient."""

import mpmath as mp
import numpy as np
import pytest
from scipy import optimize

from analysis.activation.lookup import family, function
from analysis.optimal.fitting import squares
from analysis.optimal.fitting.constants import fit, landscape
from analysis.optimal.fitting.residual import Residual
from analysis.rigorous.norms import Norm
from tests import oracles

POINTS = np.linspace(-6, 6, 1000)
GRID = Norm.grid(-6, 6, 1000)


def mish(x):
    return x * np.tanh(np.logaddexp(0, x))


def mean_square(constants, x=POINTS):
    a, b, *c = constants
    return np.mean((x * np.clip(x + b, 0, a) / (c[0] if c else a) - mish(x)) ** 2)


@pytest.mark.parametrize(("name", "start"), [("hard_gate", [5, 3]), ("hard_gate3", [5, 2.84386, 4.99049])])
def test_the_grid_fit_is_that_of_an_independent_optimiser(name, start):
    best = fit(name, "mish", GRID)
    simplex = optimize.minimize(
        mean_square, start, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-16, "maxiter": 4000}
    )
    constants = list(best.constants.values())
    assert best.estimate == pytest.approx(mean_square(constants), rel=1e-12)
    assert best.estimate <= simplex.fun * (1 + 1e-9)
    assert constants == pytest.approx(simplex.x, rel=1e-7)


def test_samples_of_any_shape_and_their_own_distribution():
    data = np.random.default_rng(4).normal(0.5, 1.5, (20, 50))
    best = fit("hard_gate", "mish", Norm.samples(data))
    constants = list(best.constants.values())
    assert best.estimate == pytest.approx(mean_square(constants, data.ravel()), rel=1e-12)
    random = np.random.default_rng(5)
    for scale in (1e-4, 1e-2, 0.3):
        moved = constants * (1 + scale * random.uniform(-1, 1, (20, 2)))
        assert min(mean_square(m, data.ravel()) for m in moved) >= best.estimate


def test_a_plateau_in_one_constant_does_not_end_the_search():
    """For q <= b the split gate is x on the right whatever q is; the search once stayed there, at 0.1978."""
    best = fit("split_hard_gate", "mish", Norm("l2"))
    x = np.linspace(-60, 60, 1_200_001)
    left = np.clip(x + 3.54323002, 0, 10.40852492) / 10.40852492
    right = np.clip(x + 3.54323002, 0, 5.4125854) / 5.4125854
    known = np.sqrt(np.trapezoid((x * np.where(x < 0, left, right) - mish(x)) ** 2, x))
    assert best.estimate == pytest.approx(known, rel=1e-8)


@pytest.mark.parametrize("norm", [Norm("l2"), Norm("gaussian"), Norm("gaussian", sigma=3), Norm("l2", -4, 2)], ids=str)
def test_the_gradient_vanishes(norm):
    """d/dbeta of the integral of r^2 is zero to eight digits of beta, by mpmath's quadrature."""
    best = fit("swish", "mish", norm)

    def slope(beta):
        def integrand(x):
            s = 1 / (1 + mp.exp(-beta * x))
            weight = mp.npdf(x, 0, norm.sigma) if norm.kind == "gaussian" else 1
            return weight * (x * s - oracles.mish(x)) * x * x * s * (1 - s)

        low, high = max(norm.lower, -40), min(norm.upper, 40)
        cuts = [low, *(c for c in (-15, -6, -2, 0, 2, 6, 15) if low < c < high), high]
        return mp.quad(integrand, cuts)

    with mp.workdps(20):
        below, above = (slope(mp.mpf(best.constants["beta"]) * (1 + side * mp.mpf("1e-8"))) for side in (-1, 1))
    assert below < 0 < above


def test_the_value_is_the_root_of_the_integral():
    best = fit("swish", "mish", Norm("l2"))
    beta = best.constants["beta"]
    with mp.workdps(20):
        square = mp.quad(
            lambda x: (x * oracles.sigmoid(beta * x) - oracles.mish(x)) ** 2, [-60, -15, -6, -2, 0, 2, 6, 15, 60]
        )
    assert best.estimate == pytest.approx(float(mp.sqrt(square)), rel=1e-9)


def test_a_family_that_holds_the_target_reaches_it():
    best = fit("aptx", "silu", Norm("gaussian"), fix={"alpha": "1"})
    assert best.estimate < 1e-9
    assert best.constants == pytest.approx({"alpha": 1, "beta": 0.5, "gamma": 0.5}, rel=1e-7)


@pytest.mark.parametrize("norm", [Norm(), Norm("gaussian"), GRID], ids=str)
def test_the_landscape_has_its_valley_at_the_fit(norm):
    best = fit("hard_gate", "mish", norm)
    axes = {"b": np.linspace(2, 3.6, 9), "a": np.linspace(3.5, 6.5, 13)}
    table = landscape("hard_gate", "mish", norm, axes)
    assert table.shape == (13, 9), "rows for the second axis"
    row, column = np.unravel_index(table.argmin(), table.shape)
    assert abs(axes["b"][column] - best.constants["b"]) <= 0.25
    assert abs(axes["a"][row] - best.constants["a"]) <= 0.5
    assert table.min() >= best.estimate * (1 - 1e-3)


def test_the_landscape_is_the_error_at_its_points():
    table = landscape("hard_gate", "mish", GRID, {"a": [5, 6], "b": [3, 2.8]})
    expected = [[mean_square((a, b)) for a in (5, 6)] for b in (3, 2.8)]
    np.testing.assert_allclose(table, expected, rtol=1e-12)


def test_the_kink_carries_no_bias():
    """The mean square over moving kinks is smooth: its difference quotients agree from both sides."""
    residual = Residual.of(family("hard_gate"), function("mish"), Norm("l2"), {})
    at = np.array([5.0, 3.0])
    for step in 1e-4 * np.eye(2):
        forward, here, backward = (squares.mean_square(residual, at + s * step) for s in (1, 0, -1))
        assert abs(forward - 2 * here + backward) < 1e-6
        assert (forward - here) == pytest.approx(here - backward, rel=2e-2)
