"""What stands on the frontier, and what it costs."""

import pytest
import sympy as sp

from analysis.activation import lookup
from analysis.activation.errors import BadInput
from analysis.activation.functions import clip, sigmoid
from analysis.activation.lowering import NUMPY
from analysis.activation.parsing import X
from analysis.optimal import cost
from analysis.optimal.cost import Cost
from analysis.optimal.designs import GAP
from analysis.optimal.frontier import _beats, frontier, published
from analysis.rigorous.comparison import compare
from analysis.rigorous.norms import Norm

SMALL = (("pwl", 4), ("pwl", 8))


@pytest.fixture(scope="module")
def mish():
    return frontier("mish", shapes=SMALL, families=("hard_gate", "swish", "aptx", "beta_mish", "leaky_relu", "e_swish"))


def test_nothing_on_the_frontier_is_beaten(mish):
    for one in mish.best:
        for other in mish.candidates:
            assert not (other.point[0] < one.point[0] and other.point[1] <= one.point[1])
            assert not (other.point[0] <= one.point[0] * (1 + GAP) and other.point[1] < one.point[1])


def test_what_is_not_on_it_is_beaten_by_something_that_is(mish):
    for one in mish.candidates:
        if not one.stands:
            assert any(b.point[0] <= one.point[0] * (1 + GAP) and b.point[1] <= one.point[1] for b in mish.best)


@pytest.mark.parametrize(
    ("a", "b", "beats"),
    [
        ((0.1, 5), (0.1, 7), True),  # cheaper and as near
        ((0.1 * (1 + GAP / 2), 5), (0.1, 7), True),  # cheaper; what is nearer by less than the gap is no progress
        ((0.1 * (1 + 2 * GAP), 5), (0.1, 7), False),
        ((0.1, 7), (0.1, 5), False),
        ((0.1, 5), (0.1, 5), False),  # neither of two equals
        ((0.09, 5), (0.1, 5), True),
        ((0.09, 7), (0.1, 5), False),
    ],
)
def test_beating(a, b, beats):
    assert _beats(a, b) is beats


def test_designs_say_whether_they_are_proved_best_and_none_is_there_twice(mish):
    said = {one.name: str(one.optimum) for one in mish.candidates if one.kind == "pwl"}
    assert set(said.values()) == {"PROVED"}
    assert {one.optimum for one in mish.candidates if one.kind == "published"} == {None}
    silu = frontier("silu", shapes=(("pwl", 7), ("pwl", 8)), families=())  # the eighth piece is of no use
    assert [one.name for one in silu.candidates if one.kind == "pwl"] == ["pwl, 7 pieces"]


def test_published_functions_are_among_the_candidates_with_their_distance(mish):
    found = {one.name: one for one in mish.candidates}
    assert float(found["hard_mish"].error[0]) == pytest.approx(0.159546605141795, rel=1e-9)
    assert "mish" not in found


def test_families_are_fitted_to_the_target_where_that_gives_a_new_function(mish):
    """beta_mish has the target itself; leaky_relu is at no finite distance; the best e_swish is SiLU."""
    fitted = {one.name: one for one in mish.candidates if one.kind == "fitted"}
    assert set(fitted) == {"hard_gate, fitted", "swish, fitted", "aptx, fitted"}
    gate = fitted["hard_gate, fitted"]
    assert float(gate.error[1]) == pytest.approx(0.141632179649, rel=1e-9)
    published_gate = next(one for one in mish.candidates if one.name == "hard_mish")
    assert gate.cost.operations == published_gate.cost.operations
    assert not published_gate.stands
    assert gate.stands
    assert compare("mish", gate.formula).distance == gate.error


def test_what_is_dearer_than_the_target_itself_does_not_stand():
    """hard_swish takes fewer operations than its nearest broken line, and is no error away from itself."""
    own = cost.of_expression(lookup.function("hard_swish").expression).operations
    found = frontier("hard_swish", shapes=(("pwl", 8),), families=()).candidates
    nearest = min(found, key=lambda one: one.point)
    assert (nearest.name, nearest.stands) == ("pwl, 8 pieces", False)
    assert nearest.cost.operations > own
    assert [one.name for one in found if one.stands] == ["relu"]


def test_a_target_in_the_catalogue_is_no_stand_in_for_itself():
    assert "relu" not in {one.name for one in frontier("relu", shapes=(), families=()).candidates}


def test_what_a_shape_does_not_admit_is_left_out_with_the_reason():
    found = frontier("mish", shapes=(("rational:3,3", None), ("rational:4,4", None)), families=())
    assert len(found.left_out) == 1
    assert found.left_out[0].startswith("rational: expected")


def test_only_the_sup_norm():
    with pytest.raises(BadInput, match="--norm sup"):
        frontier("mish", norm=Norm("l2"))


def test_published_functions_are_all_different():
    expressions = [one.expression for one in published()]
    assert len(set(expressions)) == len(expressions) > 25


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (X, Cost()),
        (2 * X + 1, Cost(mul=1, add=1)),
        (clip(X, 0, 6), Cost(minmax=2)),
        (X * clip(X + 3, 0, 6) / 6, Cost(mul=2, add=1, minmax=2)),
        (X * sigmoid(X), cost.SIGMOID + cost.MUL),
        (X**4, Cost(mul=2)),
    ],
)
def test_costs_by_hand(expression, expected):
    assert cost.of_expression(expression) == expected


def test_a_constant_of_many_digits_costs_no_more_than_a_short_one():
    gates = (X * clip(X + 3, 0, a) / a for a in (sp.Integer(5), sp.Rational("5.395489659628927")))
    assert len({cost.of_expression(gate) for gate in gates}) == 1


def test_common_parts_count_once():
    assert cost.of_expression(sigmoid(X) * sigmoid(X)) == cost.SIGMOID + cost.MUL


def test_every_head_of_the_numpy_table_has_a_cost():
    assert {*NUMPY.rows, "+", "*", "/"} <= cost._KERNELS.keys()


@pytest.mark.parametrize("name", [one.name for one in published()])
def test_every_published_function_has_a_cost(name):
    function = next(one for one in published() if one.name == name)
    assert cost.of_expression(function.expression).operations > 0 or function.expression == X


def test_the_cheaper_form_is_cheaper():
    hard, smooth = (cost.of_expression(lookup.function(name).expression).operations for name in ("hard_mish", "mish"))
    assert hard < smooth / 5
