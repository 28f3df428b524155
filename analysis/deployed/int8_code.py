"""Tables from int8 to int8 in every language: entry q + 128 is what q becomes; the scales stand in the header."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.activation.errors import BadInput
from analysis.deployed.kernel import Certificate, check_name, plain
from analysis.deployed.python_code import camel

ENTRIES = 256
LOW = -128


@dataclass(frozen=True)
class TableKernel:
    """x = input_scale (q - input_zero) goes to y = output_scale (t - output_zero), t the entry of q."""

    name: str
    entries: tuple[int, ...]
    scales: tuple[float, float]
    zeros: tuple[int, int]
    certificate: Certificate
    dtype: str = "int8"
    derivative: bool = False
    variant: str = "accurate"

    def __post_init__(self):
        check_name(self.name)
        if len(self.entries) != ENTRIES or not all(LOW <= entry < -LOW for entry in self.entries):
            raise BadInput(f"expected {ENTRIES} entries of int8, got {len(self.entries)}")

    @classmethod
    def of(cls, answer: Mapping[str, Any], name: str, certificate: Certificate) -> TableKernel:
        """From the JSON of `design --shape table:int8`; BadInput where that is something else."""
        try:
            scales = float(answer["input_scale"]), float(answer["output_scale"])
            zeros = int(answer["input_zero"]), int(answer["output_zero"])
            return cls(name, tuple(map(int, answer["table"])), scales, zeros, certificate)
        except (KeyError, TypeError, ValueError):
            raise BadInput("expected the result of a design, got an int8 table without its numbers") from None

    def header(self) -> list[str]:
        """The lines that every language puts into its comment."""
        said = [f"{self.name}, int8 to int8", *self.certificate.lines()]
        ends = zip(("x", "y"), ("q", "t"), self.scales, self.zeros, strict=True)
        said += [
            f"{real} = {scale!r} ({code} {'-' if zero >= 0 else '+'} {abs(zero)})" for real, code, scale, zero in ends
        ]
        return [plain(line) for line in said]


def emit(kernel: TableKernel, language: str) -> str | bytes:
    """The text in a language, or the model."""
    return _LANGUAGES[language](kernel)


def _rows(kernel: TableKernel) -> str:
    rows = [kernel.entries[i : i + 16] for i in range(0, ENTRIES, 16)]
    return ",\n    ".join(", ".join(map(str, row)) for row in rows)


def _comment(kernel: TableKernel) -> str:
    return "\n".join(["/*", *(f" * {line}" for line in kernel.header()), " */"])


def _c(kernel: TableKernel) -> str:
    return f"""{_comment(kernel)}

#include <stddef.h>
#include <stdint.h>

static const int8_t {kernel.name}_i8_table[{ENTRIES}] = {{
    {_rows(kernel)}
}};

static inline int8_t {kernel.name}_i8_at(int8_t q) {{
    return {kernel.name}_i8_table[(int)q + {-LOW}];
}}

void {kernel.name}_i8(const int8_t *restrict q, int8_t *restrict t, size_t n);

void {kernel.name}_i8(const int8_t *restrict q, int8_t *restrict t, size_t n) {{
    for (size_t i = 0; i < n; i++)
        t[i] = {kernel.name}_i8_at(q[i]);
}}
"""


def _cuda(kernel: TableKernel) -> str:
    return f"""{_comment(kernel)}

#include <stddef.h>
#include <stdint.h>

static __device__ const int8_t {kernel.name}_i8_table[{ENTRIES}] = {{
    {_rows(kernel)}
}};

static __device__ __forceinline__ int8_t {kernel.name}_i8_at(int8_t q) {{
    return {kernel.name}_i8_table[(int)q + {-LOW}];
}}

extern "C" __global__ void {kernel.name}_i8(const int8_t *__restrict__ q, int8_t *__restrict__ t, size_t n) {{
    const size_t stride = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride)
        t[i] = {kernel.name}_i8_at(q[i]);
}}
"""


def _docstring(kernel: TableKernel) -> str:
    return '"""' + "\n".join(kernel.header()) + '\n"""'


def _numpy(kernel: TableKernel) -> str:
    return f'''{_docstring(kernel)}

import numpy as np

_TABLE = np.array([
    {_rows(kernel)},
], np.int8)  # fmt: skip


def {kernel.name}(q):
    """Elementwise, of an array of int8; the result is int8."""
    q = np.asarray(q)
    if q.dtype != np.int8:
        raise TypeError(f"expected an array of int8, got one of {{q.dtype}}")
    return _TABLE[q.astype(np.intp) + {-LOW}]
'''


def _torch(kernel: TableKernel) -> str:
    return f'''{_docstring(kernel)}

import torch
from torch import nn


class {camel(kernel.name)}(nn.Module):
    """Elementwise, of a tensor of int8; the result is int8."""

    def __init__(self):
        super().__init__()
        self.register_buffer("table", torch.tensor([
            {_rows(kernel)},
        ], dtype=torch.int8))  # fmt: skip

    def forward(self, q):
        if q.dtype != torch.int8:
            raise TypeError(f"expected a tensor of int8, got one of {{q.dtype}}")
        return self.table[q.long() + {-LOW}]


def {kernel.name}(q):
    """The same as a function."""
    return {camel(kernel.name)}().to(q.device)(q)
'''


def _jax(kernel: TableKernel) -> str:
    return f'''{_docstring(kernel)}

import jax.numpy as jnp
import numpy as np

_TABLE = np.array([
    {_rows(kernel)},
], np.int8)  # fmt: skip


def {kernel.name}(q):
    """Elementwise, of an array of int8; the result is int8."""
    q = jnp.asarray(q)
    if q.dtype != jnp.int8:
        raise TypeError(f"expected an array of int8, got one of {{q.dtype}}")
    return jnp.asarray(_TABLE)[q.astype(jnp.int32) + {-LOW}]
'''


def _onnx(kernel: TableKernel) -> bytes:
    from analysis.deployed import onnx_code

    return onnx_code.model_of_table(kernel.name, kernel.header(), kernel.entries, kernel.certificate)


_LANGUAGES: Mapping[str, Callable[[TableKernel], str | bytes]] = {
    "c": _c,
    "cuda": _cuda,
    "numpy": _numpy,
    "torch": _torch,
    "jax": _jax,
    "onnx": _onnx,
}
