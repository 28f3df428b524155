"""Best constants against independent solutions, brute force and the conditions of optimality."""

import itertools
from functools import cache

import mpmath
import numpy as np
import pytest

from analysis import Norm
from analysis.activation import lookup, lowering
from analysis.activation.errors import BadInput
from analysis.activation.parsing import X
from analysis.optimal.fitting.constants import distance, fit, landscape
from analysis.rigorous.distance import supremum

THREADS_NOTEBOOK = "hard_gate3(a=5, b=2.84386, c=4.99049)"
GRID = Norm.grid(-6, 6, 1000)


fitted = cache(fit)


def mish(x):
    return x * mpmath.tanh(mpmath.log1p(mpmath.exp(x)))


def brute_sup(text: str, target: str = "mish") -> float:
    """The largest difference on a grid of 200,001 points: never above the true supremum."""
    x = np.linspace(-25, 25, 200_001)
    f, g = (lowering.evaluator(lookup.function(t).expression)(x) for t in (text, target))
    return float(np.abs(f - g).max())


# what the thread's notebook found


def test_the_notebooks_own_figure_is_reproduced():
    x = np.linspace(-6, 6, 1000)
    direct = np.mean((x * np.clip(x + 2.84386, 0, 5) / 4.99049 - x * np.tanh(np.log1p(np.exp(x)))) ** 2)
    assert distance(THREADS_NOTEBOOK, "mish", GRID) == pytest.approx(direct, rel=1e-12)
    assert direct == pytest.approx(0.0037346, abs=5e-8)


def test_and_beaten_by_a_certified_margin():
    best = fit("hard_gate3", "mish", GRID)
    assert float(best.error[1]) < 0.00326 < 0.88 * 0.0037346
    assert float(best.published[0].error[0]) > 0.00373


# independent solutions


def test_swish_for_mish_by_its_two_equal_extrema():
    """beta and the two places of the extrema from r'(x1) = r'(x2) = r(x1) + r(x2) = 0, in 40 digits."""
    with mpmath.workdps(40):

        def r(x, beta):
            return x / (1 + mpmath.exp(-beta * x)) - mish(x)

        def slope(x, beta):
            return mpmath.diff(lambda t: r(t, beta), x)

        x1, _, beta = mpmath.findroot(lambda a, b, k: [slope(a, k), slope(b, k), r(a, k) + r(b, k)], (-1.8, 1.55, 1.25))
        error = abs(r(x1, beta))
    found = fitted("swish", "mish")
    assert found.constants["beta"] == pytest.approx(float(beta), rel=1e-9)
    assert mpmath.mpf(found.error[0]) <= error * (1 + mpmath.mpf("1e-11"))
    assert error <= mpmath.mpf(found.error[1])


@pytest.mark.proof
def test_swish_for_gelu_in_l2_by_quadrature():
    with mpmath.workdps(25):

        def slope(beta):
            def integrand(x):
                s = 1 / (1 + mpmath.exp(-beta * x))
                return (x * s - x * mpmath.ncdf(x)) * x * x * s * (1 - s)

            return mpmath.quad(integrand, [-30, -8, -3, 0, 3, 8, 30])

        beta = mpmath.findroot(slope, (1.75, 1.8), solver="secant")
    assert fit("swish", "gelu", Norm("l2")).constants["beta"] == pytest.approx(float(beta), rel=1e-8)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0])
def test_gaussian_value_against_quadrature(sigma):
    with mpmath.workdps(20):

        def integrand(x):
            gate = min(max(x + 3, 0), 5) / 5
            return (x * gate - mish(x)) ** 2 * mpmath.npdf(x, 0, sigma)

        square = mpmath.quad(integrand, [-40, -12, -3, 0, 2, 12, 40])
    assert distance("hard_mish", "mish", Norm("gaussian", sigma=sigma)) == pytest.approx(
        float(mpmath.sqrt(square)), rel=1e-10
    )


# no neighbour and no far point is better


@pytest.mark.parametrize(
    ("family", "target", "names"),
    [
        pytest.param("hard_gate", "mish", "ab", marks=pytest.mark.proof),
        pytest.param("hard_gate", "silu", "ab", marks=pytest.mark.proof),
        ("swish", "gelu", ["beta"]),
        pytest.param("two_sided_swish", "mish", "pq", marks=pytest.mark.proof),
        pytest.param("gelu_tanh", "gelu", "kc", marks=pytest.mark.proof),
    ],
)
def test_a_sup_norm_optimum_beats_its_neighbours(family, target, names):
    best = fitted(family, target)
    rng = np.random.default_rng(11)
    for scale in (1e-5, 1e-3, 0.05, 0.5):
        for _ in range(4):
            moved = {n: best.constants[n] * (1 + scale * rng.uniform(-1, 1)) for n in names}
            call = lookup.function(f"{family}({', '.join(f'{k}={v!r}' for k, v in moved.items())})")
            other = supremum(call.expression - best.target.expression, tol=1e-9)
            assert float(other.pair()[1]) >= best.estimate * (1 - 1e-9)


def test_the_hard_gate_for_mish_is_a_corner_of_three_equal_errors():
    """Two constants, so three places attain the sup norm with a convex combination of gradients that vanishes."""
    from analysis.optimal.fitting import minimax
    from analysis.optimal.fitting.residual import Residual

    residual = Residual.of(lookup.family("hard_gate"), lookup.function("mish"), Norm(), {})
    best = fitted("hard_gate", "mish")
    theta = np.array([best.constants["a"], best.constants["b"]])
    known = minimax.branches(residual, theta, minimax.base_grid(residual))
    active = [b for b in known if abs(b.value) > best.estimate * (1 - 1e-9)]
    assert len(active) == 3
    system = np.vstack([np.transpose([np.sign(b.value) * b.gradient for b in active]), np.ones(3)])
    multipliers = np.linalg.solve(system, [0, 0, 1])
    assert (multipliers > 0).all()


def test_least_squares_beats_a_global_scan():
    best = fit("hard_gate", "mish", Norm("l2"))
    axes = {"a": np.linspace(1, 12, 23), "b": np.linspace(0.5, 8, 23)}
    table = landscape("hard_gate", "mish", Norm("l2"), axes)
    assert table.shape == (23, 23)
    assert best.estimate < table.min()
    at_best = landscape("hard_gate", "mish", Norm("l2"), {n: [best.constants[n]] for n in "ab"})
    assert at_best.item() == pytest.approx(best.estimate, rel=2e-2)


# certified errors


@pytest.mark.parametrize("family", ["hard_gate", "swish", pytest.param("two_sided_swish", marks=pytest.mark.proof)])
def test_the_certified_error_holds_and_is_not_loose(family):
    best = fitted(family, "mish")
    low, high = map(float, best.error)
    assert brute_sup(best.activation().formula) <= high
    assert high - low <= 1e-11 * high
    assert low == pytest.approx(best.estimate, rel=1e-9)


def test_a_fit_is_an_activation_like_any_other():
    best = fit("hard_gate", "mish", fix={"b": "3"}).activation()
    again = lookup.function(best.formula)
    assert (again.expression - best.expression).equals(0)
    low, high = supremum(best.expression - lookup.function("mish").expression).pair()
    assert float(low) == pytest.approx(0.145647461275624, abs=1e-13)
    assert float(high) == pytest.approx(float(low), rel=1e-11)
    assert best.expression.free_symbols == {X}


# what is held and what is forced


def test_constants_are_fixed_and_tied():
    assert fit("hard_gate", "mish", fix={"b": "3"}).constants["b"] == 3
    tied = fit("hard_gate", "silu", tie={"a": "2*b"})
    assert tied.constants["a"] == pytest.approx(2 * tied.constants["b"], rel=1e-15)
    both = fit("hard_gate", "mish", fix={"b": "3"}, tie={"a": "b + 2"})
    assert both.constants == {"a": 5, "b": 3}
    assert both.estimate == pytest.approx(0.1595466, abs=1e-7)


def test_asymptotes_force_constants_exactly():
    best = fit("aptx", "mish")
    assert (str(best.exact["alpha"]), str(best.exact["gamma"])) == ("1", "1/2")
    assert best.constants["beta"] == pytest.approx(fitted("swish", "mish").constants["beta"] / 2, rel=1e-9)
    three = fit("hard_gate3", "mish")
    assert three.constants["a"] == three.constants["c"]


def test_an_infinite_distance_is_said_so():
    best = fit("leaky_relu", "mish")
    assert best.error == ("inf", "inf")
    assert "finite distance" in best.note
    with pytest.raises(BadInput):
        best.activation()


def test_a_missing_optimum_is_said_so():
    assert "beta goes without bound" in fit("swish", "relu").note


def test_a_family_that_holds_the_target_reaches_it():
    best = fit("swish", "silu")
    assert best.estimate < 1e-12
    assert best.constants["beta"] == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"fix": {"c": "3"}}, "expected constants out of a, b"),
        ({"fix": {"a": "b"}}, "unknown name 'b'"),
        ({"fix": {"a": "3"}, "tie": {"a": "b"}}, "fixed or tied"),
        ({"tie": {"a": "b", "b": "a"}}, "without a circle"),
        ({"tie": {"a": "x"}}, "other constants"),
        ({"fix": {"a": "-1"}}, "positive number"),
    ],
)
def test_what_cannot_be_held_is_refused(options, expected):
    with pytest.raises(BadInput, match=expected):
        fit("hard_gate", "mish", **options)


# norms


def test_samples_on_the_grids_points_are_the_grid():
    points = Norm.samples(GRID.points)
    assert distance("hard_mish", "mish", points) == pytest.approx(distance("hard_mish", "mish", GRID), rel=1e-13)


def test_l2_restricted_to_a_domain_and_added_up():
    parts = [Norm("l2", low, high) for low, high in itertools.pairwise((-np.inf, -3.0, 0.5, np.inf))]
    squares = sum(distance("hard_mish", "mish", part) ** 2 for part in parts)
    assert squares == pytest.approx(distance("hard_mish", "mish", Norm("l2")) ** 2, rel=1e-10)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Norm("max"),
        lambda: Norm("l2", 1, 1),
        lambda: Norm("gaussian", sigma=0),
        lambda: Norm("grid"),
        lambda: Norm.grid(0, 1, 1),
        lambda: Norm.grid(0, np.inf, 9),
        lambda: Norm.samples(np.array([])),
        lambda: Norm.samples(np.array([1.0, np.nan])),
    ],
)
def test_impossible_norms_are_refused(build):
    with pytest.raises(BadInput):
        build()


def test_a_linear_family_reaches_the_chebyshev_optimum():
    """The best quadratic for exp on [-1, 1] alternates at four places; Remez in 40 digits gives the error."""
    with mpmath.workdps(40):

        def alternating(a, b, c, error, x1, x2):
            def r(x):
                return a + b * x + c * x * x - mpmath.exp(x)

            def slope(x):
                return b + 2 * c * x - mpmath.exp(x)

            return [r(-1) - error, r(x1) + error, r(x2) - error, r(1) + error, slope(x1), slope(x2)]

        a, b, c, error, *_ = mpmath.findroot(alternating, (0.989, 1.13, 0.554, -0.045, -0.44, 0.56))
    best = fit("a + b*x + c*x**2", "exp(x)", Norm("sup", -1, 1))
    assert best.constants == pytest.approx({"a": float(a), "b": float(b), "c": float(c)}, rel=1e-8)
    assert best.estimate == pytest.approx(abs(float(error)), rel=1e-10)


@pytest.mark.proof
def test_published_members_are_never_better_than_the_best():
    for domain in ((0.0, 1e-9), (0.0, np.inf), (-2.0, 0.5)):
        assert all(p.ratio >= 1 - 1e-9 for p in fit("hard_gate", "mish", Norm("sup", *domain)).published)


# where and how much


def test_the_witness_and_the_ratio_are_those_of_the_true_maximum():
    found = fit("hard_gate", "mish", fix={"a": "20000", "b": "10000"})
    assert found.attained_at == pytest.approx(-5000, rel=1e-6)
    assert found.estimate == pytest.approx(1250, rel=1e-9)
    ratio = {p.name: p.ratio for p in found.published}["hard_swish"]
    assert ratio == pytest.approx(0.2895172648839 / 1250, rel=1e-9)


def test_smooth_maxima_far_out_are_followed():
    """x sigmoid(x/10^5) - relu(x) is largest at |x| = 1.2784 10^5, beyond the first grid."""
    found = fit("swish", "relu", fix={"beta": "1e-5"})
    assert found.estimate == pytest.approx(27846.454276107, rel=1e-9)
    assert abs(found.attained_at) == pytest.approx(127846.454276107, rel=1e-3)


@pytest.mark.proof
def test_a_constant_that_does_not_matter_is_not_said_to_have_no_best_value():
    assert "no best" not in fit("tanh(a*x) + relu(b - 2)", "tanh(x) + exp(-x**2)/10").note
    assert "no best" not in fit("x*sigmoid((a - b)*x)", "mish").note
    assert "beta goes without bound" in fit("softplus", "relu").note


def test_published_constants_are_numbers_with_their_exact_values():
    (published, *_) = fit("hard_gate", "mish", Norm("sup", -5, 5), fix={"a": "5"}).to_dict()["published"]
    assert published["constants"] == {"a": 6.0, "b": 3.0}
    assert published["exact"] == {"a": "6", "b": "3"}


@pytest.mark.parametrize("ends", [(-np.inf, -1e308), (1e200, 1e201)])
def test_domains_beyond_all_numbers_are_refused(ends):
    with pytest.raises(BadInput, match="ends of the domain within 1e"):
        fit("swish", "mish", Norm("sup", *ends))


@pytest.mark.proof
def test_domains_that_are_nearly_so_are_not():
    far = fit("swish", "mish", Norm("sup", -np.inf, -1e40))
    assert far.estimate < 1e-12


@pytest.mark.parametrize("value", ["erf(1) - 1", "log(2) - 1", "0"])
def test_a_fixed_constant_is_admissible(value):
    with pytest.raises(BadInput, match="positive number"):
        fit("swish", "mish", fix={"beta": value})
