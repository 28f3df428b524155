"""What documents say of approximations of GELU: stated errors, misprints, where the constants come from."""

from __future__ import annotations

from functools import partial

import sympy as sp

from analysis.activation import lookup
from analysis.activation.parsing import X
from analysis.exact.verdict import Verdict
from analysis.ledger import checks, measures
from analysis.ledger.checks import decided
from analysis.ledger.claim import Claim, Evidence, Finding
from analysis.rigorous.norms import Norm

PROVED, REFUTED = Verdict.PROVED, Verdict.REFUTED
SIX = Norm(lower=-6.0, upper=6.0)
FAST = "x*sigmoid({}*x)"
CUBIC = "x*sigmoid(1.60033*x*(1 + 0.0433603*x**2))"
TANH = "(1 + tanh(sqrt(2/pi)*(x + {}*x**3)))"
HUGGING = "x*(1 + tanh(0.7978845608*x*(1 + 0.044715*x**2)))/2"
MINDSPORE = "x/(1 + exp(-1.702*abs(x)))*exp(0.851*(x - abs(x)))"


def close_form(formula: str, bound: str) -> Finding:
    """Whether the formula is within the stated bound of GELU; its distance may be infinite."""
    found = measures.within(formula, "gelu", bound)
    right = checks.measured_distance("gelu_tanh", "gelu")
    if found.verdict is not REFUTED:
        return found
    return Finding(found.verdict, found.reason, (*found.evidence, right))


def more_accurate(one: str, other: str) -> Finding:
    """Whether the first is nearer to GELU than the second."""
    gaps = [checks.distance(f, "gelu").distance for f in (one, other)]
    numbers = f"{checks.short(gaps[0])} against {checks.short(gaps[1])} (sup norm)"
    return decided(
        checks.below(*gaps),
        f"it is nearer to GELU: {numbers}",
        f"it is farther from GELU: {numbers}",
        *(checks.measured_distance(f, "gelu") for f in (one, other)),
    )


def from_taylor(stated: str = "0.044715", order: int = 4) -> Finding:
    """Whether x (1 + tanh(k (x + c x^3)))/2, k = sqrt(2/pi), has the Taylor coefficients of GELU up to that order."""
    c = sp.Symbol("c", positive=True)
    form = X * (1 + sp.tanh(sp.sqrt(2 / sp.pi) * (X + c * X**3))) / 2 - lookup.function("gelu").expression
    rest = {n: sp.simplify(sp.diff(form, X, n).subs(X, 0) / sp.factorial(n)) for n in range(order + 1)}
    (right,) = sp.solve(rest[4], c) if order >= 4 else (sp.Rational(stated),)
    off = [n for n, value in rest.items() if sp.simplify(value.subs(c, sp.Rational(stated))) != 0]
    series = TANH.format(f"({right})")
    return decided(
        not off,
        f"the Taylor coefficients agree up to x^{order}",
        f"those of x^{order} agree for c = {right} = {checks.short(checks.pair_of(right), 7)}, not for {stated}",
        Evidence("c from the Taylor series", f"{right} {checks.enclosed(checks.pair_of(right))}"),
        checks.measured_distance(f"x*{series}/2", "gelu"),
        checks.measured_distance("gelu_tanh", "gelu"),
    )


def _mlx(name: str, version: str) -> str:
    return f"ml-explore/mlx, python/mlx/nn/layers/activations.py, {name} ({version})"


BELOW = "x sigmoid(1.702 x) approximates GELU with a maximum absolute error below 0.015 on [-6, 6]"
ADDONS = "TensorFlow Addons, documentation of tfa.activations.gelu"
PHI = "With approximate=True, GELU is x Phi(x) with Phi(x) = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "F1",
        _mlx("gelu_fast_approx", "docstring, commit 0252bc6; the same in its documentation"),
        BELOW,
        REFUTED,
        partial(measures.within, FAST.format("1.702"), "gelu", "0.015", SIX),
        "with the 1.702 of the docstring and of the code",
    ),
    Claim(
        "F1",
        _mlx("class GELU", "docstring, commit 0252bc6"),
        BELOW,
        PROVED,
        partial(measures.within, FAST.format("1.773"), "gelu", "0.015", SIX),
        "with the 1.773 that the docstring of the class gives",
    ),
    Claim(
        "F2",
        "MLX, documentation of mlx.nn.gelu_approx",
        "The tanh form approximates GELU with a maximum absolute error below 0.0005 on [-6, 6]",
        PROVED,
        partial(measures.within, "gelu_tanh", "gelu", "0.0005", SIX),
    ),
    Claim(
        "F3",
        _mlx("gelu_approx", "docstring, commit 0252bc6"),
        "x sigmoid(1.60033 x (1 + 0.0433603 x^2)) approximates GELU with an absolute error below 0.0003 on [-6, 6]",
        PROVED,
        partial(measures.within, CUBIC, "gelu", "0.0003", SIX),
    ),
    Claim(
        "F4",
        ADDONS,
        PHI,
        REFUTED,
        partial(close_form, f"x*(x/2*{TANH.format('0.044715')})", "0.001"),
        "as printed, within 0.001",
    ),
    Claim(
        "F4",
        ADDONS,
        PHI,
        PROVED,
        partial(close_form, f"x/2*{TANH.format('0.044715')}", "0.001"),
        "the second formula read as GELU itself, within 0.001",
    ),
    Claim(
        "F5",
        "OpenPPL/ppl.pmx, docs/operators/GELU.md, approximate = True",
        "GELU is estimated by 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.44715 x^3)))",
        REFUTED,
        partial(close_form, f"x*{TANH.format('0.44715')}/2", "0.001"),
        "as printed, within 0.001; it holds with 0.044715",
    ),
    Claim(
        "F6",
        "NVIDIA/cutlass, include/cutlass/epilogue/thread/activation.h, comment at GELU_taylor",
        "0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) is the Taylor series approximation of GELU",
        REFUTED,
        from_taylor,
        "its coefficients at 0 are those of GELU up to x^4",
    ),
    Claim(
        "F6",
        "NVIDIA/cutlass, include/cutlass/epilogue/thread/activation.h, comment at GELU_taylor",
        "0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) is the Taylor series approximation of GELU",
        PROVED,
        partial(from_taylor, order=3),
        "up to x^3 it would hold, whatever the constant",
    ),
    Claim(
        "F7",
        "huggingface/transformers, src/transformers/activations.py, FastGELUActivation",
        "The tanh form is more accurate than QuickGELU, x sigmoid(1.702 x)",
        PROVED,
        partial(more_accurate, HUGGING, "quick_gelu"),
        "with the 0.7978845608 of the code",
    ),
    Claim(
        "F8",
        "MindSpore, documentation of mindspore.nn.FastGelu",
        "FastGelu is x/(1 + exp(-1.702 |x|)) exp(0.851 (x - |x|))",
        PROVED,
        partial(checks.identity, "quick_gelu", MINDSPORE),
        "read as: the same function as QuickGELU, spelled without overflow",
    ),
)
