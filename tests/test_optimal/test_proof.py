"""Proofs that constants are best, from both sides: no bound above an optimum known otherwise, none far below it."""

from functools import cache

import mpmath
import numpy as np
import pytest
import sympy as sp

from analysis.activation import lookup, lowering
from analysis.exact.verdict import Verdict
from analysis.optimal import proof
from analysis.optimal.constants import fit
from analysis.optimal.residual import Residual
from analysis.rigorous.distance import supremum
from analysis.rigorous.norms import Norm


def residual(family: str, target: str = "mish", norm: Norm | None = None) -> Residual:
    return Residual.of(lookup.family(family), lookup.function(target), norm or Norm(), {})


@cache
def swish_for_mish() -> tuple[mpmath.mpf, mpmath.mpf]:
    """(beta, error) by the two equal extrema, in 40 digits."""
    with mpmath.workdps(40):

        def r(x, beta):
            return x / (1 + mpmath.exp(-beta * x)) - x * mpmath.tanh(mpmath.log1p(mpmath.exp(x)))

        def slope(x, beta):
            return mpmath.diff(lambda t: r(t, beta), x)

        x1, _, beta = mpmath.findroot(lambda a, b, k: [slope(a, k), slope(b, k), r(a, k) + r(b, k)], (-1.8, 1.55, 1.25))
        return beta, abs(r(x1, beta))


def test_one_constant_to_nine_digits():
    beta, error = swish_for_mish()
    found = fit("swish", "mish")
    assert found.verdict is Verdict.PROVED
    assert found.optimum.lower <= error
    assert (error - found.optimum.lower) / error <= 1e-9
    assert found.unique is True
    low, high = found.optimal_set["beta"]
    assert mpmath.mpf(low) <= beta <= mpmath.mpf(high)
    assert float(high) - float(low) < 1e-6


@pytest.mark.parametrize("share", [1e-4, 1e-7])
def test_a_claim_off_the_true_optimum_gets_an_honest_answer(share, monkeypatch):
    monkeypatch.setattr(proof, "MOST_BOXES", 1000)
    beta, error = (float(v) for v in swish_for_mish())
    too_good = proof.prove(residual("swish"), np.array([beta]), error * (1 - share))
    assert too_good.lower <= error, "every member is worse than the claim, which is a bound as well"
    worse = proof.prove(residual("swish"), np.array([beta * 1.01]), error * (1 + 2e-2))
    assert worse.lower <= error
    assert (worse.verdict, worse.gap > 0.019) == (Verdict.UNDECIDED, True)


@pytest.mark.parametrize(
    ("family", "target", "unique"),
    [
        ("hard_gate", "gelu", True),
        pytest.param("gelu_tanh", "gelu", True, marks=pytest.mark.slow),
        ("two_sided_swish", "mish", False),
        ("linear_swish", "mish", False),
        ("aptx", "silu", None),
        ("beta_mish", "gelu", True),
        ("elu", "mish", True),
    ],
)
def test_catalogued_families_are_decided(family, target, unique):
    found = fit(family, target)
    assert found.verdict is Verdict.PROVED
    free = len(found.residual.free)
    assert found.optimum.gap <= (1e-9 if free == 1 else 1e-6)
    assert found.optimum.lower <= float(found.error[1])
    assert found.unique is unique


def test_random_members_are_never_below_the_bound():
    rng = np.random.default_rng(5)
    for family in ("hard_gate", "two_sided_swish"):
        found = fit(family, "mish")
        best = np.array(list(found.constants.values()))
        for theta in best * np.exp(rng.normal(0, 0.3, (12, 2)) * rng.choice([1e-4, 1e-2, 1], (12, 1))):
            values = ", ".join(f"{k}={float(v)!r}" for k, v in zip(found.constants, theta, strict=True))
            x = np.linspace(-20, 20, 40_001)
            member = lowering.evaluator(lookup.function(f"{family}({values})").expression)(x)
            sampled = np.abs(member - lowering.evaluator(lookup.function("mish").expression)(x)).max()
            assert sampled >= found.optimum.lower * (1 - 1e-3), "a grid may miss a kink by its spacing"


def test_a_set_of_optima_is_an_interval_with_the_same_error_at_its_ends():
    """q of the two-sided Swish does not move the error on x < 0, which is the larger one."""
    found = fit("two_sided_swish", "mish")
    low, high = (float(end) for end in found.optimal_set["q"])
    assert low == pytest.approx(1.65495, abs=1e-4)
    assert high == pytest.approx(2.02967, abs=1e-4)
    p = found.constants["p"]
    for q, is_optimal in ((low * 1.001, True), (high * 0.999, True), (low * 0.99, False), (high * 1.01, False)):
        member = lookup.function(f"two_sided_swish(p={p!r}, q={q!r})")
        error = float(supremum(member.expression - found.target.expression).pair()[1])
        assert (error <= float(found.error[1]) * (1 + 1e-9)) is is_optimal


def test_a_member_that_is_the_target_is_found_exactly():
    found = fit("beta_mish", "mish")
    assert found.exact == {"beta": sp.Integer(1)}
    assert found.error == ("0", "0")
    assert (found.verdict, found.optimum.gap) == (Verdict.PROVED, 0)
    assert fit("aptx", "silu").exact["beta"] == sp.Rational(1, 2)


def test_without_free_constants_the_only_member_is_the_best():
    found = fit("e_swish", "mish")
    assert (found.verdict, found.unique, found.exact["beta"]) == (Verdict.PROVED, True, 1)
    assert found.optimal_set == {"beta": ("1", "1")}


def test_an_infimum_that_no_member_attains_is_bounded_all_the_same():
    found = fit("softplus", "mish")
    assert found.verdict is Verdict.PROVED
    assert found.optimal_set["beta"][1] == "inf"


def test_more_than_three_constants_are_left_undecided():
    found = fit("x*clip(x + b, 0, a)/c*t + s", "mish", Norm("sup", -2, 2))
    assert found.verdict is Verdict.UNDECIDED
    assert "3 free constants" in found.optimum.reason
