"""Verdicts on random pairs beside mpmath: what is PROVED holds at random points, what is REFUTED differs where it says.

The pairs come from identities with a random function put in, some of them false, some only at a point or by a trifle.
"""

import signal
from collections import Counter
from random import Random

import mpmath as mp
import pytest
import sympy as sp

from analysis.activation.errors import BadInput, OutOfTime
from analysis.exact.verdict import Verdict
from analysis.rigorous.identity import prove
from tests.test_random_cards import grown, oracle

TRUE = [
    ("tanh({0})", "2*sigmoid(2*({0})) - 1"), ("abs({0})", "max({0}, -({0}))"), ("relu({0})", "(({0}) + abs({0}))/2"),
    ("softplus({0})", "({0}) + softplus(-({0}))"), ("2*log(1 + ({0})**2)", "log((1 + ({0})**2)**2)"),
    ("sin(2*({0}))", "2*sin({0})*cos({0})"), ("exp({0})*exp(-({0}))", "1"), ("Phi({0})", "1 - Phi(-({0}))"),
    ("sqrt(({0})**2)", "abs({0})"), ("({0})/({0})", "1"), ("log(({0})**2)", "2*log(abs({0}))"),
    ("cos({0})**2", "1 - sin({0})**2"), ("min({0}, {1})", "({0}) + ({1}) - max({0}, {1})"),
    ("1/({0}) + 1/({1})", "(({0}) + ({1}))/(({0})*({1}))"), ("log(({0})*exp({1}))", "log({0}) + ({1})"),
    ("erf({0})", "2*Phi(sqrt(2)*({0})) - 1"), ("clip({0}, -1, 1)", "max(min({0}, 1), -1)"),
    ("sqrt({0})**2", "{0}"), ("exp(2*log({0}))", "({0})**2"), ("step({0})*({0})", "relu({0})"),
]  # fmt: skip
FALSE = [
    ("tanh({0})", "2*sigmoid({0}) - 1"), ("abs({0})", "{0}"), ("step({0})", "1 - step(-({0}))"),
    ("{0}", "({0}) + exp(-100*x**2)/10**30"), ("{0}", "({0}) + relu(x - 1000)"), ("sqrt(({0})**2)", "{0}"),
    ("({0})/({0})", "2 - ({0})/({0}) + x/10**40"), ("log(({0})**2)", "2*log(abs({0}) + 1)"), ("sin({0})", "{0}"),
    ("{0}", "where(x > 1, {0}, {1})"), ("erf({0})", "tanh({0})"), ("max({0}, {1})", "max({0}, ({1}) + 1/10**9)"),
    ("{{{0}, x < 1; {1}}}", "{{{0}, x <= 1; {1}}}"),
]  # fmt: skip


def values(sides, at):
    """Both sides in mpmath, or None where one of them has no real value."""
    try:
        found = [side(at) for side in sides]
    except (
        ZeroDivisionError,
        OverflowError,
        ValueError,
        TypeError,
    ):  # the last for complex numbers, which have no order
        return None
    return None if any(isinstance(v, mp.mpc) or not mp.isfinite(v) for v in found) else found


def readable(text: str) -> str:
    """As Python reads it: where(...) as a function, and two braced pieces likewise."""
    if text.startswith("{"):
        one, rest = text[1:-1].split(", x <")
        bound, other = rest.split(";")
        return f"piece(x {'<=' if bound.startswith('=') else '<'} 1, {one}, {other})"
    return text.replace("where(", "piece(")


def contradiction(left: str, right: str, found, random: Random) -> str | None:
    """What mpmath has against the verdict."""
    with mp.workdps(700):
        sides = [oracle(readable(text)) for text in (left, right)]
        if found.verdict is Verdict.REFUTED:
            pairs = (found.witness.left, found.witness.right)
            at = mp.mpf(sp.sympify(found.witness.x).evalf(700))
            inside = values(sides, at)
            if inside is None:
                return "no value at the witness"
            slack = mp.mpf(10) ** -600
            if not all(mp.mpf(a) - slack <= v <= mp.mpf(b) + slack for (a, b), v in zip(pairs, inside, strict=True)):
                return f"the enclosures at {found.witness.x} are wrong"
            return None if inside[0] != inside[1] else "equal at the witness"
    with mp.workdps(60):
        for _ in range(12 if found.verdict is Verdict.PROVED else 0):
            at = mp.mpf(random.randint(-4000, 4000)) / 1009
            inside = values(sides, at)
            if inside and abs(inside[0] - inside[1]) > mp.mpf(10) ** -45 * (1 + abs(inside[0])):
                return f"PROVED, and different at {at}"
    return None


def verdicts(seed: int, count: int, seconds: float) -> Counter:
    random = Random(seed)
    counts: Counter = Counter()
    wrong = []

    def late(*_):
        raise OutOfTime("no answer in time")

    before = signal.signal(signal.SIGALRM, late)
    for _ in range(count):
        is_true = random.random() < 0.6
        templates = random.choice(TRUE if is_true else FALSE)
        inner = [grown(random, random.randint(1, 2)) for _ in range(2)]
        left, right = (template.format(*inner) for template in templates)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            found = prove(left, right)
        except OutOfTime:
            counts["out of time"] += 1
            continue
        except (BadInput, NotImplementedError) as problem:
            counts[type(problem).__name__] += 1
            continue
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        counts[str(is_true), str(found.verdict)] += 1
        problem = contradiction(left, right, found, random)
        if problem or (is_true and found.verdict is Verdict.REFUTED):
            wrong.append((left, right, str(found.verdict), found.method, problem))
    signal.signal(signal.SIGALRM, before)
    print(f"{count} random identities, seed {seed}: {dict(counts)}")
    assert wrong == []
    return counts


def test_verdicts_on_random_pairs_stand_up_in_mpmath():
    counts = verdicts(1, 25, 2)
    assert counts["True", "PROVED"] >= 5
    assert counts["False", "REFUTED"] >= 3


@pytest.mark.slow
def test_verdicts_on_many_random_pairs_stand_up_in_mpmath():
    counts = verdicts(2, 1000, 10)
    assert counts["True", "PROVED"] >= 200
    assert counts["False", "REFUTED"] >= 150


if __name__ == "__main__":
    import sys

    verdicts(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
