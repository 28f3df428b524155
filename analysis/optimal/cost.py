"""What a value costs, in counted operations of a branch-free vector kernel in float32; one model for everything.

A fused multiply-add counts as one `mul` and one `add`. A division, a square root and the transcendental functions count
as the usual kernels for them, without a table, to about one ulp: a division is a reciprocal estimate with two Newton
steps; exp a reduction in two parts, a polynomial of degree 5 and a scaling; log and atan a reduction and a polynomial
of degree 8; sin and cos of degree 7; erf and Phi a polynomial of degree 9 beside an exp and a division. Others are made
of these: sigmoid(z) = 1/(1 + exp(-z)), tanh(z) = 2 sigmoid(2z) - 1, softplus(z) = max(z, 0) + log(1 + exp(-|z|)). A
selection is a `compare`, a clip two `minmax`; a sign or a constant costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import sympy as sp

from analysis.activation import functions, lowering
from analysis.activation.lowering import Program

WORD = 4  # bytes of a table's entry


class Pieces(Protocol):
    """Polynomials on intervals, by their coefficients."""

    @property
    def coefficients(self) -> tuple[tuple[sp.Expr, ...], ...]: ...


@dataclass(frozen=True)
class Cost:
    """Operations for one value, and the bytes of the tables they read."""

    mul: int = 0
    add: int = 0
    minmax: int = 0
    compare: int = 0
    table_bytes: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(getattr(self, k) + getattr(other, k) for k in self.to_dict()))

    @property
    def operations(self) -> int:
        """All of them; a fused multiply-add counts as two."""
        return self.mul + self.add + self.minmax + self.compare

    def to_dict(self) -> dict[str, int]:
        return {
            "mul": self.mul,
            "add": self.add,
            "minmax": self.minmax,
            "compare": self.compare,
            "table_bytes": self.table_bytes,
        }


FREE = Cost()
MUL, ADD, MINMAX, COMPARE = Cost(mul=1), Cost(add=1), Cost(minmax=1), Cost(compare=1)
DIVISION = Cost(mul=4, add=2)
EXP = Cost(mul=9, add=8)
LOG = Cost(mul=10, add=10)
SIGMOID = EXP + ADD + DIVISION

_KERNELS: dict[Any, Cost] = {
    "+": ADD,
    "*": MUL,
    "/": DIVISION,
    "sqrt": Cost(mul=5, add=2),
    "**": LOG + MUL + EXP,
    "where": COMPARE,
    sp.exp: EXP,
    lowering.expm1: EXP + ADD,
    sp.log: LOG,
    lowering.log1p: LOG + ADD,
    functions.sigmoid: SIGMOID,
    functions.gated: SIGMOID + MUL,
    sp.tanh: SIGMOID + MUL + ADD,
    sp.sech: EXP + ADD + DIVISION + MUL,
    functions.softplus: EXP + LOG + ADD + ADD + MINMAX,
    sp.erf: EXP + DIVISION + Cost(mul=11, add=10),
    functions.Phi: EXP + DIVISION + Cost(mul=13, add=11),
    functions.squareplus: Cost(mul=7, add=4),
    sp.atan: Cost(mul=14, add=12, compare=1),
    sp.sin: Cost(mul=11, add=10),
    sp.cos: Cost(mul=11, add=10),
    sp.Abs: FREE,
    sp.sign: COMPARE,
    sp.Heaviside: COMPARE,
    sp.Max: MINMAX,
    sp.Min: MINMAX,
    sp.Lt: FREE,  # counted with the selection that it serves
    sp.Le: FREE,
    sp.Gt: FREE,
    sp.Ge: FREE,
    sp.And: COMPARE,
    sp.Or: COMPARE,
    functions.relu: MINMAX,
    functions.clip: MINMAX + MINMAX,
    functions.step: COMPARE,
}


def of_expression(expression: sp.Expr) -> Cost:
    """The cost of evaluating an expression in x as it is written, common parts once; constants are folded."""
    program = Program.of(expression)
    total = FREE
    constants: set[int] = set()
    scaled: set[int] = set()  # by a constant; another one is folded into it
    for slot, (head, operands) in enumerate(program.instructions, len(program.variables)):
        if constants.issuperset(operands):
            constants.add(slot)
            continue
        by_one = head == "*" and any(_is_sign(program, k) for k in operands)
        by_constant = bool(constants & {*operands}) if head == "*" else head == "/" and operands[1] in constants
        if by_constant and not by_one:
            total += FREE if scaled & {*operands} else MUL
            scaled.add(slot)
            continue
        total += FREE if by_one else _KERNELS[head]
    return total


def _is_sign(program: Program, slot: int) -> bool:
    """Whether a factor is 1 or -1."""
    index = slot - len(program.variables)
    return index >= 0 and program.instructions[index][0] in (1, -1)


def cost_of(polynomials: Pieces, *, by_arithmetic: bool = False) -> Cost:
    """The cost of looking the piece up and evaluating it; `by_arithmetic` where the knots are evenly spaced."""
    pieces, degree = len(polynomials.coefficients), max(len(row) for row in polynomials.coefficients) - 1
    words = pieces * (degree + 1) if pieces > 1 else 0
    if by_arithmetic:
        return Cost(degree + 1, degree + 1, 2, 0, WORD * words)
    knots = pieces - 1
    return Cost(degree, degree + max(knots - 1, 0), 0, knots, WORD * (words + knots))
