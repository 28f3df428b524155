"""Claims of the thread about Mish's minimum and sigmoid-gated stand-ins (T1, T8, T13, T14)."""

from __future__ import annotations

import sympy as sp

from analysis.activation import lookup
from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.exact.breakpoints import smoothness
from analysis.exact.pieces import pieces
from analysis.exact.verdict import Verdict
from analysis.ledger import checks
from analysis.ledger.checks import GAUSSIAN, L2, SUP, Norm, decided, would_hold
from analysis.ledger.claim import Claim, Evidence, Finding
from analysis.ledger.thread_hard import jumps_at

TWO_SIDED = "Mish thread, fast.ai forums, the post on approx_mish (lines 6 to 9): "
LINEAR = "Mish thread, fast.ai forums, the post on linear_swish (lines 14 to 17): "

LINEAR_SWISH = "linear_swish(s=2, beta=1.25)"
SIGMOID_FAMILIES = ("swish", "aptx", "linear_swish", "two_sided_swish", "e_swish")


def among_sigmoids(f: str, *norms: Norm) -> Finding:
    """Whether no published function with one sigmoid (or one tanh of a multiple of x) is nearer to Mish."""
    return checks.close(f, "mish", checks.published(*SIGMOID_FAMILIES), "functions with one sigmoid", *norms)


def minimum_near(f: str, x: str, value: str) -> Finding:
    """Whether the only minimum of f, to the digits given, is at x with that value."""
    found = checks.minimum(f)
    holds = checks.rounds_to(found.x, x) and checks.rounds_to(found.value, value)
    place = f"({checks.short(found.x, 8)}, {checks.short(found.value, 8)})"
    return decided(holds, f"it is at {place}", f"it is at {place}, not ({x}, {value})", checks.at_minimum(f))


def south_east(f: str, g: str) -> Finding:
    """Whether the minimum of f lies at a larger x and has a smaller value than that of g."""
    one, other = checks.minimum(f), checks.minimum(g)
    east, south = checks.below(other.x, one.x), checks.below(one.value, other.value)
    said = f"{f}'s minimum is {'east' if east else 'not east'} and {'south' if south else 'not south'} of {g}'s"
    return decided(east and south, said, said, checks.at_minimum(f), checks.at_minimum(g))


def slope_at_zero(f: str, stated: int) -> Finding:
    """Whether the slope at 0 is the stated one, from both sides."""
    left, right = checks.beside(f, 0, 1)
    said = f"the slope at 0 is {left} from the left and {right} from the right"
    return decided(left == right == stated, said, said, checks.jumps(f, 0))


def not_analytic(f: str) -> Finding:
    """Whether some derivative of f jumps."""
    least = smoothness(lookup.function(f).expression)
    said = f"{f} is C^{least}"
    return decided(least != sp.oo, said, said, checks.jumps(f, 0))


def kinked(f: str) -> Finding:
    """Whether the slope jumps at 0; if not, the first derivative that does."""
    found = jumps_at(1, [(f, 0)])
    fair = would_hold(f"of the second derivative, which jumps by {checks.jump(f, 0, 2)}")
    return found if found.verdict is Verdict.PROVED else Finding(found.verdict, found.reason, (*found.evidence, fair))


def as_smooth_as_mish(f: str) -> Finding:
    """Whether f, like Mish, has all derivatives."""
    least = smoothness(lookup.function(f).expression)
    slope = checks.beside(f, 0, 1)[0]
    reason = f"{f} is C^{least}: its slope at 0 is {slope} on both sides, f'' jumps by {checks.jump(f, 0, 2)}"
    fair = would_hold("of continuity of the slope")
    return decided(least == sp.oo, f"{f} has all derivatives", reason, checks.jumps(f, 0), fair)


def linear_beyond_zero(f: str) -> Finding:
    """Whether f is a straight line on x > 0."""
    found = pieces(lookup.function(f).expression, X, sp.S.Zero, sp.oo)
    line = found[0].expression
    holds = len(found) == 1 and sp.diff(line, X, 2) == 0
    evidence = Evidence(f"{f} for x > 0", "; ".join(str(p.expression) for p in found), checks.command("show", f))
    return decided(holds, f"it is {line} on x > 0", f"it is not one line on x > 0: {line}", evidence)


def farther_than(plain: str, published: str, norm: Norm) -> Finding:
    """Whether every member of the family `plain` is farther from Mish than the function `published`."""
    best, own = checks.best(plain, "mish", norm), checks.distance(published, "mish", norm)
    assert best.error is not None
    evidence = (checks.best_known(plain, "mish", norm), checks.measured_distance(published, "mish", norm))
    said = (
        f"the best {plain} is {checks.short(best.error)} from Mish ({norm}), {published} {checks.short(own.distance)}"
    )
    if float(own.distance[1]) < best.optimum.lower:
        return Finding(Verdict.PROVED, f"{said}; no {plain} is below {best.optimum.lower:.6g}", evidence)
    if checks.below(best.error, own.distance):
        family = lookup.function(published).family
        other = checks.best(family, "mish", norm).error if family else None
        fair = other and float(other[1]) < best.optimum.lower
        return Finding(
            Verdict.REFUTED, said, (*evidence, *([would_hold(f"with the best constants of {family}")] if fair else []))
        )
    raise Undecided(said)


def best_is_farther(plain: str, other: str, norm: Norm) -> Finding:
    """Whether the best of the family `plain` is farther from Mish than the best of the family `other`."""
    one, two = checks.best(plain, "mish", norm), checks.best(other, "mish", norm)
    assert one.error is not None
    assert two.error is not None
    evidence = tuple(checks.best_known(family, "mish", norm) for family in (plain, other))
    if float(two.error[1]) < one.optimum.lower:
        reason = f"no {plain} is below {one.optimum.lower:.6g} ({norm}), the best {other} has {checks.short(two.error)}"
        return Finding(Verdict.PROVED, reason, evidence)
    if float(one.error[1]) < two.optimum.lower:
        reason = f"no {other} is below {two.optimum.lower:.6g} ({norm}), the best {plain} has {checks.short(one.error)}"
        return Finding(
            Verdict.REFUTED, reason, (*evidence, would_hold("in another norm: the L2 norm is a reading of its own"))
        )
    raise Undecided(f"which is nearer to Mish, {plain} or {other} ({norm})")


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "T1",
        LINEAR + "'MISH's minimum near (-1.192, -0.309)'",
        "Mish has its minimum near (-1.192, -0.309)",
        Verdict.PROVED,
        lambda: minimum_near("mish", "-1.192", "-0.309"),
        "it is its only one, and rounds to these digits",
    ),
    Claim(
        "T8",
        TWO_SIDED + "'this piecewise function based on SWISH which follows MISH closely'",
        "x sigmoid(x) on x <= 0 with x sigmoid(2x) on x >= 0 follows Mish closely",
        Verdict.PROVED,
        lambda: among_sigmoids("approx_mish", SUP, L2, GAUSSIAN),
        "no published function with one sigmoid is nearer, in the sup, L2 and Gaussian norms",
    ),
    Claim(
        "T8",
        TWO_SIDED + "'this piecewise function based on SWISH which follows MISH closely'",
        "x sigmoid(x) on x <= 0 with x sigmoid(2x) on x >= 0 follows Mish closely",
        Verdict.REFUTED,
        lambda: as_smooth_as_mish("approx_mish"),
        "in smoothness too: it has all derivatives at 0, as Mish has",
    ),
    Claim(
        "T13",
        LINEAR + "'The minimum is near (-1.023, -0.446)'",
        "linear_swish, 2x sigmoid(1.25x) on x <= 0 and x on x >= 0, has its minimum near (-1.023, -0.446)",
        Verdict.PROVED,
        lambda: minimum_near(LINEAR_SWISH, "-1.023", "-0.446"),
        "it is its only one, and rounds to these digits",
    ),
    Claim(
        "T13",
        LINEAR + "'south east of MISH's minimum'",
        "The minimum of linear_swish lies south-east of Mish's",
        Verdict.PROVED,
        lambda: south_east(LINEAR_SWISH, "mish"),
        "at a larger x, with a smaller value",
    ),
    Claim(
        "T13",
        LINEAR + "'The gradient at the origin is 1'",
        "The slope of linear_swish at the origin is 1",
        Verdict.PROVED,
        lambda: slope_at_zero(LINEAR_SWISH, 1),
        "from both sides",
    ),
    Claim(
        "T13",
        LINEAR + "'but not smooth there'",
        "linear_swish is not smooth at the origin",
        Verdict.PROVED,
        lambda: not_analytic(LINEAR_SWISH),
        "it does not have all derivatives there",
    ),
    Claim(
        "T13",
        LINEAR + "'The gradient at the origin is 1, but not smooth there'",
        "linear_swish is not smooth at the origin",
        Verdict.REFUTED,
        lambda: kinked(LINEAR_SWISH),
        "its slope jumps there",
    ),
    Claim(
        "T13",
        LINEAR + "'quite close to MISH'",
        "linear_swish is quite close to Mish",
        Verdict.REFUTED,
        lambda: among_sigmoids(LINEAR_SWISH, SUP, L2, GAUSSIAN),
        "no published function with one sigmoid is nearer, in the sup, L2 and Gaussian norms",
    ),
    Claim(
        "T14",
        LINEAR + "'linear for positive x'",
        "linear_swish is linear for every positive x",
        Verdict.PROVED,
        lambda: linear_beyond_zero(LINEAR_SWISH),
    ),
    Claim(
        "T14",
        LINEAR + "'The following one is quite close to MISH, but linear for positive x' (implied)",
        "A plain Swish with its own best slope is farther from Mish than linear_swish",
        Verdict.REFUTED,
        lambda: best_is_farther("swish", "linear_swish", SUP),
        "in the sup norm, whatever the constants of linear_swish",
    ),
    Claim(
        "T14",
        LINEAR + "'The following one is quite close to MISH, but linear for positive x' (implied)",
        "A plain Swish with its own best slope is farther from Mish than linear_swish",
        Verdict.REFUTED,
        lambda: best_is_farther("swish", "linear_swish", GAUSSIAN),
        "in the Gaussian norm, whatever the constants of linear_swish",
    ),
    Claim(
        "T14",
        LINEAR + "'The following one is quite close to MISH, but linear for positive x' (implied)",
        "A plain Swish with its own best slope is farther from Mish than linear_swish",
        Verdict.REFUTED,
        lambda: farther_than("swish", LINEAR_SWISH, L2),
        "in the L2 norm, with the thread's constants (2, 1.25)",
    ),
    Claim(
        "T14",
        LINEAR + "'The following one is quite close to MISH, but linear for positive x' (implied)",
        "A plain Swish with its own best slope is farther from Mish than linear_swish",
        Verdict.PROVED,
        lambda: best_is_farther("swish", "linear_swish", L2),
        "in the L2 norm, with the best constants of both",
    ),
)
