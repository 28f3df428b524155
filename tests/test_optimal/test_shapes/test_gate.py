"""The best gates: provable above, refutable below, the hard gate among them, and what degenerates."""

import functools
import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.activation import lookup, lowering
from analysis.activation.errors import BadInput
from analysis.exact.verdict import Verdict
from analysis.optimal.lattice import Lattice
from analysis.optimal.shapes import gate
from analysis.optimal.shapes.gate import Gate
from analysis.optimal.shapes.gating import Curve, Shape
from analysis.optimal.shapes.knots import Box, Proof
from analysis.rigorous.distance import supremum
from analysis.rigorous.norms import Norm

LINE = Norm()
CORE = Norm("sup", -8, 8)


@functools.cache
def design(name, degree=None, norm=LINE, tolerance=None, lattice=None):
    return gate.best(lookup.function(name), norm, degree, tolerance, lattice and Lattice.of(lattice))


@pytest.mark.parametrize(
    ("name", "degree", "norm"),
    [
        ("mish", 2, LINE),
        ("mish", 3, LINE),
        ("gelu", 2, LINE),
        pytest.param("mish", 2, Norm("sup", 0), marks=pytest.mark.proof),
    ],
)
def test_gates_are_proved_best(name, degree, norm):
    found = design(name, degree, norm)
    assert found.verdict is Verdict.PROVED
    assert found.bound.lower <= float(found.error[1])


@pytest.mark.parametrize(
    ("name", "a", "b", "error"),
    [
        ("mish", 5.395489659628927, 3.043397974769968, 0.141632179649141),
        ("gelu", 3.599658968973631, 1.799829484486815, 0.064692681157762),
    ],
)
def test_the_gate_of_degree_one_is_the_best_hard_gate(name, a, b, error):
    """As `fit hard_gate` proves by other means."""
    found = design(name, 1)
    assert found.verdict is Verdict.PROVED
    assert float(found.error[1]) == pytest.approx(error, rel=1e-8)
    assert [float(k) for k in found.polynomials.knots] == pytest.approx([-b, a - b], abs=1e-6)


def test_higher_degrees_are_never_worse():
    errors = [float(design("mish", n).error[1]) for n in (1, 2, 3)]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize(
    ("name", "norm"), [("mish", LINE), ("gelu", LINE), pytest.param("mish", Norm("sup", 0), marks=pytest.mark.proof)]
)
def test_the_certified_error_is_that_of_the_formula(name, norm):
    found = design(name, 2, norm)
    ends = [sp.oo * int(math.copysign(1, e)) if math.isinf(e) else sp.Rational(e) for e in norm.ends]
    formula = lookup.function(found.polynomials.formula).expression
    for g in (formula, found.polynomials.expression):
        low, high = supremum(found.target.expression - g, *ends).pair()
        assert float(low) <= float(found.error[1]) * (1 + 1e-12)
        assert float(high) >= float(found.error[0]) * (1 - 1e-12)


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), size=st.sampled_from([1e-6, 1e-3, 0.1, 1.0]), degree=st.sampled_from([1, 2, 3]))
def test_no_random_gate_is_below_the_bound(seed, size, degree):
    found = design("mish", degree)
    rng = np.random.default_rng(seed)
    best = np.array([float(c) for c in (found.polynomials.begin, found.polynomials.end, *found.polynomials.inner)])
    theta = best + size * rng.normal(size=len(best))
    if theta[0] < theta[1]:
        x = np.append(np.linspace(-20, 20, 8001), theta[:2])
        error = np.abs(lowering.evaluator(found.target.expression)(x) - Shape.of(theta).values(x)).max()
        assert error >= found.bound.lower * (1 - 1e-5), "a grid misses a maximum by little"


@settings(max_examples=30)
@given(
    st.floats(0.03, 0.08),
    st.floats(0.03, 0.08),
    st.floats(1.0, 1.3),
    st.lists(st.floats(-3, 3), min_size=1, max_size=1),
)
def test_the_bound_of_a_box_holds_for_the_gates_in_it(u, v, wide, inner):
    proof = _proof(2)
    box = Box((u, u * wide), (v, v * wide))
    bound, *_ = proof._bound(box, math.inf, [])
    (begin, after), (before, end) = proof._range(box)
    x = np.linspace(-40, 40, 8001)
    f = lowering.evaluator(proof.curve.target.expression)(x)
    for left in (begin, (begin + after) / 2, after):
        for right in (before, (before + end) / 2, end):
            if left < right:
                reference = proof.curve.reference(left, right, left, right)
                shapes = [Shape(left, right, tuple(inner)), *([reference[1]] if reference else [])]
                assert all(np.abs(f - shape.values(x)).max() >= bound * (1 - 1e-3) for shape in shapes)


@functools.cache
def _proof(degree):
    curve = Curve(gate._target(lookup.function("mish"), LINE), degree)
    shape = curve.best()
    return Proof(curve, shape, max(abs(e) for _, e in curve.summits(shape)))


def test_more_than_the_best_error_is_never_proved():
    proof = _proof(2)
    better = Proof(proof.curve, Shape.of(np.array([-4.0, 1.8, -0.7])), 0.2)
    assert better.lower(300) <= proof.error


def test_a_tolerance_gives_the_least_degree():
    found = design("mish", tolerance=0.08)
    assert found.shape == "gate:2"
    assert found.fewest is Verdict.PROVED
    assert float(found.error[1]) <= 0.08


def test_a_rounded_gate_lies_on_the_lattice_and_keeps_the_bound():
    lattice, plain, found = Lattice.of("dyadic:6"), design("mish", 2), design("mish", 2, lattice="dyadic:6")
    shipped = (found.polynomials.begin, found.polynomials.end, *found.polynomials.inner)
    assert all(lattice.holds(float(c)) for c in shipped)
    assert found.bound == plain.bound
    assert plain.bound.lower < float(found.error[1]) < 1.05 * plain.bound.lower


def test_the_ends_of_a_rounded_gate_meet():
    assert design("mish", 2, lattice="dyadic:6").smoothness == 0


@pytest.mark.parametrize(("name", "degree"), [("hard_swish", 1), ("hard_mish", 2)])
def test_a_target_of_this_shape_is_its_own_design(name, degree):
    found = design(name, degree)
    assert found.error == ("0", "0")
    assert found.verdict is Verdict.PROVED


def test_every_gate_is_zero_at_zero():
    found = design("softplus", 1)
    assert found.verdict is Verdict.PROVED
    assert float(found.error[0]) == pytest.approx(math.log(2))


def test_pieces_outside_the_domain_are_left_out():
    low, high = sp.Integer(-1), sp.Integer(1)
    whole = Gate.of(-2, 3, (1,), low, high)
    assert (len(whole.coefficients), whole.knots) == (1, ())
    assert len(Gate.of(-2, 0, (1,), low, high).coefficients) == 2
    assert len(Gate.of(0, 3, (), low, high).coefficients) == 2
    inside = Gate.of(-1, 1, (1, 2), -sp.oo, sp.oo)
    assert [len(row) for row in inside.coefficients] == [1, 5, 2]


def test_the_record_can_be_shown():
    found = design("mish", 2)
    assert found.pieces == 3
    assert found.to_dict()["cost"] == {"mul": 3, "add": 2, "minmax": 2, "compare": 0, "table_bytes": 0}
    assert len(found.sheet().tables[0].rows) == 3
    x = np.linspace(-9, 9, 101)
    by_clip, by_pieces = (lowering.evaluator(e)(x) for e in (found.activation.expression, _by_pieces(found)))
    assert by_clip == pytest.approx(by_pieces, abs=1e-12)


def _by_pieces(found):
    pieces = found.polynomials.pieces(*found.ends)
    return sp.Piecewise(
        *((p.expression, sp.Symbol("x", real=True) < p.upper) for p in pieces[:-1]), (pieces[-1].expression, True)
    )


@pytest.mark.parametrize(
    ("name", "degree", "norm", "expected"),
    [
        ("tanh", 1, LINE, "asymptote 0 at -inf"),
        ("2*silu", 1, LINE, "asymptote x at inf"),
        ("x**2", 1, LINE, "asymptote at -inf"),
        ("mish", 1, Norm("l2", -8, 8), "expected the sup norm"),
        ("mish", 0, LINE, "between 1 and 8"),
        ("mish", 9, LINE, "between 1 and 8"),
        ("relu", 2, LINE, "limit of ever steeper"),
    ],
)
def test_what_cannot_be_designed_is_one_clear_line(name, degree, norm, expected):
    with pytest.raises(BadInput, match=expected):
        gate.best(lookup.function(name), norm, degree, None, None)


@pytest.mark.parametrize("tolerance", [0.0, -1.0, math.inf, math.nan])
def test_a_tolerance_is_positive(tolerance):
    with pytest.raises(BadInput, match="positive tolerance"):
        design("mish", tolerance=tolerance)
