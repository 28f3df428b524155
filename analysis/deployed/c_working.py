"""The types that C code computes in, and how programs are written in each: float, double, and `wide`.

A program (`lowering.Program`) becomes one declaration for each instruction. Those in float and double are printed by
sympy's printer of C99, whose table of functions is completed by ours; those in `wide` are calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import sympy as sp
from sympy.printing.c import C99CodePrinter

from analysis.activation import functions, lowering
from analysis.activation.errors import Undecided
from analysis.activation.lowering import Program, stable
from analysis.activation.parsing import X
from analysis.deployed import c_wide
from analysis.deployed.forms import SIMPLE, over
from analysis.deployed.polynomials import hexadecimal

DIGITS = 50


class bounded_exp(sp.Function):
    """exp of an argument that is known to be moderate; appears in programs only."""

    nargs = 1


class short_exp(sp.Function):
    """The same, to the accuracy of a float; appears in programs only."""

    nargs = 1


class exactly(sp.Function):
    """exactly(r) is r, kept in one piece where sympy would make it a numerator and a denominator; in programs only."""

    nargs = 1

    def _eval_evalf(self, prec):
        return self.args[0]._eval_evalf(prec)

    def _eval_is_real(self):
        return True


def program_of(*bodies: sp.Expr, variables: Sequence[sp.Symbol] = (X,)) -> Program:
    """The program of stable forms, whose rational constants are rounded once each."""
    kept = [stable(body).replace(_is_long, exactly) for body in bodies]
    return Program.of(*kept, variables=variables)


def _is_long(e: sp.Basic) -> bool:
    return bool(e.is_Rational) and e.q > SIMPLE


# sympy's name of a head -> the function in double, as sympy's printers take it
_NATIVE = {
    "bounded_exp": "aa_exp_bounded",
    "short_exp": "aa_exp_short",
    "exp": "aa_exp",
    "log": "aa_log",
    "expm1": "aa_expm1",
    "log1p": "aa_log1p",
    "tanh": "aa_tanh",
    "sech": "aa_sech",
    "erf": "aa_erf",
    "sin": "sin",  # this and the next two are those of C99's library
    "cos": "cos",
    "atan": "atan",
    "Abs": "fabs",
    "sign": "aa_sign",
    "Max": "aa_max",
    "Min": "aa_min",
    "sigmoid": "aa_sigmoid",
    "gated": "aa_gated",
    "softplus": "aa_softplus",
    "Phi": "aa_Phi",
    "squareplus": "aa_squareplus",
    "clip": "aa_clamp",
    "step": "aa_step",
}

_WIDE: dict[Any, str] = {
    "+": "aa_add",
    "*": "aa_mul",
    "/": "aa_div",
    "**": "aa_wpow",
    "sqrt": "aa_root",
    bounded_exp: "aa_wexp",
    short_exp: "aa_wexp",
    sp.exp: "aa_wexp",
    sp.log: "aa_wlog",
    lowering.expm1: "aa_wexpm1",
    lowering.log1p: "aa_wlog1p",
    sp.tanh: "aa_wtanh",
    sp.sech: "aa_wsech",
    sp.Abs: "aa_wabs",
    sp.sign: "aa_wsign",
    sp.Max: "aa_wmax",
    sp.Min: "aa_wmin",
    functions.sigmoid: "aa_wsigmoid",
    functions.gated: "aa_wgated",
    functions.softplus: "aa_wsoftplus",
    functions.Phi: "aa_wPhi",
    functions.squareplus: "aa_wsquareplus",
    functions.step: "aa_wstep",
}


def is_wide(expression: sp.Expr) -> bool:
    """Whether all that is in it is known in `wide`."""
    return not expression.has(sp.sin, sp.cos, sp.atan, sp.erf)


class Printer(C99CodePrinter):
    """Statements in double; a symbol may be the text of a literal."""

    def __init__(self, names: dict[str, str]):
        super().__init__({"user_functions": names, "strict": True})

    def _print_Pow(self, expr):
        if expr.exp == sp.S.Half:
            return f"sqrt({self._print(expr.base)})"
        if expr.exp == -1:
            return f"1.0/{self.parenthesize(expr.base, 50)}"
        return f"aa_pow({self._print(expr.base)}, {self._print(expr.exp)})"


_RELATIONS = {sp.Lt: "<", sp.Le: "<=", sp.Gt: ">", sp.Ge: ">="}

# what the heads that are no functions of sympy stand for
_MEANING: dict[Any, Any] = {
    "+": lambda a, b: sp.Add(a, b, evaluate=False),
    "*": lambda a, b: sp.Mul(a, b, evaluate=False),
    "/": lambda a, b: sp.Mul(a, sp.Pow(b, -1, evaluate=False), evaluate=False),
    "**": lambda a, b: sp.Pow(a, b, evaluate=False),
    "sqrt": lambda a: sp.Pow(a, sp.S.Half, evaluate=False),
}


def high_precision(value: sp.Expr) -> mpmath.mpf:
    """The exact constant to 50 digits; Undecided where it has no value."""
    if value.is_Rational:
        with mpmath.workdps(DIGITS):
            return mpmath.mpf(int(value.p)) / int(value.q)
    found = functions.elementary(value).evalf(DIGITS)
    if not found.is_Float and not found.is_Rational:
        raise Undecided(f"the value of the constant {value}")
    with mpmath.workdps(DIGITS):
        return mpmath.mpf(str(found))


@dataclass(frozen=True)
class Native:
    """Computation in float or in double."""

    type: str
    bits: int

    def constant(self, value: sp.Expr) -> str:
        text = hexadecimal(high_precision(value), self.bits)
        return f"({text})" if text.startswith("-") else text

    def reciprocal(self, value: sp.Expr) -> str:
        return self.constant(1 / value)

    def of(self, name: str) -> str:
        """A float or a double in this type."""
        return name

    def narrowed(self, name: str, base: str) -> str:
        return name if base == self.type else f"({base}){name}"

    def statement(self, head: Any, operands: Sequence[str]) -> str:
        symbols = [sp.Symbol(name, real=True) for name in operands]
        if head == "where":
            return f"{operands[0]} ? {operands[1]} : {operands[2]}"
        if head in _RELATIONS:
            return f"{operands[0]} {_RELATIONS[head]} {operands[1]}"
        if head in (sp.And, sp.Or):
            return f"{operands[0]} {'&' if head is sp.And else '|'} {operands[1]}"
        if head is functions.relu:
            return f"{operands[0]} < 0.0 ? 0.0 : {operands[0]}"
        if head in (sp.Max, sp.Min):
            return f"{_NATIVE[head.__name__]}({', '.join(operands)})"
        if head not in _MEANING and getattr(head, "__name__", "") not in _NATIVE:
            raise Undecided(f"no kernel in C for {getattr(head, '__name__', head)}")
        expression = _MEANING[head](*symbols) if head in _MEANING else _applied(head, symbols)
        text = Printer(_NATIVE).doprint(expression)
        return _in_float(text) if self.bits == 24 else text


def _applied(head: Any, symbols: Sequence[sp.Symbol]) -> sp.Expr:
    return head(*symbols, evaluate=False)


def _in_float(text: str) -> str:
    return text.replace("1.0/", "1.0f/")


@dataclass(frozen=True)
class Wide:
    """Computation in two doubles and an exponent."""

    type: str = "aa_wide"

    def constant(self, value: sp.Expr) -> str:
        return c_wide.number(high_precision(value))

    def reciprocal(self, value: sp.Expr) -> str:
        return self.constant(1 / value)

    def of(self, name: str) -> str:
        return f"aa_of({name})"

    def narrowed(self, name: str, base: str) -> str:
        return f"aa_narrow({name})"

    def statement(self, head: Any, operands: Sequence[str]) -> str:
        if head == "where":
            return f"aa_pick({', '.join(operands)})"
        if head in (sp.Lt, sp.Gt, sp.Le, sp.Ge):
            left, right = operands if head in (sp.Lt, sp.Ge) else operands[::-1]
            return f"{'' if head in (sp.Lt, sp.Gt) else '!'}aa_less({left}, {right})"
        if head in (sp.And, sp.Or):
            return f"{operands[0]} {'&' if head is sp.And else '|'} {operands[1]}"
        if head is functions.relu:
            return f"aa_pick({operands[0]}.h < 0.0, aa_of(0.0), {operands[0]})"
        if head is functions.clip:
            return f"aa_wmin(aa_wmax({operands[0]}, {operands[1]}), {operands[2]})"
        if head not in _WIDE:
            raise Undecided(f"no kernel in C for {getattr(head, '__name__', head)}, to the last place of float64")
        return f"{_WIDE[head]}({', '.join(operands)})"


FLOAT, DOUBLE, WIDE = Native("float", 24), Native("double", 53), Wide()
Working = Native | Wide
_CONDITIONS = (sp.core.relational.Relational, sp.And, sp.Or)


def transcribed(
    program: Program, working: Working, inputs: Sequence[str], prefix: str, *, fused: bool = False
) -> tuple[list[str], list[str]]:
    """The program as declarations, and the names of its results; with `fused`, a product that is added is an fma."""
    names: list[str] = list(inputs)
    values: dict[int, sp.Expr] = {}
    products: dict[int, tuple[str, str]] = {}
    multiples: set[int] = set()
    needed = {k for head, operands in program.instructions if head != "+" for k in operands} | set(program.results)
    lines: list[str] = []
    for i, (head, operands) in enumerate(program.instructions, len(inputs)):
        if not operands:
            values[i] = head
            names.append(working.constant(head))
            continue
        used = [names[k] for k in operands]
        if head in ("/", over) and operands[1] in values:
            head, used[1] = "*", working.reciprocal(values[operands[1]])
        minus = next((k for k in (0, 1) if head == "*" and values.get(operands[k]) == -1), None)
        summands = [k for k in (0, 1) if head == "+" and fused and operands[k] in products]
        added = min(summands, key=lambda k: operands[k] in multiples, default=None)
        if minus is not None:
            text = f"aa_neg({used[1 - minus]})" if working is WIDE else f"-{used[1 - minus]}"
        elif added is not None:
            text = f"aa_fma_f32({', '.join((*products[operands[added]], used[1 - added]))})"
        else:
            text = working.statement(head, used)
            if head == "*" and i not in needed:
                products[i] = (used[0], used[1])
                multiples |= {i} if values.keys() & operands else set()  # such as 2 x, often exact
        is_condition = isinstance(head, type) and issubclass(head, _CONDITIONS)
        names.append(f"{prefix}{len(lines)}")
        lines.append(f"const {'int' if is_condition else working.type} {names[i]} = {text};")
    return lines, [names[k] for k in program.results]
