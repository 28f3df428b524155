"""Numbers (h + l) 2^k in C, two doubles and an exponent: what float64 is computed in before it is rounded once.

h is in [1, 2) or zero, |l| at most half an ulp of h, k a whole number held in a double. Products and sums of exact
pairs are those of Dekker (1971) and Knuth (TAOCP 2, 4.2.2), good to about 2^-100; the functions aim at 2^-64. With the
exponent apart nothing overflows or underflows on the way, and a subnormal result is rounded once.
"""

from __future__ import annotations

from collections.abc import Sequence

import mpmath

from analysis.deployed.polynomials import hexadecimal, two_parts


def pair(value: mpmath.mpf) -> str:
    """A number in two doubles, as an initialiser of aa_pair."""
    high, low = two_parts(value)
    return f"aa_both({high.hex()}, {low.hex()})"


def number(value: mpmath.mpf) -> str:
    """A number as an aa_wide."""
    if value == 0:
        return "aa_number(0.0, 0.0, -1e6)"
    exponent = int(mpmath.floor(mpmath.log(abs(value), 2)))
    high, low = two_parts(mpmath.ldexp(value, -exponent))
    return f"aa_number({high.hex()}, {low.hex()}, {exponent}.0)"


def nested(coefficients: Sequence[mpmath.mpf], exact: int, variable: str) -> str:
    """A polynomial in the pair `variable` whose first `exact` coefficients are added as pairs, the others in double."""
    text = hexadecimal(coefficients[-1])
    for c in reversed(coefficients[exact:-1]):
        text = f"aa_fma({text},\n        {variable}.h, {hexadecimal(c)})"
    text = f"aa_both({text}, 0.0)"
    for c in reversed(coefficients[:exact]):
        text = f"aa_plus(aa_times({text}, {variable}),\n        {pair(c)})"
    return text


def pairs() -> dict[str, str]:
    return {
        "pair": """
typedef struct { double h, l; } aa_pair;""",
        "both": """
AA_FUNCTION aa_pair aa_both(double h, double l) {
    aa_pair p;
    p.h = h;
    p.l = l;
    return p;
}""",
        "fast_sum": """
/* a + b exactly, |a| >= |b| */
AA_FUNCTION aa_pair aa_fast_sum(double a, double b) {
    const double h = a + b;
    return aa_both(h, b - (h - a));
}""",
        "sum": """
/* a + b exactly */
AA_FUNCTION aa_pair aa_sum(double a, double b) {
    const double h = a + b, c = h - a;
    return aa_both(h, (a - (h - c)) + (b - c));
}""",
        "product": """
/* a b exactly */
AA_FUNCTION aa_pair aa_product(double a, double b) {
    const double h = AA_MUL(a, b);
#ifdef AA_FMA
    return aa_both(h, fma(a, b, -h));
#else
    const double c = 0x1.0000002p27 * a, d = 0x1.0000002p27 * b;
    const double a1 = c - (c - a), a2 = a - a1, b1 = d - (d - b), b2 = b - b1;
    return aa_both(h, ((a1 * b1 - h) + a1 * b2 + a2 * b1) + a2 * b2);
#endif
}""",
        "times": """
AA_FUNCTION aa_pair aa_times(aa_pair a, aa_pair b) {
    const aa_pair p = aa_product(a.h, b.h);
    return aa_fast_sum(p.h, p.l + (AA_MUL(a.h, b.l) + AA_MUL(a.l, b.h)));
}""",
        "plus": """
AA_FUNCTION aa_pair aa_plus(aa_pair a, aa_pair b) {
    const aa_pair s = aa_sum(a.h, b.h), t = aa_sum(a.l, b.l), u = aa_fast_sum(s.h, s.l + t.h);
    return aa_fast_sum(u.h, u.l + t.l);
}""",
    }


def numbers() -> dict[str, str]:
    return {
        "wide": """
typedef struct { double h, l, k; } aa_wide;""",
        "number": """
AA_FUNCTION aa_wide aa_number(double h, double l, double k) {
    aa_wide w;
    w.h = h;
    w.l = l;
    w.k = k;
    return w;
}""",
        "make": """
/* (h + l) 2^k with h brought to [1, 2); zero has an exponent below all others */
AA_FUNCTION aa_wide aa_make(double h, double l, double k) {
    const aa_pair s = aa_fast_sum(h, l);
    const uint64_t field = (aa_bits(s.h) >> 52) & 0x7ffu;
    const double up = aa_double((field > 2045u ? 1u : 2046u - field) << 52);
    const double exponent = aa_double(field | 0x4330000000000000u) - 0x1.00000000003ffp52;
    const int is_finite = field < 2047u;
    aa_wide w;
    w.h = is_finite ? s.h * up : s.h;
    w.l = is_finite ? s.l * up : 0.0;
    w.k = s.h == 0.0 ? -1e6 : k + (is_finite ? exponent : 1024.0);
    return w;
}""",
        "of": """
AA_FUNCTION aa_wide aa_of(double x) {
    return aa_make(x, 0.0, 0.0);
}""",
        "near": """
/* 2^d for d <= 0, down to what no longer counts */
AA_FUNCTION double aa_near(double d) {
    return aa_power(d < -400.0 ? -400.0 : d);
}""",
        "add": """
AA_FUNCTION aa_wide aa_add(aa_wide a, aa_wide b) {
    const double k = a.k < b.k ? b.k : a.k, p = aa_near(a.k - k), q = aa_near(b.k - k);
    const aa_pair s = aa_plus(aa_both(a.h * p, a.l * p), aa_both(b.h * q, b.l * q));
    return aa_make(s.h, s.l, k);
}""",
        "mul": """
AA_FUNCTION aa_wide aa_mul(aa_wide a, aa_wide b) {
    const aa_pair p = aa_times(aa_both(a.h, a.l), aa_both(b.h, b.l));
    return aa_make(p.h, p.l, a.k + b.k);
}""",
        "neg": """
AA_FUNCTION aa_wide aa_neg(aa_wide a) {
    a.h = -a.h;
    a.l = -a.l;
    return a;
}""",
        "div": """
AA_FUNCTION aa_wide aa_div(aa_wide a, aa_wide b) {
    const double q = a.h / b.h;
    const aa_pair p = aa_product(q, b.h);
    const double rest = ((a.h - p.h) - p.l) + (a.l - AA_MUL(q, b.l));
    return aa_make(q, rest / b.h, a.k - b.k);
}""",
        "root": """
AA_FUNCTION aa_wide aa_root(aa_wide a) {
    const double half = (a.k * 0.5 - 0.25 + 0x1.8p52) - 0x1.8p52, odd = a.k - 2.0 * half > 0.5 ? 2.0 : 1.0;
    const double h = a.h * odd, s = sqrt(h);
    const aa_pair p = aa_product(s, s);
    const double rest = ((h - p.h) - p.l) + a.l * odd;
    return aa_make(s, s == 0.0 ? 0.0 : rest / (2.0 * s), half);
}""",
        "narrow": """
/* the nearest double */
AA_FUNCTION double aa_narrow(aa_wide a) {
    const double k = aa_clamp(a.k, -2040.0, 2040.0), half = (k * 0.5 + 0x1.8p52) - 0x1.8p52;
    return (a.h + a.l) * aa_power(half) * aa_power(k - half);
}""",
        "pick": """
AA_FUNCTION aa_wide aa_pick(int condition, aa_wide a, aa_wide b) {
    aa_wide w;
    w.h = condition ? a.h : b.h;
    w.l = condition ? a.l : b.l;
    w.k = condition ? a.k : b.k;
    return w;
}""",
        "less": """
/* a < b */
AA_FUNCTION int aa_less(aa_wide a, aa_wide b) {
    return aa_add(a, aa_neg(b)).h < 0.0;
}""",
        "flat": """
/* the number as a pair, flushed to zero where it is small, limited where it is large */
AA_FUNCTION aa_pair aa_flat(aa_wide a) {
    const double scale = aa_power(aa_clamp(a.k, -1000.0, 20.0));
    return aa_both(a.h * scale, a.l * scale);
}""",
    }
