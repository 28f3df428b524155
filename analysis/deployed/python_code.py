"""What NumPy, PyTorch and JAX have in common as languages: a printer by sympy's, constants, docstrings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import sympy as sp
from sympy.printing.pycode import PythonCodePrinter

from analysis.activation import functions
from analysis.deployed.kernel import Kernel
from analysis.deployed.steps import LARGEST, Form, Result

MULTIPLIED = 4  # powers up to this one are written as products


class ArrayPrinter(PythonCodePrinter):
    """Expressions on arrays; a language adds the rows of its functions and what is special to it.

    A constant is the shortest decimal that rounds to its double. Products are written gate first: numerators, then
    denominators, then x, so that a gate divided by its cap is exactly one where it should be.
    """

    words: ClassVar[Mapping[str, str]] = {}  # where, sqrt, maximum, minimum, full, largest
    rows: ClassVar[Mapping[Any, str | Callable[..., str]]] = {}  # by sympy's head

    def __init__(self) -> None:
        super().__init__({"fully_qualified_modules": False, "allow_unknown_functions": False})

    def _print(self, expr, **kwargs):
        if isinstance(expr, sp.Expr) and not expr.free_symbols:
            return number(expr)
        row = self.rows.get(type(expr))
        if row is not None:
            arguments = [self._print(a) for a in expr.args]
            return row(*arguments) if callable(row) else f"{row}({', '.join(arguments)})"
        return super()._print(expr, **kwargs)

    def _print_Mul(self, expr):
        factor, rest = expr.as_coeff_Mul()
        if factor == -1:
            return f"-{self.parenthesize(rest, sp.printing.precedence.PRECEDENCE['Mul'])}"
        numerator, denominator = sp.fraction(expr, exact=True)
        parts = sorted(sp.Mul.make_args(numerator), key=lambda f: (f.is_Symbol, f.is_number, str(f)))
        if parts[-1].is_number:  # 2*x, but gate*x
            parts = [parts[-1], *parts[:-1]]
        texts = [self.parenthesize(p, sp.printing.precedence.PRECEDENCE["Mul"]) for p in parts if p != 1] or ["1"]
        if denominator != 1:
            texts[0] += " / " + self.parenthesize(denominator, sp.printing.precedence.PRECEDENCE["Pow"])
        return " * ".join(texts)

    def _print_Pow(self, expr, **_):
        base, power = expr.as_base_exp() if expr.exp.is_Rational else expr.args
        atom = self.parenthesize(base, sp.printing.precedence.PRECEDENCE["Pow"])
        if power.is_negative:
            return f"1 / {self.parenthesize(base**-power, sp.printing.precedence.PRECEDENCE['Pow'])}"
        if power == sp.S.Half:
            return f"{self.words['sqrt']}({self._print(base)})"
        if power.is_Integer and power <= MULTIPLIED and base.is_Symbol:
            return " * ".join([atom] * int(power))
        return f"{atom}**{self.parenthesize(power, sp.printing.precedence.PRECEDENCE['Pow'])}"

    def _print_Relational(self, expr):
        return f"({self._print(expr.lhs)} {expr.rel_op} {self._print(expr.rhs)})"

    def _print_Piecewise(self, expr):
        *arms, (last, _) = expr.args
        text = self._print(last)
        for arm, condition in reversed(arms):
            text = f"{self.words['where']}({self._condition(condition)}, {self._print(arm)}, {text})"
        return text

    def _condition(self, condition: sp.Basic) -> str:
        if isinstance(condition, sp.And | sp.Or):
            sign = " & " if isinstance(condition, sp.And) else " | "
            return "(" + sign.join(map(self._condition, condition.args)) + ")"
        return self._print(condition)

    def _print_Max(self, expr):
        return self._extremum(expr, self.words["maximum"])

    def _print_Min(self, expr):
        return self._extremum(expr, self.words["minimum"])

    def _extremum(self, expr, name: str) -> str:
        texts = [self._print(a) for a in sorted(expr.args, key=lambda a: a.is_number)]
        total = texts[0]
        for text in texts[1:]:
            total = f"{name}({total}, {text})"
        return total


def number(value: sp.Expr) -> str:
    """The shortest decimal of the nearest double; whole numbers as such."""
    if value.is_infinite:
        return "math.inf" if value.is_positive else "-math.inf"
    if value.is_Integer and abs(value) < 2**53:
        return str(value)
    return repr(double(value))


def double(value: sp.Expr) -> float:
    """The double nearest to an exact constant."""
    if value.is_Rational:
        return int(value.p) / int(value.q)
    return float(functions.elementary(value).evalf(25))


def body(printer: ArrayPrinter, form: Form) -> list[str]:
    """The lines of a function of x: a step each, and the results with their values at the ends put in."""
    lines = [f"{LARGEST} = {printer.words['largest']}"] if form.overflows else []
    lines += [f"{name} = {printer.doprint(e)}" for name, e in form.steps]
    texts = [_ended(printer, result) for result in form.results]
    return [*lines, f"return {', '.join(texts)}"]


def _ended(printer: ArrayPrinter, result: Result) -> str:
    text = printer.doprint(result.value)
    if not result.value.free_symbols:
        text = f"{printer.words['full']}(x, {text})"
    for end, value in (("-math.inf", result.below), ("math.inf", result.above)):
        if value is not None:
            text = f"{printer.words['where']}(x == {end}, {number(value)}, {text})"
    return text


def docstring(kernel: Kernel, *more: str) -> str:
    """The header as the docstring of a module."""
    return '"""' + "\n".join([*kernel.header(), *more]) + '\n"""'


def camel(name: str) -> str:
    """The name of a class, never that of the function: hard_mish is HardMish, and Mish is MishModule."""
    found = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    return f"{name}Module" if found == name else found


def indented(lines: list[str], by: int = 4) -> str:
    return "\n".join(" " * by + line if line else "" for line in lines)


def with_imports(source: str, *modules: str) -> str:
    """The text without those of its imports that it does not use; each `import module` is a line."""
    for module in modules:
        line = f"import {module}\n"
        if not re.search(rf"(?<!import )\b{re.escape(module)}\.", source.split('"""', 2)[2]):
            source = source.replace(line + "\n", "" if module == "math" else "\n").replace(line, "")
    return source
