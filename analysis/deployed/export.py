"""`export`: the code of a function in another language, with its certificate in the header."""

from __future__ import annotations

import base64
import importlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, overload

from analysis.activation import lookup
from analysis.activation.errors import BadInput
from analysis.activation.parsing import excerpt
from analysis.activation.record import Activation
from analysis.activation.sheet import Line, Record, Sheet
from analysis.deployed import cancellation, int8_code
from analysis.deployed.answers import facts_of, known, table_of
from analysis.deployed.int8_code import TableKernel
from analysis.deployed.kernel import Certificate, Kernel, Measured, name_of
from analysis.deployed.ulp import FORMATS

DOUBLE, WIDE = 53, 100  # bits of what C computes in
LONGEST = 200  # characters of a formula that stands in a command
RESULT = "RESULT.json"  # stands for the file of a record whose formula is longer

# language -> the module that writes it: `emit(kernel)`, and the `DTYPES` and `VARIANTS` that it knows, its choice first
LANGUAGES = {
    "c": "analysis.deployed.c",
    "cuda": "analysis.deployed.cuda",
    "numpy": "analysis.deployed.numpy_code",
    "torch": "analysis.deployed.torch_code",
    "jax": "analysis.deployed.jax_code",
    "onnx": "analysis.deployed.onnx_code",
}


@dataclass(frozen=True)
class Written(Record):
    """A kernel or a table written out in a language: text, or the bytes of an ONNX model."""

    language: str
    kernel: Kernel | TableKernel
    source: str | bytes

    def to_dict(self) -> dict:
        """The JSON of `actapprox export`; the bytes of a model in base64."""
        text = self.source if isinstance(self.source, str) else base64.b64encode(self.source).decode()
        return {
            "language": self.language,
            "name": self.kernel.name,
            "dtype": self.kernel.dtype,
            "derivative": self.kernel.derivative,
            "variant": self.kernel.variant,
            "source": text,
            "certificate": self.kernel.certificate.to_dict(),
        }

    def sheet(self) -> Sheet:
        """The answer for people: what the header says, and the size of the code."""
        size = f"{len(self.source.splitlines())} lines" if isinstance(self.source, str) else f"{len(self.source)} bytes"
        lines = [Line(*line.split(": ", 1)) for line in self.kernel.certificate.lines()]
        title = f"{self.kernel.name} in {self.language}, {self.kernel.dtype}, {self.kernel.variant}"
        return Sheet(title, (*lines, Line("source", size)))


@dataclass(frozen=True)
class Export(Written):
    """A function written out."""

    kernel: Kernel

    def with_measured(self, measured: Measured) -> Export:
        """The same code with its measured error in the header."""
        certificate = replace(self.kernel.certificate, measured=measured)
        kernel = replace(self.kernel, certificate=certificate)
        return Export(self.language, kernel, _module(self.language).emit(kernel))


@overload
def export(function: str | Activation, to: str = ..., *, dtype: str | None = ..., derivative: bool = ...,
           variant: str | None = ..., name: str | None = ..., called: str | None = ...) -> Export: ...  # fmt: skip


@overload
def export(function: Any, to: str = ..., *, dtype: str | None = ..., derivative: bool = ...,
           variant: str | None = ..., name: str | None = ..., called: str | None = ...) -> Written: ...  # fmt: skip


def export(function: Any, to: str = "c", *, dtype: str | None = None, derivative: bool = False,
           variant: str | None = None, name: str | None = None, called: str | None = None) -> Written:  # fmt: skip
    """The code of a function in the language `to`: c, cuda, numpy, torch, jax or onnx.

    `function` is a name or an expression, an Activation, the answer of a fit or a design, or its `to_dict()`; an answer
    brings its certificate along. With `derivative` the code has f' as well, and what training needs. The variant is
    `accurate` unless asked otherwise, for numpy `fast`. `called` is how the command in the header names the function.
    The type is float32 unless asked otherwise; that of a table from int8 to int8 is int8. Raises BadInput for a
    language, type, variant or name that is none.
    """
    module = _module(to)
    if (answer := table_of(function)) is not None:
        return _table(answer, to, dtype, derivative, variant, name, called)
    dtype = "float32" if dtype is None else dtype
    _one_of("a dtype", dtype, module.DTYPES, to)
    variant = module.VARIANTS[0] if variant is None else variant
    _one_of("a variant", variant, module.VARIANTS, to)
    activation, facts = known(function)
    name = name_of(activation) if name is None else name
    options = [*(["--derivative"] * derivative), *(["--variant", variant] if variant != module.VARIANTS[0] else [])]
    again = ["actapprox", "export", called or _text(activation), "--to", to, "--dtype", dtype, *options, "--name", name]
    said = (*facts.pop("notes", ()), *cancellation.notes(activation.expression, *_bits(to, dtype, variant), derivative))
    certificate = Certificate(activation.formula, shlex.join(again), notes=said, **facts)
    kernel = Kernel(activation, name, dtype, derivative, variant, certificate)
    return Export(to, kernel, module.emit(kernel))


def _table(answer: Mapping[str, Any], to: str, dtype: str | None, derivative: bool, variant: str | None,
           name: str | None, called: str | None) -> Written:  # fmt: skip
    """The code of a table from int8 to int8, which has neither a derivative nor variants."""
    if derivative or variant not in (None, "accurate") or dtype not in (None, "int8"):
        raise BadInput("expected neither --derivative nor --variant, and no --dtype but int8, with an int8 table")
    name = f"{name_of(lookup.function(str(answer.get('target'))))}_table" if name is None else name
    again = ["actapprox", "export", called or RESULT, "--to", to, "--name", name]
    certificate = Certificate(
        "a table of 256 entries; the error is the largest over its inputs", shlex.join(again), **facts_of(answer, "sup")
    )
    kernel = TableKernel.of(answer, name, certificate)
    return Written(to, kernel, int8_code.emit(kernel, to))


def _bits(language: str, dtype: str, variant: str) -> tuple[int, int]:
    """The precision of the type, and of what is computed in."""
    precision = FORMATS[dtype].precision
    if language in ("c", "cuda"):
        return precision, DOUBLE if dtype == "float32" or variant == "fast" else WIDE
    if variant == "fast" or language == "jax":  # which has no float64 unless it is told to
        return precision, max(precision, FORMATS["float32"].precision)
    return precision, DOUBLE


def _module(language: str) -> ModuleType:
    if language not in LANGUAGES:
        raise BadInput(f"expected a language out of {', '.join(LANGUAGES)}, got {excerpt(str(language))}")
    return importlib.import_module(LANGUAGES[language])


def _one_of(what: str, value: str, known: tuple[str, ...], language: str) -> None:
    if value not in known:
        raise BadInput(f"expected {what} out of {', '.join(known)} for {language}, got {excerpt(str(value))}")


def _text(activation: Activation) -> str:
    """How a command names the function."""
    if len(activation.formula) > LONGEST:
        return RESULT
    try:
        return activation.name if lookup.function(activation.name) == activation else activation.formula
    except BadInput:
        return activation.formula
