"""What a function loses towards zero where sums cancel, such as tanh(x) - x: found by evaluating its steps in double.

The probes are powers of two, down to 2^-100, on both sides; each value is compared with Arb's. What is found there is
a warning; where nothing is found nothing is claimed, and `precision` measures.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import sympy as sp

from analysis.activation import functions
from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.deployed.steps import ROWS, Wanted, form
from analysis.deployed.ulp import Exact

DOUBLE = 53  # bits
SPARE = 3  # bits of a result that rounding may cost without a word
PROBES = tuple(sign * 2.0**-k for k in (*range(1, 31), 45, 60, 100) for sign in (1, -1))
TINY = 1e-290
LARGEST = 700.0


@lru_cache(maxsize=256)
def lost(expression: sp.Expr, order: int) -> tuple[float, float]:
    """The most bits that f or f' loses at a probe, and where; none where no exact value is found."""
    derived = functions.derivative(expression, X) if order else expression
    program, exact = form(Wanted(expression, order)).program(), Exact(derived)
    most, where = 0.0, 0.0
    with np.errstate(all="ignore"):
        for x in PROBES:
            try:
                value = exact(x)
            except (Undecided, ZeroDivisionError):
                continue
            found = float(program.run(ROWS, [np.float64(x), np.float64(LARGEST)])[0])
            size = abs(float(value))
            if not math.isfinite(found) or size < TINY:
                continue
            off = abs(float(value - found)) / size * 2.0**DOUBLE
            if off > 2.0**most:
                most, where = math.log2(off), x
    return min(most, float(DOUBLE)), where


def notes(expression: sp.Expr, precision: int, working: int, derivative: bool) -> tuple[str, ...]:
    """What a header says of a result of `precision` bits that is computed in `working` bits."""
    said = []
    for order, what in ((0, "the value"), (1, "the derivative")) if derivative else ((0, "the value"),):
        try:
            bits, x = lost(expression, order)
        except Undecided:
            continue
        left = max(0, math.floor(working - bits))
        if left < precision - SPARE:
            said.append(f"{what} cancels towards zero: at x = {x:g} it has {left} of its {precision} bits")
    return tuple(said)
