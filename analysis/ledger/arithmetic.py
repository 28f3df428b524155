"""Checks of what floating point does to activations, for all inputs of a format.

Correctly rounded exp, log1p, tanh and the rest are monotone, as are additions of a constant; so one number at which a
computed value reaches its limit decides for all that lie beyond. What holds for correctly rounded functions is the best
case: a library may be worse.
"""

from __future__ import annotations

from fractions import Fraction

import sympy as sp
from flint import arb, ctx, fmpq

from analysis.activation.errors import Undecided
from analysis.exact.verdict import Verdict
from analysis.ledger import checks
from analysis.ledger.checks import decided
from analysis.ledger.claim import Evidence, Finding
from analysis.ledger.floats import FLOAT32, FLOAT64, Format
from analysis.rigorous import balls
from analysis.rigorous.balls import Pair

SAFE = 8  # ulp: what "safe" may cost at most, wherever the true value is a normal number


def exactly(x: Fraction) -> Pair:
    """A number of a format as a pair, for comparisons with what is stated in decimals."""
    return checks.pair_of(sp.Rational(x.numerator, x.denominator), 40)


def in_ulp(found: Fraction, true: arb, kind: Format) -> Fraction:
    """The error in units of the last place of the true value, to a few digits."""
    value = balls.fraction(true)
    return abs(found - value) / kind.ulp(value)


# log(1 + exp(x))


def plain_softplus(x: Fraction, kind: Format = FLOAT32) -> Fraction:
    """log(1 + exp(x)) step by step."""
    return kind.of(arb.log, kind.nearest(1 + kind.of(arb.exp, x)))


def vanishes_below(stated: str = "-16.6", kind: Format = FLOAT32) -> Finding:
    """Whether log(1 + exp(x)) is 0 exactly up to a number that rounds to the stated one."""
    last = kind.last(lambda x: plain_softplus(x, kind) == 0, "-40", "0")
    after = kind.above(last)
    where = f"log(1 + exp(x)) in {kind.name} is 0 for every x up to {kind.show(last)}, and for no larger one"
    true = kind.of(lambda z: z.exp().log1p(), last)
    return decided(
        checks.rounds_to(exactly(last), stated),
        where,
        f"{where}: not {stated}",
        Evidence(f"at {kind.show(last)}", f"1 + exp(x) rounds to 1; log1p(exp(x)) would give {float(true):.9g}"),
        Evidence(f"at {kind.show(after)}", f"the result is {kind.show(plain_softplus(after, kind))}"),
    )


# x in the place of softplus(x)


def first_linear(kind: Format) -> Fraction:
    """The least number from which on softplus(x) rounds to x: its excess falls and the step does not."""
    return kind.above(kind.last(lambda x: kind.of(_softplus, x) != x, "1", "64"))


def linear_above(threshold: str, kind: Format) -> Finding:
    """Whether softplus(x) rounds to x for every x above the threshold."""
    start, first = kind.above(kind.nearest(Fraction(threshold))), first_linear(kind)
    value = kind.of(_softplus, start)
    evidence = (
        Evidence(f"softplus in {kind.name} just above {threshold}", f"{kind.show(value)}, x is {kind.show(start)}"),
        Evidence(f"{kind.name}: softplus(x) rounds to x from", kind.show(first)),
        checks.measured_distance("softplus", "x", checks.Norm(lower=float(threshold))),
    )
    return decided(
        first <= start,
        f"softplus(x) rounds to x from x = {float(first):.6g} on: in {kind.name} nothing changes above {threshold}",
        f"above {threshold} softplus(x) is x + {float(value - start):.3g}; it rounds to x from {float(first):.6g} on",
        *evidence,
    )


def same_mish_above(threshold: str = "20", kind: Format = FLOAT64) -> Finding:
    """Whether x tanh(x) and x tanh(softplus(x)) are the same number for every x from the threshold on.

    They are x itself from where tanh rounds to 1, for softplus(x) rounds to x or more.
    """
    x = kind.nearest(Fraction(threshold))
    gates = [kind.of(arb.tanh, argument) for argument in (x, kind.of(_softplus, x))]
    saturated = kind.above(kind.last(lambda z: kind.of(arb.tanh, z) < 1, "1", "64"))
    products = [kind.nearest(x * gate) for gate in gates]
    if gates[0] < 1 and products[0] == products[1]:
        raise Undecided(f"whether the two agree above {threshold}: they do there, with a gate below 1")
    return decided(
        gates[0] == 1,
        f"in {kind.name} tanh(x) rounds to 1 from x = {float(saturated):.6g} on: above {threshold} both forms give x",
        f"at x = {threshold} the two forms give {float(products[0])!r} and {float(products[1])!r}",
        Evidence(f"{kind.name}: tanh(x) rounds to 1 from", kind.show(saturated)),
        Evidence(f"gates at x = {threshold}: tanh(x), tanh(softplus(x))", ", ".join(repr(float(g)) for g in gates)),
    )


def _softplus(z: arb) -> arb:
    return z.exp().log1p()


# 1 - exp(-softplus(x)) for sigmoid(x)


def sigmoid_from_softplus(x: Fraction, kind: Format = FLOAT32) -> Fraction:
    """1 - exp(-log1p(exp(x))), every step rounded."""
    return kind.nearest(1 - kind.of(arb.exp, -_rounded_softplus(x, kind)))


def sigmoid_from_expm1(x: Fraction, kind: Format = FLOAT32) -> Fraction:
    """-expm1(-log1p(exp(x))), every step rounded."""
    return -kind.of(arb.expm1, -_rounded_softplus(x, kind))


def backward(x: Fraction, sigmoid: Fraction, kind: Format = FLOAT32) -> Fraction:
    """Mish's derivative x ((1 - t t) s) + t, t = tanh(softplus(x)), every step rounded."""
    t = kind.of(arb.tanh, _rounded_softplus(x, kind))
    slope = kind.nearest(kind.nearest(1 - kind.nearest(t * t)) * sigmoid)
    return kind.nearest(kind.nearest(x * slope) + t)


def safe_by_error(form=sigmoid_from_softplus, witness: str = "-18", kind: Format = FLOAT32) -> Finding:
    """Refuted where the form is more than SAFE ulp off; one witness proves nothing in its favour."""
    x = kind.nearest(Fraction(witness))
    true, found = _true_sigmoid(x), form(x, kind)
    error = in_ulp(found, true, kind)
    if error <= SAFE:
        raise Undecided(f"whether the form is safe: at x = {witness} it is {float(error):.2f} ulp off")
    lost = kind.last(lambda z: form(z, kind) == 0, "-40", "0")
    return Finding(
        Verdict.REFUTED,
        f"at x = {witness} it gives {float(found):.6g} for {float(balls.fraction(true)):.6g}: {float(error):.3g} ulp "
        f"off, where {SAFE} would count as safe",
        (
            Evidence("exactly 0, an error of 100 %, for every x up to", kind.show(lost)),
            *(_comparison(Fraction(n), kind) for n in (-17, -14, -10)),
        ),
    )


def safe_by_sign(form=sigmoid_from_softplus, witness: str = "-18", kind: Format = FLOAT32) -> Finding:
    """Refuted where the derivative of Mish comes out positive left of its minimum, where it falls."""
    x = kind.nearest(Fraction(witness))
    lowest = checks.minimum("mish")
    if not checks.below(exactly(x), lowest.x):
        raise Undecided(f"the sign of the derivative at {witness}")
    found = backward(x, form(x, kind), kind)
    if found <= 0:
        raise Undecided(f"whether the sign is right everywhere: at x = {witness} it is")
    lost = kind.last(lambda z: form(z, kind) == 0, "-40", "0")
    wrong = [n for n in range(-20, -9) if backward(Fraction(n), form(Fraction(n), kind), kind) > 0]
    right = kind.of(lambda z: _mish_slope(z), x)
    repaired = backward(x, sigmoid_from_expm1(x, kind), kind)
    return Finding(
        Verdict.REFUTED,
        f"at x = {witness} the derivative of Mish comes out as {float(found):+.4g}, where it is {float(right):+.4g}",
        (
            Evidence(
                "the wrong sign for every x from -20 to", f"{kind.show(lost)}: the sigmoid is 0, tanh(softplus) is left"
            ),
            Evidence("the wrong sign at the integers", ", ".join(map(str, wrong))),
            Evidence("Mish falls up to its only minimum at", checks.enclosed(lowest.x), checks.command("show", "mish")),
            Evidence(f"at x = {witness} with -expm1(-softplus(x))", f"{float(repaired):+.4g}"),
        ),
    )


def _comparison(x: Fraction, kind: Format) -> Evidence:
    true = _true_sigmoid(x)
    forms = (("1 - exp(-s)", sigmoid_from_softplus), ("-expm1(-s)", sigmoid_from_expm1))
    text = ", ".join(f"{name} is {float(in_ulp(form(x, kind), true, kind)):.3g} ulp off" for name, form in forms)
    return Evidence(f"at x = {x}, s = log1p(exp(x))", text)


def _true_sigmoid(x: Fraction) -> arb:
    with ctx.workprec(balls.PRECISION):
        return 1 / (1 + arb(fmpq(-x.numerator, x.denominator)).exp())


def _mish_slope(z: arb) -> arb:
    t = _softplus(z).tanh()
    return t + z * (1 - t * t) / (1 + (-z).exp())


def _rounded_softplus(x: Fraction, kind: Format) -> Fraction:
    return kind.of(arb.log1p, kind.of(arb.exp, x))


# tanh that rounds to 1


def saturates_beyond(stated: str = "9", kind: Format = FLOAT32) -> Finding:
    """Whether tanh(x) rounds to 1 for every x above the stated one; a bound may be written in hexadecimal."""
    bound = Fraction(float.fromhex(stated)) if "0x" in stated else Fraction(stated)
    last = kind.last(lambda z: kind.of(arb.tanh, z) < 1, "1", "64")
    start = kind.above(kind.nearest(bound))
    evidence = (
        Evidence(f"{kind.name}: the last x with tanh(x) below 1", kind.show(last)),
        Evidence(f"tanh just above {stated}", f"rounds to {kind.show(kind.of(arb.tanh, start))}"),
    )
    return decided(
        last <= bound,
        f"tanh(x) rounds to 1 for every {kind.name} above {stated}; the last that does not is {kind.show(last)}",
        f"tanh(x) rounds to less than 1 up to x = {kind.show(last)}, above {stated}",
        *evidence,
    )
