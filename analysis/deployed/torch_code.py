"""PyTorch: a module with an nn.Module and the autograd.Function behind it, which saves x alone."""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, ClassVar

import sympy as sp

from analysis.activation import functions, lookup
from analysis.activation.errors import BadInput
from analysis.activation.lowering import expm1, log1p
from analysis.activation.record import Activation
from analysis.deployed import python_code
from analysis.deployed.kernel import Certificate, Kernel, name_of
from analysis.deployed.steps import LARGEST, Wanted, entry, form, place

DTYPES = ("float16", "bfloat16", "float32", "float64")
VARIANTS = ("accurate", "fast")


def _clip(z: str, low: str, high: str) -> str:
    return _bounded("minimum", _bounded("maximum", z, low), high)


def _bounded(name: str, z: str, end: str) -> str:
    """Numbers are bounds of torch.clamp, which hands on nan and the gradient at the bound."""
    if not _is_number(end):
        return f"torch.{name}({z}, {end})"
    return f"torch.clamp({z}, {'min' if name == 'maximum' else 'max'}={end})"


def _is_number(text: str) -> bool:
    return text.lstrip("-")[:1].isdigit() or text == str(LARGEST)


class TorchPrinter(python_code.ArrayPrinter):
    """|z| is a selection: the slope of torch.abs is 0 at 0, where ours are those of the right side."""

    words: ClassVar[Mapping[str, str]] = {
        "where": "torch.where",
        "sqrt": "torch.sqrt",
        "largest": "0.99 * math.log(torch.finfo(x.dtype).max)",
        "full": "torch.full_like",
    }
    rows: ClassVar[Mapping[Any, str | Callable[..., str]]] = {
        sp.exp: "torch.exp",
        expm1: "torch.expm1",
        sp.log: "torch.log",
        log1p: "torch.log1p",
        sp.tanh: "torch.tanh",
        sp.atan: "torch.atan",
        sp.sin: "torch.sin",
        sp.cos: "torch.cos",
        sp.erf: "torch.erf",
        sp.sign: "torch.sign",
        sp.Abs: lambda z: f"torch.where({z} >= 0, {z}, -{z if z.isidentifier() else f'({z})'})",
        sp.Heaviside: lambda z, at: f"torch.where({z} == 0, {at}, ({z} > 0).to(x.dtype))",
        functions.Phi: lambda z: f"torch.erfc(-0.7071067811865476 * ({z})) / 2",
        functions.relu: lambda z: f"torch.clamp({z}, min=0)",
        functions.step: lambda z: f"({z} >= 0).to(x.dtype)",
        functions.clip: _clip,
        place: lambda x, *knots: f"torch.bucketize({x}.contiguous(), {x}.new_tensor([{', '.join(knots)}]), right=True)",
        entry: lambda i, *numbers: f"x.new_tensor([{', '.join(numbers)}])[{i}]",
    }

    def _extremum(self, expr, name=None):
        name = "maximum" if isinstance(expr, sp.Max) else "minimum"
        texts = [self._print(a) for a in sorted(expr.args, key=lambda a: a.is_number or a == LARGEST)]
        total = texts[0]
        for text in texts[1:]:
            total = _bounded(name, total, text)
        return total

    _print_Max = _print_Min = _extremum


def emit(kernel: Kernel, *, trainable: Sequence[str] = ()) -> str:
    """The text of a Python module: the function `NAME`, a class `Name(nn.Module)`, and `NAME_derivative` if asked for.

    `trainable` names constants of the function's family that become parameters of the class, and arguments of the
    function after x. Raises BadInput for one that the family has not.
    """
    expression, constants = _opened(kernel.activation, trainable)
    printer = TorchPrinter()
    symbols = list(constants)
    value = form(Wanted(expression))
    slopes = form(Wanted(expression, 1), *(Wanted(expression, 1, by=c) for c in symbols))
    names = ", ".join(["x", *(c.name for c in symbols)])
    name, cls = kernel.name, python_code.camel(kernel.name)
    text = _FAMILY if symbols else _FUNCTION
    parts = {
        "docstring": python_code.docstring(kernel),
        "name": name,
        "cls": cls,
        "widths": _widths(kernel.variant),
        "names": names,
        "value": python_code.indented(python_code.body(printer, value)),
        "slopes": python_code.indented(python_code.body(printer, slopes)),
        "signature": ", ".join(f"{c.name}={python_code.number(v)}" for c, v in constants.items()),
        "parameters": "\n".join(
            f"        self.{c.name} = nn.Parameter(torch.tensor(float({c.name})))" for c in symbols
        ),
        "members": ", ".join(f"self.{c.name}" for c in symbols),
    }
    source = text.format(**parts)
    if kernel.derivative:
        source += _DERIVATIVE.format(**parts)
    return python_code.with_imports(source, "math")


def module(function: str | Activation, *, trainable: Sequence[str] = (), variant: str = "fast") -> type:
    """The class of an exported activation, made by running the exported text; its instances are nn.Modules.

    `trainable` as in `emit`; then `function` may be a family, whose first member gives the values to start from.
    """
    command = f"analysis.deployed.torch_code.module({str(function)!r}, trainable={tuple(trainable)!r})"
    activation, name = _known(function) if trainable else (lookup.function(function), None)
    certificate = Certificate(activation.formula, command)
    kernel = Kernel(activation, name or name_of(activation), "float32", False, variant, certificate)
    return getattr(run(emit(kernel, trainable=trainable)), python_code.camel(kernel.name))


def run(source: str) -> ModuleType:
    """The module that the text is; tracebacks show its lines."""
    file = f"<actapprox export {next(_COUNT)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    made = ModuleType(f"actapprox_export_{next(_COUNT)}")
    made.__file__ = file
    exec(compile(source, file, "exec"), made.__dict__)
    return made


_COUNT = itertools.count()


def _known(function: str | Activation) -> tuple[Activation, str | None]:
    """The activation, and the name of its family if it was called by that."""
    found = function if isinstance(function, Activation) else lookup.get(function)
    if isinstance(found, Activation):
        return found, None
    return (found.members[0] if found.members else lookup.function(found.name)), found.name


def _opened(activation: Activation, trainable: Sequence[str]) -> tuple[sp.Expr, dict[sp.Symbol, sp.Expr]]:
    """The family's expression with `trainable` left free, and their values."""
    if not trainable:
        return activation.expression, {}
    if activation.family is None:
        raise BadInput(f"expected a member of a family, whose constants may be trained, got {activation.name}")
    family = lookup.family(activation.family)
    declared = [c.name for c in family.constants]
    if unknown := sorted(set(trainable) - set(declared)):
        raise BadInput(f"expected constants out of {', '.join(declared)} of {family.name}, got {', '.join(unknown)}")
    fixed = {family.symbol(n): v for n, v in activation.constants.items() if n not in trainable}
    free = {family.symbol(n): activation.constants[n] for n in declared if n in trainable}
    return family.expression.xreplace(fixed), free


def _widths(variant: str) -> str:
    wider = ["torch.float16: torch.float32", "torch.bfloat16: torch.float32"]
    return ", ".join([*wider, "torch.float32: torch.float64"] if variant == "accurate" else wider)


_FUNCTION = '''{docstring}

import math

import torch
from torch import nn

_WIDER = {{{widths}}}  # computed in that type and rounded once


def _value(x):
{value}


def _slope(x):
{slopes}


class _Function(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return _value(x.to(_WIDER.get(x.dtype, x.dtype))).to(x.dtype)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        wide = _WIDER.get(x.dtype, x.dtype)
        return (gradient.to(wide) * _slope(x.to(wide))).to(x.dtype)


def {name}(x):
    """Elementwise, of a floating tensor; for the backward pass x alone is kept."""
    if not x.is_floating_point():
        raise TypeError(f"expected a tensor of floating numbers, got one of {{x.dtype}}")
    return _Function.apply(x)


class {cls}(nn.Module):
    def forward(self, x):
        return {name}(x)
'''

_FAMILY = '''{docstring}

import math

import torch
from torch import nn

_WIDER = {{{widths}}}  # computed in that type and rounded once


def _value({names}):
{value}


def _slopes({names}):
{slopes}


class _Function(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x, *constants):
        wide = _WIDER.get(x.dtype, x.dtype)
        return _value(*(t.to(wide) for t in (x, *constants))).to(x.dtype)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, gradient):
        saved = ctx.saved_tensors
        wide = _WIDER.get(saved[0].dtype, saved[0].dtype)
        slopes = _slopes(*(t.to(wide) for t in saved))
        found = [gradient.to(wide) * slope for slope in slopes]
        return found[0].to(saved[0].dtype), *(g.sum().to(c.dtype) for g, c in zip(found[1:], saved[1:]))


def {name}({names}):
    """Elementwise, of a floating tensor and scalar tensors; for the backward pass they alone are kept."""
    if not x.is_floating_point():
        raise TypeError(f"expected a tensor of floating numbers, got one of {{x.dtype}}")
    return _Function.apply({names})


class {cls}(nn.Module):
    def __init__(self, {signature}):
        super().__init__()
{parameters}

    def forward(self, x):
        return {name}(x, {members})
'''

_DERIVATIVE = '''

def {name}_derivative(x):
    """The derivative, elementwise; at a kink one of the two slopes."""
    return _slope(x.to(_WIDER.get(x.dtype, x.dtype))).to(x.dtype)
'''
