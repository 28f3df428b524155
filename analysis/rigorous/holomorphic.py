"""Complex balls as a backend of `analysis.activation.lowering`: an expression without kinks, off the real line.

What `acb.integral` needs. A ball is not finite where it meets a pole and, on request, where it meets a branch cut; on
each ball any form of a function will do that is analytic there and has its values on the real line.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sympy as sp
from flint import acb, ctx

from analysis.activation import functions, lowering
from analysis.activation.lowering import Backend, Program
from analysis.rigorous import balls

IMAGINARY_UNIT = acb(0, 1)


@lru_cache(maxsize=1024)
def continuation(expression: sp.Expr) -> Callable[[acb, bool], acb]:
    """The function (z, analytic) -> ball around the values on z; with `analytic`, finite only if analytic on all of z.

    Undecided for a head without a row.
    """
    program = Program.of(expression)
    anywhere, where_analytic = (program.on(backend) for backend in _BACKENDS)
    return lambda z, analytic: (where_analytic if analytic else anywhere)(z)[0]


def _rows(analytic: bool) -> dict[Any, Callable]:
    """With `analytic`, functions with branch cuts are not finite on a ball that meets one."""

    def log(z: acb) -> acb:
        return z.log(analytic=analytic)

    def atan(z: acb) -> acb:
        turned = IMAGINARY_UNIT * z
        return (log(1 + turned) - log(1 - turned)) / (2 * IMAGINARY_UNIT)

    def softplus(z: acb) -> acb:
        return z + (1 + (-z).exp()).log() if z.real > 0 else log(1 + z.exp())

    def squareplus(z: acb, b: acb) -> acb:
        root = (z * z + b).sqrt(analytic=analytic)
        return b / (2 * (root - z)) if z.real < 0 else (z + root) / 2

    return {
        "**": lambda base, exponent: base.pow(exponent, analytic=analytic),
        "sqrt": lambda z: z.sqrt(analytic=analytic),
        sp.exp: acb.exp,
        sp.log: log,
        lowering.expm1: acb.expm1,
        lowering.log1p: lambda z: log(1 + z),
        sp.tanh: acb.tanh,
        sp.sech: acb.sech,
        sp.atan: atan,
        sp.sin: acb.sin,
        sp.cos: acb.cos,
        sp.erf: acb.erf,
        functions.sigmoid: _sigmoid,
        functions.softplus: softplus,
        functions.Phi: lambda z: (-z / acb(2).sqrt()).erfc() / 2,
        functions.squareplus: squareplus,
    }


def _sigmoid(z: acb) -> acb:
    """By the exponential that is small on the ball."""
    if z.real > 0:
        return 1 / (1 + (-z).exp())
    e = z.exp()
    return e / (1 + e)


_BACKENDS = [
    Backend(_rows(analytic), lambda value, _: acb(balls.enclose(value)), lambda _: ctx.prec)
    for analytic in (False, True)
]
