"""Names, names with constants, expressions with names in them; a wrong name answers with the nearest right ones."""

import pytest
import sympy as sp

from analysis.activation import functions, lookup
from analysis.activation.errors import BadInput
from analysis.activation.parsing import X
from analysis.activation.record import Activation, Family


@pytest.mark.parametrize(
    ("text", "name", "constants"),
    [
        ("mish", "mish", {}),
        (" silu ", "silu", {"beta": "1"}),
        ("hard_gate(a=5,b=3)", "hard_mish", {"a": "5", "b": "3"}),
        ("hard_gate(b = 3, a = 10/2)", "hard_mish", {"a": "5", "b": "3"}),
        ("hard_gate(a=5, b=2.8)", "hard_gate(a=5, b=2.8)", {"a": "5", "b": "14/5"}),
        ("swish(beta=1.702)", "quick_gelu", {"beta": "851/500"}),
        ("swish(beta=sqrt(2))", "swish(beta=sqrt(2))", {"beta": "sqrt(2)"}),
        ("gelu_tanh(k=1)", "gelu_tanh(k=1, c=0.044715)", {"k": "1", "c": "44715/1000000"}),
    ],
)
def test_get_names_a_function(text, name, constants):
    found = lookup.get(text)
    assert isinstance(found, Activation)
    assert found.name == name
    assert {k: str(v) for k, v in found.constants.items()} == {k: str(sp.sympify(v)) for k, v in constants.items()}


def test_get_names_a_family_with_its_members():
    found = lookup.get("swish")
    assert isinstance(found, Family)
    assert [member.name for member in found.members] == ["silu", "quick_gelu"]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2*silu", "2*x*sigmoid(x)"),
        ("silu(2*x)", "2*x*sigmoid(2*x)"),
        ("lerp(relu, tanh, 1/3)", "2*relu(x)/3 + tanh(x)/3"),
        ("diff(x**3)", "3*x**2"),
        ("diff(silu)", "sigmoid(x) + x*sigmoid(x)*sigmoid(-x)"),
        ("hard_gate(a=6, b=3) - hard_swish", "0"),
        ("x*tanh(log(1 + exp(x)))", "mish"),
        ("x*(1 + erf(x/sqrt(2)))/2", "gelu"),
        ("x/(1 + exp(-x))", "silu"),
    ],
)
def test_names_stand_inside_expressions(text, same):
    assert sp.expand(lookup.function(text).expression - lookup.function(same).expression) == 0


def test_a_family_without_default_constants_is_no_function():
    with pytest.raises(BadInput, match=r"hard_gate\(a=..., b=...\) or one of hard_swish, hard_mish"):
        lookup.function("hard_gate")
    assert lookup.function("elu").constants == {"alpha": 1}


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("hardmish", "hard_mish"),
        ("Mish", "mish"),
        ("glu", "gelu"),
        ("soft_sign", "softsign"),
        ("hard_swich + 1", "hard_swish"),
    ],
)
def test_a_wrong_name_answers_with_the_nearest(text, nearest):
    with pytest.raises(BadInput, match=rf"did you mean [a-z_, ]*\b{nearest}\b"):
        lookup.get(text)


def test_a_name_like_no_other_gets_no_advice():
    with pytest.raises(BadInput) as caught:
        lookup.get("zzzzzz")
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("hard_gate(a=5)", "got no b"),
        ("hard_gate(a=5, b=3, c=1)", "got c"),
        ("hard_gate(a=0, b=3)", "positive number, got 0"),
        ("hard_gate(a=-5, b=3)", "positive number, got -5"),
        ("hard_gate(a=x, b=3)", "positive number, got x"),
        ("hard_gate(a=5, a=6, b=3)", "each constant once"),
        ("silu(beta=2)", "no free constants"),
        ("relu(beta=2)", "no free constants"),
        ("I*x", "unknown name 'I'"),
        ("lerp", "lerp combines two"),
        ("clip", "needs its arguments"),
        ("clip(x, 1, 0)", "lo <= hi"),
        ("clip(x, x, 0)", "without x"),
        ("squareplus(x, -1)", "b >= 0"),
        ("mish(x, x)", "one argument"),
        ("exp(x, x)", "expected 1 arguments"),
        ("swish(beta=b)", "unknown name 'b'"),
    ],
)
def test_what_is_wrong_is_said(text, complaint):
    with pytest.raises(BadInput, match=complaint):
        lookup.get(text)


@pytest.mark.parametrize(
    ("text", "constants"),
    [
        ("hard_gate", ["a", "b"]),
        ("x*clip(x+b,0,a)/a", ["a", "b"]),
        ("hard_gate(a=5)", ["b"]),
        ("k*mish + c", ["c", "k"]),
        ("lerp(mish, relu, t)", ["t"]),
        ("k*x + b - b", ["k"]),
    ],
)
def test_a_family_is_a_name_or_an_expression_with_free_constants(text, constants):
    assert [c.name for c in lookup.family(text).constants] == constants


def test_a_partly_given_family_searches_where_the_family_does():
    (b,) = lookup.family("hard_gate(a=5)").constants
    assert b in lookup.family("hard_gate").constants


@pytest.mark.parametrize("text", ["mish", "hard_gate(a=5, b=3)", "x + 1", "nosuch", "b - b + x"])
def test_what_has_no_free_constant_is_no_family(text):
    with pytest.raises(BadInput, match="expected"):
        lookup.family(text)


@pytest.mark.parametrize(
    "text",
    [
        "swish(beta=2)",
        "gelu_tanh(k=1)",
        "hard_gate3(a=5,b=2.84386,c=4.99049)",
        "aptx(alpha=1,beta=1,gamma=1/2)",
    ],
)
def test_name_and_formula_of_a_record_name_the_record(text):
    record = lookup.get(text)
    assert lookup.get(record.name).expression == record.expression
    assert functions.recognise(lookup.get(record.formula).expression - record.expression).equals(0)
    assert record.expression.free_symbols == {X}
