"""`compare` in every norm: the distance from both sides, witnesses that attain it, and reasons where there is none."""

import itertools

import mpmath
import numpy as np
import pytest
import sympy as sp
from flint import arb, ctx

from analysis import compare
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.lookup import expression, function
from analysis.activation.parsing import X
from analysis.exact.verdict import Verdict
from analysis.rigorous import balls
from analysis.rigorous.comparison import enclose
from analysis.rigorous.norms import Norm
from tests import oracles

KEYS = "left right norm domain setting derivative distance witness verdict reason seconds"
NORMS = [Norm(), Norm("l2"), Norm("gaussian", sigma=2.0), Norm.grid(-6, 6, 50), Norm.samples(np.array([-1.0, 0.5, 3]))]


def numbers(pair) -> list[mpmath.mpf]:
    return [mpmath.mpf(end) for end in pair]


def derivative(name: str, x, order: int) -> mpmath.mpf:
    """By mpmath's differences; x is no kink."""
    with mpmath.workdps(60):
        return mpmath.diff(oracles.FUNCTIONS[name], mpmath.mpf(x), order) if order else oracles.FUNCTIONS[name](x)


# the supremum and its witness


@pytest.mark.parametrize(
    ("left", "right", "order", "x", "side"),
    [
        ("hard_sigmoid", "step(x)", 0, "0", "left"),
        ("relu", "silu", 1, "0", "left"),
        ("mish", "hard_mish", 1, "-3", "right"),
        ("mish", "hard_mish", 2, "2", "left"),
        ("elu", "celu(alpha=2)", 2, "0", "left"),
        ("h_mish", "relu", 1, "-2", "right"),
    ],
)
def test_beside_a_jump_the_witness_has_its_side(left, right, order, x, side):
    witness = compare(left, right, derivative=order).to_dict()["witness"]
    assert (witness["x"], witness["side"]) == (x, side)


@pytest.mark.parametrize(
    ("left", "right", "order"),
    [
        ("mish", "hard_mish", 0),
        ("mish", "hard_mish", 1),
        ("gelu", "silu", 1),
        ("mish", "silu", 2),
        ("tanh", "softsign", 0),
    ],
)
def test_the_supremum_is_attained_and_never_exceeded(left, right, order):
    answer = compare(left, right, derivative=order)
    low, high = numbers(answer.distance)
    assert high - low <= 2e-12 * high
    there = [numbers(pair) for pair in (answer.witness.left, answer.witness.right)]
    assert max(abs(a - b) for a, b in itertools.product(*there)) >= low
    for k in range(-40, 41):
        x = mpmath.mpf(k) / 5 + mpmath.mpf(1) / 64
        assert abs(derivative(left, x, order) - derivative(right, x, order)) <= high


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize(("left", "right"), [("mish", "silu"), ("gelu", "gelu_tanh"), ("mish", "hard_mish")])
def test_the_values_at_the_witness_are_those_of_the_functions(left, right, order):
    witness = compare(left, right, derivative=order).witness
    nudge = mpmath.mpf(witness.side) * mpmath.mpf(10) ** -16
    for name, pair in ((left, witness.left), (right, witness.right)):
        low, high = numbers(pair)
        with mpmath.workdps(60):
            x = mpmath.mpf(sp.N(witness.x, 60)) + nudge
            known = (
                oracles.FUNCTIONS[name](x) if order == 0 else mpmath.diff(oracles.FUNCTIONS[name], x, order, h="1e-20")
            )
        assert low - mpmath.mpf("1e-14") <= known <= high + mpmath.mpf("1e-14")


def test_a_witness_is_exact_or_a_short_decimal_that_attains_the_distance():
    assert compare("hard_swish", "relu").to_dict()["witness"]["x"] in ("-1.5", "1.5")
    answer = compare("mish", "hard_mish")
    text = answer.to_dict()["witness"]["x"]
    assert len(text) <= 20
    with ctx.workprec(128):
        value = balls.evaluator(expression("mish - hard_mish"))(balls.enclose(sp.Rational(text)))
        assert abs(value) >= arb(answer.distance[0])


def test_a_supremum_at_infinity_has_no_values():
    answer = compare("elu", "relu")
    assert answer.distance == ("1", "1")
    assert answer.to_dict()["witness"] == {"x": "-oo", "left": None, "right": None}
    assert "in the limit, as x tends to -oo" in answer._repr_html_()


def test_derivatives_are_compared_where_both_exist():
    """relu' jumps by 1 at 0, silu' is 1/2 there: each side is 1/2 away."""
    assert compare("relu", "silu", derivative=1).distance == ("0.5", "0.5")
    assert compare("relu", "hard_tanh", derivative=1).distance == ("1", "1")
    assert compare("relu", "hard_tanh", derivative=2).distance == ("0", "0")


# every norm


@pytest.mark.parametrize("norm", NORMS, ids=lambda norm: norm.kind)
def test_the_distance_is_symmetric_and_what_enclose_gives(norm):
    there, back = compare("mish", "hard_mish", norm), compare("hard_mish", "mish", norm)
    assert there.distance == back.distance == enclose(expression("mish - hard_mish"), norm)
    assert there.verdict is Verdict.PROVED
    low, high = numbers(there.distance)
    assert 0 < low <= high <= low * (1 + mpmath.mpf("2e-12"))
    assert set(there.to_dict()) == set(KEYS.split())


@pytest.mark.parametrize("norm", NORMS, ids=lambda norm: norm.kind)
def test_a_function_is_at_no_distance_from_itself(norm):
    assert compare("mish", "x*tanh(softplus(x))", norm).distance == ("0", "0")


@pytest.mark.parametrize("order", [0, 1])
def test_over_points_it_is_the_mean_square(order):
    norm = Norm.grid(-6, 6, 25)
    low, high = numbers(compare("gelu", "quick_gelu", norm, derivative=order).distance)
    squares = [(derivative("gelu", x, order) - derivative("quick_gelu", x, order)) ** 2 for x in norm.points]
    known = mpmath.fsum(squares) / 25
    assert low * (1 - mpmath.mpf("1e-12")) <= known <= high * (1 + mpmath.mpf("1e-12"))


@pytest.mark.parametrize("kind", ["l2", "gaussian"])
def test_integrals_of_derivatives_hold_the_quadrature(kind):
    with mpmath.workdps(30):
        f, g = ("mish", "silu")

        def square(x):
            weight = 1 if kind == "l2" else mpmath.npdf(x)
            return weight * (derivative(f, x, 1) - derivative(g, x, 1)) ** 2

        known = mpmath.sqrt(mpmath.quad(square, range(-48, 49, 8)))
        low, high = numbers(compare(f, g, Norm(kind), derivative=1).distance)
        assert low * (1 - mpmath.mpf("1e-12")) <= known <= high * (1 + mpmath.mpf("1e-12"))


def test_a_domain_is_respected():
    assert compare("elu", "relu", Norm("sup", -1, 5)).to_dict()["witness"]["x"] == "-1"
    low, high = numbers(compare("elu", "relu", Norm("l2", -1, 5)).distance)
    known = mpmath.sqrt(mpmath.quad(lambda x: mpmath.expm1(x) ** 2, [-1, 0]))
    assert low * (1 - mpmath.mpf("1e-14")) <= known <= high * (1 + mpmath.mpf("1e-14"))


@pytest.mark.parametrize("tol", [1e-4, 1e-12, 1e-20])
@pytest.mark.parametrize("norm", NORMS[:3], ids=lambda norm: norm.kind)
def test_the_digits_follow_the_tolerance(norm, tol):
    low, high = (sp.Rational(end) for end in compare("mish", "hard_mish", norm, tol=tol).distance)
    assert 0 <= high - low <= low * sp.Rational(tol) * 2


# infinite, undecided, mistaken


@pytest.mark.parametrize("norm", NORMS[:2], ids=lambda norm: norm.kind)
def test_an_unbounded_distance_is_proved_infinite(norm):
    answer = compare("mish", "leaky_relu", norm)
    assert (answer.distance, answer.verdict) == (("inf", "inf"), Verdict.PROVED)
    assert "tends to oo as x tends to -oo" in answer.reason
    assert "infinite" in answer._repr_html_()


@pytest.mark.parametrize("norm", [*NORMS[:3], Norm.grid(-1, 1, 3)], ids=lambda norm: norm.kind)
def test_a_pole_is_undecided_with_its_reason(norm):
    answer = compare("1/x", "x", norm)
    assert (answer.distance, answer.verdict, answer.witness) == (("0", "inf"), Verdict.UNDECIDED, None)
    assert answer.reason
    with pytest.raises(Undecided):
        enclose(1 / X - X, norm)


def test_a_difference_may_be_simpler_than_its_sides():
    answer = compare("mish + 1/x", "relu + 1/x")
    assert answer.distance == compare("mish", "relu").distance
    assert answer.witness.left is None


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("mish", "hardmish"), {}, "unknown activation 'hardmish'"),
        (("mish", "relu"), {"derivative": -1}, "order of a derivative, 0 or more, got -1"),
        (("mish", "relu"), {"tol": 0.0}, "expected a tolerance between 1e-30 and 1, got 0"),
        (("mish", "relu"), {"tol": float("nan")}, "expected a tolerance"),
        (("mish", "hard_gate"), {}, "hard_gate is a family"),
    ],
)
def test_a_mistake_is_named(arguments, options, message):
    with pytest.raises(BadInput, match=message.replace("(", r"\(")):
        compare(*arguments, **options)


def test_records_are_taken_as_they_are():
    mish, relu = function("mish"), function("relu")
    answer = compare(mish, relu)
    assert (answer.left, answer.right) == (mish, relu)
    assert answer == compare("mish", "relu")


# what is at a point, far away, or too wide


def test_the_witness_of_an_isolated_value_is_the_value():
    answer = compare("step(x)*step(-x)", "0*x")
    assert answer.distance == ("1", "1")
    assert answer.to_dict()["witness"] == {"x": "0", "left": ["1", "1"], "right": ["0", "0"]}
    assert compare("{x, x < 0; 1, x <= 0; x, x > 0}", "x").distance == ("1", "1")
    for options in ({"derivative": 1}, {"norm": Norm("l2")}, {"norm": Norm("gaussian")}):
        assert compare("{x, x < 0; 1, x <= 0; x, x > 0}", "x", **options).distance == ("0", "0")


def test_a_wide_enclosure_is_undecided_and_shown_with_both_ends():
    answer = compare("sin(x)", "0*x", Norm("l2", 0, 1e6))
    low, high = numbers(answer.distance)
    assert answer.verdict is Verdict.UNDECIDED
    assert low <= mpmath.mpf("707.1068") <= high
    assert "relative width" in answer.reason
    text = answer._repr_html_()
    assert answer.distance[0] in text
    assert answer.distance[1] in text


def test_a_wide_pair_is_never_shown_by_its_upper_end():
    assert "between 0 and " in compare("silu", "gelu", Norm("l2", 30000, 40000))._repr_html_()
    assert "between" not in compare("mish", "hard_mish", tol=1e-10)._repr_html_()


@pytest.mark.parametrize(
    "ends", [pytest.param((1e308, np.inf), marks=pytest.mark.proof), (-np.inf, -1e308), (1e10, 1e11), (-1e308, -1e307)]
)
def test_domains_at_the_end_of_the_floats(ends):
    answer = compare("mish", "gelu", Norm("sup", *ends))
    assert (answer.verdict, answer.distance[0]) == (Verdict.PROVED, "0")
    assert mpmath.mpf(answer.distance[1]) < mpmath.mpf("1e-180")


def test_an_end_known_by_its_limit():
    assert compare("sin(x)/x", "0*x", Norm("sup", 0, 1)).distance == ("1", "1")


@pytest.mark.parametrize(
    ("norm", "domain", "text"),
    [
        (Norm("sup", 0.123456789, 1), ["0.123456789", "1"], "x in [0.123456789, 1]"),
        (Norm("sup", -1e-7, 1e6), ["-1e-07", "1000000"], "x in [-1e-07, 1000000]"),
        (Norm("sup", -np.inf, 0.1), ["-inf", "0.1"], "x in [-inf, 0.1]"),
        (Norm("gaussian", sigma=0.123456789), ["-inf", "inf"], "N(0, 0.123456789^2)"),
    ],
)
def test_domain_and_sigma_keep_their_digits(norm, domain, text):
    answer = compare("relu", "silu", norm).to_dict()
    assert answer["domain"] == domain
    assert text in str(norm)
    assert [float(end) for end in answer["domain"]] == list(norm.ends)
    assert norm.kind != "gaussian" or answer["setting"] == text
