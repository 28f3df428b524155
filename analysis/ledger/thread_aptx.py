"""Claims of the thread about APTx, (alpha + tanh(beta x)) gamma x, and the APTx neuron (T9 to T12, T15)."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial

import sympy as sp

from analysis.activation import lookup
from analysis.activation.errors import Undecided
from analysis.exact.asymptotes import asymptote
from analysis.exact.verdict import Verdict
from analysis.ledger import checks
from analysis.ledger.checks import Norm, would_hold
from analysis.ledger.claim import Claim, Evidence, Finding
from analysis.ledger.floats import FLOAT16, FLOAT32, Format
from analysis.ledger.thread_smooth import among_sigmoids
from analysis.optimal.lattice import FLOATS

ON_APTX = "Mish thread, fast.ai forums, the post on approx_mish (line 10): "
APTX = "Mish thread, fast.ai forums, the post on the APTx package "

LIKE_SILU, LIKE_SWISH2 = "aptx(alpha=1, beta=0.5, gamma=0.5)", "aptx(alpha=1, beta=1, gamma=0.5)"
HALVES = {"negative": (-math.inf, 0.0), "positive": (0.0, math.inf)}
FORMATS = (FLOAT32, FLOAT16, Format("bfloat16", 8, -133))
DEEPEST = 40  # witnesses in floating point are looked for at x = -1, -2, ... down to here


# APTx and Swish


def every_aptx_is_a_swish(family: str = "aptx") -> Finding:
    """Whether the family's members are Swishes for all constants; else for which: the slopes at -oo and oo decide."""
    record = lookup.family(family)
    ends = [asymptote(record.expression, direction) for direction in (-1, 1)]
    slopes = [end.slope for end in ends if end is not None]
    same = checks.identity("aptx(alpha=1, beta=beta, gamma=1/2)", "swish(beta=2*beta)", assume="beta>0")
    gate = [record.symbol(c.name) for c in record.constants if c.name != "beta"]
    if not gate:
        return same if slopes == [0, 1] else Finding(Verdict.REFUTED, f"its slopes at -oo and oo are {slopes}")
    found = sp.solve([slopes[0], slopes[1] - 1], gate, dict=True)
    text = "; ".join(", ".join(f"{name} = {solution[name]}" for name in gate) for solution in found)
    if same.verdict is not Verdict.PROVED or text != "alpha = 1, gamma = 1/2":
        raise Undecided(f"whether {family} with {text} is a Swish")
    evidence = (
        Evidence("slopes of APTx at -oo and oo", ", ".join(map(str, slopes)), checks.command("show", family)),
        *same.evidence,
        would_hold(f"exactly for {text}, where it is the Swish of twice the beta"),
    )
    return Finding(Verdict.REFUTED, f"only for {text}: elsewhere its slopes at the ends are not 0 and 1", evidence)


def is_swish(aptx: str, swish: str) -> Finding:
    return checks.identity(aptx, swish)


def on_half(side: str, f: str, *kinds: str) -> Finding:
    """Whether no published function with one sigmoid is nearer to Mish on that half of the line."""
    found = among_sigmoids(f, *(Norm(kind, *HALVES[side]) for kind in kinds))
    best = checks.best_known("aptx(alpha=1, beta=beta, gamma=1/2)", "mish", Norm("sup", *HALVES[side]))
    return Finding(found.verdict, found.reason, (*found.evidence, best))


def far_on_half(side: str, f: str, *kinds: str) -> Finding:
    """Whether in each of the norms some published function with one sigmoid is nearer to Mish on that half."""
    found = [on_half(side, f, kind) for kind in kinds]
    close = next((one for one in found if one.verdict is not Verdict.REFUTED), None)
    if close:
        return checks.negated(close)
    evidence = tuple(dict.fromkeys(item for one in found for item in one.evidence if item.what != "would hold"))
    return Finding(Verdict.PROVED, "; ".join(one.reason for one in found), evidence)


# in floating point


def aptx_in(form: Format, beta: Fraction, x: Fraction) -> Fraction:
    """((1 + tanh(beta x)) 1/2) x, each operation rounded to the format."""
    tanh = form.of(lambda z: z.tanh(), form.nearest(beta * x))
    return form.nearest(form.nearest(form.nearest(1 + tanh) / 2) * x)


def swish_in(form: Format, beta: Fraction, x: Fraction) -> Fraction:
    """x sigmoid(beta x), each operation rounded to the format."""
    return form.nearest(x * form.of(lambda z: 1 / (1 + (-z).exp()), form.nearest(beta * x)))


def bit_identical(form: Format, deepest: int = DEEPEST) -> Finding:
    """Whether the evaluations agree at x = -1, -2, ...; refuted by one that does not, best by one where APTx is 0."""
    evidence: list[Evidence] = []
    reason = ""
    for beta in (Fraction(1, 2), Fraction(1)):
        unequal = [(x, pair) for x in range(-1, -deepest - 1, -1) if (pair := _evaluated(form, beta, x))]
        lost = [(x, pair) for x, pair in unequal if pair[0] == 0]
        for x, (left, right) in [*unequal[:1], *lost[:1]]:
            what = f"{form.name}, x = {x}: APTx(1, {beta}, 1/2) and Swish({2 * beta})"
            evidence.append(Evidence(what, f"{form.show(left)} and {form.show(right)}"))
            reason = reason or f"at x = {x} APTx(1, {beta}, 1/2) gives {float(left):.9g}, Swish {float(right):.9g}"
        if lost:
            x, (_, right) = lost[0]
            reason += f"; from x = {x} down APTx(1, {beta}, 1/2) is 0, as 1 + tanh is, Swish there {float(right):.4g}"
    if not reason:
        return Finding(Verdict.UNDECIDED, f"no difference at the integers from -1 to -{deepest}")
    fair = would_hold("in real arithmetic; or if APTx is evaluated as x sigmoid(2 beta x)")
    return Finding(Verdict.REFUTED, reason, (*evidence, fair))


def _evaluated(form: Format, beta: Fraction, x: int) -> tuple[Fraction, Fraction] | None:
    """What both evaluations give at x, if they differ."""
    pair = aptx_in(form, beta, Fraction(x)), swish_in(form, 2 * beta, Fraction(x))
    return pair if pair[0] != pair[1] else None


# beta to infinity


def relu_law(gamma: str = "1/2") -> Finding:
    """Whether sup |APTx(1, beta, gamma) - relu| = c/(2 beta) for all beta > 0, with c = -min x sigmoid(x).

    By scaling it is 1/(2 beta) times the distance of x sigmoid(x) to ReLU. There the errors at x and -x are the same,
    since x sigmoid(x) - x = -x sigmoid(-x), so it is the depth of the only minimum.
    """
    steps = [
        checks.identity(f"aptx(x/(2*beta), alpha=1, beta=beta, gamma={gamma})", "silu/(2*beta)", assume="beta>0"),
        checks.identity("relu(x/(2*beta))", "relu/(2*beta)", assume="beta>0"),
        checks.identity("silu - x", "silu(-x)"),
    ]
    failed = next((step for step in steps if step.verdict is not Verdict.PROVED), None)
    if failed:
        return failed
    depth = _depth_of_silu()
    evidence = [item for step in steps for item in step.evidence]
    evidence += [checks.at_minimum("silu"), checks.measured_distance("silu", "relu")]
    law = f"sup |APTx(1, beta, 1/2) - ReLU| = {depth}/(2 beta) = {float(depth / 2):.6g}/beta"
    return Finding(Verdict.PROVED, f"{law}: it falls as beta grows, to 0", tuple(evidence))


def _depth_of_silu() -> sp.Expr:
    exact = checks.minimum("silu").exact
    if exact is None:
        raise Undecided("the exact minimum of silu")
    return -exact[1]


def close_to_relu(beta: int | sp.Rational) -> Finding:
    """Whether APTx(1, beta, 1/2) is nearer to ReLU than every published smooth gate."""
    name = f"aptx(alpha=1, beta={beta}, gamma=0.5)"
    smooth = checks.published("swish", "aptx", "gelu_tanh", "softplus", "squareplus", "beta_mish")
    found = checks.close(name, "relu", (*smooth, "gelu", "mish"), "smooth functions")
    law = Evidence(
        "exact distance",
        f"{_depth_of_silu()}/{2 * beta} {checks.enclosed(checks.pair_of(_depth_of_silu() / (2 * beta)))}",
    )
    return Finding(found.verdict, found.reason, (*found.evidence, law))


def number_at_zero(form: str, beta: int) -> Finding:
    """Whether APTx(1, beta, 1/2) evaluated in the format is a number at x = 0; beta beyond its range is infinite there.

    IEEE 754 rounds to infinity from half a step above the largest number, and makes infinity times 0 a nan.
    """
    bits, _, most = FLOATS[form]
    overflow = 2 ** (most + 1) - 2 ** (most - bits)
    largest = 2 ** (most + 1) - 2 ** (most + 1 - bits)
    range_ = Evidence(f"{form}: the largest number, and from where it rounds to infinity", f"{largest}, {overflow}")
    if beta < overflow:
        return Finding(Verdict.PROVED, f"beta = {beta} is finite in {form}, and APTx is 0 at 0", (range_,))
    reason = f"in {form} beta = {beta} becomes infinite, beta x is nan at x = 0, and so is APTx"
    return Finding(Verdict.REFUTED, reason, (range_, would_hold(f"with beta up to {largest}; and away from x = 0")))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "T9",
        ON_APTX + "'Their proposed APTx function ... turns out to be just SWISH with β = 2'",
        "APTx is Swish with beta = 2",
        Verdict.PROVED,
        lambda: is_swish(LIKE_SWISH2, "swish(beta=2)"),
        "with the constants proposed, (alpha, beta, gamma) = (1, 1, 1/2)",
    ),
    Claim(
        "T9",
        ON_APTX + "'it's not a distinct function'",
        "APTx is no function of its own, but a Swish",
        Verdict.REFUTED,
        every_aptx_is_a_swish,
        "for all constants alpha, beta, gamma > 0",
    ),
    Claim(
        "T9",
        ON_APTX + "'it's not very close to MISH for negative x'",
        "APTx (1, 1, 1/2) is not very close to Mish for negative x",
        Verdict.PROVED,
        lambda: far_on_half("negative", LIKE_SWISH2, "sup", "l2", "gaussian"),
        "a published function with one sigmoid is nearer there, in the sup, L2 and Gaussian norms",
    ),
    Claim(
        "T10",
        APTX + "(line 22): 'APTx with α=1, β=0.5, γ=0.5 exactly replicates SWISH(x, 1)'",
        "APTx(alpha=1, beta=1/2, gamma=1/2) is exactly x sigmoid(x)",
        Verdict.PROVED,
        lambda: is_swish(LIKE_SILU, "swish(beta=1)"),
        "in real arithmetic",
    ),
    Claim(
        "T10",
        APTX + "(line 23): 'APTx with α=1, β=1, γ=0.5 exactly replicates SWISH(x, 2)'",
        "APTx(alpha=1, beta=1, gamma=1/2) is exactly x sigmoid(2x)",
        Verdict.PROVED,
        lambda: is_swish(LIKE_SWISH2, "swish(beta=2)"),
        "in real arithmetic",
    ),
    *(
        Claim(
            "T10",
            APTX + "(lines 22 and 23): 'exactly replicates SWISH(x, 1)', 'exactly replicates SWISH(x, 2)'",
            "APTx(1, 1/2, 1/2) and APTx(1, 1, 1/2) are exactly x sigmoid(x) and x sigmoid(2x)",
            Verdict.REFUTED,
            partial(bit_identical, form),
            f"in {form.name}: ((1 + tanh(beta x)) gamma) x and x sigmoid(2 beta x), each operation correctly rounded",
        )
        for form in FORMATS
    ),
    Claim(
        "T11",
        APTX + "(line 24): 'APTx closely approximates the negative domain of MISH with α=1, β=0.5, and γ=0.5'",
        "APTx(1, 1/2, 1/2) is close to Mish on the negative side",
        Verdict.PROVED,
        lambda: on_half("negative", LIKE_SILU, "sup", "l2", "gaussian"),
        "no published function with one sigmoid is nearer there, in the sup, L2 and Gaussian norms",
    ),
    Claim(
        "T11",
        APTX + "(line 25): 'APTx closely approximates the positive domain of MISH with α=1, β=1, and γ=0.5'",
        "APTx(1, 1, 1/2) is close to Mish on the positive side",
        Verdict.REFUTED,
        lambda: on_half("positive", LIKE_SWISH2, "sup", "l2"),
        "no published function with one sigmoid is nearer there, in the sup and L2 norms",
    ),
    Claim(
        "T11",
        APTX + "(line 25): 'APTx closely approximates the positive domain of MISH with α=1, β=1, and γ=0.5'",
        "APTx(1, 1, 1/2) is close to Mish on the positive side",
        Verdict.PROVED,
        lambda: on_half("positive", LIKE_SWISH2, "gaussian"),
        "no published function with one sigmoid is nearer there, in the Gaussian norm",
    ),
    Claim(
        "T12",
        APTX + "(line 26): 'the approximation improving as β increases and converging to ReLU in the limit'",
        "APTx(1, beta, 1/2) comes nearer to ReLU as beta grows, and converges to it",
        Verdict.PROVED,
        relu_law,
        "in the sup norm over R, in real arithmetic",
    ),
    Claim(
        "T12",
        APTX + "(line 26): 'β≈10⁶ ... already produces a close approximation of ReLU'",
        "APTx(1, 10^6, 1/2) is a close approximation of ReLU",
        Verdict.PROVED,
        lambda: close_to_relu(10**6),
        "in real arithmetic: no published smooth function is nearer in the sup norm",
    ),
    Claim(
        "T12",
        APTX + "(line 26): 'β≈10⁶ ... already produces a close approximation of ReLU'",
        "APTx(1, 10^6, 1/2) is a close approximation of ReLU",
        Verdict.REFUTED,
        lambda: number_at_zero("float16", 10**6),
        "evaluated in float16 it is a number wherever ReLU is",
    ),
)
