"""From an expression to numeric code: one table, sympy head on the left, the NumPy function on the right.

An expression becomes a straight-line program (`Program`) over its distinct subexpressions, which runs on any backend
that has a row for each head. The NumPy backend computes in the next wider type and rounds once, so that arguments such
as beta*x, whose error an exponential would multiply by |beta x|, cost nothing: float16 and float32 through float64,
float64 through the machine's long double (64-bit mantissa on x86; where long double is no wider than double, errors
in the tails grow with |x|).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import sympy as sp

from analysis.activation import functions
from analysis.activation.parsing import X

WIDER = {np.float16: np.float64, np.float32: np.float64, np.float64: np.longdouble, np.longdouble: np.longdouble}


def evaluator(
    expression: sp.Expr, variables: Sequence[sp.Symbol] = (X,), *, wide: bool = True
) -> Callable[..., np.ndarray]:
    """A vectorised NumPy function of the variables; the type of the first array is the type of the result.

    For float16, float32 and float64; other numbers are taken as float64. At -inf and inf it gives the limit: where IEEE
    arithmetic has no answer (inf * 0), the value at the fourth power of the largest number, which the wider type holds
    and at which every limit of interest is reached. With `wide` false it computes in the type itself, for speed.
    """
    program = Program.of(expression, variables=variables)

    def evaluate(first, *others):
        first = np.asarray(first)
        dtype = first.dtype.type if first.dtype.type in WIDER else np.float64
        compute = WIDER[dtype] if wide else dtype
        inputs = [np.asarray(a).astype(compute) for a in (first, *others)]
        with np.errstate(all="ignore"):
            result = np.asarray(program.run(NUMPY, inputs)[0])
            result = np.broadcast_to(result, np.broadcast_shapes(*(a.shape for a in inputs)))
            lost = np.isnan(result) & np.isinf(inputs[0])
            if lost.any():
                largest = np.asarray(np.finfo(dtype).max, compute)
                far = np.copysign(largest ** (4 if wide else 1), inputs[0])
                (limit,) = program.run(NUMPY, [np.where(lost, far, inputs[0]), *inputs[1:]])
                result = np.where(lost, limit, result)
            return result.astype(dtype)

    return evaluate


@dataclass(frozen=True)
class Program:
    """Instructions (head, operands) in order; operands and results are indices of inputs or of instructions."""

    variables: tuple[sp.Symbol, ...]
    instructions: tuple[tuple[Any, tuple[int, ...]], ...]
    results: tuple[int, ...]

    @classmethod
    def of(cls, *expressions: sp.Expr, variables: Sequence[sp.Symbol] = (X,)) -> Program:
        """One program for several expressions, which share their common parts."""
        compiler = _Compiler(variables)
        results = tuple(compiler.emit(stable(expression)) for expression in expressions)
        return cls(tuple(variables), tuple(compiler.instructions), results)

    def run(self, backend: Backend, inputs: Sequence[Any]) -> list[Any]:
        """The values of the expressions, in order."""
        slots = list(inputs)
        for head, operands in self.instructions:
            if operands:
                slots.append(backend.rows[head](*[slots[i] for i in operands]))
            else:
                slots.append(backend.constant(head, slots[0]))
        return [slots[i] for i in self.results]


@dataclass(frozen=True)
class Backend:
    """What runs a program: a function for each head, and how an exact constant becomes a number beside the input."""

    rows: Mapping[Any, Callable]
    constant: Callable[[sp.Expr, Any], Any]


class _Compiler:
    def __init__(self, variables: Sequence[sp.Symbol]):
        self.slots: dict[Any, int] = {v: i for i, v in enumerate(variables)}
        self.first = len(self.slots)
        self.instructions: list[tuple[Any, tuple[int, ...]]] = []

    def emit(self, e: sp.Basic) -> int:
        if e not in self.slots:
            self.slots[e] = self._emit(e)
        return self.slots[e]

    def _emit(self, e: sp.Basic) -> int:
        if not e.free_symbols and e not in (sp.true, sp.false):
            return self._append(e, ())
        if isinstance(e, sp.Mul):
            return self._product(e)
        if isinstance(e, sp.Add):
            return self._fold("+", [self.emit(a) for a in e.args])
        if isinstance(e, sp.Max | sp.Min):
            return self._fold(type(e), [self.emit(a) for a in e.args])
        if isinstance(e, sp.Pow):
            return self._power(e)
        if isinstance(e, sp.Piecewise):
            return self._piecewise(e)
        if isinstance(e, sp.core.relational.Relational):
            return self._append(type(e), (self.emit(e.lhs), self.emit(e.rhs)))
        if isinstance(e, sp.And | sp.Or):
            return self._fold(type(e), [self.emit(a) for a in e.args])
        return self._append(type(e), tuple(self.emit(a) for a in e.args))

    def _append(self, head: Any, operands: tuple[int, ...]) -> int:
        self.instructions.append((head, operands))
        return self.first + len(self.instructions) - 1

    def _fold(self, head: Any, operands: Sequence[int]) -> int:
        total = operands[0]
        for operand in operands[1:]:
            total = self._append(head, (total, operand))
        return total

    def _product(self, e: sp.Expr) -> int:
        """Numerator over denominator; x last, so that a gate divided by its cap is exactly one where it should be."""
        numerator, denominator = sp.fraction(e)
        factors = sorted(sp.Mul.make_args(numerator), key=lambda f: (f in self.slots and f.is_Symbol, f.is_number))
        if denominator == 1:
            return self._fold("*", [self.emit(f) for f in reversed(factors)])
        quotient = self._append("/", (self.emit(factors[0]), self.emit(denominator)))
        return self._fold("*", [quotient, *(self.emit(f) for f in factors[1:])])

    def _power(self, e: sp.Pow) -> int:
        if e.exp.is_Integer and 0 < e.exp <= 8:
            return self._repeated_square(self.emit(e.base), int(e.exp))
        if e.exp.is_negative:
            return self._append("/", (self.emit(sp.S.One), self.emit(1 / e)))
        if e.exp == sp.S.Half:
            return self._append("sqrt", (self.emit(e.base),))
        return self._append("**", (self.emit(e.base), self.emit(e.exp)))

    def _repeated_square(self, base: int, n: int) -> int:
        if n == 1:
            return base
        half = self._repeated_square(base, n // 2)
        square = self._append("*", (half, half))
        return self._append("*", (square, base)) if n % 2 else square

    def _piecewise(self, e: sp.Piecewise) -> int:
        *arms, (last, _) = e.args
        value = self.emit(last)
        for arm, condition in reversed(arms):
            value = self._append("where", (self.emit(condition), self.emit(arm), value))
        return value


class expm1(sp.Function):
    """exp(z) - 1 without the cancellation at z = 0; appears in programs only."""


class log1p(sp.Function):
    """log(1 + z) without the loss at z = 0; appears in programs only."""


def stable(expression: sp.Expr) -> sp.Expr:
    """Exact rewrites to forms without cancellation.

    Those of `functions.recognise`; 1 - tanh(u)^2 = sech(u)^2; c exp(u) - c = c expm1(u); log(1 + u) = log1p(u).
    """
    rewritten = functions.recognise(expression).replace(sp.log, _log_near_one)
    return rewritten.replace(lambda e: e.is_Add, _without_cancellation)


def _log_near_one(z: sp.Expr) -> sp.Expr:
    return log1p(z - 1) if z.is_Add and sp.S.One in z.args else sp.log(z)


def _without_cancellation(total: sp.Add) -> sp.Expr:
    constant, rest = total.as_coeff_Add()
    for term in sp.Add.make_args(rest):
        coefficient, e = term.as_coeff_Mul()
        if constant == 0 or constant != -coefficient:
            continue
        if isinstance(e, sp.exp):
            return rest - term + coefficient * expm1(e.args[0])
        if isinstance(e, sp.Pow) and isinstance(e.base, sp.tanh) and e.exp == 2:
            return rest - term + constant * sp.sech(e.base.args[0]) ** 2
    return total


# NumPy rows; each is right for every float type and at infinite arguments


def _sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def _softplus(z):
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def _sech(z):
    e = np.exp(-np.abs(z))
    return 2 * e / (1 + e * e)


def _erf(z):
    if z.dtype != np.longdouble:
        from scipy import special  # slow to import, and most functions do without

        return special.erf(z)
    body, tail = _erf_and_erfc(np.abs(z))
    return np.copysign(np.where(np.abs(z) < 2, body, 1 - tail), z)


def _Phi(z):
    if z.dtype != np.longdouble:
        from scipy import special

        return special.ndtr(z)
    body, tail = _erf_and_erfc(np.abs(z) * np.sqrt(z.dtype.type(0.5)))
    small = np.abs(z) < 1
    return np.where(small, 1 + np.copysign(body, z), np.where(z < 0, tail, 2 - tail)) / 2


def _erf_and_erfc(u):
    """erf and erfc of u >= 0 in long double, which scipy lacks; each to full relative accuracy, erf for u < 2 only.

    erf by its series of positive terms (Abramowitz and Stegun 7.1.6); erfc as 1 - erf below 2, where eight bits of the
    eleven to spare cancel, and by its continued fraction (7.1.14) above. 64 terms and 96 levels suffice at u = 2, the
    worst place of both.
    """
    decay = np.exp(-u * u)
    inner = np.minimum(u, 2)
    term = total = inner
    for n in range(1, 64):
        term = term * (2 * inner * inner / (2 * n + 1))
        total = total + term
    root_pi = np.sqrt(np.arccos(u.dtype.type(-1)))
    erf = 2 / root_pi * np.exp(-inner * inner) * total
    outer = np.maximum(u, 2)
    fraction = outer
    for k in range(96, 0, -1):
        fraction = outer + (k * u.dtype.type(0.5)) / fraction
    return erf, np.where(u < 2, 1 - erf, decay / (root_pi * fraction))


def _squareplus(z, b):
    """(z + r)/2 with r = sqrt(z^2 + b); for z < 0 as b/(2 (r - z)), where the sum would cancel."""
    root = np.hypot(z, np.sqrt(b))
    return np.where(z < 0, b / np.where(z < 0, root - z, 1), z + root) / 2


def _numpy_constant(value: sp.Expr, beside: np.ndarray):
    kind: Any = beside.dtype.type
    return _rounded(value, kind)


@cache
def _rounded(value: sp.Expr, dtype: Any):
    """The constant in a float type, rounded once: 25 digits are enough for a 64-bit mantissa."""
    if value.is_Integer and abs(value) < 2**53:
        return dtype(int(value))
    return dtype(str(functions.elementary(value).evalf(25)))


NUMPY = Backend(
    {
        "+": np.add,
        "*": np.multiply,
        "/": np.divide,
        "**": np.power,
        "sqrt": np.sqrt,
        "where": np.where,
        sp.exp: np.exp,
        sp.log: np.log,
        expm1: np.expm1,
        log1p: np.log1p,
        sp.tanh: np.tanh,
        sp.sech: _sech,
        sp.atan: np.arctan,
        sp.sin: np.sin,
        sp.cos: np.cos,
        sp.erf: _erf,
        sp.Abs: np.abs,
        sp.sign: np.sign,
        sp.Heaviside: lambda z, at_zero: np.where(z == 0, at_zero, np.where(z > 0, 1, 0)),
        sp.Max: np.maximum,
        sp.Min: np.minimum,
        sp.Lt: np.less,
        sp.Le: np.less_equal,
        sp.Gt: np.greater,
        sp.Ge: np.greater_equal,
        sp.And: np.logical_and,
        sp.Or: np.logical_or,
        functions.sigmoid: _sigmoid,
        functions.softplus: _softplus,
        functions.Phi: _Phi,
        functions.squareplus: _squareplus,
        functions.relu: lambda z: np.maximum(z, 0),
        functions.clip: np.clip,
        functions.step: lambda z: np.where(z >= 0, 1, 0),
    },
    _numpy_constant,
)
