"""T6: every (a, b) that moves the minimum of a hard gate to -1, in place or in value, tried by brute force."""

import numpy as np
import pytest
import sympy as sp

from analysis.activation.lookup import family
from analysis.exact.placement import placements
from analysis.exact.stationary import stationary

GATE = family("hard_gate")
A, B = GATE.symbol("a"), GATE.symbol("b")
MINIMA = stationary(GATE.expression).minima


def least(a, b, samples=40_001):
    """(place, value) of the minimum by sampling."""
    x = np.linspace(-b, 0, samples)
    y = x * np.clip(x + b, 0, a) / a
    return x[y.argmin()], y.min()


def cases(what):
    return placements(MINIMA, what, sp.Integer(-1))


def admitted(case, a_or_b):
    """The constants of a case for a value of the one that it leaves free, or None if it does not admit that."""
    (free,) = {A, B} - set(case.equations)
    values = {free: a_or_b} | {name: v.subs(free, a_or_b) for name, v in case.equations.items()}
    holds = case.condition.subs(values)
    return values if holds == sp.true and all(v > 0 for v in values.values()) else None


@pytest.mark.parametrize(("what", "index"), [("x", 0), ("value", 1)])
def test_the_admitted_constants_do_it(what, index):
    random = np.random.default_rng(6)
    tried = [
        admitted(case, sp.Rational(str(round(v, 3)))) for case in cases(what) for v in random.uniform(0.05, 12, 12)
    ]
    used = [values for values in tried if values]
    assert len(used) >= 10
    for values in used:
        assert least(float(values[A]), float(values[B]))[index] == pytest.approx(-1, abs=4e-4)


@pytest.mark.parametrize(("what", "index"), [("x", 0), ("value", 1)])
def test_no_other_constants_do_it(what, index):
    """A scan of (a, b): wherever brute force finds -1, one of the cases admits the constants."""
    steps = np.arange(1, 33) / 4
    found = [(a, b) for a in steps for b in steps if abs(least(a, b, 4001)[index] + 1) < (3e-3, 1e-5)[index]]
    assert len(found) >= 5
    equations = [case.equations for case in cases(what)]
    for a, b in found:
        at = {A: sp.Rational(a), B: sp.Rational(b)}
        assert any(all((value - name).subs(at) == 0 for name, value in case.items()) for case in equations), (a, b)


def test_the_smooth_ones():
    """A smooth cap wants a = b: the place is at -1 for a = b = 2, the value for a = b = 4."""
    smooth = {what: [admitted(c, v) for c in cases(what) for v in (sp.S(2), sp.S(4))] for what in ("x", "value")}
    assert {A: 2, B: 2} in smooth["x"]
    assert {A: 4, B: 4} in smooth["value"]
    assert not any(values and values[A] == values[B] != 2 for values in smooth["x"])
