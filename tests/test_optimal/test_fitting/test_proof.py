"""Proofs that constants are best, from both sides: no bound above an optimum known otherwise, none far below it."""

from functools import cache

import mpmath
import numpy as np
import pytest
import sympy as sp

from analysis.activation import lookup, lowering
from analysis.exact.verdict import Verdict
from analysis.optimal.fitting import proof
from analysis.optimal.fitting.constants import fit
from analysis.optimal.fitting.residual import Residual
from analysis.rigorous.distance import supremum
from analysis.rigorous.norms import Norm


def residual(family: str, target: str = "mish", norm: Norm | None = None) -> Residual:
    return Residual.of(lookup.family(family), lookup.function(target), norm or Norm(), {})


fitted = cache(fit)


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
    found = fitted("swish", "mish")
    assert found.verdict is Verdict.PROVED
    assert found.optimum.lower <= error
    assert (error - found.optimum.lower) / error <= 1e-9
    assert found.unique is True
    low, high = found.optimal_set["beta"]
    assert mpmath.mpf(low) <= beta <= mpmath.mpf(high)
    assert float(high) - float(low) < 1e-6


@pytest.mark.parametrize("share", [pytest.param(1e-4, marks=pytest.mark.proof), 1e-7])
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
        pytest.param("hard_gate", "gelu", True, marks=pytest.mark.proof),
        pytest.param("gelu_tanh", "gelu", True, marks=pytest.mark.slow),
        pytest.param("two_sided_swish", "mish", False, marks=pytest.mark.proof),
        pytest.param("linear_swish", "mish", False, marks=pytest.mark.proof),
        ("aptx", "silu", True),
        ("beta_mish", "gelu", True),
        ("elu", "mish", True),
    ],
)
def test_catalogued_families_are_decided(family, target, unique):
    found = fitted(family, target)
    assert found.verdict is Verdict.PROVED
    free = len(found.residual.free)
    assert found.optimum.gap <= (1e-9 if free == 1 else 1e-6)
    assert found.optimum.lower <= float(found.error[1])
    assert found.unique is unique


@pytest.mark.parametrize("family", ["hard_gate", pytest.param("two_sided_swish", marks=pytest.mark.proof)])
def test_random_members_are_never_below_the_bound(family):
    rng = np.random.default_rng(5)
    found = fitted(family, "mish")
    best = np.array(list(found.constants.values()))
    x = np.linspace(-20, 20, 40_001)
    mish = lowering.evaluator(lookup.function("mish").expression)(x)
    for theta in best * np.exp(rng.normal(0, 0.3, (12, 2)) * rng.choice([1e-4, 1e-2, 1], (12, 1))):
        values = ", ".join(f"{k}={float(v)!r}" for k, v in zip(found.constants, theta, strict=True))
        member = lowering.evaluator(lookup.function(f"{family}({values})").expression)(x)
        assert np.abs(member - mish).max() >= found.optimum.lower * (1 - 1e-3), "a grid may miss a kink by its spacing"


@pytest.mark.proof
def test_a_set_of_optima_is_an_interval_with_the_same_error_at_its_ends():
    """q of the two-sided Swish does not move the error on x < 0, which is the larger one."""
    found = fitted("two_sided_swish", "mish")
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
    assert fitted("aptx", "silu").exact["beta"] == sp.Rational(1, 2)


def test_without_free_constants_the_only_member_is_the_best():
    found = fit("e_swish", "mish")
    assert (found.verdict, found.unique, found.exact["beta"]) == (Verdict.PROVED, True, 1)
    assert found.optimal_set == {"beta": ("1", "1")}


def test_an_infimum_that_no_member_attains_is_bounded_all_the_same():
    found = fit("softplus", "mish")
    assert found.verdict is Verdict.PROVED
    assert found.optimal_set["beta"][1] == "inf"


def test_more_than_three_constants_are_left_undecided():
    four = residual("x*clip(x + b, 0, a)/c + s", norm=Norm("sup", -2, 2))
    found = proof.prove(four, np.ones(4), 1.0)
    assert found.verdict is Verdict.UNDECIDED
    assert "3 free constants" in found.reason


# what hostile families have taught

BUMP = "exp(-x**2)/100"  # which no member of these has: at zero the error is at least 0.01


@pytest.mark.parametrize(
    ("family", "target", "norm", "best"),
    [
        pytest.param("sigmoid((a - b)*x)", f"sigmoid(x) + {BUMP}", Norm(), 0.01, marks=pytest.mark.proof),
        ("sigmoid((a - 1)*x)", f"sigmoid(x) + {BUMP}", Norm(), 0.01),
        pytest.param("tanh((a - b)*x)", "tanh", Norm("sup", 0, np.inf), 0.0, marks=pytest.mark.proof),
        pytest.param("x*tanh((a - b)*x)", "x*tanh(2*x)", Norm(), 0.0, marks=pytest.mark.proof),
        ("(a - 1)*(a - 2)*x + tanh(a*x)", f"tanh(2*x) + {BUMP}", Norm(), 0.01),
        ("(a - b)*x**2 + tanh(a*x)", f"tanh(2*x) + {BUMP}", Norm(), 0.01),
        ("step(x - b)*step(b + 1 - x)", "sigmoid(20*(x - 1))*sigmoid(20*(2 - x))", Norm(), 0.5),
    ],
)
@pytest.mark.parametrize("boxes", [300, pytest.param(3000, marks=pytest.mark.proof)])
def test_no_bound_is_above_the_best_member(family, target, norm, best, boxes, monkeypatch):
    monkeypatch.setattr(proof, "MOST_BOXES", boxes)
    found = fit(family, target, norm)
    assert found.optimum.lower <= best + 1e-8
    assert float(found.error[1]) >= best - 1e-12
    if found.verdict is Verdict.PROVED:
        assert float(found.error[1]) == pytest.approx(best, abs=1e-7)


def test_a_branch_with_a_worse_root_is_left():
    found = fit("(a - 1)*(a - 2)*x + tanh(a*x)", f"tanh(2*x) + {BUMP}")
    assert (found.exact["a"], found.verdict, found.unique) == (2, Verdict.PROVED, True)
    worse = fit("(a - 1)*(a - 2)*x + tanh(a*x)", f"tanh(2*x) + {BUMP}", fix={"a": "1"})
    assert float(worse.error[0]) > 0.3


def test_branches_that_are_as_good_leave_uniqueness_open():
    found = fit("(a - 1)*(a - 2)*x + tanh(x)", f"tanh(x) + {BUMP}")
    assert found.verdict is Verdict.PROVED
    assert float(found.error[1]) == pytest.approx(0.01, abs=1e-12)
    assert found.unique is None
    assert found.optimal_set is None


@pytest.mark.parametrize("boxes", [300, pytest.param(proof.MOST_BOXES, marks=pytest.mark.proof)])
def test_a_forced_constant_is_positive(boxes, monkeypatch):
    """b = a - 1 > 0 leaves a > 1, and sigmoid(x) is farther from sigmoid(x/2) than 0.01."""
    monkeypatch.setattr(proof, "MOST_BOXES", boxes)
    found = fit("(b + 1 - a)*x + sigmoid(a*x)", f"sigmoid(0.5*x) + {BUMP}")
    assert all(value > 0 for value in found.constants.values())
    assert 0.15 < float(found.error[0]) < 0.151
    assert found.optimum.lower <= 0.150255


def test_a_tie_keeps_both_constants_positive(recwarn):
    found = fit("hard_gate", "mish", tie={"a": "5-b"})
    assert 0 < found.constants["b"] < 5
    assert found.constants["a"] == pytest.approx(5 - found.constants["b"])
    assert found.verdict is Verdict.PROVED
    errors = [
        float(supremum(lookup.function(f"hard_gate(a={5 - b}, b={b})").expression - found.target.expression).pair()[0])
        for b in (2.2, 2.35, 2.5, 4.0)
    ]
    assert found.optimum.lower <= min(errors)
    assert min(errors) < 1.01 * float(found.error[1])
    assert not [w for w in recwarn if issubclass(w.category, RuntimeWarning)]


def test_a_gap_that_is_not_small_proves_nothing(monkeypatch):
    monkeypatch.setattr("analysis.optimal.fitting.fitted.certified", lambda *_: ("0", "1"))
    found = fit("hard_gate", "mish", fix={"a": "5", "b": "3"})
    assert found.verdict is Verdict.UNDECIDED
    assert found.optimum.lower == 0


@pytest.mark.proof
def test_no_warnings_reach_the_user(recwarn, monkeypatch):
    monkeypatch.setattr(proof, "MOST_BOXES", 300)
    monkeypatch.setattr(proof, "REFINED", 300)
    for family, target, options in (
        ("hard_gate", "mish", {"tie": {"a": "b-4"}}),
        ("a*sin(b*x)", "tanh", {"norm": Norm("sup", -1, 1)}),
    ):
        assert fit(family, target, **options).optimum.verdict in (Verdict.PROVED, Verdict.UNDECIDED)
    assert not [str(w.message) for w in recwarn if issubclass(w.category, RuntimeWarning)]
