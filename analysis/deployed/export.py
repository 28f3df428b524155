"""`export`: the code of a function in another language, with its certificate in the header."""

from __future__ import annotations

import base64
import importlib
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import sympy as sp

from analysis.activation import lookup
from analysis.activation.errors import BadInput
from analysis.activation.parsing import MAX_LENGTH, X, excerpt
from analysis.activation.record import Activation
from analysis.activation.sheet import Line, Record, Sheet
from analysis.deployed.kernel import Certificate, Kernel, Measured, name_of

LONGEST = 200  # characters of a formula that stands in a command
RESULT = "RESULT.json"  # stands for the file of a record whose formula is longer

# language -> the module that writes it: `emit(kernel)`, and `DTYPES` and `VARIANTS`, which it knows
LANGUAGES = {
    "c": "analysis.deployed.c",
    "cuda": "analysis.deployed.cuda",
    "numpy": "analysis.deployed.numpy_code",
    "torch": "analysis.deployed.torch_code",
    "jax": "analysis.deployed.jax_code",
    "onnx": "analysis.deployed.onnx_code",
}


@dataclass(frozen=True)
class Export(Record):
    """A kernel written out in a language: text, or the bytes of an ONNX model."""

    language: str
    kernel: Kernel
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

    def with_measured(self, measured: Measured) -> Export:
        """The same code with its measured error in the header."""
        certificate = replace(self.kernel.certificate, measured=measured)
        kernel = replace(self.kernel, certificate=certificate)
        return Export(self.language, kernel, _module(self.language).emit(kernel))


def export(
    function: str | Activation | Mapping[str, Any] | Any,
    to: str = "c",
    *,
    dtype: str = "float32",
    derivative: bool = False,
    variant: str = "accurate",
    name: str | None = None,
    called: str | None = None,
) -> Export:
    """The code of a function in the language `to`: c, cuda, numpy, torch, jax or onnx.

    `function` is a name or an expression, an Activation, the answer of a fit or a design, or its `to_dict()`; an answer
    brings its certificate along. With `derivative` the code has f' as well, and what training needs. `called` is how
    the command in the header names the function. Raises BadInput for a language, type, variant or name that is none.
    """
    module = _module(to)
    _one_of("a dtype", dtype, module.DTYPES, to)
    _one_of("a variant", variant, getattr(module, "VARIANTS", ("accurate",)), to)
    activation, facts = _known(function)
    name = name_of(activation) if name is None else name
    options = [*(["--derivative"] * derivative), *(["--variant", variant] if variant != "accurate" else [])]
    again = ["actapprox", "export", called or _text(activation), "--to", to, "--dtype", dtype, *options, "--name", name]
    certificate = Certificate(activation.formula, shlex.join(again), **facts)
    kernel = Kernel(activation, name, dtype, derivative, variant, certificate)
    return Export(to, kernel, module.emit(kernel))


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


def _known(function: Any) -> tuple[Activation, dict[str, Any]]:
    """The activation, and what an answer of ours says about it."""
    if isinstance(function, str | Activation):
        return lookup.function(function), {}
    if isinstance(function, Mapping):
        return _stored(function)
    found = getattr(function, "activation", None)
    if found is None:
        raise BadInput(f"expected a function, a fit or a design, got {excerpt(repr(function))}")
    activation = found() if callable(found) else found
    norm = function.norm
    return activation, _facts(function.target.name, norm.kind, norm.domain, function.error)


def _stored(answer: Mapping[str, Any]) -> tuple[Activation, dict[str, Any]]:
    """From the JSON of a fit or a design."""
    formula = answer.get("formula")
    if not isinstance(formula, str):
        raise BadInput("expected the result of a fit or a design, got one without a formula")
    read = _read(formula)
    if "error" not in answer or "target" not in answer:
        return read, {}
    shape = answer.get("shape") or answer.get("family")
    named = Activation(f"{shape} for {answer['target']}", read.expression, formula)
    return named, _facts(answer["target"], answer.get("norm"), answer.get("domain"), answer["error"])


def _read(formula: str) -> Activation:
    """The function of a formula; the many pieces of a design one by one, as the grammar's bounds are for users."""
    if len(formula) <= MAX_LENGTH or not re.fullmatch(r"\{[^{}]*\}", formula):
        return lookup.function(formula)
    *inner, last = formula[1:-1].split(";")
    pieces = [part.rsplit(", x < ", 1) for part in inner]
    if any(len(piece) != 2 for piece in pieces):
        return lookup.function(formula)
    arms = [(_polynomial(body), _polynomial(knot)) for body, knot in pieces]
    expression = sp.Piecewise(*((body, X < knot) for body, knot in arms), (_polynomial(last), True))
    return Activation("activation", expression, formula)


def _polynomial(text: str) -> sp.Expr:
    return lookup.function(text.strip()).expression


def _facts(target: str, norm: Any, domain: Any, error: Any) -> dict[str, Any]:
    return {
        "target": target,
        "norm": norm,
        "domain": None if domain is None else (str(domain[0]), str(domain[1])),
        "error": None if error is None else (str(error[0]), str(error[1])),
    }
