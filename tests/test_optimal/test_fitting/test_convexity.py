"""Proofs that fitted constants are best in a mean square, against quadrature and minimisation by SciPy."""

import math

import numpy as np
import pytest
import sympy as sp
from scipy import integrate, optimize

from analysis.activation import lookup
from analysis.activation.functions import derivative
from analysis.activation.parsing import X
from analysis.exact.verdict import Verdict
from analysis.optimal.fitting import convexity
from analysis.optimal.fitting.constants import fit
from analysis.optimal.fitting.moments import Cells
from analysis.optimal.fitting.moving import KinkTerms
from analysis.optimal.fitting.residual import Residual
from analysis.rigorous import comparison
from analysis.rigorous.intervals import Interval
from analysis.rigorous.norms import Norm

GAUSSIAN, L2 = Norm("gaussian"), Norm("l2")
COMPACT, GRID = Norm("l2", -6.0, 6.0), Norm.grid(-6.0, 6.0, 200)


def residual_of(family: str, target: str, norm: Norm) -> Residual:
    return Residual.of(lookup.family(family), lookup.function(target), norm, {})


def fitted(family: str, target: str, norm: Norm) -> tuple[Residual, np.ndarray, float]:
    """The residual, the best constants found, and an upper bound of their error."""
    found = fit(family, target, norm)
    residual = residual_of(family, target, norm)
    difference = found.activation().expression - lookup.function(target).expression
    return residual, np.array([found.constants[s.name] for s in residual.free]), _error(difference, norm)


def _error(difference, norm: Norm) -> float:
    return math.nextafter(float(comparison.enclose(difference, norm)[1]), math.inf)


def square(residual: Residual, theta) -> float:
    """F by Gauss's rule on panels that end at the kinks."""
    norm = residual.norm
    if norm.points is not None:
        return float(np.mean(residual(norm.points, theta) ** 2))
    low, high = max(norm.lower, -30.0), min(norm.upper, 30.0)
    edges = np.unique(np.clip([*np.linspace(low, high, 61), 0.0, *residual.kinks(theta)], low, high))
    nodes, weights = np.polynomial.legendre.leggauss(20)
    half = np.diff(edges)[:, None] / 2
    x, w = edges[:-1, None] + half * (1 + nodes), half * weights
    if norm.kind == "gaussian":
        w = w * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return float((w * residual(x, theta) ** 2).sum())


@pytest.mark.parametrize(
    ("family", "target", "norm", "gap"),
    [
        ("swish", "mish", GAUSSIAN, 1e-9),
        ("swish", "gelu", L2, 1e-9),
        ("swish", "mish", GRID, 1e-9),
        ("beta_mish", "silu", GAUSSIAN, 1e-9),
        pytest.param("two_sided_swish", "mish", GAUSSIAN, 1e-6, marks=pytest.mark.proof),
        pytest.param("linear_swish", "mish", GAUSSIAN, 1e-6, marks=pytest.mark.proof),
    ],
)
def test_fitted_constants_are_proved_best(family, target, norm, gap):
    residual, theta, error = fitted(family, target, norm)
    found = convexity.prove(residual, theta, error)
    assert found.verdict is Verdict.PROVED, found.reason
    assert 0 <= found.gap <= gap
    assert found.lower <= error
    assert found.unique is (None if norm is L2 else True)
    for symbol, at in zip(residual.free, theta, strict=True):
        assert at in found.box[symbol.name]
        assert found.box[symbol.name].high - found.box[symbol.name].low < 1e-5


@pytest.mark.parametrize("norm", [pytest.param(GAUSSIAN, marks=pytest.mark.proof), Norm.grid(-6.0, 6.0, 300)])
def test_two_constants_with_moving_kinks_are_proved_best(norm):
    residual, theta, error = fitted("hard_gate", "mish", norm)
    found = convexity.prove(residual, theta, error)
    assert found.verdict is Verdict.PROVED, found.reason
    assert found.gap <= 1e-6
    assert found.unique
    least = optimize.minimize(
        lambda t: square(residual, t), theta * 1.001, method="Nelder-Mead", options={"xatol": 1e-6}
    )
    reached = least.fun if norm.is_discrete else math.sqrt(least.fun)
    assert error * (1 - 1e-6) <= found.lower <= reached * (1 + 1e-9)


@pytest.mark.parametrize("norm", [GAUSSIAN, GRID])
def test_the_bound_is_below_an_independent_minimum_whatever_constants_are_given(norm):
    residual = residual_of("swish", "mish", norm)
    least = optimize.minimize_scalar(lambda t: square(residual, [t]), bracket=(1.0, 1.3), tol=1e-10).fun
    best = least if norm.is_discrete else math.sqrt(least)
    for beta in (1.22, 2.0):
        at = square(residual, [beta])
        error = (at if norm.is_discrete else math.sqrt(at)) * (1 + 1e-12)
        found = convexity.prove(residual, np.array([beta]), error)
        assert found.lower <= best * (1 + 1e-9)
        assert found.gap >= (error - best) / error - 1e-9
        assert found.verdict is Verdict.UNDECIDED
        assert found.reason


def test_a_member_that_is_the_target_has_nothing_to_prove():
    found = convexity.prove(residual_of("swish", "silu", GAUSSIAN), np.array([1.0]), 0.0)
    assert (found.verdict, found.lower, found.gap) == (Verdict.PROVED, 0.0, 0.0)


def test_a_difference_that_jumps_is_not_decided():
    residual = residual_of("x*step(x + b)", "relu", GAUSSIAN)
    found = convexity.prove(residual, np.array([0.1]), 1.0)
    assert found.verdict is Verdict.UNDECIDED
    assert "continuous" in found.reason


# the parts


def proof_of(family: str, target: str, norm: Norm, theta: list[float]) -> convexity._Proof:
    residual = residual_of(family, target, norm)
    difference = residual.expression.subs(dict(zip(residual.free, map(sp.Rational, theta), strict=True)))
    return convexity._Proof(residual, np.array(theta), _error(difference, norm))


@pytest.fixture(scope="module")
def hard_gate() -> convexity._Proof:
    return proof_of("hard_gate", "mish", GAUSSIAN, [4.07, 2.39])


def test_no_member_of_a_box_is_below_its_bound(hard_gate):
    random = np.random.default_rng(3)
    centres = np.exp(random.uniform(-1, 3, (20, 2)))
    widths = np.exp(random.uniform(-6, 0.5, 20))
    boxes = [
        tuple(Interval(float(c), float(c * (1 + w))) for c in centre) for centre, w in zip(centres, widths, strict=True)
    ]
    boxes += [(Interval(0.0, 0.5), Interval(2.0, math.inf)), (Interval(1.0, math.inf), Interval(0.0, 3.0))]
    for cells, _ in hard_gate.levels:
        bounds, _ = hard_gate._bounds(cells, hard_gate.root, boxes)
        for bound, box in zip(bounds, boxes, strict=True):
            for share in random.uniform(0.01, 1, (3, 2)):
                member = [i.low + s * (min(i.high, 50.0) - i.low) for i, s in zip(box, share, strict=True)]
                assert bound <= square(hard_gate.residual, member) * (1 + 1e-9)


def test_the_bound_of_a_point_is_close(hard_gate):
    point = tuple(Interval(float(t), float(t)) for t in hard_gate.theta)
    bounds, _ = hard_gate._bounds(hard_gate.levels[1][0], hard_gate.root, [point])
    assert 0.97 * square(hard_gate.residual, hard_gate.theta) < bounds[0] <= square(hard_gate.residual, hard_gate.theta)


def test_a_box_that_holds_a_stationary_point_is_never_said_to_have_a_slope(hard_gate):
    _, theta, _ = fitted("hard_gate", "mish", GAUSSIAN)
    for width in (1e-7, 1e-4, 1e-2):
        box = tuple(Interval(float(t) * (1 - width), float(t) * (1 + width)) for t in theta)
        for cells, _ in hard_gate.levels:
            _, values = hard_gate._bounds(cells, hard_gate.root, [box])
            assert not hard_gate._has_slope(cells, [box], values)[0]


@pytest.mark.parametrize(
    ("family", "norm", "theta"),
    [
        ("hard_gate", GAUSSIAN, [4.07, 2.39]),
        ("hard_gate_relu", COMPACT, [7.0, 3.2]),
        ("swish", GAUSSIAN, [1.25]),
        ("two_sided_swish", COMPACT, [0.9, 1.9]),
    ],
)
def test_the_hessian_with_its_moving_kinks_is_that_of_differences(family, norm, theta):
    proof = proof_of(family, "mish", norm, theta)
    box = tuple(Interval(t, t) for t in theta)
    cells = proof._cells(convexity.FINE, proof.kinks)
    enclosed = proof._hessian(cells, KinkTerms(proof.root, norm, proof.window), box)
    expected = proof.turn @ _differences(proof.residual, np.array(theta)) @ proof.turn.T
    for ball, value in zip(enclosed.ravel(), expected.ravel(), strict=True):
        assert float(ball.lower()) - 1e-4 <= value <= float(ball.upper()) + 1e-4
        assert float(ball.rad()) < 0.1


def _differences(residual: Residual, theta: np.ndarray, h: float = 1e-3) -> np.ndarray:
    n = len(theta)
    found = np.empty((n, n))
    for i, j in np.ndindex(n, n):
        a, b = h * np.eye(n)[i], h * np.eye(n)[j]
        corners = [s * t * square(residual, theta + s * a + t * b) for s in (1, -1) for t in (1, -1)]
        found[i, j] = sum(corners) / (4 * h * h)
    return found


def test_moments_of_the_weight_are_those_of_quadrature():
    cells = Cells.of(residual_of("swish", "mish", GAUSSIAN), (-8.5, 8.5), 20)
    k = 7
    low, x, high = cells.over.low[k], cells.x.low[k], cells.over.high[k]

    def weight(t):
        return math.exp(-t * t / 2) / math.sqrt(2 * math.pi)

    assert cells.mass.low[k] == pytest.approx(integrate.quad(weight, low, high)[0], rel=1e-12)
    assert cells.right.low[k] == pytest.approx(integrate.quad(lambda t: weight(t) * (t - x), x, high)[0], rel=1e-10)
    assert cells.left.low[k] == pytest.approx(integrate.quad(lambda t: weight(t) * (x - t), low, x)[0], rel=1e-10)
    assert cells.mass.low.sum() == pytest.approx(1, abs=1e-12)
    target = lookup.function("mish").expression
    for derived, column in ((target, cells.target_over), (derivative(target, X), cells.target_slope)):
        value = float(derived.subs(X, float(low + 0.7 * (high - low))))
        assert column.low[k] <= value <= column.high[k]
