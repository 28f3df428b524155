"""Zeros without a closed form are enclosed, and what is no sign change is not claimed."""

import mpmath as mp
import pytest
import sympy as sp
from flint import arb, ctx

from analysis.activation.lookup import expression, function
from analysis.activation.parsing import X
from analysis.exact.stationary import stationary
from analysis.rigorous.roots import sign_changes
from tests import oracles


def holds(root, value):
    with ctx.workprec(300):
        return root.x.contains(arb(mp.nstr(value, 50))) or root.x.overlaps(arb(mp.nstr(value, 50), 1e-48))


@pytest.mark.parametrize(
    ("name", "near"), [("mish", -1.19), ("gelu", -0.75), ("gelu_tanh", -0.75), ("beta_mish", -0.9), ("silu", -1.28)]
)
def test_the_minimum_is_enclosed(name, near):
    equations = [e for e in stationary(function(name).expression).equations if e.order == 1]
    (root,) = sign_changes(equations[0].factor if equations else expression(f"diff({name})"), -sp.oo, sp.oo, 40)
    with mp.workdps(60):
        assert holds(root, mp.findroot(lambda x: mp.diff(oracles.FUNCTIONS[name], x), near))
    assert root.rising
    assert root.x.rad() < 1e-39


def test_the_place_of_the_minimum_of_mish():
    (root,) = sign_changes(expression("diff(mish)"), -sp.oo, sp.oo, 45)
    with mp.workdps(60):
        assert holds(root, mp.mpf("-1.1924312145154952121375883404207394056006864093225"))


@pytest.mark.parametrize(
    ("text", "lower", "upper", "count"),
    [
        ("x - cos(x)", -sp.oo, sp.oo, 1),
        ("sin(x)", sp.Integer(1), sp.Integer(10), 3),
        ("exp(x) + 1", -sp.oo, sp.oo, 0),
        ("x**2", -sp.oo, sp.oo, 0),
        ("x", sp.Integer(1), sp.Integer(2), 0),
        ("diff(diff(mish))", -sp.oo, sp.oo, 2),
        ("diff(diff(silu))", -sp.oo, sp.oo, 2),
    ],
)
def test_as_many_as_there_are(text, lower, upper, count):
    found = sign_changes(expression(text), lower, upper)
    assert len(found) == count
    assert all(bool(found[i].rising) != bool(found[i + 1].rising) for i in range(count - 1)), "signs alternate"


def test_both_sides_of_an_enclosure_have_their_sign():
    g = expression("diff(mish)")
    (root,) = sign_changes(g, -sp.oo, sp.oo, 25)
    middle = sp.Float(str(root.x.mid().str(60, radius=False)), 60)
    for side in (-1, 1):
        assert sp.sign(g.subs(X, middle + side * sp.Float("1e-20")).evalf(40)) == side
