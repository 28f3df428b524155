"""A function beside known ones: equal, a member, or so far away, with certificates."""

import pytest

from analysis import BadInput, show
from analysis.exact.verdict import Verdict
from analysis.rigorous.comparison import INFINITE, compare
from analysis.rigorous.norms import Norm
from analysis.shown import against


def test_distances_are_those_of_compare():
    (found,) = show("hard_mish", against="mish").against
    for kind, pair in found.distances.items():
        assert pair == compare("hard_mish", "mish", Norm(kind)).distance
    assert (found.name, found.same, dict(found.constants)) == ("mish", Verdict.REFUTED, {})


def test_one_function_under_two_names_is_proved_to_be_the_same():
    (found,) = show("aptx(alpha=1, beta=1, gamma=1/2)", against=["swish(beta=2)"]).against
    assert found.same is Verdict.PROVED
    assert found.row()[1:] == ("PROVED", "0", "0", "0")


def test_a_member_of_a_family_is_found_with_its_constants():
    (found,) = show("x*sigmoid(2*x)", against="swish").against
    assert (found.family, found.same, dict(found.constants)) == ("swish", Verdict.PROVED, {"beta": "2"})
    assert found.row()[:2] == ("swish(beta=2)", "PROVED, as its member")


def test_the_nearest_member_of_a_family_stands_for_it():
    (found,) = show("mish", against="swish").against
    assert float(found.constants["beta"]) == pytest.approx(1.2525098, rel=1e-6)
    assert float(found.distances["sup"][1]) < float(compare("mish", "silu").distance[0])
    assert found.row()[1] == "no; its nearest member"


def test_what_is_infinitely_far_is_said_to_be():
    function, family = show("mish", against="tanh, leaky_relu").against
    assert function.distances["sup"] == INFINITE
    assert function.row()[2] == "infinite"
    assert family.same is Verdict.REFUTED


def test_names_with_commas_in_brackets_are_one_name():
    names = [one.name for one in show("mish", against="hard_gate(a=5, b=4), clip(x, min(0, 1), 2)").against]
    assert names == ["hard_gate(a=5, b=4)", "clip(x, min(0, 1), 2)"]


def test_the_table_begins_with_the_nearest_and_the_json_keeps_the_order():
    card = show("hard_mish", against="gelu, mish")
    assert [one["name"] for one in card.to_dict()["against"]] == ["gelu", "mish"]
    table = card.sheet().tables[-1]
    assert table.headings == against.HEADINGS
    assert [row[0] for row in table.rows] == ["mish", "gelu"]
    assert "against" not in show("hard_mish").to_dict()


@pytest.mark.parametrize(("function", "names"), [("mish", " , "), ("hard_gate", "mish"), ("mish", "mishh")])
def test_what_cannot_be_set_beside_is_refused(function, names):
    with pytest.raises(BadInput):
        show(function, against=names)
