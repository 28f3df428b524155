"""Piecewise linear least squares: certified, worse when moved, and never below what is proved of any design."""

import math

import numpy as np
import pytest
import sympy as sp

from analysis.activation import lookup, lowering
from analysis.activation.errors import BadInput
from analysis.exact.verdict import Verdict
from analysis.optimal.designs import Polynomials
from analysis.optimal.shapes import hats, pwl, pwl_squares, runs
from analysis.optimal.shapes.cells import grouped, project
from analysis.optimal.shapes.linear import Target
from analysis.optimal.shapes.pwl_squares import Problem
from analysis.rigorous.comparison import enclose
from analysis.rigorous.norms import Norm

CORE = Norm("l2", -8, 8)
NORMS = [CORE, Norm("l2"), Norm("gaussian"), Norm("gaussian", -3, 2, 0.5), Norm.grid(-8, 8, 301)]


def problem(name, norm=CORE):
    return Problem(Target(lookup.function(name).expression, *pwl.ends(norm)), norm)


def design(name, pieces, norm=CORE, tolerance=None):
    return pwl_squares.best(lookup.function(name), norm, pieces, tolerance)


@pytest.mark.parametrize("norm", NORMS, ids=str)
def test_the_certified_error_is_that_of_the_formula(norm):
    """The general machinery, which reads the formula anew, encloses the same distance."""
    known = problem("mish", norm)
    polynomials, error = known.design(4)
    formula = Polynomials(polynomials.knots, polynomials.coefficients).formula
    again = enclose(lookup.function("mish").expression - lookup.function(formula).expression, norm)
    assert float(again[0]) == pytest.approx(float(error[1]), rel=1e-11)
    assert float(error[1]) == pytest.approx(known.size(known.fit(4).square), rel=1e-9)


@pytest.mark.parametrize("norm", [CORE, Norm("l2"), Norm("gaussian", -4, 4)], ids=str)
@pytest.mark.parametrize("name", ["mish", "elu"])
def test_designs_are_worse_when_a_knot_or_a_value_is_moved(name, norm):
    known = problem(name, norm)
    fit = known.fit(5)
    for j in range(1, 5):
        for aside in (-1e-3, 1e-3):
            nodes = fit.nodes.copy()
            nodes[j] += aside
            assert hats._Sums(known.mass, nodes).square > fit.square
    outer = 2 if known.outer else 0  # values on asymptotes are not free
    for j in range(outer, 6 - outer):
        values = fit.values.copy()
        values[j] += 1e-3
        assert hats._Sums(known.mass, fit.nodes, values).square > fit.square


def test_the_slopes_of_the_square_are_its_differences():
    """Newton's gradient and Hessian by the knots, at values that are none's best."""
    mass = problem("mish").mass
    nodes, values = np.array([-8.0, -3.1, -0.7, 0.9, 8.0]), np.array([0.1, -0.2, -0.25, 0.7, 7.9])
    gradient, banded = hats._newton(mass, hats._Sums(mass, nodes, values))
    for j in range(1, 4):
        h = 1e-4 * np.eye(5)[j]
        sides = [hats._Sums(mass, nodes + s * h, values) for s in (-1, 0, 1)]
        low, middle, high = (one.square for one in sides)
        assert gradient[2 * j] == pytest.approx((high - low) / 2e-4, rel=1e-5)
        assert banded[0, 2 * j] == pytest.approx((high - 2 * middle + low) / 1e-8, rel=1e-4)


@pytest.mark.parametrize(
    ("norm", "gap"),
    [
        (CORE, 0.006),
        (Norm("gaussian", -8, 8), 0.006),
        pytest.param(Norm("l2"), 0.14, marks=pytest.mark.proof),
        (Norm.grid(-8, 8, 301), 1e-6),
    ],
    ids=str,
)
def test_the_bound_is_near_below_the_error(norm, gap):
    """On the line the asymptotes do not meet the pieces between, which the bound allows."""
    found = design("mish", 4, norm)
    assert found.verdict is (Verdict.PROVED if gap == 1e-6 else Verdict.UNDECIDED)
    assert 0 < found.bound.lower <= float(found.error[0])
    assert found.gap < gap
    assert "need not meet" in found.bound.reason


@pytest.mark.parametrize("norm", NORMS, ids=str)
@pytest.mark.parametrize("name", ["mish", pytest.param("hard_swish", marks=pytest.mark.proof)])
def test_no_design_is_below_the_bound(name, norm):
    known = problem(name, norm)
    mass, bound = known.mass, known.bound(5, known.size(known.fit(5).square))
    rng = np.random.default_rng(5)
    for _ in range(20):
        knots = np.sort(rng.uniform(mass.low, mass.high, 4))
        assert known.size(hats._Sums(mass, np.array([mass.low, *knots, mass.high])).square) >= bound


def test_the_bound_is_that_of_pieces_that_need_not_meet():
    """By hand: two lines fit the points 0, 1 and the points 2, 3 exactly, whatever the values."""
    x, f = np.arange(4.0), np.array([0.0, 0.0, 1.0, 5.0])
    cells = grouped(x, np.ones(4), f, 0.0, 10)
    table = runs.Table.of(cells, math.inf)
    line = np.polyfit(x, f, 1)
    assert table.squares[4, 0] == pytest.approx(float(np.sum((np.polyval(line, x) - f) ** 2)), rel=1e-14)
    assert runs.lowest(table, 1, (None, None), 0).square == pytest.approx(table.squares[4, 0])
    assert runs.lowest(table, 2, (None, None), 0).square == pytest.approx(0, abs=1e-15)
    assert runs.lowest(table, 1, (np.array([0.0, 0.0, 1.0, 25.0]), None), 0).square == 26.0


def test_runs_have_the_error_of_their_least_squares_line():
    x, total = hats.survey(problem("gelu").mass)
    marks = np.interp(np.linspace(0, total[-1], 401), total, x)
    cells, _ = project(lookup.function("gelu").expression, marks[:-1], marks[1:], None)
    table = runs.Table.of(cells, math.inf)
    value = lowering.evaluator(lookup.function("gelu").expression)
    for start, length in ((0, 400), (30, 70), (200, 20)):
        mass = hats.Mass(marks[start], marks[start + length], value, np.ones_like, marks[start : start + length + 1])
        exact = hats.descend(mass, np.empty(0)).square
        slack = float(np.linalg.norm(cells.slack[start : start + length]))
        assert 0 <= math.sqrt(table.squares[length, start]) - slack <= math.sqrt(exact)
        assert table.squares[length, start] == pytest.approx(exact, rel=1e-3)


@pytest.mark.proof
def test_a_tolerance_gives_few_pieces_and_says_whether_fewer_could_do():
    found = design("mish", None, tolerance=0.02)
    assert float(found.error[1]) <= 0.02
    assert found.fewest is Verdict.PROVED
    assert float(design("mish", found.pieces - 1).error[0]) > 0.02


@pytest.mark.parametrize("norm", NORMS, ids=str)
def test_a_target_of_this_shape_is_its_own_design(norm):
    found = design("hard_sigmoid", 3, norm)
    assert found.error == ("0", "0")
    assert found.verdict is Verdict.PROVED
    assert design("hard_sigmoid", None, norm, 1e-3).pieces <= 3


def test_a_kink_is_found():
    found = design("{x**2/100, x < 1/3; x - 1/3 + 1/900, x >= 1/3}", 3, Norm("l2", -1, 2))
    assert min(abs(float(k) - 1 / 3) for k in found.polynomials.knots) < 1e-2


@pytest.mark.parametrize(("ask", "expected"), [
    (lambda: design("mish", 2, Norm("l2")), "at least 3 pieces"),
    (lambda: design("x**2", 4, Norm("l2")), "asymptote"),
    (lambda: design("mish", 4, Norm("l2", 2, 2)), "LO < HI"),
    (lambda: design("mish", 4, Norm.samples(np.ones(5))), "two different points"),
    (lambda: design("mish", 4, Norm("gaussian", 100, 200)), "within 12 standard deviations"),
])  # fmt: skip
def test_bad_input_is_one_line(ask, expected):
    with pytest.raises(BadInput, match=expected) as problem:
        ask()
    assert "\n" not in str(problem.value)


def test_samples_count_as_often_as_they_come():
    norm = Norm.samples(np.array([-2.0, -2.0, -1.0, 0.0, 0.5, 1.0, 3.0]))
    found = design("mish", 2, norm)
    x, f = norm.points, lookup.function("mish").expression
    value, mine = lowering.evaluator(f)(x), lowering.evaluator(found.activation.expression)(x)
    assert float(found.error[1]) == pytest.approx(float(np.mean((value - mine) ** 2)), rel=1e-9)
    assert float(found.error[1]) >= found.bound.lower > 0
    assert sp.sympify(found.pieces) == 2
