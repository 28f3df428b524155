"""JAX: a function with its own rule of differentiation, `jax.custom_jvp`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import sympy as sp

from analysis.activation import functions
from analysis.activation.lowering import expm1, log1p
from analysis.deployed import python_code
from analysis.deployed.kernel import Kernel
from analysis.deployed.steps import Wanted, entry, form, place

DTYPES = ("float16", "bfloat16", "float32", "float64")
VARIANTS = ("accurate", "fast")


class JaxPrinter(python_code.ArrayPrinter):
    """|z| and max(z, 0) are selections: at 0 JAX would take the middle of the two slopes, where ours are one side's."""

    words: ClassVar[Mapping[str, str]] = {
        "where": "jnp.where",
        "sqrt": "jnp.sqrt",
        "maximum": "jnp.maximum",
        "minimum": "jnp.minimum",
        "full": "jnp.full_like",
        "largest": "0.99 * math.log(jnp.finfo(x.dtype).max)",
    }
    rows: ClassVar[Mapping[Any, str | Callable[..., str]]] = {
        sp.exp: "jnp.exp",
        expm1: "jnp.expm1",
        sp.log: "jnp.log",
        log1p: "jnp.log1p",
        sp.tanh: "jnp.tanh",
        sp.atan: "jnp.arctan",
        sp.sin: "jnp.sin",
        sp.cos: "jnp.cos",
        sp.erf: "jax.scipy.special.erf",
        sp.sign: "jnp.sign",
        sp.Abs: lambda z: f"jnp.where({z} >= 0, {z}, -({z}))",
        sp.Heaviside: lambda z, at: f"jnp.heaviside({z}, {at})",
        functions.Phi: lambda z: f"jax.scipy.special.erfc(-0.7071067811865476 * ({z})) / 2",
        functions.relu: lambda z: f"jnp.where({z} < 0, 0, {z})",
        functions.step: lambda z: f"({z} >= 0).astype(x.dtype)",
        functions.clip: lambda z, low, high: f"jnp.clip({z}, {low}, {high})",
        place: lambda x, *knots: f"jnp.searchsorted(jnp.array([{', '.join(knots)}], x.dtype), {x}, side='right')",
        entry: lambda i, *numbers: f"jnp.array([{', '.join(numbers)}], x.dtype)[{i}]",
    }

    def _print_Max(self, expr):
        if sp.S.Zero in expr.args:
            z = self._print(sp.Max(*(a for a in expr.args if a != 0)))
            return f"jnp.where({z} < 0, 0, {z})"
        return super()._print_Max(expr)


def emit(kernel: Kernel) -> str:
    """The text of a Python module with the function `NAME`, and `NAME_derivative` if asked for."""
    printer = JaxPrinter()
    wider = ["jnp.float16: jnp.float32", "jnp.bfloat16: jnp.float32"]
    source = _TEXT.format(
        docstring=python_code.docstring(kernel),
        name=kernel.name,
        widths=", ".join([*wider, "jnp.float32: jnp.float64"] if kernel.variant == "accurate" else wider),
        value=python_code.indented(python_code.body(printer, form(Wanted(kernel.expression)))),
        slope=python_code.indented(python_code.body(printer, form(Wanted(kernel.expression, 1)))),
    )
    if kernel.derivative:
        source += _DERIVATIVE.format(name=kernel.name)
    return python_code.with_imports(source, "math", "jax.scipy.special")


_TEXT = '''{docstring}

import math

import jax
import jax.numpy as jnp
import jax.scipy.special

# Computed in that type and rounded once; float64 is float32 unless jax_enable_x64 is set.
_WIDER = {{jnp.dtype(narrow): wide for narrow, wide in {{{widths}}}.items()}}


def _value(x):
{value}


def _slope(x):
{slope}


def _wide(x):
    return x.astype(jax.dtypes.canonicalize_dtype(_WIDER.get(x.dtype, x.dtype)))


@jax.custom_jvp
def {name}(x):
    """Elementwise, of an array of floats; the result has its type."""
    x = jnp.asarray(x)
    return _value(_wide(x)).astype(x.dtype)


@{name}.defjvp
def _differentiated(primals, tangents):
    x, tangent = jnp.asarray(primals[0]), tangents[0]
    return {name}(x), (_slope(_wide(x)) * tangent).astype(x.dtype)
'''

_DERIVATIVE = '''

def {name}_derivative(x):
    """The derivative, elementwise; at a kink one of the two slopes."""
    x = jnp.asarray(x)
    return _slope(_wide(x)).astype(x.dtype)
'''
