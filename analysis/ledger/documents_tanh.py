"""What documents say of approximations of tanh, erf, softplus and the normal distribution function."""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import sympy as sp
from flint import arb, ctx

from analysis.activation import lookup
from analysis.activation.parsing import X
from analysis.exact.verdict import Verdict
from analysis.ledger import arithmetic, checks, measures
from analysis.ledger.checks import decided
from analysis.ledger.claim import Claim, Evidence, Finding
from analysis.ledger.floats import FLOAT32, FLOAT64, Format
from analysis.rigorous import balls, roots
from analysis.rigorous.norms import Norm

PROVED, REFUTED = Verdict.PROVED, Verdict.REFUTED
FOUR, FAR = Norm(lower=-4.0, upper=4.0), 6
HASTINGS = ("0.254829592", "-0.284496736", "1.421413741", "-1.453152027", "1.061405429")  # of 1/(1 + p x)
T = "(1/(1 + 0.3275911*x))"
PRINTED = "x*(x**2 + 105)*(x**2 + 945)/((15*x**2 + 420)*x**2 + 945)"
NESTED = "x*((x**2 + 105)*x**2 + 945)/((15*x**2 + 420)*x**2 + 945)"
LOGISTIC = "sigmoid(1.5976*x + 0.07056*x**3)"
SCALED = "1.7159*tanh(2*x/3)"


def erf_by_hastings(stated: str = "1.5e-7", coefficients: tuple[str, ...] = HASTINGS) -> Finding:
    """Whether formula 7.1.26 is nearer to erf than stated for every x >= 0: up to FAR by enclosures, then by the tails.

    Beyond FAR both differ from 1 by little: erf by erfc(FAR), the formula by the sum of its coefficients' sizes times
    exp(-FAR^2), as 0 < t < 1.
    """
    horner = "0"
    for value in reversed(coefficients):
        horner = f"({horner} + {value})*{T}"
    near = Norm(lower=0.0, upper=float(FAR))
    formula = f"1 - {horner}*exp(-x**2)"
    gap = checks.distance(formula, "erf(x)", near).distance
    with ctx.workprec(balls.PRECISION):
        sizes = sum((abs(arb(value)) for value in coefficients), arb(0))
        beyond = balls.decimals(sizes * (-(arb(FAR) ** 2)).exp() + arb(FAR).erfc())
    holds = checks.below(gap, (stated, stated)) and checks.below(beyond, (stated, stated))
    return decided(
        holds,
        f"at most {checks.short(gap, 6)} up to x = {FAR}, at most {checks.short(beyond, 2)} beyond: below {stated}",
        f"the error is {checks.short(gap, 6)}, not below {stated}",
        checks.measured_distance(formula, "erf(x)", near),
        Evidence(f"bound beyond x = {FAR}", checks.enclosed(beyond)),
    )


def worst_case(x: str, got: str, want: str, ulp: str, kind: Format = FLOAT32) -> Finding:
    """Whether tanh rounds to `want` at x, and `got` is off by the stated number of ulp."""
    at, reached, stated = (Fraction(float.fromhex(text)) for text in (x, got, want))
    right = kind.of(arb.tanh, at)
    with ctx.workprec(balls.PRECISION):
        true = balls.evaluator(sp.tanh(X))(arb(float(at)))
        off = abs(arb(float(reached)) - true) / arb(float(kind.ulp(right)))
        error = balls.decimals(off)
    return decided(
        right == stated and checks.rounds_to(error, ulp),
        f"tanh({x}) rounds to {want}, and {got} is {checks.short(error)} ulp off",
        f"tanh({x}) rounds to {float(right).hex()}, and {got} is {checks.short(error)} ulp off",
        Evidence(f"tanh at {kind.show(at)}", f"rounds to {kind.show(right)}"),
        Evidence(f"error of {got} in ulp", checks.enclosed(error)),
    )


def rounds_to_distance(f: str, target: str, stated: str, norm: Norm = checks.SUP) -> Finding:
    """Whether the distance rounds to the stated number."""
    gap = checks.distance(f, target, norm).distance
    return decided(
        checks.rounds_to(gap, stated),
        f"the distance is {checks.short(gap, 6)}, which rounds to {stated}",
        f"the distance is {checks.short(gap, 6)}, which does not round to {stated}",
        checks.measured_distance(f, target, norm),
    )


def value_at_one(digits: str = "") -> Finding:
    """Whether f(1) = 1 for LeCun's f, exactly or to the digits given."""
    value = checks.pair_of(lookup.function(SCALED).expression.subs(X, 1))
    exact = checks.below(value, ("1", "1")) or checks.below(("1", "1"), value)
    return decided(
        checks.rounds_to(value, digits) if digits else not exact,
        f"f(1) is {checks.short(value, 8)}: {digits} to the digits given",
        f"f(1) is {checks.short(value, 8)}",
        Evidence("f(1)", checks.enclosed(value), checks.command("show", SCALED)),
    )


def bends_most_at_one(digits: str = "") -> Finding:
    """Whether f'' is extremal at 1 for LeCun's f, exactly or to the digits given: the zero of f''' right of 0."""
    third = sp.diff(lookup.function(SCALED).expression, X, 3)
    (root,) = roots.sign_changes(third, sp.S.Zero, sp.oo)
    place = balls.decimals(root.x)
    with ctx.workprec(balls.PRECISION):
        there = balls.decimals(balls.evaluator(third)(arb(1)))
    return decided(
        checks.rounds_to(place, digits) if digits else float(there[0]) <= 0 <= float(there[1]),
        f"f'' is extremal at x = {checks.short(place, 6)}: {digits} to the digits given",
        f"f'''(1) is {checks.short(there, 4)}, not 0: f'' is extremal at x = {checks.short(place, 6)}",
        Evidence("zero of f''' right of 0", checks.enclosed(place), checks.command("show", f"diff({SCALED})")),
        Evidence("f'''(1)", checks.enclosed(there)),
    )


def linear_within(threshold: float, stated: str = "1e-6") -> Finding:
    """Whether x is within the stated distance of softplus(x) from the threshold on; the least threshold beside it."""
    norm = Norm(lower=threshold)
    gap = checks.distance("softplus", "x", norm).distance
    least = checks.pair_of(-sp.log(sp.exp(sp.Rational(stated)) - 1))
    return decided(
        checks.below(gap, (stated, stated)),
        f"the difference is at most {checks.short(gap)} from x = {threshold:g} on",
        f"the difference is {checks.short(gap)} at x = {threshold:g}, above {stated}",
        checks.measured_distance("softplus", "x", norm),
        Evidence(f"softplus(x) - x is {stated} at x = -log(exp({stated}) - 1)", checks.enclosed(least)),
    )


EIGEN = "Eigen 3.3, Eigen/src/Core/MathFunctionsImpl.h, generic_fast_tanh_float, comment at the clamp"
ARM = "ARM-software/optimized-routines, pl/math/tanhf_2u6.c, BoringBound and the comment at tanhf"
NAM = "NeuralAmpModeler-rs 3.0.2, src/math/activations/tanh/production.rs, opening comment"
NAM_SAYS = "tanh(x) is about x (x^2 + 105) (x^2 + 945)/((15 x^2 + 420) x^2 + 945), within about 2.32e-3 on [-4, 4]"
OPENVINO = "OpenVINO, operation SoftPlus-4, note on the threshold"
OPENVINO_SAYS = "x above the threshold is within 1e-6 of softplus(x): 20 for fp32, 11 for fp16"
TORCH = "PyTorch, documentation of torch.nn.Softplus, threshold = 20"
TORCH_SAYS = "For numerical stability softplus reverts to x above 20, which is right where the two round alike"
BOWLING = "Bowling et al., A logistic approximation to the cumulative normal distribution, JIEM 2(1), 2009, abstract"
BOWLING_SAYS = "1/(1 + exp(-0.07056 x^3 - 1.5976 x)) has a maximum error of less than 0.00014 for the entire range"
LECUN = "LeCun, Bottou, Orr, Mueller, Efficient BackProp, section 4.4"
LECUN_SAYS = "f(x) = 1.7159 tanh(2x/3) has f(1) = 1 and its second derivative is a maximum at x = 1"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "F21",
        EIGEN,
        "Outside [-9, 9] tanh is +1 or -1 in single precision",
        REFUTED,
        partial(arithmetic.saturates_beyond, "9", FLOAT32),
        "tanh correctly rounded to float32",
    ),
    Claim(
        "F21",
        EIGEN,
        "Outside [-9, 9] tanh is +1 or -1 in single precision",
        PROVED,
        partial(measures.within, "tanh(clip(x, -9, 9))", "tanh", "5.96e-8"),
        "would hold: clamping at 9 costs less than one unit in the last place of 1",
    ),
    Claim(
        "F22",
        ARM,
        "0x1.205966p+3 is the bound above which tanhf rounds to 1",
        PROVED,
        partial(arithmetic.saturates_beyond, "0x1.205966p+3", FLOAT32),
        "tanh correctly rounded to float32",
    ),
    Claim(
        "F23",
        ARM,
        "tanhf(0x1.fa5eep-5) wants 0x1.f9ba08p-5; the 0x1.f9ba02p-5 that it gives is 2.58 ulp off",
        PROVED,
        partial(worst_case, "0x1.fa5eep-5", "0x1.f9ba02p-5", "0x1.f9ba08p-5", "2.58"),
        "the figures at this input; that it is the worst one is not decided here",
    ),
    Claim("F24", NAM, NAM_SAYS, REFUTED, partial(measures.within, PRINTED, "tanh", "0.00233", FOUR), "as printed"),
    Claim(
        "F24",
        NAM,
        NAM_SAYS,
        PROVED,
        partial(rounds_to_distance, NESTED, "tanh", "0.00232", FOUR),
        "with the numerator nested as the denominator is: ((x^2 + 105) x^2 + 945) x",
    ),
    Claim(
        "F25",
        "aprender-common, docs.rs, batuta_common::math::erf (Abramowitz and Stegun, 7.1.26)",
        "The five-term formula for erf has a maximum error below 1.5e-7",
        PROVED,
        erf_by_hastings,
        "in real arithmetic, for x >= 0",
    ),
    Claim("F26", BOWLING, BOWLING_SAYS, REFUTED, partial(measures.within, LOGISTIC, "Phi(x)", "0.00014"), "as stated"),
    Claim(
        "F26",
        BOWLING,
        BOWLING_SAYS,
        PROVED,
        partial(rounds_to_distance, LOGISTIC, "Phi(x)", "0.00014"),
        "would hold: about 0.00014",
    ),
    Claim("F27", OPENVINO, OPENVINO_SAYS, PROVED, partial(linear_within, 20.0), "20 for fp32"),
    Claim("F27", OPENVINO, OPENVINO_SAYS, REFUTED, partial(linear_within, 11.0), "11 for fp16"),
    Claim("F28", TORCH, TORCH_SAYS, PROVED, partial(arithmetic.linear_above, "20", FLOAT32), "in float32"),
    Claim("F28", TORCH, TORCH_SAYS, REFUTED, partial(arithmetic.linear_above, "20", FLOAT64), "in float64"),
    Claim("F29", LECUN, LECUN_SAYS, REFUTED, value_at_one, "f(1) = 1 exactly"),
    Claim("F29", LECUN, LECUN_SAYS, PROVED, partial(value_at_one, "1.0000"), "f(1) = 1 to four decimals"),
    Claim("F29", LECUN, LECUN_SAYS, REFUTED, bends_most_at_one, "the second derivative, exactly at 1"),
    Claim("F29", LECUN, LECUN_SAYS, PROVED, partial(bends_most_at_one, "1.0"), "the second derivative, near 1.0"),
)
