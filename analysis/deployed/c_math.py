"""Functions in C that a kernel may need, in double (and exp in float): branch-free, so that loops over them vectorise.

Each row of `HELPERS` is the text of one function and the names of those that it calls. Their polynomials are worked out
in `polynomials`; the relative errors that the comments give are those of the polynomials.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import mpmath

from analysis.deployed.polynomials import MILLS_SHIFT, ascending, hexadecimal, quotient, two_parts

LN2, LOG2E = "0x1.62e42fefa39ef35793c7673007e5ed5e81e69p-1", "0x1.71547652b82fe1777d0ffda0d23ap+0"

Texts = dict[str, str]


def horner(name: str, degree: int, variable: str, bits: int = 53) -> str:
    """The polynomial as nested multiplications and additions."""
    return nested(ascending(name, degree), variable, bits)


def nested(coefficients: Sequence[mpmath.mpf], variable: str, bits: int = 53) -> str:
    """The same for given coefficients, ascending."""
    suffix = "_f32" if bits == 24 else ""
    *rest, last = [hexadecimal(c, bits) for c in coefficients]
    text = last
    for c in reversed(rest):
        text = f"aa_fma{suffix}({text},\n        {variable}, {c})"
    return text


def mills(degrees: tuple[int, int], bits: int) -> str:
    """The body of a function for M(t) = exp(t^2/2) Phi(-t), with P over sqrt(2 pi) t P + R."""
    kind, suffix = ("float", "_f32") if bits == 24 else ("double", "")
    r, p = quotient("mills_rest", *degrees)
    slope = hexadecimal(mpmath.sqrt(2 * mpmath.pi), bits)
    return f"""    const {kind} p = {nested(p, "t", bits)};
    return p / aa_fma{suffix}({slope} * t, p,
        {nested(r, "t", bits)});"""


def _bits() -> Texts:
    return {
        "fma": """
/* a b + c, rounded once where the machine does that fast */
AA_FUNCTION double aa_fma(double a, double b, double c) {
#ifdef AA_FMA
    return fma(a, b, c);
#else
    return a * b + c;
#endif
}""",
        "fma_f32": """
AA_FUNCTION float aa_fma_f32(float a, float b, float c) {
#ifdef AA_FMA
    return fmaf(a, b, c);
#else
    return a * b + c;
#endif
}""",
        "bits": """
AA_FUNCTION uint64_t aa_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}""",
        "double": """
AA_FUNCTION double aa_double(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}""",
        "power": """
/* 2^n for a whole n in [-1022, 1023] */
AA_FUNCTION double aa_power(double n) {
    return aa_double(aa_bits(n + 0x1.80000000003ffp52) << 52);
}""",
        "clamp": """
/* z between the limits; nan stays nan */
AA_FUNCTION double aa_clamp(double z, double low, double high) {
    const double above = z < low ? low : z;
    return above > high ? high : above;
}""",
    }


def _exponentials() -> Texts:
    reduced = """    const double shifted = aa_fma(z, 0x1.71547652b82fep+0, 0x1.80000000003ffp52);
    const double n = shifted - 0x1.80000000003ffp52;
    const double r = aa_fma(n, -0x1.a39ef35793c76p-33, aa_fma(n, -0x1.62e42feep-1, z));"""
    return {
        "exp_bounded": f"""
/* exp(z) for |z| <= 700, 3e-17 */
AA_FUNCTION double aa_exp_bounded(double z) {{
{reduced}
    const double q = {horner("exp_rest", 9, "r")};
    return aa_fma(aa_fma(q, r, 1.0), r, 1.0) * aa_double(aa_bits(shifted) << 52);
}}""",
        "exp_short": f"""
/* exp(z) for |z| <= 700, 3e-9: enough for a float where nothing cancels */
AA_FUNCTION double aa_exp_short(double z) {{
    const double shifted = aa_fma(z, 0x1.71547652b82fep+0, 0x1.80000000003ffp52), n = shifted - 0x1.80000000003ffp52;
    const double r = aa_fma(n, -0x1.62e42fefa39efp-1, z);
    return {horner("exp", 6, "r")} * aa_double(aa_bits(shifted) << 52);
}}""",
        "exp": f"""
/* exp(z) for every z, scaled in two steps so that it may be subnormal */
AA_FUNCTION double aa_exp(double z_) {{
    const double z = aa_clamp(z_, -1000.0, 1000.0);
{reduced}
    const double q = {horner("exp_rest", 9, "r")};
    const double half = (n * 0.5 + 0x1.8p52) - 0x1.8p52;
    return (1.0 + aa_fma(r * r, q, r)) * aa_power(half) * aa_power(n - half);
}}""",
        "expm1": f"""
/* exp(z) - 1 without cancellation at 0 */
AA_FUNCTION double aa_expm1(double z_) {{
    const double z = aa_clamp(z_, -40.0, 1000.0);
{reduced}
    const double q = {horner("exp_rest", 9, "r")};
    const double half = (n * 0.5 + 0x1.8p52) - 0x1.8p52;
    const double first = aa_power(half), second = aa_power(n - half);
    return (aa_fma(r * r, q, r) * first + (first - aa_power(half - n))) * second;
}}""",
        "lost_f32": """
/* a b - p, exactly where p is a b rounded */
AA_FUNCTION float aa_lost_f32(float a, float b, float p) {
#ifdef AA_FMA
    return fmaf(a, b, -p);
#else
    return (float)((double)a * b - p);
#endif
}""",
        "rest_f32": """
/* z - n log(2) for a whole n */
AA_FUNCTION float aa_rest_f32(float z, float n) {
    return aa_fma_f32(n, -0x1.7f7d1cp-20f, aa_fma_f32(n, -0x1.62e4p-1f, z));
}""",
        "exp_of_rest_f32": f"""
/* exp(r) for |r| <= log(2)/2, 2e-9 */
AA_FUNCTION float aa_exp_of_rest_f32(float r) {{
    const float q = {horner("exp_rest", 4, "r", 24)};
    return aa_fma_f32(aa_fma_f32(q, r, 1.0f), r, 1.0f);
}}""",
        "more_f32": f"""
/* exp(r) - 1 for |r| <= log(2)/2, 2e-9 of exp(r) */
AA_FUNCTION float aa_more_f32(float r) {{
    const float q = {horner("exp_rest", 4, "r", 24)};
    return aa_fma_f32(q, r, 1.0f) * r;
}}""",
        "power_f32": """
/* 2^n for a whole n in [-126, 127], given n + 127 + 1.5 2^23 */
AA_FUNCTION float aa_power_f32(float shifted) {
    uint32_t bits;
    float x;
    memcpy(&bits, &shifted, sizeof bits);
    bits <<= 23;
    memcpy(&x, &bits, sizeof x);
    return x;
}""",
    }


def _logarithms() -> Texts:
    return {
        "log": f"""
/* log(z): z = 2^k m with m in [sqrt(1/2), sqrt(2)), and log m = 2 atanh((m - 1)/(m + 1)) */
AA_FUNCTION double aa_log(double z) {{
    const double up = z < 0x1p-1022 ? z * 0x1p54 : z;
    const uint64_t shifted = aa_bits(up) - 0x3fe6a09e667f3bcdu;
    const double k = (aa_double(((shifted >> 52) ^ 0x800u) | 0x4330000000000000u) - 0x1.0000000000800p52)
        - (z < 0x1p-1022 ? 54.0 : 0.0);
    const double m = aa_double((shifted & 0xfffffffffffffu) + 0x3fe6a09e667f3bcdu);
    const double s = (m - 1.0) / (m + 1.0), t = s * s;
    const double q = {horner("atanh_rest", 7, "t")};
    const double inner = aa_fma(2.0 * s * t, q, k * 0x1.a39ef35793c76p-33) + 2.0 * s;
    const double found = k * 0x1.62e42feep-1 + inner;
    const double whole = z > 0x1.fffffffffffffp1023 ? z : found;
    return z > 0.0 ? whole : (z == 0.0 ? -AA_INFINITY : z < 0.0 ? AA_NAN : z);
}}""",
        "log1p": """
/* log(1 + z), with what 1 + z loses put back */
AA_FUNCTION double aa_log1p(double z) {
    const double u = 1.0 + z;
    const double lost = u > 0x1p60 ? 0.0 : (z - (u - 1.0)) / u;
    const double found = aa_log(u) + lost;
    return z > -1.0 && z < 0x1p-60 && z > -0x1p-60 ? z : u > 0.0 ? found : aa_log(u);
}""",
        "log1p_unit": f"""
/* log(1 + z) for z in [0, 1] as 2 atanh(z/(2 + z)) */
AA_FUNCTION double aa_log1p_unit(double z) {{
    const double s = z / (2.0 + z), t = s * s;
    const double q = {horner("atanh_unit", 12, "t")};
    return aa_fma(2.0 * s * t, q, 2.0 * s);
}}""",
    }


def _activations() -> Texts:
    return {
        "sigmoid": """
AA_FUNCTION double aa_sigmoid(double z) {
    const double e = aa_exp(-fabs(z));
    return (z < 0.0 ? e : 1.0) / (1.0 + e);
}""",
        "gated": """
/* z sigmoid(z), which is 0 at -oo */
AA_FUNCTION double aa_gated(double z_) {
    const double z = z_ < -800.0 ? -800.0 : z_;
    return z * aa_sigmoid(z);
}""",
        "softplus": """
AA_FUNCTION double aa_softplus(double z) {
    return (z < 0.0 ? 0.0 : z) + aa_log1p_unit(aa_exp(-fabs(z)));
}""",
        "tanh": """
AA_FUNCTION double aa_tanh(double z) {
    const double size = fabs(z), t = aa_expm1(2.0 * (size > 22.0 ? 22.0 : size));
    return copysign(1.0, z) * (t / (t + 2.0));
}""",
        "sech": """
AA_FUNCTION double aa_sech(double z) {
    const double e = aa_exp(-fabs(z));
    return 2.0 * e / (1.0 + e * e);
}""",
        "mills": f"""
/* exp(t^2/2) Phi(-t) for t in [0, 15], 1.5e-9 */
AA_FUNCTION double aa_mills(double t) {{
{mills((4, 5), 53)}
}}""",
        "mills_f32": f"""
/* exp(t^2/2) Phi(-t) for t in [0, 15], 4e-8 */
AA_FUNCTION float aa_mills_f32(float t) {{
{mills((4, 4), 24)}
}}""",
        "Phi": f"""
/* the normal distribution function: Phi(-t) = exp(-t^2/2) M((t - 4)/(t + 4))/(t + 4) for t >= 0 */
AA_FUNCTION double aa_Phi(double z) {{
    const double size = fabs(z), t = size > 40.0 ? 40.0 : size;
    const double y = (t - {MILLS_SHIFT}.0) / (t + {MILLS_SHIFT}.0), square = t * t;
    const double m = {horner("mills", 24, "y")};
    const double lost = aa_fma(t, t, -square);
    const double tail = aa_exp(-0.5 * square) * (1.0 - 0.5 * lost) * m / (t + {MILLS_SHIFT}.0);
    return z < 0.0 ? tail : 1.0 - tail + (z - z);
}}""",
        "erf": f"""
AA_FUNCTION double aa_erf(double z) {{
    const double size = fabs(z), small = size > 1.0 ? 1.0 : size, t = small * small;
    const double near = small * ({horner("erf_over", 12, "t")});
    const double far = 1.0 - 2.0 * aa_Phi(-0x1.6a09e667f3bcdp+0 * size);
    return copysign(size < 1.0 ? near : far, z);
}}""",
        "squareplus": """
/* (z + r)/2 with r = sqrt(z^2 + b); for z < 0 as b/(2 (r - z)) */
AA_FUNCTION double aa_squareplus(double z, double b) {
    const double size = fabs(z), inner = size > 0x1p500 ? 0x1p500 : size;
    const double root = size > 0x1p500 ? size : sqrt(inner * inner + b);
    return z < 0.0 ? b / (2.0 * (root + size)) : 0.5 * (z + root);
}""",
        "pow": """
/* z^y for z > 0 */
AA_FUNCTION double aa_pow(double z, double y) {
    return aa_exp(y * aa_log(z));
}""",
        "sign": """
AA_FUNCTION double aa_sign(double z) {
    return z > 0.0 ? 1.0 : z < 0.0 ? -1.0 : z;
}""",
        "max": """
AA_FUNCTION double aa_max(double a, double b) {
    return a < b ? b : b != b ? b : a;
}""",
        "min": """
AA_FUNCTION double aa_min(double a, double b) {
    return a > b ? b : b != b ? b : a;
}""",
        "step": """
AA_FUNCTION double aa_step(double z) {
    return z >= 0.0 ? 1.0 : z < 0.0 ? 0.0 : z;
}""",
    }


@cache
def helpers() -> Texts:
    """Name -> text."""
    from analysis.deployed.c_wide_functions import wide

    return {**_bits(), **_exponentials(), **_logarithms(), **_activations(), **wide()}


def needed(text: str) -> list[str]:
    """The helpers that a text calls, and those that they call, callees first."""
    known, found = helpers(), {}

    def visit(part: str) -> None:
        for name in re.findall(r"\baa_(\w+)", part):
            if name in known and name not in found:
                found[name] = ""
                visit(known[name])
                del found[name]
                found[name] = known[name]

    visit(text)
    return list(found)


__all__ = ["helpers", "horner", "needed", "two_parts"]
