"""Claims of the thread about the APTx neuron (T15), sum_i (alpha_i + tanh(beta_i x_i)) gamma_i x_i + delta."""

from __future__ import annotations

import sympy as sp

from analysis.activation import lookup
from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.exact.asymptotes import asymptote
from analysis.exact.verdict import Verdict
from analysis.ledger import checks
from analysis.ledger.checks import would_hold
from analysis.ledger.claim import Claim, Evidence, Finding

NEURON = "Mish thread, fast.ai forums, the post on the APTx package (line 30): "
_NEURON = "sum_i (alpha_i + tanh(beta_i x_i)) gamma_i x_i + delta"


def one_input(bias: str) -> Finding:
    """Whether for one input the neuron contains APTx(w x + bias) for all w > 0; if not, its asymptotes show it."""
    left = f"aptx(w*x + {bias}, alpha=alpha, beta=beta, gamma=gamma)"
    right = "(alpha + tanh(beta*w*x))*gamma*w*x"
    same = checks.identity(left, right, assume="alpha>0, beta>0, gamma>0, w>0")
    if same.verdict is Verdict.PROVED:
        return Finding(same.verdict, "the neuron with beta w, gamma w, delta = 0 is it", same.evidence)
    names = {name: sp.Symbol(name, positive=True) for name in ("alpha", "beta", "gamma", "delta", "w")}
    layer = lookup.expression(left, dict(names), unknown="positive")
    neuron = lookup.expression("(alpha + tanh(beta*x))*gamma*x + delta", dict(names))
    gaps = []
    for expression in (neuron, layer):
        below, above = asymptote(expression, -1), asymptote(expression, 1)
        if below is None or above is None:
            raise Undecided(f"the asymptotes of {expression}")
        gaps.append(sp.expand(above.intercept - below.intercept))
    evidence = tuple(
        Evidence(f"intercept of {what} at oo less that at -oo", str(gap))
        for what, gap in zip((right + " + delta, any constants", left), gaps, strict=True)
    )
    if gaps[0] != 0 or not gaps[1].is_nonzero:
        raise Undecided(f"whether {gaps[1]} vanishes")
    fair = would_hold("without a bias, with beta w, gamma w and delta = 0")
    reason = f"the asymptotes of a neuron meet at 0, those of APTx(w x + {bias}) differ there by {gaps[1]}"
    return Finding(Verdict.REFUTED, reason, (*evidence, fair))


def two_inputs(w1: int, w2: int) -> Finding:
    """Whether for two inputs the neuron contains APTx(w1 x1 + w2 x2): every neuron has no mixed derivative."""
    y, z = sp.symbols("x1 x2", real=True)
    alpha, beta, gamma = (lookup.family("aptx").symbol(name) for name in ("alpha", "beta", "gamma"))
    aptx = lookup.family("aptx").expression
    layer = aptx.subs(X, w1 * y + w2 * z)
    mixed = sp.simplify(sp.diff(layer, y, z).subs({y: 0, z: 0}))
    neuron = sum(aptx.subs({s: sp.Symbol(f"{s}_{i}", positive=True) for s in (alpha, beta, gamma)}).subs(X, v)
                 for i, v in enumerate((y, z)))  # fmt: skip
    of_neuron = sp.diff(neuron, y, z)
    published = layer.subs({alpha: 1, beta: 1, gamma: sp.Rational(1, 2)})
    second = sum(sign * published.subs({y: i, z: j}) for i, j, sign in ((1, 1, 1), (1, 0, -1), (0, 1, -1), (0, 0, 1)))
    evidence = (
        Evidence(f"mixed derivative of {_NEURON}", str(of_neuron)),
        Evidence(f"mixed derivative of APTx({w1} x1 + {w2} x2) at 0", str(mixed)),
        Evidence("f(1,1) - f(1,0) - f(0,1) + f(0,0), APTx(1, 1, 1/2)", checks.enclosed(checks.pair_of(second))),
    )
    fair = would_hold("for one input; or for a layer whose outputs each use a single input")
    if mixed == 0:
        return Finding(Verdict.PROVED, "it uses one input only, and is the neuron of that input", evidence)
    reason = (
        f"a neuron is a sum of functions of one input each, APTx({w1} x1 + {w2} x2) is not: d2/dx1 dx2 is {mixed} at 0"
    )
    if of_neuron != 0 or not mixed.is_nonzero:
        raise Undecided(f"whether {mixed} vanishes")
    return Finding(Verdict.REFUTED, reason, (*evidence, fair))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "T15",
        NEURON + "'a novel, unified neural computation unit that integrates non-linear activation and linear "
        "transformation'",
        "The APTx neuron contains a linear layer followed by APTx as a special case",
        Verdict.PROVED,
        lambda: one_input("0"),
        "one input, no bias",
    ),
    Claim(
        "T15",
        NEURON + "'a novel, unified neural computation unit that integrates non-linear activation and linear "
        "transformation'",
        "The APTx neuron contains a linear layer followed by APTx as a special case",
        Verdict.REFUTED,
        lambda: one_input("b"),
        "one input, with a bias b > 0",
    ),
    Claim(
        "T15",
        NEURON + "'a novel, unified neural computation unit that integrates non-linear activation and linear "
        "transformation'",
        "The APTx neuron contains a linear layer followed by APTx as a special case",
        Verdict.REFUTED,
        lambda: two_inputs(1, 1),
        "several inputs",
    ),
)
