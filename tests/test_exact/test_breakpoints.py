"""Jumps of f, f', f'' exactly, for numbers and for symbols; smoothness classes; the thread's kinks."""

import mpmath as mp
import pytest
import sympy as sp

from analysis.activation.lookup import expression, family, function
from analysis.exact.breakpoints import breakpoints, smoothness
from tests import oracles

A, B = sp.symbols("a b", positive=True)
HARD_GATE = family("hard_gate").expression


@pytest.mark.parametrize("name", oracles.KINKS)
def test_kinks_worked_out_by_hand(name):
    kinks = oracles.KINKS[name][1]
    found = breakpoints(function(name).expression)
    assert {str(p.x): p.jumps for p in found} == {
        x: tuple(map(sp.Rational, jumps.split())) for x, jumps in kinks.items()
    }


@pytest.mark.parametrize("name", oracles.FUNCTIONS)
def test_the_jumps_are_the_one_sided_differences(name):
    oracle, step = oracles.FUNCTIONS[name], mp.mpf(10) ** -12
    for point in breakpoints(function(name).expression):
        with mp.workdps(50):
            x = mp.mpf(str(point.x.evalf(50)))
            for order, jump in enumerate(point.jumps):
                left, right = (mp.diff(oracle, x + side * step, order, h=mp.mpf(10) ** -16) for side in (-1, 1))
                assert abs(right - left - mp.mpf(str(jump.evalf(50)))) < 1e-10


@pytest.mark.parametrize("name", oracles.FUNCTIONS)
def test_smoothness_of_every_function(name):
    stated = {"selu": 0, "hard_gate(a=5, b=2.8)": 0, "hard_gate3(a=5, b=2.84386, c=4.99049)": 0} | {
        kinked: smooth for kinked, (smooth, _) in oracles.KINKS.items()
    }
    assert smoothness(function(name).expression) == stated.get(name, sp.oo)
    assert (name in oracles.SMOOTH or name == "mish") == (name not in stated)


@pytest.mark.parametrize(
    ("text", "smooth"),
    [
        ("step(x)", -1),
        ("{x, x < 1; 2*x}", -1),
        ("relu(x)", 0),
        ("relu(x)**2", 1),
        ("relu(x)**5", 4),
        ("relu(x) - relu(-x)", sp.oo),
        ("x*abs(x)", 1),
        ("abs(x)**2", sp.oo),
        ("{0, x < 0; x**4*exp(x)}", 3),
        ("{tanh(x), x < 0; x, x >= 0}", 2),
        ("{sin(x), x < 0; x - x**3/6, x >= 0}", 4),
    ],
)
def test_the_class_is_exact_and_not_a_bound(text, smooth):
    assert smoothness(expression(text)) == smooth


def test_kinks_of_the_hard_gate_for_every_a_and_b():
    """T5: the slope jumps by -b/a at the lower kink and by (b-a)/a at the cap, smooth exactly if a = b."""
    low, cap = breakpoints(HARD_GATE)
    a, b = (family("hard_gate").symbol(n) for n in "ab")
    assert (low.x, cap.x) == (-b, a - b)
    assert sp.simplify(low.jumps[1] + b / a) == 0
    assert sp.simplify(cap.jumps[1] - (b - a) / a) == 0
    assert low.jumps[0] == cap.jumps[0] == 0
    assert sp.simplify(low.jumps[2] - 2 / a) == sp.simplify(cap.jumps[2] + 2 / a) == 0
    assert cap.smooth_if().subs(b, a) == sp.true
    assert sp.solve(cap.smooth_if(), a) == [b]
    assert low.smoothness == 0, "never smooth, as b > 0"
    assert cap.smoothness is None, "depends on a and b"
    assert smoothness(HARD_GATE) is None


@pytest.mark.parametrize(("a", "b"), [(6, 3), (5, 3), (4, 3), (3, 3), (2, 5)])
def test_the_symbolic_kinks_are_those_of_each_member(a, b):
    values = {family("hard_gate").symbol("a"): a, family("hard_gate").symbol("b"): b}
    symbolic = [(p.x.subs(values), tuple(j.subs(values) for j in p.jumps)) for p in breakpoints(HARD_GATE)]
    numeric = breakpoints(function(f"hard_gate(a={a},b={b})").expression)
    assert symbolic == [(p.x, p.jumps) for p in numeric]


@pytest.mark.parametrize(
    ("text", "at", "smooth", "slope_jump"),
    [
        ("hard_gate(a=4,b=3)", 1, 0, "-1/4"),  # T3: the curve with ReLU4 breaks at 1 in slope, not in value
        ("hard_gate(a=3,b=3)", 0, 1, "0"),  # T4: with ReLU3 the cap is at 0 and smooth
        ("hard_gate_relu(a=4,b=3)", 0, 0, "1/4"),  # T7: moving the break to 0 costs a slope jump there
        ("hard_gate_relu(a=7,b=3)", 0, 0, "4/7"),
        ("split_hard_gate(b=3,p=7,q=5)", 0, 0, "6/35"),  # N2
        ("split_hard_gate(b=3,p=7,q=5)", 2, 0, "-2/5"),
        ("approx_mish", 0, 1, "0"),  # T8
        ("linear_swish(s=2,beta=1.25)", 0, 1, "0"),  # T13
    ],
)
def test_the_variants_of_the_thread_at_0_and_1(text, at, smooth, slope_jump):
    (point,) = (p for p in breakpoints(function(text).expression) if p.x == at)
    assert point.smoothness == smooth
    assert point.jumps[:2] == (0, sp.Rational(slope_jump))


def test_the_cubic_is_not_twice_differentiable():
    """W5 says that it is."""
    assert [p.jumps[2] for p in breakpoints(function("cubic_hard_mish").expression)] == [sp.Rational(-1, 2), -1]


def test_a_family_split_at_zero_is_once_differentiable_for_all_constants():
    for name in ("linear_swish(s=2,beta=5)", "two_sided_swish(p=1/3,q=7)"):
        assert smoothness(function(name).expression) == 1
    (kink,) = breakpoints(family("linear_swish").expression)
    s = family("linear_swish").symbol("s")
    assert sp.simplify(kink.jumps[1] - (1 - s / 2)) == 0
    assert sp.solve(kink.smooth_if(), s) == [2]


def test_a_value_that_neither_side_tends_to_is_a_breakpoint():
    (point,) = breakpoints(expression("step(x) + step(-x)"))
    assert (point.x, point.smoothness, point.jumps, point.value) == (0, -1, (0, 0, 0), 2)
    (point,) = breakpoints(expression("step(x)"))
    assert (point.jumps[0], point.value) == (1, None)
    assert breakpoints(expression("{x, x < 0; x, x <= 0; x, x > 0}")) == ()


@pytest.mark.parametrize(
    ("text", "smooth", "jumps"),
    [
        ("sqrt(abs(x))", 0, (0, sp.oo, sp.nan)),
        ("sqrt(relu(-x))", 0, (0, sp.oo, sp.oo)),
        ("sign(x)*sqrt(abs(x))", 0, (0, sp.nan, -sp.oo)),
        ("{x*log(x), x > 0; 0}", 0, (0, -sp.oo, sp.oo)),
    ],
)
def test_infinite_slopes_come_from_their_own_side(text, smooth, jumps):
    (point,) = breakpoints(expression(text))
    assert (point.smoothness, point.jumps) == (smooth, jumps)
