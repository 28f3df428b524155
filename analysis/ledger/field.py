"""Statements that go round in the field, beyond the thread and the paper: single-exponential Mish, hard gates, GELU."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import sympy as sp

from analysis.activation import lookup
from analysis.activation.parsing import X
from analysis.exact.pieces import pieces
from analysis.exact.verdict import Verdict
from analysis.ledger import arithmetic, checks, measures
from analysis.ledger.checks import GAUSSIAN, L2, SUP, decided
from analysis.ledger.claim import Claim, Evidence, Finding
from analysis.ledger.floats import FLOAT32, FLOAT64

PROVED, REFUTED = Verdict.PROVED, Verdict.REFUTED
SECOND = "hard_gate(a=5, b=2.8)"  # of claim W4
NARROW_GATE = "x*clip(x/5 + 1/2, 0, 1)"  # hard-swish with the slope 0.2


def gate_slope(stated: str = "0.2") -> Finding:
    """Whether the gate hard-swish multiplies x with rises with the stated slope."""
    middle = next(p for p in pieces(lookup.function("hard_swish").expression) if p.lower < 0 < p.upper)
    slope = sp.diff(sp.cancel(middle.expression / X), X)
    off = sp.Rational(stated) - slope
    return decided(
        off == 0,
        f"the gate of hard-swish is {sp.cancel(middle.expression / X)}, of slope {slope}",
        f"the gate of hard-swish is {sp.cancel(middle.expression / X)}, of slope {slope}; {stated} is off by {off}",
        checks.measured_distance("clip(x/5 + 1/2, 0, 1)", "hard_sigmoid"),
        checks.measured_distance(NARROW_GATE, "hard_swish"),
        checks.measured_distance(NARROW_GATE, "silu"),
        checks.measured_distance("hard_swish", "silu"),
    )


def parameters(
    stated: int = 332, each: int = 3, layers: tuple[int, ...] = (784, 128, 64, 32), outputs: int = 10
) -> Finding:
    """Whether the network has the stated number of thousands of parameters: `each` an input and one more a neuron."""
    neurons = [n * (each * m + 1) for m, n in pairwise(layers)]
    readout = outputs * (layers[-1] + 1)
    total = sum(neurons) + readout
    sums = " + ".join(f"{n} ({each}*{m} + 1)" for m, n in pairwise(layers))
    plain = sum(n * (m + 1) for m, n in pairwise((*layers, outputs)))
    return decided(
        round(total / 1000) == stated,
        f"{sums} + {outputs} ({layers[-1]} + 1) = {total}",
        f"{sums} + {outputs} ({layers[-1]} + 1) = {total}, not about {stated} thousand",
        Evidence("parameters of the layers", ", ".join(map(str, (*neurons, readout)))),
        Evidence("a perceptron of the same shape has", str(plain)),
    )


EXPONENTIAL = "AlexeyAB/darknet, src/activation_kernels.cu, mish_yashas2 and MISH_THRESHOLD"
CUDA = "thomasbrandon/mish-cuda, csrc/mish.h, mish_bwd_func: grad_sp (darknet replaced it by -expm1f(-sp))"
TIMM = "timm, layers/activations.py, hard_mish; and the hard-mish notebook of the thread"
LINEAR = "Keras 3, keras/src/activations/activations.py, hard_silu; keras3 for R, reference of activation_hard_silu"
SLOPE = "Keras 2, tf.keras.activations.hard_sigmoid (0.2 x + 0.5); ONNX, HardSigmoid, default alpha = 0.2"
NEURON = "Kumar, APTx Neuron, arXiv:2507.14270, abstract"
GELUS = "Hendrycks, Gimpel, GELUs, arXiv:1606.08415, section 2; as quoted in the field"
SAFE = "1 - exp(-softplus(x)) is a safe way to compute sigmoid(x) in float32 in a backward pass"
BETTER = "x clip(x+2, 0, 2)/2 (h_mish) is a better hard Mish than x clip(x+2.8, 0, 5)/5"
SQUARES = "x clip(x+2.8, 0, 5)/5 minimises the squared error to Mish among hard gates"
CUBIC = (
    "x (x/4 + 1)^2 on [-4, 0], 0 to its left and x to its right, has a continuous f'' and is nearer to Mish than h_mish"
)
NEAR = "x sigmoid(1.702 x) and the tanh form are within 0.021 and 0.0005 of GELU; 1.702 and 0.044715 are best in them"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "W1",
        EXPONENTIAL,
        "Mish(x) = x n/(n + 2) with n = e^(2x) + 2 e^x",
        PROVED,
        partial(checks.identity, "mish", "x*n/(n + 2)", "n=exp(2*x) + 2*exp(x)"),
        "in real arithmetic",
    ),
    Claim(
        "W1",
        EXPONENTIAL,
        "Replacing softplus(x) by x above 20 changes nothing in double precision",
        PROVED,
        partial(arithmetic.same_mish_above, "20", FLOAT64),
        "in Mish, each step correctly rounded",
    ),
    Claim(
        "W1",
        EXPONENTIAL,
        "Replacing softplus(x) by x above 20 changes nothing in double precision",
        REFUTED,
        partial(arithmetic.linear_above, "20", FLOAT64),
        "in softplus itself",
    ),
    Claim(
        "W2", CUDA, SAFE, REFUTED, arithmetic.safe_by_error, "by the error of the sigmoid, each step correctly rounded"
    ),
    Claim("W2", CUDA, SAFE, REFUTED, arithmetic.safe_by_sign, "by the sign of Mish's derivative for x in [-20, -10]"),
    Claim(
        "W3",
        "thomasbrandon/mish-cuda, csrc/mish.h, mish_fwd_func as first written; many others spell softplus so",
        "log(1 + exp(x)) in float32 is exactly 0 below about -16.6",
        PROVED,
        partial(arithmetic.vanishes_below, "-16.6", FLOAT32),
        "exp and log correctly rounded",
    ),
    Claim(
        "W4", TIMM, BETTER, REFUTED, partial(measures.nearer, "h_mish", SECOND, "mish", SUP), "nearer in the sup norm"
    ),
    Claim("W4", TIMM, BETTER, REFUTED, partial(measures.nearer, "h_mish", SECOND, "mish", L2), "nearer in the L2 norm"),
    Claim(
        "W4",
        TIMM,
        BETTER,
        REFUTED,
        partial(measures.nearer, "h_mish", SECOND, "mish", GAUSSIAN),
        "nearer under N(0, 1)",
    ),
    Claim(
        "W4",
        TIMM,
        SQUARES,
        REFUTED,
        partial(measures.best_of, SECOND, "hard_gate", "mish", L2),
        "the integral over R, among all (a, b)",
    ),
    Claim(
        "W4",
        TIMM,
        SQUARES,
        PROVED,
        partial(checks.close, SECOND, "mish", checks.published("hard_gate"), "hard gates", L2),
        "the integral over R, among the published (a, b)",
    ),
    Claim(
        "W5",
        "proposed as a cubic hard Mish (cubic_hard_mish of the catalogue)",
        CUBIC,
        REFUTED,
        partial(measures.is_smooth, "cubic_hard_mish", 2),
        "f'' continuous",
    ),
    Claim(
        "W5",
        "proposed as a cubic hard Mish (cubic_hard_mish of the catalogue)",
        CUBIC,
        PROVED,
        partial(measures.is_smooth, "cubic_hard_mish", 1),
        "would hold of f'",
    ),
    Claim(
        "W5",
        "proposed as a cubic hard Mish (cubic_hard_mish of the catalogue)",
        CUBIC,
        REFUTED,
        partial(measures.nearer, "cubic_hard_mish", "h_mish", "mish", SUP),
        "nearer in the sup norm",
    ),
    Claim(
        "W5",
        "proposed as a cubic hard Mish (cubic_hard_mish of the catalogue)",
        CUBIC,
        REFUTED,
        partial(measures.nearer, "cubic_hard_mish", "h_mish", "mish", L2),
        "nearer in the L2 norm",
    ),
    Claim(
        "W6",
        LINEAR,
        "Hard-swish is piecewise linear",
        REFUTED,
        partial(measures.piecewise_linear, "hard_swish"),
        "the function",
    ),
    Claim(
        "W6",
        LINEAR,
        "Hard-swish is piecewise linear",
        PROVED,
        partial(measures.piecewise_linear, "hard_sigmoid"),
        "its gate",
    ),
    Claim("W7", SLOPE, "The slope of the HardSigmoid in hard-swish is 0.2", REFUTED, gate_slope),
    Claim(
        "W8",
        NEURON,
        "An APTx-neuron network 784-128-64-32 with a linear read-out of 10 has about 332 thousand parameters",
        PROVED,
        parameters,
        "alpha, beta and gamma trained for every input, delta for every neuron",
    ),
    Claim(
        "W8",
        NEURON,
        "An APTx-neuron network 784-128-64-32 with a linear read-out of 10 has about 332 thousand parameters",
        REFUTED,
        partial(parameters, each=2),
        "alpha fixed at 1",
    ),
    Claim(
        "W9",
        GELUS,
        NEAR,
        PROVED,
        partial(measures.within, "quick_gelu", "gelu", "0.021"),
        "x sigmoid(1.702 x) within 0.021",
    ),
    Claim(
        "W9",
        GELUS,
        NEAR,
        PROVED,
        partial(measures.within, "gelu_tanh", "gelu", "0.0005"),
        "the tanh form within 0.0005",
    ),
    Claim("W9", GELUS, NEAR, REFUTED, partial(measures.best_of, "quick_gelu", "swish", "gelu"), "1.702 best for GELU"),
    Claim(
        "W9",
        GELUS,
        NEAR,
        PROVED,
        partial(measures.rounds_to_best, "1.702", "sigmoid(b*x)", "b", "Phi(x)"),
        "1.702 best for the gate: sigmoid(b x) to the normal distribution function, to three decimals",
    ),
    Claim(
        "W9",
        GELUS,
        NEAR,
        REFUTED,
        partial(measures.best_of, "gelu_tanh", "gelu_tanh", "gelu"),
        "both constants of the tanh form",
    ),
    Claim(
        "W9",
        GELUS,
        NEAR,
        REFUTED,
        partial(measures.best_of, "gelu_tanh", "gelu_tanh", "gelu", fix="k=sqrt(2/pi)"),
        "0.044715 best beside sqrt(2/pi)",
    ),
)
