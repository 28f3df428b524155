"""The best continuous piecewise linear functions: provable above, refutable below, and what degenerates."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from analysis.activation import lookup, lowering
from analysis.activation.errors import BadInput, Refused, Undecided
from analysis.activation.parsing import X
from analysis.activation.record import Activation
from analysis.exact.verdict import Verdict
from analysis.optimal.shapes import pwl
from analysis.optimal.shapes.bracket import Bracket
from analysis.optimal.shapes.grid import Grid
from analysis.optimal.shapes.linear import Target
from analysis.optimal.shapes.obstruction import Chain
from analysis.rigorous.comparison import compare
from analysis.rigorous.distance import supremum
from analysis.rigorous.norms import Norm

CORE = Norm("sup", -8, 8)
TARGETS = ["mish", "gelu", "silu", "softplus", "elu", "hard_swish", "squareplus", "selu", "h_mish"]


def design(name, pieces=None, norm=CORE, tolerance=None):
    return pwl.free(lookup.function(name), norm, pieces, tolerance)


@pytest.mark.parametrize("pieces", [1, 2, 3, 5, *(pytest.param(n, marks=pytest.mark.proof) for n in (8, 20))])
@pytest.mark.parametrize("name", ["mish", "tanh", "hard_swish"])
def test_designs_on_an_interval_are_proved_best(name, pieces):
    found = design(name, pieces)
    assert found.verdict is Verdict.PROVED
    assert found.gap < 1e-9
    assert found.pieces == pieces or (name == "tanh" and found.pieces == pieces - 1), "an odd target may not need one"


@pytest.mark.parametrize("name", TARGETS)
def test_designs_on_the_line_are_proved_best(name):
    found = design(name, 7, Norm())
    assert found.verdict is Verdict.PROVED
    assert found.gap < 1e-9


@pytest.mark.parametrize("name", ["mish", "elu"])
@pytest.mark.parametrize("norm", [CORE, Norm(), Norm("sup", -math.inf, 3)])
def test_the_certified_error_is_that_of_the_formula(name, norm):
    """The general machinery, which reads the formula anew, encloses the same distance."""
    found = design(name, 5, norm)
    ends = [sp.oo * int(math.copysign(1, e)) if math.isinf(e) else sp.Rational(e) for e in norm.ends]
    formula = lookup.function(found.polynomials.formula).expression
    low, high = supremum(found.target.expression - formula, *ends).pair()
    assert float(low) == pytest.approx(float(found.error[1]), rel=1e-11)
    assert float(high) == pytest.approx(float(found.error[0]), rel=1e-11)


def test_an_error_just_below_the_optimum_is_refuted_and_one_above_is_not():
    target = Target(lookup.function("mish").expression, sp.Integer(-8), sp.Integer(8))
    bracket = Bracket(Grid.of(target, 6))
    list(bracket.attempts())
    error = bracket.short.error
    assert Chain(target, bracket.short, Fraction(error * (1 - 1e-9))).proves()
    assert not Chain(target, bracket.short, Fraction(error * (1 + 1e-9))).proves()


def test_a_chain_that_skips_an_obstruction_proves_nothing():
    target = Target(lookup.function("mish").expression, sp.Integer(-8), sp.Integer(8))
    bracket = Bracket(Grid.of(target, 6))
    list(bracket.attempts())
    short, error = bracket.short, Fraction(bracket.short.error * (1 - 1e-9))
    for k in range(1, 5):
        moved = [
            *short.obstructions[: k - 1],
            short.obstructions[k],
            short.obstructions[k - 1],
            *short.obstructions[k + 1 :],
        ]
        broken = type(short)(short.error, tuple(moved), short.begin, short.end)
        assert not Chain(target, broken, error).proves()


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), pieces=st.integers(2, 6))
def test_no_random_design_is_below_the_bound(seed, pieces):
    """Interpolants with other knots and values, and small changes of the best one."""
    found = design("mish", pieces)
    rng = np.random.default_rng(seed)
    x = np.linspace(-8, 8, 4001)
    f = lowering.evaluator(found.target.expression)(x)
    for scale in (1e-3, 0.1, 3.0):
        best = [-8.0, *map(float, found.polynomials.knots), 8.0]
        knots = np.sort(np.clip(best + scale * rng.normal(size=len(best)), -8, 8))
        knots[0], knots[-1] = -8, 8
        values = lowering.evaluator(found.polynomials.expression)(knots) + scale * 0.1 * rng.normal(size=len(knots))
        sampled = np.abs(np.interp(x, knots, values) - f).max()
        assert sampled >= found.bound.lower * (1 - 1e-4), "a grid misses a maximum by little"


@pytest.mark.parametrize("name", ["mish", "gelu", "tanh", "elu"])
def test_a_tolerance_gives_the_fewest_pieces(name):
    found = design(name, norm=Norm(), tolerance=3e-3)
    assert found.fewest is Verdict.PROVED
    assert float(found.error[1]) <= 3e-3
    assert design(name, found.pieces - 1, Norm()).bound.lower > 3e-3


def test_more_pieces_are_never_worse():
    errors = [float(design("mish", n).error[1]) for n in range(1, 12)]
    assert all(a >= b * (1 - 1e-9) for a, b in pairwise(errors))


def test_the_outer_pieces_are_the_asymptotes():
    found = design("mish", 6, Norm())
    assert found.polynomials.expressions[0] == 0
    assert found.polynomials.expressions[-1] == X


@pytest.mark.parametrize(("name", "pieces"), [("relu", 2), ("relu6", 3), ("hard_tanh", 5), ("3*x + 1", 4)])
def test_a_target_of_this_shape_is_its_own_design(name, pieces):
    found = design(name, pieces, Norm())
    assert found.error == ("0", "0")
    assert found.verdict is Verdict.PROVED


def test_a_piecewise_linear_target_with_more_pieces_is_approximated():
    found = design("relu6", 2)
    assert found.verdict is Verdict.PROVED
    assert float(found.error[1]) > 0.1


@pytest.mark.parametrize(
    ("name", "pieces", "norm", "expected"),
    [
        ("x**2", 4, Norm(), "asymptote at -inf"),
        ("mish", 1, Norm(), "at least 2 pieces, for the 2 asymptotes"),
        ("abs(x)", 1, Norm(), "at least 2 pieces, for the 2 asymptotes"),
        ("tanh", 2, Norm(), "at least 3 pieces, for the 2 asymptotes"),
        ("log(x)", 3, Norm("sup", 0, 4), "goes to -oo at 0"),
    ],
)
def test_what_cannot_be_designed_is_one_clear_line(name, pieces, norm, expected):
    with pytest.raises(BadInput, match=expected):
        design(name, pieces, norm)


@pytest.mark.parametrize("tolerance", [0.0, -1.0, math.inf, math.nan])
def test_a_tolerance_is_positive(tolerance):
    with pytest.raises(BadInput, match="positive tolerance"):
        design("mish", tolerance=tolerance)


# the fast walk against the sure one


@pytest.mark.parametrize("name", ["mish", "tanh", "softsign", "gelu", "hard_swish"])
@pytest.mark.parametrize("pieces", [3, 4, 5])
def test_few_pieces_on_the_line_are_proved_best(name, pieces):
    """Where a link may run beside an asymptote for ever, and where an odd target has one link to spare."""
    found = design(name, pieces, Norm())
    assert 0 <= found.bound.lower <= float(found.error[1])
    assert found.verdict is Verdict.PROVED
    assert found.gap < 1e-9


# functions of so many pieces whose first knot lies far out, found by a search of their constants
FAR = [
    (
        "diff(mish)",
        5,
        "-0.06951787949188053*clip((x+23.116982279902086)/21.830314030865228,0,1)"
        "+1.1194066856485538*clip((x+1.2866682490368564)/2.1942168399307955,0,1)"
        "-0.04988880615667335*clip((x-0.907548590893939)/56.17699060818475,0,1)",
    ),
    ("gelu", 4, "max(-0.0849856*clip(x/1000000+1,0,1),x-0.0849856)+0.0849856*clip(x/1000000,0,1)"),
]


@pytest.mark.parametrize(("name", "pieces", "known"), FAR)
def test_the_best_first_knot_may_lie_far_out(name, pieces, known):
    """Where the infimum is attained, or nearly, by a function whose first link all but runs beside the asymptote."""
    found = design(name, pieces, Norm())
    distance = compare(name, known).distance
    assert found.verdict is Verdict.PROVED
    assert found.bound.lower <= float(distance[0]) <= found.bound.lower * (1 + 1e-5)
    assert design(name, norm=Norm(), tolerance=float(found.error[1]) * (1 + 1e-6)).pieces == pieces
    below = design(name, norm=Norm(), tolerance=found.bound.lower * (1 - 1e-6))
    assert below.pieces == pieces + 1
    assert below.fewest is Verdict.PROVED


def test_that_a_bound_is_not_attained_is_said():
    assert any("which none attains" in note for note in design("gelu", 4, Norm()).notes)
    assert not design("mish", 5, Norm()).notes


def mirrored(name):
    target = lookup.function(name)
    return Activation("mirrored", target.expression.subs(X, -X), "mirrored")


@pytest.mark.parametrize("name", ["gelu", "diff(mish)", "exp(-x**2) + sigmoid(x)", "x/(1 + x**2) + tanh(x)", "selu"])
@pytest.mark.parametrize("pieces", [4, *(pytest.param(n, marks=pytest.mark.proof) for n in (5, 7))])
def test_a_target_and_its_mirror_image_have_the_same_optimum(name, pieces):
    """The walk goes from left to right: the first knot and the last one are found, and bounded, in different ways."""
    found, other = design(name, pieces, Norm()), pwl.free(mirrored(name), Norm(), pieces, None)
    assert found.verdict is other.verdict is Verdict.PROVED
    assert max(found.bound.lower, other.bound.lower) <= min(float(found.error[1]), float(other.error[1]))


def nearest(target, knots, lines):
    """The least error of functions with these knots, asymptotes outside, by a linear programme over a grid."""
    far = np.sinh(np.linspace(-math.asinh(100), math.asinh(100), 300))
    inside = [np.linspace(a, b, 12) for a, b in pairwise(knots)]
    x = np.unique(np.concatenate([far, *inside]))
    y, (left, right) = target(x), lines
    outside = np.where(x < knots[0], y - np.polyval(left, x), np.where(x > knots[-1], y - np.polyval(right, x), 0.0))
    x, y = (part[(x >= knots[0]) & (x <= knots[-1])] for part in (x, y))
    hats = np.array([np.interp(x, knots, row) for row in np.eye(len(knots))]).T
    rest = y - hats[:, 0] * np.polyval(left, knots[0]) - hats[:, -1] * np.polyval(right, knots[-1])
    inner = hats[:, 1:-1]
    column, count = np.ones((len(x), 1)), inner.shape[1]
    answer = linprog(
        [0.0] * count + [1.0],
        A_ub=np.block([[inner, -column], [-inner, -column]]),
        b_ub=np.concatenate([rest, -rest]),
        bounds=[(None, None)] * count + [(0, None)],
    )
    return max(answer.x[-1], np.abs(outside).max())


@pytest.mark.parametrize(
    ("name", "pieces", "lines"),
    [("mish", 4, ((0, 0), (1, 0))), pytest.param("gelu", 4, ((0, 0), (1, 0)), marks=pytest.mark.proof)],
)
def test_no_search_over_knots_near_and_far_is_below_the_bound(name, pieces, lines):
    """An oracle of another kind: a simplex search over knots, from random ones; a linear programme for the values."""
    found, rng = design(name, pieces, Norm()), np.random.default_rng(pieces)
    f = lowering.evaluator(found.target.expression)

    def error(theta):
        knots = np.sinh(np.sort(theta))
        return nearest(f, knots, lines) if np.diff(knots).min() > 1e-6 else 9.0

    starts = [rng.uniform(-scale, scale, pieces - 1) for scale in (1, 2, 4)]
    best = min(minimize(error, one, method="Nelder-Mead", options={"maxfev": 150}).fun for one in starts)
    assert found.bound.lower * (1 - 1e-3) <= best, "a grid misses a maximum by little"
    assert best <= found.bound.lower * 1.2, "the search has some force"


def test_a_chain_from_an_asymptote_proves_nothing_above_the_optimum():
    """Also where the first obstruction is parallel to the asymptote."""
    for name, pieces in (("gelu", 4), ("diff(mish)", 4), ("mish", 4)):
        target = Target(lookup.function(name).expression, -sp.oo, sp.oo)
        bracket = Bracket(Grid.of(target, pieces - 2))
        list(bracket.attempts())
        error = bracket.short.error
        assert Chain(target, bracket.short, Fraction(error * (1 - 1e-9))).proves()
        assert not Chain(target, bracket.short, Fraction(error * (1 + 1e-9))).proves()


@pytest.mark.parametrize(("name", "pieces"), [("mish", 2), ("gelu", 2), ("exp(-x**2)", 1), ("exp(-x**2)", 3)])
def test_the_asymptotes_alone_are_a_design(name, pieces):
    """Two pieces are fixed by the target, and three are where the third has to come back to the first."""
    found = design(name, pieces, Norm())
    alone = "relu" if pieces == 2 else "0"
    assert found.error == compare(name, alone).distance
    assert found.verdict is Verdict.PROVED
    assert design(name, norm=Norm(), tolerance=1.1 * float(found.error[1])).pieces == len(
        found.polynomials.coefficients
    )


@pytest.mark.parametrize(
    ("name", "norm", "tolerance"),
    [
        ("exp(x)", Norm("sup", 0, 0.01), 1e-17),
        pytest.param("mish", Norm("sup", -0.01, 0.01), 1e-16, marks=pytest.mark.proof),
    ],
)
def test_a_tolerance_that_doubles_do_not_reach_is_no_answer(name, norm, tolerance):
    with pytest.raises(Undecided, match="in doubles"):
        design(name, norm=norm, tolerance=tolerance)


def test_points_that_doubles_do_not_keep_apart_are_no_traceback():
    with pytest.raises(Undecided, match="in doubles"):
        design("mish", 3, Norm("sup", 1, 1.0000000000000002))


@pytest.mark.parametrize("pieces", [1, 2, 3, 8])
@pytest.mark.parametrize("name", ["sqrt(x)", "sqrt(4 - x)"])
def test_a_vertical_slope_at_an_end_is_no_obstacle(name, pieces):
    """The best line over [a, b] is (sqrt(b) - sqrt(a))^2/(8 (sqrt(b) + sqrt(a))) away: that is 1/(2 N (N+1)) here."""
    found = design(name, pieces, Norm("sup", 0, 4))
    assert found.verdict is Verdict.PROVED
    assert float(found.error[1]) == pytest.approx(1 / (2 * pieces * (pieces + 1)), rel=1e-9)


@pytest.mark.parametrize("pieces", [2, 3, 8])
def test_a_steep_end_is_resolved(pieces):
    """log on [a, b] is log on [1, b/a], moved: its pieces are alike, and N of them share log(b/a) evenly."""
    found = design("log(x)", pieces, Norm("sup", 1e-6, 4))
    assert found.verdict is Verdict.PROVED
    assert found.gap < 1e-9
    ratio = (4e6) ** (1 / pieces)
    chord = math.log(ratio) / (ratio - 1)
    assert float(found.error[1]) == pytest.approx((chord - 1 - math.log(chord)) / 2, rel=1e-6)


@pytest.mark.parametrize("name", ["mish", "softsign", "tanh"])
def test_walks_that_carry_links_over_find_the_same_links(name):
    """A link is carried from a walk through another tube by Newton's method, or walked anew; the points agree."""
    target = Target(lookup.function(name).expression, sp.Integer(-8), sp.Integer(8))
    carried = Grid.of(target, 40)
    error = carried.expected()
    carried.attempt(1.02 * error)
    for share in (1.01, 1.0, 0.98):
        anew, again = Grid.of(target, 40).attempt(share * error), carried.attempt(share * error)
        assert anew.arrives == again.arrives
        for one, other in zip(anew.obstructions, again.obstructions, strict=True):
            assert (one.side, one.x3) == (other.side, pytest.approx(other.x3, rel=1e-7))


def test_many_pieces_are_proved_best():
    found = design("mish", 300)
    assert found.gap < 1e-7
    assert found.pieces == 300


@pytest.mark.parametrize("norm", [Norm(), Norm("sup", -3, 3)])
@pytest.mark.parametrize(
    ("name", "half"), [("step(x)", "1/2"), ("sigmoid(x) + step(x)/4", "1/8"), ("x*step(x - 1) + gelu", "1/2")]
)
def test_a_jump_is_half_of_it_away_from_every_continuous_function(name, half, norm):
    found = design(name, 4, norm)
    least = float(Fraction(half))
    assert found.verdict is Verdict.PROVED
    assert found.bound.lower <= least <= float(found.error[1]) <= least * (1 + 1e-9)
    assert float(design(name, norm=norm, tolerance=1.2 * least).error[1]) <= 1.2 * least
    with pytest.raises(Refused, match=f"no continuous function comes nearer than {half}"):
        design(name, norm=norm, tolerance=0.9 * least)
    with pytest.raises(Undecided):
        design(name, norm=norm, tolerance=least)


def test_a_jump_smaller_than_what_so_few_pieces_miss_does_not_count():
    found = design("tanh(3*x) + step(x - 1)/100", 4, Norm())
    assert found.verdict is Verdict.PROVED
    assert found.bound.lower > 1 / 200


def test_beside_a_jump_there_are_designs():
    assert design("step(x)*x**2", 3, Norm("sup", 0, 2)).verdict is Verdict.PROVED


SMOOTH = st.sampled_from(
    ["tanh(x)", "x*sigmoid(x)", "exp(-x^2)", "sin(x)", "log(1 + x^2)", "atan(x)", "x^2/8", "erf(x)"]
)


@pytest.mark.proof
@settings(max_examples=15, deadline=None)
@given(first=SMOOTH, second=SMOOTH, share=st.integers(-3, 3), pieces=st.integers(1, 12))
def test_random_smooth_targets_are_enclosed_from_both_sides(first, second, share, pieces):
    """What is sampled of the design's distance is below its certified error; the bound is below both, and near."""
    found = design(f"{first} + {share}*({second})/2", pieces, Norm("sup", -4, 5))
    x = np.linspace(-4, 5, 2001)
    f, g = (lowering.evaluator(e)(x) for e in (found.target.expression, found.polynomials.expression))
    assert np.abs(f - g).max() <= float(found.error[1]) * (1 + 1e-9) + 1e-12
    assert found.bound.lower <= float(found.error[1])
    assert found.gap < 1e-6 or float(found.error[1]) == 0.0


def test_a_design_with_far_knots_is_read_back():
    found = design("gelu", 4, Norm("sup"))
    assert found.polynomials.knots[0] < -(10**9)
    again = lookup.function(found.to_dict()["formula"])
    assert compare(again, "gelu", norm=found.norm).distance == found.error
