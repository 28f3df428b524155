"""Records check themselves: what is wrong with one is said when it is built, in one line."""

import pytest
import sympy as sp

from analysis.activation.errors import BadInput
from analysis.activation.parsing import X
from analysis.activation.record import Activation, Constant, Entry, Family, Member

A, B = sp.symbols("a b", positive=True)
BETA = Constant("beta", (0.1, 10))


def swish(**change):
    fields = {"name": "swish", "formula": "x*sigmoid(beta*x)", "sources": ("Someone (2017)",), "constants": (BETA,)}
    return Entry(**fields | change)


def test_what_is_complete_is_accepted():
    assert swish().is_family
    assert not swish(constants=()).is_family
    assert swish(members=(Member({"beta": "1"}, ("Elfwing",), "silu"),)).members[0].name == "silu"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": "hard mish"}, "identifier"),
        ({"name": ""}, "identifier"),
        ({"sources": ()}, "citation"),
        ({"sources": ("",)}, "citation"),
        ({"members": (Member({}, ("Elfwing",)),)}, "expected constants"),
        ({"members": (Member({"alpha": "1"}, ("Elfwing",)),)}, "expected constants"),
        ({"members": (Member({"beta": "1", "gamma": "1"}, ("Elfwing",)),)}, "expected constants"),
        ({"members": (Member({"beta": "1"}, ()),)}, "citation"),
    ],
)
def test_an_entry_that_lacks_something_is_refused(change, complaint):
    with pytest.raises(BadInput, match=complaint):
        swish(**change)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("x", (0, 1)), "other than x"),
        (("a b", (0, 1)), "name"),
        (("a", (1, 1)), "LO < HI"),
        (("a", (2, 1)), "LO < HI"),
        (("a", (0, 1), "integer"), "positive, nonnegative or real"),
    ],
)
def test_a_wrong_constant_is_refused(arguments, complaint):
    with pytest.raises(BadInput, match=complaint):
        Constant(*arguments)


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        (A * X, "free constants a"),
        (A * X + B, "free constants a, b"),
        (sp.I * (X**2 + 1), "real"),
        (sp.Symbol("x"), "real"),
    ],
)
def test_an_activation_is_a_real_function_of_x_alone(expression, complaint):
    with pytest.raises(BadInput, match=complaint):
        Activation("f", expression, str(expression))


@pytest.mark.parametrize("expression", [A * X, B * X, X, A * B * X])
def test_a_family_declares_its_constants_and_no_others(expression):
    declared = tuple(Constant(name, (0, 1)) for name in ("a", "c"))
    with pytest.raises(BadInput, match="expected the constants"):
        Family("f", expression, str(expression), declared)


def test_records_are_frozen_and_show_their_name():
    record = Activation("double", 2 * X, "2*x")
    assert str(record) == "double"
    with pytest.raises(AttributeError):
        record.name = "triple"
