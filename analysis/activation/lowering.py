"""From an expression to numeric code: one table, sympy head on the left, the NumPy function on the right.

An expression becomes a straight-line program (`Program`) over its distinct subexpressions, which runs on any backend
that has a row for each head. The NumPy backend computes in the next wider type and rounds once, so that arguments such
as beta*x, whose error an exponential would multiply by |beta x|, cost nothing: float16 and float32 through float64,
float64 through the machine's long double (64-bit mantissa on x86; where long double is no wider than double, errors
in the tails grow with |x|).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import sympy as sp

from analysis.activation import functions
from analysis.activation.errors import Undecided
from analysis.activation.parsing import X

HIGHEST_POWER = 64  # that is multiplied out
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


@dataclass(frozen=True, eq=False)
class Backend:
    """What runs a program: a function for each head, and how an exact constant becomes a number beside the input.

    +, * and / without a row are Python's own. Constants are made once for each `kind` of input; without it, each time.
    """

    rows: Mapping[Any, Callable]
    constant: Callable[[sp.Expr, Any], Any]
    kind: Callable[[Any], Hashable] | None = None


@dataclass(frozen=True)
class Program:
    """Instructions (head, operands) in order; operands and results are indices of inputs or of instructions."""

    variables: tuple[sp.Symbol, ...]
    instructions: tuple[tuple[Any, tuple[int, ...]], ...]
    results: tuple[int, ...]
    _ready: dict[Backend, Callable] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, *expressions: sp.Expr, variables: Sequence[sp.Symbol] = (X,)) -> Program:
        """One program for several expressions, which share their common parts."""
        compiler = _Compiler(variables)
        results = [compiler.emit(stable(expression)) for expression in expressions]
        return compiler.program(results)

    @classmethod
    def chain(
        cls,
        steps: Sequence[tuple[sp.Symbol, sp.Expr]],
        results: Sequence[sp.Expr],
        variables: Sequence[sp.Symbol] = (X,),
    ) -> Program:
        """One program for steps that bear names, and results in terms of them; as it stands, nothing is rewritten."""
        compiler = _Compiler(variables)
        for name, expression in steps:
            compiler.slots[name] = compiler.emit(expression)
        return compiler.program([compiler.emit(expression) for expression in results])

    @classmethod
    def jet(cls, expression: sp.Expr, order: int, variable: sp.Symbol = X) -> Program:
        """f, f', ..., f^(order) of a smooth f, each instruction differentiated in turn so that they share parts."""
        compiler = _Differentiator((variable,))
        results = [compiler.emit(stable(expression))]
        for _ in range(order):
            results.append(compiler.slope(results[-1]))
        return compiler.program(results)

    def run(self, backend: Backend, inputs: Sequence[Any]) -> list[Any]:
        """The values of the expressions, in order."""
        return self.on(backend)(*inputs)

    def on(self, backend: Backend) -> Callable[..., list[Any]]:
        """The program as a Python function of its inputs, whose result is the list of values."""
        if backend not in self._ready:
            self._ready[backend] = self._with_constants(backend, self._compiled(backend))
        return self._ready[backend]

    def _with_constants(self, backend: Backend, body: Callable) -> Callable[..., list[Any]]:
        values = [head for head, operands in self.instructions if not operands]
        constant, kind = backend.constant, backend.kind
        if kind is None:
            return lambda *inputs: body([constant(value, inputs[0]) for value in values], *inputs)
        known: dict[Hashable, list] = {}

        def evaluate(*inputs):
            beside = kind(inputs[0])
            if beside not in known:
                known[beside] = [constant(value, inputs[0]) for value in values]
            return body(known[beside], *inputs)

        return evaluate

    def _compiled(self, backend: Backend) -> Callable:
        """One line of Python for each instruction: the interpreter then does nothing but the calls themselves."""
        first = len(self.variables)
        made = [f"s{i}" for i, (_, operands) in enumerate(self.instructions, first) if not operands]
        lines = [f"[{', '.join(made)}] = constants"]
        rows: dict[str, Any] = {}
        for i, (head, operands) in enumerate(self.instructions, first):
            slots = [f"s{k}" for k in operands]
            if slots and head in _INFIX and head not in backend.rows:
                lines.append(f"s{i} = {head.join(slots)}")
            elif slots:
                if head not in backend.rows:
                    raise Undecided(f"values of {getattr(head, '__name__', head)}, which has no row")
                rows[f"row{i}"] = backend.rows[head]
                lines.append(f"s{i} = row{i}({', '.join(slots)})")
        lines.append(f"return [{', '.join(f's{k}' for k in self.results)}]")
        inputs = ", ".join(f"s{k}" for k in range(first))
        exec(f"def body(constants, {inputs}):\n " + "\n ".join(lines), rows)
        return rows["body"]


_INFIX = ("+", "*", "/")


class _Compiler:
    def __init__(self, variables: Sequence[sp.Symbol]):
        self.slots: dict[Any, int] = {v: i for i, v in enumerate(variables)}
        self.first = len(self.slots)
        self.instructions: list[tuple[Any, tuple[int, ...]]] = []
        self.known: dict[tuple[Any, tuple[int, ...]], int] = {}
        self.variables = tuple(variables)

    def program(self, results: Sequence[int]) -> Program:
        return Program(self.variables, tuple(self.instructions), tuple(results))

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
        if (head, operands) not in self.known:
            self.known[head, operands] = self.first + len(self.instructions)
            self.instructions.append((head, operands))
        return self.known[head, operands]

    def _fold(self, head: Any, operands: Sequence[int]) -> int:
        total = operands[0]
        for operand in operands[1:]:
            total = self._append(head, (total, operand))
        return total

    def _product(self, e: sp.Expr) -> int:
        """Numerator over denominator; x last, so that a gate divided by its cap is exactly one where it should be."""
        numerator, denominator = sp.fraction(e, exact=True)  # exp(-u) stays as it is
        factors = sorted(sp.Mul.make_args(numerator), key=lambda f: (f in self.slots and f.is_Symbol, f.is_number))
        if denominator == 1:
            return self._fold("*", [self.emit(f) for f in reversed(factors)])
        quotient = self._append("/", (self.emit(factors[0]), self.emit(denominator)))
        return self._fold("*", [quotient, *(self.emit(f) for f in factors[1:])])

    def _power(self, e: sp.Pow) -> int:
        if e.exp.is_Integer and 0 < e.exp <= HIGHEST_POWER:
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


class _Differentiator(_Compiler):
    """Forward differentiation, one instruction at a time, by sympy's rules for its head."""

    def __init__(self, variables: Sequence[sp.Symbol]):
        super().__init__(variables)
        self.slopes: dict[int, int | None] = dict.fromkeys(range(self.first))
        self.slopes[0] = self.emit(sp.S.One)

    def slope(self, slot: int) -> int:
        """The slot of the derivative by the first variable."""
        found = self._slope(slot)
        return self.emit(sp.S.Zero) if found is None else found

    def _slope(self, slot: int) -> int | None:
        """None for zero."""
        if slot not in self.slopes:
            self.slopes[slot] = self._by_rule(slot)
        return self.slopes[slot]

    def _by_rule(self, slot: int) -> int | None:
        """The chain rule: the sum of partial derivatives times slopes."""
        _, operands = self.instructions[slot - self.first]
        terms: list[int] = []
        for place, operand in enumerate(operands):
            inner = self._slope(operand)
            if inner is not None:
                terms.append(self._times(self._partial(slot, place), inner))
        return self._fold("+", terms) if terms else None

    def _partial(self, slot: int, place: int) -> int:
        """The derivative of the instruction by one operand; its own value and its operands are not computed again."""
        head, operands = self.instructions[slot - self.first]
        if head == "+":
            return self.emit(sp.S.One)
        if head == "*":
            return operands[1 - place]
        names = [self._named(operand) for operand in operands]
        value = _MEANING.get(head, head)(*names)
        self.slots |= {name: operand for name, operand in zip(names, operands, strict=True) if name.is_Symbol}
        self.slots[value] = slot
        return self.emit(sp.diff(value, names[place]).replace(_is_reflected, _reflect))

    def _named(self, slot: int) -> sp.Expr:
        """A constant stands for itself, anything else for a symbol of its own."""
        head, operands = self.instructions[slot - self.first] if slot >= self.first else (None, (slot,))
        return sp.Dummy(real=True) if operands else head

    def _times(self, a: int, b: int) -> int:
        one = self.emit(sp.S.One)
        return b if a == one else a if b == one else self._append("*", (a, b))


def _is_reflected(e: sp.Basic) -> bool:
    return isinstance(e, functions.sigmoid) and e.args[0].could_extract_minus_sign()


def _reflect(e: sp.Expr) -> sp.Expr:
    """sigmoid(-z) = 1 - sigmoid(z), which is known already."""
    return 1 - functions.sigmoid(-e.args[0])


# what the heads that are no functions of sympy stand for
_MEANING: dict[Any, Callable] = {
    "/": lambda a, b: a / b,
    "**": sp.Pow,
    "sqrt": sp.sqrt,
}


class expm1(sp.Function):
    """exp(z) - 1 without the cancellation at z = 0; appears in programs only."""

    def fdiff(self, argindex=1):
        return sp.exp(self.args[0])


class log1p(sp.Function):
    """log(1 + z) without the loss at z = 0; appears in programs only."""

    def fdiff(self, argindex=1):
        return 1 / (1 + self.args[0])


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
        functions.gated: lambda z: z * _sigmoid(z),
        functions.softplus: _softplus,
        functions.Phi: _Phi,
        functions.squareplus: _squareplus,
        functions.relu: lambda z: np.maximum(z, 0),
        functions.clip: np.clip,
        functions.step: lambda z: np.where(z >= 0, 1, 0),
    },
    _numpy_constant,
    lambda beside: beside.dtype.type,
)
