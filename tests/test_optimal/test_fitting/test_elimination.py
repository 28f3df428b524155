"""Equations in positive constants: all solutions, each admissible or with what makes it so."""

import pytest
import sympy as sp

from analysis.activation import lookup
from analysis.activation.errors import Undecided
from analysis.optimal.fitting.continuity import Requirement
from analysis.optimal.fitting.elimination import eliminations, exchanged

A, B = sp.symbols("a b", positive=True)


def solved(text: str) -> list[tuple[str, str]]:
    found = eliminations(lookup.expression(text, {"a": A, "b": B}))
    assert all(e.requirement is None for e in found)
    return sorted((e.symbol.name, str(e.value)) for e in found)


@pytest.mark.parametrize(
    ("text", "solutions"),
    [
        ("a - 1", [("a", "1")]),
        ("(a - 1)*(a - 2)", [("a", "1"), ("a", "2")]),
        ("(a - 1)*(b - 2)", [("a", "1"), ("b", "2")]),
        ("(a - 1)*b", [("a", "1")]),
        ("a/b - 1", [("b", "a")]),
        ("b + 1 - a", [("a", "b + 1")]),
        ("a**2 - 2", [("a", "sqrt(2)")]),
        ("a**2 - b", [("b", "a**2")]),
        ("a + 1", []),
        ("a**2 - a + 1", []),
        ("(a - 3)*(a + 3)", [("a", "3")]),
    ],
)
def test_all_solutions_and_no_others(text, solutions):
    assert solved(text) == solutions


def test_what_makes_a_solution_admissible():
    (found,) = eliminations(A + B - 5)
    assert found.requirement == Requirement(found.value, "positive")


@pytest.mark.parametrize("text", ["tanh(a) - 1/2", "relu(b - 2)", "exp(a) - b*a - 2*b**2*sin(b)"])
def test_equations_that_may_have_other_solutions_are_undecided(text):
    with pytest.raises(Undecided):
        eliminations(lookup.expression(text, {"a": A, "b": B}))


def test_a_tie_turned_round():
    assert str(exchanged(A, B - 4).value) == "a + 4"
    assert exchanged(A, 5 - B) is None
    assert exchanged(A, sp.Integer(3)) is None
