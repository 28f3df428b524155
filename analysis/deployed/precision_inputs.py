"""Inputs for measurements that cannot try all: random bit patterns in every binade, and the zones that are critical."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import sympy as sp

from analysis.activation import functions
from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.deployed.forms import Format
from analysis.exact.pieces import pieces
from analysis.rigorous import roots

UNSIGNED = {"float16": np.uint16, "bfloat16": np.uint16, "float32": np.uint32, "float64": np.uint64}
MIDDLE = (-40, 11)  # binades that get most: where activations bend
BESIDE = 64  # floats on each side of a critical point
CLOSE = sp.Rational(1, 64)  # of a zero: its neighbourhood
SHARE = 0.5  # of the inputs go to the binades in the middle


def decoded(bits: np.ndarray, dtype: str) -> np.ndarray:
    """The numbers that bit patterns stand for; those of bfloat16 as float32, which holds them."""
    if dtype == "bfloat16":
        return (bits.astype(np.uint32) << 16).view(np.float32)
    return bits.astype(UNSIGNED[dtype]).view(dtype)


def every(dtype: str) -> np.ndarray:
    """All finite numbers of a type with 16 bits."""
    numbers = decoded(np.arange(2**16), dtype)
    return numbers[np.isfinite(numbers)]


def sampled(expression: sp.Expr, dtype: str, kind: Format, count: int, seed: int = 0) -> np.ndarray:
    """At least `count` distinct finite numbers of float32 or float64.

    Half are spread over all binades, subnormals among them, half over those in which functions bend; added are the
    neighbours of kinks, of zeros of f and f', of the ends of f's underflow, and of the ends of the type.
    """
    random = np.random.default_rng(seed)
    lowest, highest = kind.lowest - kind.precision + 1, kind.highest
    middle = [e for e in range(*MIDDLE) if lowest <= e <= highest]
    drawn = [
        _in_binades(range(lowest, highest + 1), int(count * (1 - SHARE)), kind, random),
        _in_binades(middle, int(count * SHARE), kind, random),
    ]
    numbers = np.concatenate([*drawn, *critical(expression, dtype, kind)]).astype(dtype)
    return np.unique(numbers[np.isfinite(numbers)])


def _in_binades(exponents: Sequence[int], count: int, kind: Format, random: np.random.Generator) -> np.ndarray:
    """The same number of each binade and sign, with random bits in the significand."""
    each = -(-count // (2 * len(exponents)))
    e = np.repeat(np.array(exponents), each)
    bits = np.minimum(kind.precision - 1, e - (kind.lowest - kind.precision + 1))  # fewer for subnormals
    significands = np.floor(random.random((2, e.size)) * 2.0**bits) / 2.0**bits
    sizes = np.ldexp(1 + significands, e)
    return np.concatenate([sizes[0], -sizes[1]])


def critical(expression: sp.Expr, dtype: str, kind: Format) -> Iterator[np.ndarray]:
    """The neighbours of each critical point, in the type."""
    places = [*kinks(expression), *zeros(expression), *zeros(functions.derivative(expression, X))]
    tiny, largest = float(2.0**kind.lowest), float(kind.largest)
    for place in {*map(float, places), 0.0, tiny, -tiny, largest, -largest, *_underflow(expression, kind)}:
        yield _neighbours(place, dtype)
        yield np.linspace(place - float(CLOSE), place + float(CLOSE), 2 * BESIDE)


def kinks(expression: sp.Expr) -> list[sp.Expr]:
    """The exact points between pieces."""
    return [piece.lower for piece in pieces(expression)[1:]]


def zeros(expression: sp.Expr) -> list[float]:
    """Zeros at which f changes its sign, inside pieces, but the one at x = 0; those that are found."""
    found = []
    for piece in pieces(expression):
        try:
            found += [float(root.x) for root in roots.sign_changes(piece.expression, piece.lower, piece.upper)]
        except (Undecided, ZeroDivisionError, TypeError):
            continue
    return [zero for zero in found if abs(zero) > 1e-12]


def _underflow(expression: sp.Expr, kind: Format) -> list[float]:
    """Where |f| passes the least normal number and half the least subnormal one, up to |x| = 2^12, by bisection."""
    from analysis.deployed.ulp import Exact, exponent

    exact, found = Exact(expression), []
    for sign in (-1, 1):
        for level in (kind.lowest, kind.lowest - kind.precision):
            low, high = 1.0, 4096.0
            if (exponent(exact(sign * high)) or level - 1) >= level or (exponent(exact(sign * low)) or level) < level:
                continue
            while high - low > 1e-9 * high:
                place = (low + high) / 2
                e = exponent(exact(sign * place))
                low, high = (place, high) if e is not None and e >= level else (low, place)
            found.append(sign * low)
    return found


def _neighbours(place: float, dtype: str) -> np.ndarray:
    """The nearest numbers on both sides."""
    numbers = [np.asarray(place).astype(dtype)]
    for direction in (-np.inf, np.inf):
        x = numbers[0]
        with np.errstate(over="ignore"):
            for _ in range(BESIDE):
                x = np.nextafter(x, np.asarray(direction).astype(dtype))
                numbers.append(x)
    return np.array(numbers)
