"""Errors in units in the last place against values in high precision: the oracle of the tests of exported code."""

from __future__ import annotations

import mpmath
import numpy as np
import sympy as sp

from analysis.activation import functions
from analysis.activation.parsing import X
from analysis.exact.pieces import pieces

DIGITS = 700  # exp(-750) beside 1 is seen


def exact(expression: sp.Expr, points: np.ndarray) -> list[mpmath.mpf]:
    """The function at floats, from its pieces spelled out in elementary functions."""
    found = [(p, sp.lambdify(X, functions.elementary(p.expression), "mpmath")) for p in pieces(expression)]
    values = []
    with mpmath.workdps(120 if points.dtype == np.float32 else DIGITS):
        for x in points:
            at = sp.Rational(float(x))
            f = next(f for p, f in found if at <= p.upper and at >= p.lower)
            values.append(mpmath.mpf(f(mpmath.mpf(float(x)))))
    return values


def worst(got: np.ndarray, wanted: list[mpmath.mpf]) -> float:
    """The largest error in ulp of the exact value; infinite where the code gives nan."""
    info = np.finfo(got.dtype)
    errors = []
    for value, exact_value in zip(got.tolist(), wanted, strict=True):
        if value != value:
            return float("inf")
        size = abs(exact_value)
        exponent = int(mpmath.frexp(size)[1]) - 1 if size else int(info.minexp)
        unit = mpmath.mpf(2) ** (max(exponent, int(info.minexp)) - info.nmant)
        errors.append(float(abs(mpmath.mpf(value) - exact_value) / unit))
    return max(errors)


def points(dtype: str, count: int) -> np.ndarray:
    """Random bit patterns of moderate size, the critical zones, and the ends of the subnormal results."""
    kind = np.dtype(dtype).type
    random = np.random.default_rng(7)
    integers = np.uint32 if kind is np.float32 else np.uint64
    bits = random.integers(0, np.iinfo(integers).max, 4 * count, dtype=integers).view(kind)
    bits = bits[np.isfinite(bits) & (np.abs(bits) < 1000)][:count]
    under = (-104, -86) if kind is np.float32 else (-746, -700)
    zones = [(-1.5, -0.5), (3, 20), under, (-20, 0)]
    parts = [random.uniform(low, high, count // 4).astype(kind) for low, high in zones]
    return np.concatenate([bits, *parts])
