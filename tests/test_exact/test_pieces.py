"""A function taken apart is the function: exact breakpoints, and pieces that agree with it everywhere."""

from fractions import Fraction
from itertools import pairwise

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.activation.errors import BadInput, Undecided
from analysis.activation.functions import elementary
from analysis.activation.lookup import expression, function
from analysis.activation.parsing import X
from analysis.exact import pieces as taking_apart
from analysis.exact.normal import sign
from analysis.exact.pieces import Spot, as_piecewise, derivative_pieces, interior_point, pieces, spots, value_on
from tests import oracles

A, B = sp.symbols("a b", positive=True)


def ends(found):
    return [piece.upper for piece in found[:-1]]


@pytest.mark.parametrize(
    ("text", "breaks"),
    [
        ("mish", []),
        ("relu(x)", [0]),
        ("abs(x**2 - 2)", [-sp.sqrt(2), sp.sqrt(2)]),
        ("max(x, 1 - x, 0)", ["1/2"]),
        ("max(x, x + 1)", []),
        ("relu(relu(x) - 1)", [1]),
        ("relu(x) - relu(x)", []),
        ("relu(x) - relu(-x)", []),
        ("clip(abs(x), 1, 2)", [-2, -1, 1, 2]),
        ("relu(exp(x) - 2)", [sp.log(2)]),
        ("relu(tanh(x))", [0]),
        ("step(x - 1) + step(x - 1/2)", ["1/2", 1]),
        ("{x, x < 1; {x**2, x < 2; 4}}", [1, 2]),
        ("{x, x < sqrt(2); 1}", [sp.sqrt(2)]),
    ],
)
def test_breakpoints_are_exact(text, breaks):
    assert ends(pieces(expression(text))) == [sp.sympify(b) for b in breaks]


def test_symbolic_breakpoints():
    found = pieces(X * expression("clip(x + b, 0, a)", {"a": A, "b": B}) / A)
    assert ends(found) == [-B, A - B]
    assert [piece.expression for piece in found] == [0, X * (B + X) / A, X]


@pytest.mark.parametrize("text", ["relu(x - exp(-x**2))", "abs(x*exp(x) + tanh(x) - 1/3)", "relu(sin(x))", "1/(x - 1)"])
def test_what_cannot_be_ordered_is_undecided(text):
    with pytest.raises(Undecided):
        pieces(expression(text))


def test_the_order_of_free_constants_is_undecided():
    with pytest.raises(Undecided):
        pieces(expression("relu(x - a) + relu(x - b)", {"a": A, "b": B}))


@pytest.mark.parametrize("text", ["sqrt(x**2 - 2*x - 1/7 - x**2)", "log(-1 - x**2)"])
def test_what_is_not_real_is_refused(text):
    with pytest.raises((BadInput, Undecided)):
        pieces(expression(text))


@pytest.mark.parametrize("name", oracles.FUNCTIONS)
def test_pieces_tile_the_line_and_join_to_the_function(name):
    found = pieces(function(name).expression)
    assert found[0].lower == -sp.oo
    assert found[-1].upper == sp.oo
    assert all(left.upper == right.lower for left, right in pairwise(found))
    joined = elementary(as_piecewise(found) - function(name).expression)
    for point in [*map(sp.Rational, ("-9", "-2.5", "-1", "0.5", "1.5", "7")), *ends(found)]:
        assert abs(joined.subs(X, point).evalf(30)) < 1e-25


def test_the_derivative_has_the_same_breakpoints():
    found = derivative_pieces(pieces(function("hard_swish").expression))
    assert [(p.lower, p.upper, p.expression) for p in found] == [
        (-sp.oo, -3, 0),
        (-3, 3, X / 3 + sp.Rational(1, 2)),
        (3, sp.oo, 1),
    ]


@pytest.mark.parametrize(("lower", "upper"), [(-sp.oo, sp.oo), (-sp.oo, -2), (3, sp.oo), (1, 2), (sp.sqrt(2), 2)])
def test_an_interior_point_is_inside(lower, upper):
    assert sp.sympify(lower) < interior_point(*map(sp.sympify, (lower, upper))) < sp.sympify(upper)


# Random compositions of the piecewise linear words, with Python's own arithmetic on fractions as the oracle.

rationals = st.fractions(-3, 3, max_denominator=6)
WORDS = {
    "relu": lambda u, v: max(u, 0),
    "abs": lambda u, v: abs(u),
    "max": max,
    "min": min,
    "+": lambda u, v: u + v,
    "clip": lambda u, v: min(max(u, Fraction(-1)), Fraction(3, 2)),
}
TEXT = {
    "relu": "relu({})",
    "abs": "abs({})",
    "max": "max({},{})",
    "min": "min({},{})",
    "+": "({}+{})",
    "clip": "clip({},-1,3/2)",
}
trees = st.recursive(
    st.tuples(rationals, rationals), lambda inner: st.tuples(st.sampled_from(sorted(WORDS)), inner, inner), max_leaves=4
)


def text(tree):
    return f"(({tree[0]})*x+({tree[1]}))" if len(tree) == 2 else TEXT[tree[0]].format(text(tree[1]), text(tree[2]))


def value(tree, x):
    return tree[0] * x + tree[1] if len(tree) == 2 else WORDS[tree[0]](value(tree[1], x), value(tree[2], x))


@settings(max_examples=25)
@given(trees, st.lists(st.fractions(-20, 20, max_denominator=9), min_size=4, max_size=4))
def test_pieces_of_random_piecewise_linear_functions_agree_with_direct_evaluation(tree, extra):
    found = pieces(expression(text(tree)))
    breaks = ends(found)
    assert breaks == sorted(breaks)
    for point in [*breaks, *map(sp.Rational, extra)]:
        direct = sp.Rational(value(tree, Fraction(int(point.p), int(point.q))))
        around = [p for p in found if p.lower <= point <= p.upper]
        assert all(p.expression.subs(X, point) == direct for p in around)
    slopes = [sp.diff(p.expression, X) for p in found]
    assert all(left != right for left, right in pairwise(slopes)), "a breakpoint that is none"


# values at points


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("step(x)*step(-x)", [Spot(sp.S(0), sp.S(1), True)]),
        ("step(x) + step(-x)", [Spot(sp.S(0), sp.S(2), True)]),
        ("{x, x < 0; 1, x <= 0; x, x > 0}", [Spot(sp.S(0), sp.S(1), True)]),
        ("sign(x)", [Spot(sp.S(0), sp.S(0), True)]),
        ("sign(abs(x))", [Spot(sp.S(0), sp.S(0), True)]),
        ("step(x)", [Spot(sp.S(0), sp.S(1), False)]),
        ("step(-x**2)", [Spot(sp.S(0), sp.S(1), True)]),
        ("step(x**2 - 2)*step(2 - x**2)", [Spot(s * sp.sqrt(2), sp.S(1), True) for s in (-1, 1)]),
        ("{1/x, x > 0; 0, x <= 0}", [Spot(sp.S(0), sp.S(0), False)]),
        ("step(x)/x", []),
        ("step(x)*step(-x)*step(x - 1)", []),
        ("{x, x < 0; x, x <= 0; x, x > 0}", []),
        ("linear_swish(s=2, beta=3)", []),
        ("sqrt(abs(x))", []),
        ("hard_mish", []),
    ],
)
def test_where_a_function_jumps_its_value_is_kept(text, found):
    assert list(spots(expression(text))) == found
    pieces_of_it = pieces(expression(text))
    assert all(any(piece.upper == spot.x for piece in pieces_of_it) for spot in found), "pieces end at a spot"


def test_the_ends_of_a_domain_belong_to_it():
    assert spots(expression("step(x)"), X, sp.S(-1), sp.S(0)) == (Spot(sp.S(0), sp.S(1), True),)
    assert spots(expression("step(x)"), X, sp.S(0), sp.S(1)) == ()


@pytest.mark.parametrize(
    ("text", "at", "known"),
    [
        ("step(x)", 0, 1),
        ("sign(x)", 0, 0),
        ("relu(sign(x - 1))", 1, 0),
        ("{x, x < 2; 7, x <= 2; 1}", 2, 7),
        ("{1/x, x > 0; 5}", 0, 5),
    ],
)
def test_the_value_on_a_breakpoint_is_the_function_s_own(text, at, known):
    assert value_on(expression(text), X, sp.sympify(at)) == known


def test_a_square_root_that_is_hidden_in_a_word_may_be_singular():
    with pytest.raises(Undecided, match="singular at x = 0"):
        pieces(expression("squareplus(x, x**2)"))
    assert len(pieces(expression("squareplus(x, 1 + x**2)"))) == 1


def test_the_work_for_many_arms_grows_like_their_number(monkeypatch):
    """Each condition is looked at once on either side of where it turns, not once an arm."""
    asked = []
    monkeypatch.setattr(taking_apart, "sign", lambda value: asked.append(value) or sign(value))
    counts = []
    for n in (20, 40):
        asked.clear()
        arms = [(k * X, X < sp.Rational(k * k, 7)) for k in range(n)]
        assert len(taking_apart.split(sp.Piecewise(*arms, (X, True)))) == n + 1
        counts.append(len(asked))
    assert counts[1] < 2.5 * counts[0]
