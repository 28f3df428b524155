"""The norms as integrals and sums: against closed forms, and quadrature whose panels move with the kinks."""

import math

import numpy as np
import pytest

from analysis.activation.errors import BadInput
from analysis.optimal.fitting.constants import distance
from analysis.optimal.fitting.quadrature import quadrature
from analysis.rigorous.norms import Norm

NO_BREAKS = np.array([])


def integral(norm, f, breaks=NO_BREAKS):
    x, w = quadrature(norm, np.asarray(breaks, float))
    return float(np.dot(w, f(x)))


@pytest.mark.parametrize("sigma", [0.1, 1.0, 2.5, 30.0])
def test_gaussian_moments(sigma):
    norm = Norm("gaussian", sigma=sigma)
    for power, moment in ((0, 1), (1, 0), (2, 1), (4, 3), (6, 15)):
        assert integral(norm, lambda x, k=power: (x / sigma) ** k) == pytest.approx(moment, rel=1e-12, abs=1e-12)
    assert integral(norm, lambda x: np.maximum(x, 0), [0]) == pytest.approx(sigma / math.sqrt(2 * math.pi), rel=1e-12)


def test_a_gaussian_on_part_of_the_line_is_not_renormalised():
    assert integral(Norm("gaussian", 0, math.inf), np.ones_like) == pytest.approx(0.5, rel=1e-13)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: 1 / (1 + x * x), math.pi),
        (lambda x: np.exp(-(x**2)), math.sqrt(math.pi)),
        (lambda x: 1 / np.cosh(np.clip(x, -700, 700)), math.pi),
        (lambda x: 1 / (1 + x**4), math.pi / math.sqrt(2)),
    ],
)
def test_integrals_over_the_whole_line(f, expected):
    assert integral(Norm("l2"), f) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("kink", [-7.3, -1e-3, 0.4, 2.0])
def test_panels_end_at_the_kinks(kink):
    norm = Norm("l2", -8, 5)
    expected = ((kink + 8) ** 2 + (5 - kink) ** 2) / 2
    assert integral(norm, lambda x: np.abs(x - kink), [kink]) == pytest.approx(expected, rel=1e-14)
    sizes = {len(quadrature(norm, np.array([k]))[0]) for k in (-100.0, kink, 100.0)}
    assert len(sizes) == 1, "as many abscissas wherever the kink is"


@pytest.mark.parametrize(("low", "high"), [(-math.inf, -50.0), (60.0, math.inf), (100.0, 120.0), (-45.0, -41.0)])
def test_domains_far_out(low, high):
    expected = abs((1 / low if math.isfinite(low) else 0) - (1 / high if math.isfinite(high) else 0))
    assert integral(Norm("l2", low, high), lambda x: x**-2.0) == pytest.approx(expected, rel=1e-9)


def test_points_weigh_the_same():
    values = np.array([[3.0, -1.0], [0.5, 3.0]])
    norm = Norm.samples(values)
    assert integral(norm, lambda x: x) == pytest.approx(values.mean())
    assert norm.ends[0] == -1
    assert integral(Norm.grid(-1, 1, 5), lambda x: x * x) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("f", "g", "norm", "expected"),
    [
        ("relu(x)", "0*x", Norm("sup", -1, 2), 2),
        ("relu(x)", "0*x", Norm("l2", -1, 3), 3),
        ("relu(x)", "abs(x)", Norm("gaussian", sigma=2), math.sqrt(2)),
        ("x", "0*x", Norm("sup"), math.inf),
        ("x", "0*x", Norm("l2", 0), math.inf),
        ("x", "x + 1", Norm("sup"), 1),
        ("x", "x + 1", Norm("l2"), math.inf),
        ("tanh(x)", "clip(x, -1, 1)", Norm("sup"), 1 - math.tanh(1)),
        ("sigmoid(x)", "step(x)", Norm("sup"), 0.5),
        ("sigmoid(x)", "step(x)", Norm("l2"), math.sqrt(2 * math.log(2) - 1)),
        ("softplus(x)", "relu(x)", Norm("sup"), math.log(2)),
        ("mish", "mish", Norm("l2"), 0),
        ("mish", "x*tanh(log(1+exp(x)))", Norm("sup"), 0),
        ("x", "2*x", Norm.grid(-1, 1, 3), 2 / 3),
    ],
)
def test_distances_in_closed_form(f, g, norm, expected):
    assert distance(f, g, norm) == pytest.approx(expected, rel=1e-10, abs=1e-15)


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: Norm("l1"), "sup, l2, gaussian, grid, samples, got 'l1'"),
        (lambda: Norm("sup", 2, -2), "LO < HI"),
        (lambda: Norm("sup", math.nan, 1), "LO < HI"),
        (lambda: Norm("gaussian", sigma=-1), "positive sigma"),
        (lambda: Norm("gaussian", sigma=math.nan), "positive sigma"),
        (lambda: Norm("gaussian", sigma=math.inf), "positive sigma"),
        (lambda: Norm.grid(2, 1, 10), "LO,HI,N"),
        (lambda: Norm.samples(np.array([1, np.inf])), "finite points"),
        (lambda: Norm("samples"), "expected points"),
    ],
)
def test_a_wrong_norm_says_what_was_expected(build, complaint):
    with pytest.raises(BadInput, match=complaint):
        build()
