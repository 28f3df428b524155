"""The card of random expressions beside mpmath: derivative, breakpoints and minima agree to 20 digits, or UNDECIDED.

Python reads the same text in mpmath numbers, which shares nothing with the package. That no minimum or kink is missing
is looked for on a grid, where the card says that its list is complete.
"""

import re
import signal
from collections import Counter
from random import Random

import mpmath as mp
import pytest
import sympy as sp

from analysis.activation.errors import BadInput, OutOfTime, Undecided
from analysis.activation.functions import elementary
from analysis.activation.parsing import X
from tests import oracles

DIGITS = 20
STEP = mp.mpf(1) / 16  # of the grid on [-8, 8]
ORACLE = {
    "exp": mp.exp, "tanh": mp.tanh, "atan": mp.atan, "sin": mp.sin, "cos": mp.cos, "erf": mp.erf, "abs": abs,
    "max": max, "min": min, "log": mp.log, "sqrt": mp.sqrt, "sigmoid": oracles.sigmoid, "softplus": oracles.softplus,
    "Phi": oracles.normal, "relu": lambda z: max(z, mp.mpf(0)), "clip": oracles.clip,
    "step": lambda z: mp.mpf(z >= 0), "mish": oracles.mish, "piece": lambda c, a, b: a if c else b,
}  # fmt: skip
ONE = ["exp({})", "tanh({})", "atan({})", "sin({})", "erf({})", "abs({})", "sigmoid({})", "softplus({})", "Phi({})",
       "relu({})", "clip({}, -1, 2)", "step({})", "mish({})", "log(1 + ({})**2)", "sqrt(1 + ({})**2)", "({})**2",
       "exp(-({})**2)", "1/(2 + cos({}))"]  # fmt: skip
TWO = ["{} + {}", "({}) - ({})", "({})*({})", "({})*({})", "max({}, {})", "min({}, {})", "({})/(1 + ({})**2)"]
LEAF = ["x", "x", "x", "2*x", "x/3", "x + 1", "x - 2", "0.5", "3", "1.702*x"]


def grown(random: Random, leaves: int) -> str:
    if leaves == 1:
        return random.choice(LEAF) if random.random() < 0.5 else random.choice(ONE).format(random.choice(LEAF))
    if random.random() < 0.3:
        return random.choice(ONE).format(grown(random, leaves - 1))
    left = random.randint(1, leaves - 1)
    return random.choice(TWO).format(grown(random, left), grown(random, leaves - left))


def oracle(text: str):
    code = compile(re.sub(r"\d*\.?\d+", r"mpf('\g<0>')", text), text, "eval")
    return lambda x: mp.mpf(eval(code, {"__builtins__": {}}, ORACLE | {"mpf": mp.mpf, "x": x}))


def near(found, expected) -> bool:
    return abs(found - expected) <= mp.mpf(10) ** -DIGITS * (1 + abs(expected))


def number(value: sp.Expr):
    return mp.mpf(str(elementary(value).evalf(45)))


def check_derivative(card, f, random: Random) -> None:
    kinks = [number(point.x) for point in card.breakpoints]
    for _ in range(4):
        point = sp.Rational(random.randint(-6000, 6000), 1009)
        at = mp.mpf(point.p) / point.q
        if all(abs(at - kink) > 1e-6 for kink in kinks):
            assert near(number(card.derivative.subs(X, point)), mp.diff(f, at)), f"f' at {point}"


def check_breakpoints(card, f) -> None:
    """Each jump of f and f' is what one-sided values and differences give at a distance of 1e-30."""
    h = mp.mpf(10) ** -30
    for point in card.to_dict()["breakpoints"]:
        at = number(sp.sympify(point["x"]))
        right, left = (f(at + side * h) for side in (1, -1))
        jump = number(sp.sympify(point["jumps"]["0"]))
        assert near(right - left, jump), f"jump of f at {at}"
        if "1" in point["jumps"]:
            slopes = [(f(at + side * 2 * h) - f(at + side * h)) / (side * h) for side in (1, -1)]
            assert near(slopes[0] - slopes[1], number(sp.sympify(point["jumps"]["1"]))), f"jump of f' at {at}"


def check_minima(card, f) -> None:
    places = [tuple(mp.mpf(end) for end in place.x_enclosure) for place in card.minima]
    kinks = [number(point.x) for point in card.breakpoints]
    for place, (low, high) in zip(card.minima, places, strict=True):
        if isinstance(place.x, sp.Interval):
            continue
        middle, value = (low + high) / 2, f((low + high) / 2)
        assert high - low <= mp.mpf(10) ** -DIGITS * (1 + abs(middle))
        for distance in (mp.mpf("1e-6"), mp.mpf("1e-8")):
            assert min(f(middle - distance), f(middle + distance)) >= value - mp.mpf(10) ** -18, f"minimum at {middle}"
        if all(abs(middle - kink) > 1e-9 for kink in kinks) and abs(mp.diff(f, middle, 2)) > 1e-3:
            assert near(mp.findroot(lambda x: mp.diff(f, x), middle), middle), f"minimum at {middle}"
    if not card.complete["extrema"]:
        raise Undecided("whether all extrema are found")
    grid = [k * STEP for k in range(-128, 129)]
    values = [f(x) for x in grid]
    for x, before, value, after in zip(grid[1:], values, values[1:], values[2:], strict=False):
        if value < before - 1e-12 and value < after - 1e-12:
            jumps = any(abs(kink - x) <= STEP for kink in kinks) and card.smoothness == -1  # its infimum is no minimum
            assert jumps or any(low - STEP <= x <= high + STEP for low, high in places), f"no minimum near {x}"


def outcome(text: str, random: Random, seconds: float) -> str:
    """ "right", or why there is no answer; AssertionError where the answer is wrong."""
    from analysis import show

    def late(*_):
        raise OutOfTime("no answer in time")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with mp.workdps(80):
            f, card = oracle(text), show(text, tol=1e-24)
            card.to_dict()
            check_derivative(card, f, random)
            check_breakpoints(card, f)
            check_minima(card, f)
        return "right"
    except (Undecided, OutOfTime, NotImplementedError, RecursionError) as reason:
        return f"UNDECIDED: {reason}"
    except BadInput as problem:
        return f"refused: {problem}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def outcomes(seed: int, count: int, leaves: int, seconds: float) -> Counter:
    random = Random(seed)
    found: Counter = Counter()
    wrong = []
    while sum(found.values()) + len(wrong) < count:
        text = grown(random, random.randint(1, leaves))
        try:
            said = outcome(text, random, seconds)
        except AssertionError as problem:
            wrong.append((text, str(problem)[:200]))
            continue
        kind = said.split(":")[0]
        if kind != "refused":
            found[kind] += 1
        if kind != "right":
            print(f"{text}\n    {said[:150]}")
    share = found["UNDECIDED"] / count
    print(f"{count} random cards, seed {seed}: {dict(found)}, share UNDECIDED {share:.2f}")
    assert wrong == []
    return found


def test_a_few_random_cards_agree_with_mpmath():
    assert outcomes(4, 20, leaves=2, seconds=2)["right"] >= 10


@pytest.mark.slow
def test_two_hundred_random_cards_agree_with_mpmath():
    found = outcomes(11, 200, leaves=4, seconds=20)
    assert found["UNDECIDED"] <= 80


if __name__ == "__main__":
    import sys

    outcomes(int(sys.argv[1]), int(sys.argv[2]), leaves=int(sys.argv[3]), seconds=float(sys.argv[4]))
