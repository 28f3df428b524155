"""Claims of the thread about changed hard variants (T6, T7): the minimum moved, the positive side made ReLU."""

from __future__ import annotations

from typing import Literal

import sympy as sp

from analysis.activation import lookup
from analysis.activation.parsing import X
from analysis.exact.pieces import pieces
from analysis.exact.placement import Placement, placements
from analysis.exact.stationary import stationary
from analysis.exact.verdict import Verdict
from analysis.ledger import checks
from analysis.ledger.checks import GAUSSIAN, L2, SUP, decided, would_hold
from analysis.ledger.claim import Claim, Evidence, Finding
from analysis.ledger.thread_hard import QUESTION, RELU4, continuous_at, kinks_of

SPLIT4 = "hard_gate_relu(a=4, b=3)"

# the minimum


def movable(what: Literal["x", "value"], target: int) -> Finding:
    """Whether some hard gate has its minimum's place or value at the target; every one that has is listed."""
    found = _placed(what, target)
    cases = [
        Evidence(f"minimum at {what} = {target}", _case(one), checks.command("show", "hard_gate")) for one in found
    ]
    every = " or ".join(str(one) for one in found)
    return decided(bool(found), f"exactly for {every}", f"no a, b > 0 put it at {target}", *cases)


def _placed(what: Literal["x", "value"], target: int) -> tuple[Placement, ...]:
    return placements(stationary(lookup.family("hard_gate").expression).minima, what, sp.Integer(target))


def _case(one: Placement) -> str:
    place, value = (sp.simplify(part.subs(one.equations)) for part in (one.point.x, one.point.value))
    return f"{one}: minimum at x = {place} with the value {value}"


def movable_with_smooth_cap(what: Literal["x", "value"], target: int, a: int, b: int) -> Finding:
    """Whether (a, b) are the only constants with the minimum at the target and a cap without a kink."""
    record = lookup.family("hard_gate")
    symbols = record.symbol("a"), record.symbol("b")
    _, cap = kinks_of("hard_gate")
    found = []
    for one in _placed(what, target):
        equations = [sp.Eq(name, value) for name, value in one.equations.items()]
        for solution in sp.solve([*equations, sp.Eq(cap.jumps[1], 0)], symbols, dict=True):
            if one.condition.subs(solution) == sp.true:
                found.append(tuple(solution[s] for s in symbols))
    right = ", ".join(f"(a, b) = ({p}, {q})" for p, q in found)
    gates = [checks.at_minimum(f"hard_gate(a={p}, b={q})") for p, q in found]
    kinks = [checks.jumps(f"hard_gate(a={p}, b={q})", p - q) for p, q in found]
    return decided(found == [(a, b)], f"only {right}", f"it is {right or 'none'}", *gates, *kinks)


# split at the origin


def analytic_beyond_zero(f: str) -> Finding:
    """Whether f is one analytic function on x > 0."""
    found = pieces(lookup.function(f).expression, X, sp.S.Zero, sp.oo)
    places = ", ".join(f"x = {piece.upper}" for piece in found[:-1])
    said = f"{f} is {found[-1].expression} on x > {found[-1].lower}"
    formula = Evidence(f"{f} for x > 0", "; ".join(str(p.expression) for p in found), checks.command("show", f))
    jumps = (checks.jumps(f, p.upper) for p in found[:-1])
    return decided(not places, said, f"{said} and breaks at {places}", formula, *jumps)


def smooth_seam(f: str, unsplit: str) -> Finding:
    """Whether the slope is continuous at 0, and what the split costs: the kink there and the distance to Mish."""
    found = continuous_at(1, [(f, 0)])
    a = lookup.family("hard_gate")
    parabola = pieces(a.expression)[1].expression
    slope = sp.diff(parabola, X).subs(X, 0)
    law = Evidence("slope at 0 for all a >= b", f"{slope} from the left, 1 from the right: a jump of {1 - slope}")
    costs = [checks.measured_distance(g, "mish", norm) for norm in (SUP, L2, GAUSSIAN) for g in (f, unsplit)]
    fair = (
        () if found.verdict is Verdict.PROVED else (would_hold("on x > 0; at 0 too with a = b, as in x ReLU3(x+3)/3"),)
    )
    return Finding(found.verdict, found.reason, (*found.evidence, law, *costs, *fair))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "T6",
        QUESTION + "'Can you shift the minima to -1?'",
        "The minimum of x clip(x+b, 0, a)/a can be shifted to -1",
        Verdict.PROVED,
        lambda: movable("x", -1),
        "its place; every (a, b) is given",
    ),
    Claim(
        "T6",
        QUESTION + "'Can you shift the minima to -1?'",
        "The minimum of x clip(x+b, 0, a)/a can be shifted to -1",
        Verdict.PROVED,
        lambda: movable("value", -1),
        "its value; every (a, b) is given",
    ),
    Claim(
        "T6",
        QUESTION + "'Can you shift the minima to -1? ... we want the function curve to be as continuous as possible'",
        "One hard gate has its minimum at -1 and a slope that is continuous at the cap: x clip(x+2, 0, 2)/2",
        Verdict.PROVED,
        lambda: movable_with_smooth_cap("x", -1, 2, 2),
        "the minimum's place",
    ),
    Claim(
        "T6",
        QUESTION + "'Can you shift the minima to -1? ... we want the function curve to be as continuous as possible'",
        "One hard gate has its minimum at -1 and a slope that is continuous at the cap: x clip(x+4, 0, 4)/4",
        Verdict.PROVED,
        lambda: movable_with_smooth_cap("value", -1, 4, 4),
        "the minimum's value",
    ),
    Claim(
        "T7",
        QUESTION + "'just have the effect on yellow line and keep the positive domain as ReLU'",
        "x ReLU4(x+3)/4 on x < 0 with ReLU on x >= 0 is smooth in the positive domain",
        Verdict.PROVED,
        lambda: analytic_beyond_zero(SPLIT4),
        "on x > 0",
    ),
    Claim(
        "T7",
        QUESTION + "'just have the effect on yellow line and keep the positive domain as ReLU'",
        "x ReLU4(x+3)/4 on x < 0 with ReLU on x >= 0 is smooth in the positive domain",
        Verdict.REFUTED,
        lambda: smooth_seam(SPLIT4, RELU4),
        "with its end at 0, where the halves meet",
    ),
)
