"""Claims of the thread about hard variants (T2 to T5): how near x clip(x+b, 0, a)/a comes, and where it breaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import sympy as sp

from analysis.activation import lookup
from analysis.exact.breakpoints import Breakpoint, breakpoints, smoothness
from analysis.exact.verdict import Verdict
from analysis.ledger import checks
from analysis.ledger.checks import GAUSSIAN, L2, SUP, Norm, decided, would_hold
from analysis.ledger.claim import Claim, Evidence, Finding

FIRST = "Mish thread, fast.ai forums, the post that proposes hard-mish (line 1): "
QUESTION = "Mish thread, fast.ai forums, the reply to the hard-mish post (lines 2 and 3): "
ANSWER = "Mish thread, fast.ai forums, the hard-mish author's answer (line 4): "

RELU3, RELU4 = "hard_gate(a=3, b=3)", "hard_gate(a=4, b=3)"
OTHERS = ("hard_swish", "hard_mish", RELU4)  # the thread's curves beside ReLU3
CAPS = (("hard_swish", 3), ("hard_mish", 2), (RELU4, 1))
ORDERS = {0: "value", 1: "slope", 2: "second derivative"}
Kinks = Sequence[tuple[str, int]]


def near(hard: str, smooth: str, *norms: Norm) -> Finding:
    """Whether no published hard gate, which costs the same, is nearer."""
    return checks.close(hard, smooth, checks.published("hard_gate"), "hard gates", *norms)


# breaks at a point


def jumps_at(order: int, kinks: Kinks) -> Finding:
    """Whether the derivative of that order jumps at every one of the points."""
    found = [(f, x, checks.jump(f, x, order)) for f, x in kinks]
    calm = [(f, x) for f, x, size in found if size == 0]
    sizes = "; ".join(f"{size} at x = {x} in {f}" for f, x, size in found)
    no = f"the {ORDERS[order]} of {calm[0][0]} is continuous at x = {calm[0][1]}" if calm else ""
    return decided(not calm, f"the {ORDERS[order]} jumps by {sizes}", no, *(checks.jumps(f, x) for f, x in kinks))


def continuous_at(order: int, kinks: Kinks) -> Finding:
    """Whether the derivatives up to that order are continuous at all of the points."""
    found = [(f, x, k, checks.jump(f, x, k)) for k in range(order + 1) for f, x in kinks]
    broken = [f"the {ORDERS[k]} of {f} jumps by {size} at x = {x}" for f, x, k, size in found if size != 0]
    what = " and ".join(ORDERS[k] for k in range(order + 1))
    evidence = [checks.jumps(f, x) for f, x in kinks]
    places = ", ".join(f"x = {x} in {f}" for f, x in kinks)
    return decided(not broken, f"no jump of {what} at {places}", "; ".join(broken), *evidence)


def value_breaks(kinks: Kinks) -> Finding:
    """Whether the values jump; where only the slope does, that is said."""
    found = jumps_at(0, kinks)
    slopes = "; ".join(f"{checks.jump(f, x, 1)} in {f} at x = {x}" for f, x in kinks)
    return Finding(found.verdict, found.reason, (*found.evidence, would_hold(f"of the slope, which jumps by {slopes}")))


def once_differentiable(f: str) -> Finding:
    """Whether the slope is continuous on all of R; the largest of the slope jumps is set beside the others'."""
    found = breakpoints(lookup.function(f).expression)
    rough = [point for point in found if point.jumps[1] != 0]
    least = smoothness(lookup.function(f).expression)
    reason = "; ".join(f"the slope jumps by {point.jumps[1]} at x = {point.x}" for point in rough)
    beside = [Evidence(f"slope jumps of {g}", _slope_jumps(g), checks.command("show", g)) for g in (f, *OTHERS)]
    holds = would_hold("at " + ", ".join(f"x = {p.x}" for p in found if p not in rough) + " alone")
    return decided(not rough, f"{f} is C^{least}", f"{f} is C^{least}: {reason}", *beside, *([holds] if rough else []))


def _slope_jumps(f: str) -> str:
    return ", ".join(f"{p.jumps[1]} at {p.x}" for p in breakpoints(lookup.function(f).expression))


# for all constants at once


def kinks_of(family: str) -> tuple[Breakpoint, Breakpoint]:
    lower, cap = breakpoints(lookup.family(family).expression)
    return lower, cap


def _slopes(family: str) -> Evidence:
    lower, cap = kinks_of(family)
    text = f"{lower.jumps[1]} at the lower kink x = {lower.x}, {cap.jumps[1]} at the cap x = {cap.x}"
    again = checks.command("show", family) if family.isidentifier() else ""
    return Evidence(f"slope jumps of {family} for all a, b > 0", text, again)


def smooth_cap(stated: str, family: str = "hard_gate") -> Finding:
    """Whether the slope is continuous at the cap exactly for a = stated, an expression in b."""
    record = lookup.family(family)
    a, b = record.symbol("a"), record.symbol("b")
    _, cap = kinks_of(family)
    right = sp.solve(cap.jumps[1], a)
    wanted = lookup.expression(stated, {"b": b})
    holds = cap.jumps[0] == 0 and right == [wanted]
    smooth = f"the slope jump at the cap is {cap.jumps[1]}, zero exactly for a = {', '.join(map(str, right))}"
    return decided(holds, smooth, f"{smooth}, not for a = {stated}", _slopes(family))


def breaks_at_the_cap_only(family: str = "hard_gate") -> Finding:
    """Whether the slope is continuous at the lower kink for some a, b > 0."""
    lower, _ = kinks_of(family)
    size = lower.jumps[1]
    if size != 0 and not size.is_nonzero:
        return Finding(Verdict.UNDECIDED, f"whether {size} vanishes", (_slopes(family),))
    at = f"at the lower kink x = {lower.x} the slope jumps by {size}"
    fair = () if size == 0 else (would_hold("on the half-line x > -b"),)
    smooth = "the slope does not jump at the lower kink"
    return decided(size == 0, smooth, f"{at}, never zero", _slopes(family), *fair)


# the minimum


def towards(target: int, what: Literal["x", "value"], f: str = RELU3) -> Finding:
    """Whether the minimum of f is nearer to the target, in x or in value, than those of the thread's other curves."""
    index = ("x", "value").index(what)
    places = {g: checks.minimum(g).exact or (sp.nan, sp.nan) for g in (f, *OTHERS)}

    def is_nearest(i: int) -> bool:
        return all(bool(abs(places[f][i] - target) < abs(places[g][i] - target)) for g in OTHERS)

    said = ", ".join(f"{place[index]} in {g}" for g, place in places.items())
    fair = () if is_nearest(index) or not is_nearest(1 - index) else (would_hold(f"in {('x', 'value')[1 - index]}"),)
    evidence = (*map(checks.at_minimum, (f, *OTHERS)), *fair)
    name = ("place", "value")[index]
    return decided(
        is_nearest(index),
        f"{name} of the minimum: {said}",
        f"not nearer to {target}: the {name}s are {said}",
        *evidence,
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "T2",
        FIRST + "'they used an approximation for swish called hard-swish: x.Relu6(x+3)/6'",
        "x ReLU6(x+3)/6 approximates Swish",
        Verdict.PROVED,
        lambda: near("hard_swish", "silu", SUP, L2, GAUSSIAN),
        "no published hard gate is nearer to x sigmoid(x), in the sup, L2 and Gaussian norms",
    ),
    Claim(
        "T2",
        FIRST + "'x.Relu5(x+3)/5 also seems to be a good approximation for mish'",
        "x ReLU5(x+3)/5 is a good approximation of Mish",
        Verdict.PROVED,
        lambda: near("hard_mish", "mish", SUP),
        "no published hard gate is nearer in the sup norm",
    ),
    Claim(
        "T2",
        FIRST + "'x.Relu5(x+3)/5 also seems to be a good approximation for mish'",
        "x ReLU5(x+3)/5 is a good approximation of Mish",
        Verdict.REFUTED,
        lambda: near("hard_mish", "mish", L2, GAUSSIAN),
        "no published hard gate is nearer in the L2 and Gaussian norms",
    ),
    Claim(
        "T3",
        QUESTION
        + "'for the unnamed function curve (marked as yellow) in the 2nd figure, I see a discontinuity at x = 1'",
        "The curve x ReLU4(x+3)/4 has a discontinuity at x = 1",
        Verdict.REFUTED,
        lambda: value_breaks([(RELU4, 1)]),
        "of its value",
    ),
    Claim(
        "T3",
        QUESTION
        + "'for the unnamed function curve (marked as yellow) in the 2nd figure, I see a discontinuity at x = 1'",
        "The curve x ReLU4(x+3)/4 has a discontinuity at x = 1",
        Verdict.PROVED,
        lambda: jumps_at(1, [(RELU4, 1)]),
        "of its slope",
    ),
    Claim(
        "T4",
        ANSWER
        + "'The equivalent problem area is x=0 for the Relu3 function, but it doesn't seem to have a discontinuity'",
        "x ReLU3(x+3)/3 has no break at x = 0, where the ReLU part reaches the divisor",
        Verdict.PROVED,
        lambda: continuous_at(1, [(RELU3, 0)]),
        "of its value or slope",
    ),
    Claim(
        "T4",
        ANSWER + "'I think the closest to those comments is x.Relu3(x+3)/3. It ... goes further towards -1'",
        "The minimum of x ReLU3(x+3)/3 lies further towards -1 than those of the thread's other curves",
        Verdict.REFUTED,
        lambda: towards(-1, "x"),
        "in x, the place of the minimum",
    ),
    Claim(
        "T4",
        ANSWER + "'I think the closest to those comments is x.Relu3(x+3)/3. It ... goes further towards -1'",
        "The minimum of x ReLU3(x+3)/3 lies further towards -1 than those of the thread's other curves",
        Verdict.PROVED,
        lambda: towards(-1, "value"),
        "in value",
    ),
    Claim(
        "T4",
        ANSWER + "'It's pretty smooth'",
        "x ReLU3(x+3)/3 is pretty smooth",
        Verdict.REFUTED,
        lambda: once_differentiable(RELU3),
        "its slope is continuous everywhere",
    ),
    Claim(
        "T5",
        ANSWER
        + "'All of the other functions (including hard-swish) actually have a slight discontinuity where the Relu "
        "part is equal to the divisor'",
        "x ReLU6(x+3)/6, x ReLU5(x+3)/5 and x ReLU4(x+3)/4 are discontinuous where the ReLU part equals the divisor",
        Verdict.PROVED,
        lambda: jumps_at(1, CAPS),
        "in slope",
    ),
    Claim(
        "T5",
        ANSWER
        + "'All of the other functions (including hard-swish) actually have a slight discontinuity where the Relu "
        "part is equal to the divisor'",
        "x ReLU6(x+3)/6, x ReLU5(x+3)/5 and x ReLU4(x+3)/4 are discontinuous where the ReLU part equals the divisor",
        Verdict.REFUTED,
        lambda: value_breaks(CAPS),
        "in value",
    ),
    Claim(
        "T5",
        ANSWER
        + "'The equivalent problem area is x=0 for the Relu3 function, but it doesn't seem to have a discontinuity'",
        "Of all x clip(x+b, 0, a)/a just those with a = b are once differentiable at the cap, as ReLU3 with b = 3 is",
        Verdict.PROVED,
        lambda: smooth_cap("b"),
        "for all a, b > 0",
    ),
    Claim(
        "T5",
        ANSWER + "the only problem area that it names is 'where the Relu part is equal to the divisor'",
        "x clip(x+b, 0, a)/a breaks at the cap only; at the lower kink x = -b it is once differentiable",
        Verdict.REFUTED,
        breaks_at_the_cap_only,
        "for some a, b > 0",
    ),
)
