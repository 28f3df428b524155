"""Polynomials and quotients of them that stand in for functions inside kernels: near-minimax, made when needed.

Each interpolates at Chebyshev's points in high precision, its coefficients then rounded to a float type, or to two
parts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import mpmath

from analysis.activation.errors import BadInput

DIGITS = 50

Function = Callable[[mpmath.mpf], mpmath.mpf]


@cache
def ascending(name: str, degree: int) -> tuple[mpmath.mpf, ...]:
    """The coefficients of the polynomial of that degree for the function called `name` in TARGETS."""
    f, low, high = TARGETS[name]
    with mpmath.workdps(DIGITS):
        found = mpmath.chebyfit(f, [mpmath.mpf(low), mpmath.mpf(high)], degree + 1)
        return tuple(reversed(found))


@cache
def chebyshev(name: str, degree: int) -> tuple[mpmath.mpf, ...]:
    """The coefficients c_0, ..., c_degree of T_k on [-1, 1], for Clenshaw's rule."""
    f, low, high = TARGETS[name]
    assert (low, high) == (-1, 1)
    n = 2 * degree + 2
    with mpmath.workdps(DIGITS):
        angles = [mpmath.pi * (k + mpmath.mpf(1) / 2) / n for k in range(n)]
        values = [f(mpmath.cos(a)) for a in angles]
        rows = (sum(v * mpmath.cos(k * a) for v, a in zip(values, angles, strict=True)) for k in range(degree + 1))
        found = [2 * row / n for row in rows]
        return (found[0] / 2, *found[1:])


@cache
def quotient(name: str, numerator: int, denominator: int) -> tuple[tuple[mpmath.mpf, ...], tuple[mpmath.mpf, ...]]:
    """P and Q of these degrees, ascending, Q(0) = 1, with P/Q for the function called `name` in RANGES.

    It interpolates in y = (t - s)/(t + s), in which what levels off with t is smooth.
    """
    f, top, s = RANGES[name]
    count = numerator + denominator + 1
    with mpmath.workdps(DIGITS):
        end = (mpmath.mpf(top) - s) / (top + s)
        angles = [mpmath.pi * (2 * i + 1) / (2 * count) for i in range(count)]
        ys = [(end + 1) / 2 * mpmath.cos(a) + (end - 1) / 2 for a in angles]
        ts = [s * (1 + y) / (1 - y) for y in ys]
        values = [f(t) for t in ts]
        rows = [
            [*(t**j for j in range(numerator + 1)), *(-v * t**j for j in range(1, denominator + 1))]
            for t, v in zip(ts, values, strict=True)
        ]
        found = list(mpmath.lu_solve(mpmath.matrix(rows), mpmath.matrix(values)))
    return tuple(found[: numerator + 1]), (mpmath.mpf(1), *found[numerator + 1 :])


def hexadecimal(value: mpmath.mpf | float, bits: int = 53) -> str:
    """The float nearest to the number, as C writes it; with 24 bits for float, BadInput where that has none."""
    if bits == 24 and value != 0 and not 2.0**-149 <= abs(value) < 2.0**128:
        raise BadInput(f"expected constants that float32 holds, got {mpmath.nstr(mpmath.mpf(value), 6)}")
    with mpmath.workprec(bits):
        return float.hex(float(+mpmath.mpf(value))) + ("f" if bits == 24 else "")


def two_parts(value: mpmath.mpf, bits: int = 53) -> tuple[float, float]:
    """The float nearest to the number, and the one nearest to the rest."""
    with mpmath.workdps(DIGITS):
        high = float.fromhex(hexadecimal(value, bits).rstrip("f"))
        return high, float.fromhex(hexadecimal(value - high, bits).rstrip("f"))


def _exp_rest(r: mpmath.mpf) -> mpmath.mpf:
    """(exp(r) - 1 - r)/r^2."""
    return mpmath.hyp1f1(1, 3, r) / 2


def _exp_tail(r: mpmath.mpf) -> mpmath.mpf:
    """(exp(r) - 1 - r - r^2/2 - r^3/6 - r^4/24)/r^5."""
    return mpmath.hyp1f1(1, 6, r) / 120


def _atanh_rest(t: mpmath.mpf) -> mpmath.mpf:
    """(atanh(s)/s - 1)/s^2 at t = s^2."""
    return mpmath.hyp2f1(1, mpmath.mpf(3) / 2, mpmath.mpf(5) / 2, t) / 3


def _atanh_tail(t: mpmath.mpf) -> mpmath.mpf:
    """(atanh(s)/s - 1 - s^2/3 - s^4/5)/s^6 at t = s^2."""
    return mpmath.hyp2f1(1, mpmath.mpf(7) / 2, mpmath.mpf(9) / 2, t) / 7


def _erf_over(t: mpmath.mpf) -> mpmath.mpf:
    """erf(z)/z at t = z^2."""
    return 2 / mpmath.sqrt(mpmath.pi) * mpmath.hyp1f1(mpmath.mpf(1) / 2, mpmath.mpf(3) / 2, -t)


MILLS_SHIFT = 4


def _mills(y: mpmath.mpf) -> mpmath.mpf:
    """(t + 4) exp(t^2/2) Phi(-t) at y = (t - 4)/(t + 4), t >= 0; at t = oo it is 1/sqrt(2 pi)."""
    if 1 - y < mpmath.mpf(10) ** -40:
        return 1 / mpmath.sqrt(2 * mpmath.pi)
    t = MILLS_SHIFT * (1 + y) / (1 - y)
    if t > 1e6:
        return (t + MILLS_SHIFT) / t * (1 - t**-2 + 3 * t**-4) / mpmath.sqrt(2 * mpmath.pi)
    return (t + MILLS_SHIFT) * mpmath.exp(t * t / 2) * mpmath.erfc(t / mpmath.sqrt(2)) / 2


def mills_rest(t: mpmath.mpf) -> mpmath.mpf:
    """1/M(t) - sqrt(2 pi) t for M(t) = exp(t^2/2) Phi(-t), t >= 0; it decreases from 2 to zero."""
    return 2 / (mpmath.exp(t * t / 2) * mpmath.erfc(t / mpmath.sqrt(2))) - mpmath.sqrt(2 * mpmath.pi) * t


_HALF_LN2 = "0.34657359027997265471"
TARGETS: dict[str, tuple[Function, float | str, float | str]] = {
    "exp": (mpmath.exp, "-" + _HALF_LN2, _HALF_LN2),
    "exp_rest": (_exp_rest, "-" + _HALF_LN2, _HALF_LN2),
    "exp_tail": (_exp_tail, "-" + _HALF_LN2, _HALF_LN2),
    "atanh_rest": (_atanh_rest, 0, "0.0294372515228594"),  # s = (m - 1)/(m + 1), m up to sqrt(2)
    "atanh_unit": (_atanh_rest, 0, "0.1111111111111112"),  # s up to 1/3: log1p on [0, 1]
    "atanh_tail": (_atanh_tail, 0, "0.0294372515228594"),
    "erf_over": (_erf_over, 0, 1),
    "mills": (_mills, -1, 1),
}
# on [0, top], and the s of y = (t - s)/(t + s); Phi(-15) is zero in float
RANGES: dict[str, tuple[Function, int, int]] = {"mills_rest": (mills_rest, 15, 2)}
