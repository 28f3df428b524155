"""The variant `fast` in float: functions with one exponential, a few ulp from the exact value.

E = exp(c x + d) is g 2^-k with a normal g also where E is not, and g is the last factor of what has E as a factor.
Denominators are expanded, as a square doubles the error of what is squared; beside a zero a polynomial takes over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import sympy as sp

from analysis.activation.parsing import X
from analysis.deployed.c_working import FLOAT, high_precision, program_of, transcribed
from analysis.deployed.forms import FORMATS, E, Form
from analysis.deployed.polynomials import hexadecimal, two_parts
from analysis.deployed.zeros import Zero

BITS = 24
SHIFT = sp.Integer(3 * 2**22 + 127)  # added to a whole number n, leaves the exponent of 2^n in the last bits of a float
SPARE = 8  # exponents of a float that coefficients in x and sums may take up
RELATIVE, FINER = 2.0**-25.5, 2.0**-30  # error of the polynomial beside a zero, in float and in double
KIND = FORMATS["float32"]

Ends = tuple[str, str]


def scale(forms: Sequence[Form], has_value: Sequence[bool], ends: Ends) -> int | None:
    """The k for which 2^k E is a normal number between the ends; None where double has to be computed in.

    Float is enough where the forms share one exponential of a multiple of x, nothing cancels in the value, and no
    power of E overflows.
    """
    exponent = forms[0].exponent
    if exponent is None or {form.exponent for form in forms} != {exponent} or not exponent.diff(X).is_number:
        return None
    if any(is_value and not form.is_positive for form, is_value in zip(forms, has_value, strict=True)):
        return None
    least, most = sorted(float(exponent.subs(X, float.fromhex(end.rstrip("f")))) / math.log(2) for end in ends)
    powers = max(sp.degree(part, E) for form in forms for part in sp.fraction(form.body))
    found = lift(least)
    return found if SPARE + max(powers * most, most + found) < KIND.highest else None


def lift(least: float) -> int:
    """The k for which 2^(k + least) is a normal float."""
    return max(0, math.ceil(1 + KIND.lowest - least))


def number(value: sp.Expr) -> str:
    return hexadecimal(high_precision(value), BITS)


def statements(
    forms: Sequence[Form], marks: Sequence[str], i: int, ends: Ends, k: int, beyond: Callable[[Form, str], str]
) -> list[str]:
    """What leaves each form at u<i> in its mark; `beyond` puts the tails in."""
    low, high = ends
    exponent = forms[0].exponent
    assert exponent is not None
    rate, offset = exponent.coeff(X, 1), exponent.coeff(X, 0)
    lines, lost = [f"const float u{i} = x < {low} ? {low} : x > {high} ? {high} : x;"], ""
    if (rate, offset) == (1, 0):
        lines.append(f"const float z{i} = u{i};")
    else:
        high_part = number(rate)
        low_part = number(rate - sp.Rational(float.fromhex(high_part.rstrip("f"))))
        lines.append(f"const float z{i} = {high_part} * u{i};")
        lost = f" + (aa_lost_f32({high_part}, u{i}, z{i}) + ({low_part} * u{i} + {number(offset)}))"
    back = number(sp.Rational(1, 2**k))
    lines += [
        *reduced(f"z{i}", lost, k, str(i)),
        f"const float g{i} = aa_exp_of_rest_f32(r{i}) * aa_power_f32(shifted{i});",
        f"const float e{i} = g{i} * {back};",
    ]
    for form, mark in zip(forms, marks, strict=True):
        rest, has_factor = _expanded(form.body)
        program = program_of(rest, variables=(X, _E))
        more, (name,) = transcribed(program, FLOAT, [f"u{i}", f"e{i}"], f"{mark}_", fused=True)
        lines += [*more, f"const float {mark}_main = {name}{f' * g{i} * {back}' if has_factor else ''};"]
        name = f"{mark}_main"
        for j, zero in enumerate(form.zeros):
            more, name = beside(zero, f"u{i}", name, f"{mark}_z{j}")
            lines += more
        lines.append(f"const float {mark} = {beyond(form, name)};")
    return lines


_E = sp.Symbol("e", real=True)


def reduced(z: str, lost: str, k: int, mark: str) -> list[str]:
    """r = z - n log(2), and n + k, from which `aa_power_f32` makes 2^(n + k); `lost` is added to r."""
    shift = number(SHIFT + k)
    return [
        f"const float shifted{mark} = aa_fma_f32({z}, 0x1.715476p+0f, {shift});",
        f"const float r{mark} = aa_rest_f32({z}, shifted{mark} - {shift}){lost};",
    ]


def _expanded(body: sp.Expr) -> tuple[sp.Expr, bool]:
    """The body without a factor E, if it has one, by Horner's rule: x (E + 2) as x E + 2 x, as 2 x loses nothing."""
    has_factor = E in sp.Mul.make_args(sp.fraction(body)[0])
    numerator, denominator = sp.fraction((body / E if has_factor else body).subs(E, _E))
    written = [sp.horner(sp.expand(part), _E) if part.has(_E) else part for part in (numerator, denominator)]
    return written[0] / written[1], has_factor


def beside(zero: Zero, u: str, main: str, mark: str, *, double: bool = False) -> tuple[list[str], str]:
    """The polynomial beside a zero, in float or in double, and the choice between it and `main`."""
    found = zero.factored(FINER if double else RELATIVE)
    if found is None:
        return [], main
    kind, suffix, bits = ("double", "", 53) if double else ("float", "_f32", BITS)
    high, low = two_parts(zero.root, bits)
    text = hexadecimal(found.coefficients[-1], bits)
    for c in reversed(found.coefficients[:-1]):
        text = f"aa_fma{suffix}({text},\n        {mark}_d, {hexadecimal(c, bits)})"
    radius, size = hexadecimal(found.radius * (1 - 2.0**-22), bits), "fabs" if double else "fabsf"
    return [
        f"const {kind} {mark}_d = {u} - ({hexadecimal(found.centre, bits)});",
        f"const {kind} {mark}_near = (({u} - ({hexadecimal(high, bits)})) - ({hexadecimal(low, bits)})) * {text};",
        f"const {kind} {mark} = {size}({mark}_d) < {radius} ? {mark}_near : {main};",
    ], mark
