"""CUDA C: device functions of one number, and kernels over arrays for f, f', both at once, and dx = dy f'(x).

The functions are those of C. Products whose rounding errors count are `__dmul_rn`, which nvcc does not contract.
"""

from __future__ import annotations

from analysis.deployed.c import DTYPES, VARIANTS, Dialect, written
from analysis.deployed.c_writer import TYPES
from analysis.deployed.kernel import Kernel

__all__ = ["DTYPES", "VARIANTS", "emit"]

CUDA = Dialect(
    """#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define AA_FMA
#ifndef AA_FUNCTION
#define AA_FUNCTION static __device__ __forceinline__
#define AA_TABLE static __device__ const
#define AA_MUL(a, b) __dmul_rn(a, b)
#define AA_INFINITY __longlong_as_double(0x7ff0000000000000LL)
#define AA_NAN __longlong_as_double(0x7ff8000000000000LL)
#endif""",
    "static __device__ __forceinline__",
)


def emit(kernel: Kernel) -> str:
    """The text of a .cu file, for C++17, whose hexadecimal floats it uses."""
    return written(kernel, CUDA, _kernels)


def _kernels(kernel: Kernel) -> list[str]:
    kind, suffix, _ = TYPES[kernel.dtype]
    name = f"{kernel.name}_{suffix}"

    def loop(what: str, parameters: str, statement: str) -> str:
        return (
            f'extern "C" __global__ void {name}{what}(const {kind} *__restrict__ x, {parameters}, size_t n) {{\n'
            "    const size_t stride = (size_t)gridDim.x * blockDim.x;\n"
            "    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride)\n"
            f"        {statement};\n}}"
        )

    out = f"{kind} *__restrict__"
    found = [loop("", f"{out} y", f"y[i] = {name}_at(x[i])")]
    if kernel.derivative:
        found += [
            loop("_derivative", f"{out} dy", f"dy[i] = {name}_derivative_at(x[i])"),
            loop("_with_derivative", f"{out} y, {out} dy", f"{name}_both_at(x[i], &y[i], &dy[i])"),
            loop("_backward", f"const {out} dy, {out} dx", f"dx[i] = dy[i] * {name}_derivative_at(x[i])"),
        ]
    return found
