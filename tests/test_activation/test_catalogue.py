"""The catalogue holds what the plan says, with citations, and each of its functions has the values of its formula."""

import mpmath as mp
import pytest
import sympy as sp

from analysis.activation.catalogue import ENTRIES, FAMILIES, FUNCTIONS, MEMBERS
from analysis.activation.functions import elementary
from analysis.activation.lookup import function, get
from analysis.activation.parsing import X
from tests import oracles

PLAIN = "relu relu6 sigmoid tanh softsign selu gelu mish hard_sigmoid hard_tanh cubic_hard_mish"

# family -> its published members, as design section 5 lists them
PUBLISHED = {
    "hard_gate": [{"a": a, "b": b} for a, b in ((6, 3), (5, 3), (4, 3), (3, 3), (2, 2), (5, "14/5"))],
    "hard_gate3": [{"a": 5, "b": "284386/100000", "c": "499049/100000"}],
    "swish": [{"beta": 1}, {"beta": "1702/1000"}],
    "aptx": [{"alpha": 1, "beta": 1, "gamma": "1/2"}, {"alpha": 1, "beta": "1/2", "gamma": "1/2"}],
    "linear_swish": [{"s": 2, "beta": "5/4"}],
    "two_sided_swish": [{"p": 1, "q": 2}],
    "split_hard_gate": [{"b": 3, "p": 7, "q": 5}],
    "hard_gate_relu": [{"a": 7, "b": 3}, {"a": 4, "b": 3}],
    "gelu_tanh": [{"k": sp.sqrt(2 / sp.pi), "c": "44715/1000000"}],
    "beta_mish": [{"beta": "3/2"}],
    "e_swish": [{"beta": "11/8"}],
    "leaky_relu": [{"slope": "1/100"}],
    "elu": [{"alpha": 1}],
    "celu": [{"alpha": 1}],
    "softplus": [{"beta": 1}],
    "squareplus": [{"b": 4}],
    "relu_n": [{"n": 6}],
}  # fmt: skip
NAMED = {"hard_swish", "hard_mish", "h_mish", "silu", "quick_gelu", "approx_mish"}


def test_the_catalogue_holds_what_is_planned():
    assert [entry.name for entry in FUNCTIONS] == PLAIN.split()
    assert {entry.name for entry in FAMILIES} == {*PUBLISHED, "lerp"}
    assert set(MEMBERS) == NAMED
    assert len(ENTRIES) == len(FUNCTIONS) + len(FAMILIES), "a name twice"


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_family_has_its_published_members(name):
    found = [dict(member.constants) for member in get(name).members]
    assert found == [{k: sp.sympify(v) for k, v in constants.items()} for constants in PUBLISHED[name]]


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=str)
def test_every_entry_and_member_cites_its_source(entry):
    cited = [entry.sources, *(member.sources for member in entry.members)]
    assert all(sources and all(len(s) > 5 for s in sources) for sources in cited)


def test_every_function_has_an_oracle_and_every_oracle_a_function():
    members = [member.name for name in PUBLISHED for member in get(name).members]
    assert sorted([*PLAIN.split(), *members]) == sorted(oracles.FUNCTIONS)


@pytest.mark.parametrize("name", oracles.FUNCTIONS)
def test_values_are_those_of_the_formula(name):
    expression = elementary(function(name).expression)
    with mp.workdps(140):  # the oracle may cancel
        for point in map(sp.Rational, ("-9", "-31/10", "-7/5", "-1/3", "0", "1/4", "5/3", "27/10", "8")):
            expected = oracles.FUNCTIONS[name](mp.mpf(point.p) / point.q)
            found = mp.mpf(str(expression.subs(X, point).evalf(40)))
            assert mp.almosteq(found, expected, rel_eps=mp.mpf(10) ** -35, abs_eps=mp.mpf(10) ** -45)


@pytest.mark.parametrize("name", ["hard_gate", "aptx", "two_sided_swish", "gelu_tanh"])
def test_a_family_at_its_constants_is_its_member(name):
    family = get(name)
    for member in family.members:
        at = family.expression.subs({family.symbol(k): v for k, v in member.constants.items()})
        difference = elementary(at - member.expression)
        assert all(abs(difference.subs(X, v).evalf(30)) < 1e-25 for v in (-2, sp.Rational(-1, 3), 0, 1, 4))
