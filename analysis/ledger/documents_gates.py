"""What documents say of gated and rectified activations: smoothness, minima, derivatives."""

from __future__ import annotations

from functools import partial

import sympy as sp

from analysis.activation import lookup
from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.exact.asymptotes import limit_at_infinity
from analysis.exact.breakpoints import breakpoints
from analysis.exact.verdict import Verdict
from analysis.ledger import checks, measures, paper
from analysis.ledger.checks import decided
from analysis.ledger.claim import Claim, Evidence, Finding
from analysis.rigorous.comparison import INFINITE

PROVED, REFUTED = Verdict.PROVED, Verdict.REFUTED
SPARSE_PLUS = "{0, x <= -1; (x + 1)**2/4, x < 1; x, x >= 1}"
POSITIVE = sp.Interval.open(0, sp.oo)
LAPLACE = "Phi((x - 0.707107)/0.282095)"


def slope_unbounded(f: str) -> Finding:
    """Whether |f'| is unbounded."""
    size = checks.distance(f, "0", derivative=1)
    where = f", attained at {size.witness.text()}" if size.witness else ""
    return decided(
        size.distance == INFINITE,
        f"the slope of {f} is unbounded: {size.reason}",
        f"the slope of {f} is at most {checks.short(size.distance, 6)} in size",
        Evidence(
            f"sup of |f'| of {f}",
            f"{checks.enclosed(size.distance)}{where}",
            checks.command("compare", f, "0", "--derivative", "1"),
        ),
    )


def bounded_with_slope(f: str) -> Finding:
    """Whether f has finite limits at both ends, keeps between them because it rises, and has a bounded slope."""
    body = lookup.function(f).expression
    limits = [limit_at_infinity(body, end) for end in (-1, 1)]
    size = checks.distance(f, "0", derivative=1).distance
    bounded = all(limit.is_finite for limit in limits) and size != INFINITE
    if bounded and not sp.diff(body, X).is_positive:
        raise Undecided(f"whether {f} rises from one limit to the other")
    return decided(
        bounded,
        f"it rises from {limits[0]} to {limits[1]} with a slope of at most {checks.short(size, 6)}",
        f"limits {limits[0]} and {limits[1]}, slope up to {checks.short(size, 6)}",
        Evidence("limits at -oo, oo", ", ".join(map(str, limits))),
        Evidence("sup of |f'|", checks.enclosed(size), checks.command("compare", f, "0", "--derivative", "1")),
    )


def differentiable_for(family: str, values: sp.Set, constant: str = "alpha") -> Finding:
    """Whether the slopes meet at the breakpoint for these positive values of the constant, and for no others."""
    (point,) = breakpoints(lookup.family(family).expression)
    symbol = lookup.family(family).symbol(constant)
    jumps = [sp.factor(jump) for jump in point.jumps]
    found = POSITIVE
    for jump in jumps[:2]:
        found = found.intersect(sp.solveset(jump, symbol, POSITIVE))
    where = f"for {constant} in {found}" if found != POSITIVE else f"for every {constant}"
    return decided(
        found == values,
        f"f' jumps by {jumps[1]} at x = {point.x}: differentiable {where}",
        f"f' jumps by {jumps[1]} at x = {point.x}: differentiable {where}, which is not what is stated",
        Evidence(
            f"jumps of {family} at x = {point.x}",
            ", ".join(f"f{k * measures.PRIME}: {jump}" for k, jump in enumerate(jumps)),
            checks.command("show", family, "--symbolic"),
        ),
    )


def neither_of_squared_relu() -> Finding:
    return checks.negated(bounded_with_slope("relu(x)**2"))


SCIRS = "scirs2-core 0.1.0-rc.3, docs.rs, ndarray_ext::elementwise::swish_simd, Key Properties"
LUCID = "lucid (chanlumerico.github.io/lucid), API documentation, lucid.nn.functional.silu, Notes"
TRUENO = "aprender-compute (trueno), src/trueno/vector/ops/activations/advanced/smooth.rs, opening comment"
TRUENO_SAYS = "GELU, Swish, Hardswish and Mish are smooth and non-monotonic"
SILU = "Elfwing, Uchibe, Doya, arXiv:1702.03118, section 2"
JAX = "JAX, documentation of jax.nn.sparse_plus"
JAX_SAYS = "sparse_plus (0, (x+1)^2/4 on (-1, 1), x) is smooth, convex and monotonic"
BARRON = "Barron, Continuously Differentiable Exponential Linear Units, arXiv:1704.07483"
SQUARE = "Notes on squareplus at 0809zheng.github.io, 2021-11-19 (a numerical search)"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "F9",
        TRUENO,
        TRUENO_SAYS,
        REFUTED,
        partial(measures.is_smooth, "hard_swish", 1),
        "Hardswish smooth: once differentiable",
    ),
    Claim("F9", TRUENO, TRUENO_SAYS, PROVED, partial(measures.is_smooth, "hard_swish", 0), "would hold: continuous"),
    Claim(
        "F9",
        TRUENO,
        TRUENO_SAYS,
        PROVED,
        partial(paper.non_monotonic, "hard_swish", (-3, -1, 0)),
        "Hardswish non-monotonic",
    ),
    Claim(
        "F10",
        SCIRS,
        "Swish is bounded below, with the minimum about -0.278 at x about -1.278",
        PROVED,
        partial(measures.stated_minimum, "silu", "-0.278", "-1.278"),
    ),
    Claim(
        "F11",
        LUCID,
        "The derivative of SiLU is sigma(x) + x sigma(x) (1 - sigma(x))",
        PROVED,
        partial(checks.identity, "diff(silu)", "sigmoid(x) + x*sigmoid(x)*(1 - sigmoid(x))"),
    ),
    Claim(
        "F12",
        LUCID,
        "The derivative of SiLU is unbounded above",
        REFUTED,
        partial(slope_unbounded, "silu"),
        "of SiLU itself it would hold",
    ),
    Claim(
        "F13",
        SILU,
        "The derivative of SiLU has a maximum of about 1.1 at x about 2.4 and a minimum of about -0.1 at x about -2.4",
        PROVED,
        partial(measures.stated_minimum, "-diff(silu)", "1.1", "2.4", of="diff(silu)"),
        "the maximum",
    ),
    Claim(
        "F13",
        SILU,
        "The derivative of SiLU has a maximum of about 1.1 at x about 2.4 and a minimum of about -0.1 at x about -2.4",
        PROVED,
        partial(measures.stated_minimum, "diff(silu)", "-0.1", "-2.4"),
        "the minimum",
    ),
    Claim(
        "F14",
        "AlexeyAB/darknet, src/activation_kernels.cu, mish_njuffa",
        "Mish(x) = x + x r with r = 1/((-e/2 - 1) e - 1), e = exp(x)",
        PROVED,
        partial(checks.identity, "mish", "x + x/((-e/2 - 1)*e - 1)", "e=exp(x)"),
        "in real arithmetic",
    ),
    Claim(
        "F15",
        "AlexeyAB/darknet, src/activation_kernels.cu, gradient_array_swish_kernel",
        "The derivative of Swish is s + sigma(x) (1 - s) with s = x sigma(x)",
        PROVED,
        partial(checks.identity, "diff(silu)", "silu + sigmoid(x)*(1 - silu)"),
    ),
    Claim("F16", JAX, JAX_SAYS, PROVED, partial(measures.is_smooth, SPARSE_PLUS, 1), "smooth: once differentiable"),
    Claim("F16", JAX, JAX_SAYS, REFUTED, partial(measures.is_smooth, SPARSE_PLUS, 2), "smooth: twice differentiable"),
    Claim("F16", JAX, JAX_SAYS, PROVED, partial(measures.convex, SPARSE_PLUS), "convex"),
    Claim("F16", JAX, JAX_SAYS, PROVED, partial(measures.convex, SPARSE_PLUS, rising=True), "monotonic"),
    Claim(
        "F17",
        "JAX, documentation of jax.nn.sparse_sigmoid",
        "sparse_sigmoid, (x + 1)/2 cut to [0, 1], is the derivative of sparse_plus",
        PROVED,
        partial(checks.identity, f"diff({SPARSE_PLUS})", "clip((x + 1)/2, 0, 1)"),
    ),
    Claim(
        "F18",
        BARRON,
        "CELU is continuously differentiable for every alpha, ELU for alpha = 1 alone",
        PROVED,
        partial(differentiable_for, "celu", POSITIVE),
        "CELU",
    ),
    Claim(
        "F18",
        BARRON,
        "CELU is continuously differentiable for every alpha, ELU for alpha = 1 alone",
        PROVED,
        partial(differentiable_for, "elu", sp.FiniteSet(1)),
        "ELU",
    ),
    Claim(
        "F19",
        SQUARE,
        "b = 1.52382104 minimises the maximum of |squareplus(x, b) - softplus(x)|",
        PROVED,
        partial(measures.best_of, "squareplus(b=1.52382104)", "squareplus", "softplus"),
        "to the digits of a search: no b is better by more than a millionth of the error",
    ),
    Claim(
        "F20",
        "huggingface/transformers, src/transformers/activations.py, LaplaceActivation",
        "The Laplace activation, unlike squared ReLU, has a bounded range and a bounded gradient",
        PROVED,
        partial(bounded_with_slope, LAPLACE),
        "the Laplace activation",
    ),
    Claim(
        "F20",
        "huggingface/transformers, src/transformers/activations.py, LaplaceActivation",
        "The Laplace activation, unlike squared ReLU, has a bounded range and a bounded gradient",
        PROVED,
        neither_of_squared_relu,
        "squared ReLU has neither",
    ),
)
