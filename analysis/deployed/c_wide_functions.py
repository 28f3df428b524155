"""Exponentials, logarithms and what is made of them in C, for numbers of two doubles and an exponent (`c_wide`)."""

from __future__ import annotations

from collections.abc import Sequence

import mpmath

from analysis.deployed.c_wide import nested, number, numbers, pairs
from analysis.deployed.polynomials import MILLS_SHIFT, ascending, hexadecimal

DOUBLE_FROM = 2.0**-11  # terms of a polynomial below this share are computed in double


def _series(*, head: Sequence[mpmath.mpf | float], tail: str, degree: int) -> list[mpmath.mpf]:
    return [*(mpmath.mpf(c) for c in head), *ascending(tail, degree)]


def wide() -> dict[str, str]:
    """Name -> text."""
    with mpmath.workdps(50):
        return {**pairs(), **numbers(), **_functions()}


def _functions() -> dict[str, str]:
    third, fifth = mpmath.mpf(1) / 3, mpmath.mpf(1) / 5
    halves = [1, 1 / mpmath.mpf(2), 1 / mpmath.mpf(6), 1 / mpmath.mpf(24)]
    exponential = nested(_series(head=halves, tail="exp_tail", degree=11), 4, "r")
    logarithm = nested(_series(head=[1, third, fifth], tail="atanh_tail", degree=9), 3, "t")
    mills = ascending("mills", 34)
    exact = max(i for i, c in enumerate(mills) if abs(c) > DOUBLE_FROM) + 1
    ln2 = mpmath.log(2)
    first = mpmath.mpf(int(ln2 * 2**32)) / 2**32
    second = mpmath.mpf(int((ln2 - first) * 2**64)) / 2**64
    third_part = ln2 - first - second
    return {
        "reduced": f"""
/* z - n log 2, with n in [-2^20, 2^20] and log 2 in three parts of which two give exact products */
AA_FUNCTION aa_pair aa_reduced(aa_pair z, double n) {{
    const aa_pair s = aa_sum(z.h - n * {hexadecimal(first)}, -n * {hexadecimal(second)});
    return aa_fast_sum(s.h, s.l + (z.l - n * {hexadecimal(third_part)}));
}}""",
        "whole": """
AA_FUNCTION double aa_whole(double z) {
    return (aa_clamp(z, -1e5, 1e5) * 0x1.71547652b82fep+0 + 0x1.8p52) - 0x1.8p52;
}""",
        "bounded": """
/* z limited to what exp needs */
AA_FUNCTION aa_pair aa_bounded(aa_wide w) {
    const aa_pair z = aa_flat(w);
    const double h = aa_clamp(z.h, -1e5, 1e5);
    return aa_both(h, h == z.h ? z.l : 0.0);
}""",
        "expm1_over": f"""
/* (exp(r) - 1)/r for |r| <= log(2)/2 */
AA_FUNCTION aa_pair aa_expm1_over(aa_pair r) {{
    return {exponential};
}}""",
        "wexp": """
AA_FUNCTION aa_wide aa_wexp(aa_wide w) {
    const aa_pair z = aa_bounded(w);
    const double n = aa_whole(z.h);
    const aa_pair r = aa_reduced(z, n), e = aa_plus(aa_both(1.0, 0.0), aa_times(r, aa_expm1_over(r)));
    return aa_make(e.h, e.l, n);
}""",
        "wexpm1": """
AA_FUNCTION aa_wide aa_wexpm1(aa_wide w) {
    const aa_pair z = aa_bounded(w);
    const double n = aa_whole(z.h);
    const aa_pair r = aa_reduced(z, n), p = aa_expm1_over(r);
    const aa_wide small = aa_mul(aa_pick(n == 0.0, w, aa_make(r.h, r.l, 0.0)), aa_make(p.h, p.l, 0.0));
    const aa_wide rest = aa_add(aa_make(1.0, 0.0, n), aa_of(-1.0)), scaled = aa_make(small.h, small.l, small.k + n);
    return aa_add(scaled, rest);
}""",
        "atanh_twice": f"""
/* 2 atanh(s) for |s| <= 0.18 */
AA_FUNCTION aa_wide aa_atanh_twice(aa_wide s) {{
    const aa_pair t = aa_flat(aa_mul(s, s));
    const aa_pair q = {logarithm};
    return aa_mul(s, aa_make(2.0 * q.h, 2.0 * q.l, 0.0));
}}""",
        "log_of": f"""
/* log(u), where u - 1 is given apart for u near 1 */
AA_FUNCTION aa_wide aa_log_of(aa_wide u, aa_wide less_one) {{
    const double up = u.h > 0x1.6a09e667f3bcdp+0 ? 1.0 : 0.0, k = u.k + up;
    const aa_wide m = aa_make(u.h, u.l, -up);
    const aa_wide above = aa_pick(k == 0.0, less_one, aa_add(m, aa_of(-1.0)));
    const aa_wide s = aa_div(above, aa_add(aa_pick(k == 0.0, less_one, aa_add(m, aa_of(-1.0))), aa_of(2.0)));
    const aa_wide found = aa_add(aa_mul(aa_of(k), {number(ln2)}), aa_atanh_twice(s));
    return u.h > 0.0 ? found : aa_of(u.h == 0.0 ? -AA_INFINITY : u.h < 0.0 ? AA_NAN : u.h);
}}""",
        "wlog": """
AA_FUNCTION aa_wide aa_wlog(aa_wide u) {
    return aa_log_of(u, aa_add(u, aa_of(-1.0)));
}""",
        "wlog1p": """
AA_FUNCTION aa_wide aa_wlog1p(aa_wide z) {
    return aa_log_of(aa_add(z, aa_of(1.0)), z);
}""",
        "wsigmoid": """
AA_FUNCTION aa_wide aa_wsigmoid(aa_wide z) {
    return aa_div(aa_of(1.0), aa_add(aa_of(1.0), aa_wexp(aa_neg(z))));
}""",
        "wgated": """
AA_FUNCTION aa_wide aa_wgated(aa_wide z) {
    return aa_mul(z, aa_wsigmoid(z));
}""",
        "wsoftplus": """
AA_FUNCTION aa_wide aa_wsoftplus(aa_wide z) {
    const int is_large = z.h > 0.0 && z.k > 7.0;
    return aa_pick(is_large, z, aa_wlog1p(aa_wexp(z)));
}""",
        "wtanh": """
AA_FUNCTION aa_wide aa_wtanh(aa_wide z) {
    const aa_wide t = aa_wexpm1(aa_add(z, z));
    return aa_div(t, aa_add(t, aa_of(2.0)));
}""",
        "wsech": """
AA_FUNCTION aa_wide aa_wsech(aa_wide z) {
    const aa_wide e = aa_wexp(z);
    return aa_div(aa_add(e, e), aa_add(aa_of(1.0), aa_mul(e, e)));
}""",
        "wPhi": f"""
/* Phi(-t) = exp(-t^2/2) M((t - 4)/(t + 4))/(t + 4) for t >= 0 */
AA_FUNCTION aa_wide aa_wPhi(aa_wide z) {{
    const aa_wide t = z.h < 0.0 ? aa_neg(z) : z, shifted = aa_add(t, aa_of({MILLS_SHIFT}.0));
    const aa_pair y = aa_flat(aa_div(aa_add(t, aa_of(-{MILLS_SHIFT}.0)), shifted));
    const aa_pair m = {nested(mills, exact, "y")};
    const aa_wide e = aa_wexp(aa_mul(aa_mul(t, t), aa_of(-0.5)));
    const aa_wide tail = aa_div(aa_mul(e, aa_make(m.h, m.l, 0.0)), shifted);
    return aa_pick(z.h < 0.0, tail, aa_add(aa_of(1.0), aa_neg(tail)));
}}""",
        "wsquareplus": """
AA_FUNCTION aa_wide aa_wsquareplus(aa_wide z, aa_wide b) {
    const aa_wide r = aa_root(aa_add(aa_mul(z, z), b)), half = aa_of(0.5);
    return aa_pick(z.h < 0.0, aa_mul(half, aa_div(b, aa_add(r, aa_neg(z)))), aa_mul(half, aa_add(z, r)));
}""",
        "wpow": """
AA_FUNCTION aa_wide aa_wpow(aa_wide z, aa_wide y) {
    return aa_wexp(aa_mul(y, aa_wlog(z)));
}""",
        "wabs": """
AA_FUNCTION aa_wide aa_wabs(aa_wide z) {
    return z.h < 0.0 ? aa_neg(z) : z;
}""",
        "wsign": """
AA_FUNCTION aa_wide aa_wsign(aa_wide z) {
    return aa_of(z.h > 0.0 ? 1.0 : z.h < 0.0 ? -1.0 : z.h);
}""",
        "wmax": """
AA_FUNCTION aa_wide aa_wmax(aa_wide a, aa_wide b) {
    return aa_pick(aa_less(a, b), b, a);
}""",
        "wmin": """
AA_FUNCTION aa_wide aa_wmin(aa_wide a, aa_wide b) {
    return aa_pick(aa_less(b, a), b, a);
}""",
        "wstep": """
AA_FUNCTION aa_wide aa_wstep(aa_wide z) {
    return aa_of(z.h >= 0.0 ? 1.0 : z.h < 0.0 ? 0.0 : z.h);
}""",
    }
