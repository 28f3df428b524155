"""C99: static inline functions of one number, and loops over arrays that a compiler turns into vector code.

What float32 is computed in is double, and what float64 is computed in is `wide`; the result is rounded once. Piecewise
polynomials, the variant `fast` in float64, and in float32 that of functions with one exponential (`Writer._scale` says
which) are computed in their own type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import mpmath

from analysis.deployed import c_math, c_normal, c_pieces, c_registers
from analysis.deployed.c_working import DIGITS
from analysis.deployed.c_writer import TYPES, Writer
from analysis.deployed.forms import stretches
from analysis.deployed.kernel import Kernel

DTYPES = ("float32", "float64")
VARIANTS = ("accurate", "fast")


@dataclass(frozen=True)
class Dialect:
    """What C and CUDA C say differently."""

    opening: str
    inline: str


C = Dialect(
    """#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __FAST_MATH__
#error "compile without -ffast-math: it takes nan, inf and the order of sums away"
#endif
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off", "no-trapping-math", "no-math-errno")
#ifdef __AVX512F__
#pragma GCC target("prefer-vector-width=512")
#endif
#endif
#if defined(FP_FAST_FMA) || defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define AA_FMA
#endif
#ifndef AA_FUNCTION
#define AA_FUNCTION static inline
#define AA_TABLE static const
#define AA_MUL(a, b) ((a) * (b))
#define AA_INFINITY HUGE_VAL
#define AA_NAN (HUGE_VAL - HUGE_VAL)
#endif""",
    "static inline",
)


def emit(kernel: Kernel) -> str:
    """The text of a translation unit that needs the C library's headers alone."""
    return written(kernel, C, arrays)


def written(kernel: Kernel, dialect: Dialect, loops) -> str:
    """The header, the helpers that are needed, the functions of one number, and the loops over arrays."""
    body = "\n\n".join([*tables(kernel), *scalars(kernel, dialect.inline), *loops(kernel)])
    helpers = [guarded(name, c_math.helpers()) for name in c_math.needed(body)]
    comment = "\n".join(["/*", *(f" * {line}" for line in kernel.header()), " */"])
    return "\n\n".join([comment, dialect.opening, *helpers, body]) + "\n"


def guarded(name: str, helpers: Mapping[str, str]) -> str:
    """A helper that may stand in several files which become one translation unit."""
    text = helpers[name].strip("\n")
    return f"#ifndef AA_HAS_{name}\n#define AA_HAS_{name}\n{text}\n#endif"


def scalars(kernel: Kernel, inline: str) -> list[str]:
    """The functions of one number."""
    kind, suffix, _ = TYPES[kernel.dtype]
    name = f"{kernel.name}_{suffix}"
    value = _body(kernel, ("value",))
    found = [f"{inline} {kind} {name}_at({kind} x) {{\n{value}\n    return y;\n}}"]
    if kernel.derivative:
        slope = _body(kernel, ("derivative",))
        both = _body(kernel, ("value", "derivative"))
        found.append(f"{inline} {kind} {name}_derivative_at({kind} x) {{\n{slope}\n    return dy;\n}}")
        found.append(
            f"{inline} void {name}_both_at({kind} x, {kind} *value, {kind} *derivative) {{\n{both}\n"
            "    *value = y;\n    *derivative = dy;\n}"
        )
    return found


@lru_cache(maxsize=64)
def _lookup(kernel: Kernel) -> c_pieces.Lookup | None:
    """Tables, where the function has many polynomial pieces."""
    many = c_pieces.Many.of(kernel.expression)
    if many is None:
        return None
    kind, suffix, bits = TYPES[kernel.dtype]
    writer = c_pieces.Writer(f"{kernel.name}_{suffix}", kernel.dtype, kind, bits)
    functions = [("y", many), *([("dy", many.derivative())] if kernel.derivative else [])]
    with mpmath.workdps(DIGITS):
        return writer.lookup(functions)


def tables(kernel: Kernel) -> list[str]:
    """The tables of a function with many pieces."""
    found = _lookup(kernel)
    return found.tables if found else []


def arrays(kernel: Kernel) -> list[str]:
    """The loops: f, and with the derivative f', both at once, and dx = dy f'(x)."""
    kind, suffix, _ = TYPES[kernel.dtype]
    name = f"{kernel.name}_{suffix}"

    def loop(what: str, parameters: str, statement: str) -> str:
        return (
            f"void {name}{what}(const {kind} *restrict x, {parameters}, size_t n) {{\n"
            f"    for (size_t i = 0; i < n; i++)\n        {statement};\n}}"
        )

    found = [loop("", f"{kind} *restrict y", f"y[i] = {name}_at(x[i])")]
    if kernel.derivative:
        found += [
            loop("_derivative", f"{kind} *restrict dy", f"dy[i] = {name}_derivative_at(x[i])"),
            loop(
                "_with_derivative", f"{kind} *restrict y, {kind} *restrict dy", f"{name}_both_at(x[i], &y[i], &dy[i])"
            ),
            loop(
                "_backward",
                f"const {kind} *restrict dy, {kind} *restrict dx",
                f"dx[i] = dy[i] * {name}_derivative_at(x[i])",
            ),
        ]
    prototypes = [text.split(" {")[0] + ";" for text in found]
    at_once = _sixteen(kernel)
    if at_once is None:
        return ["\n".join(prototypes), *found]
    return ["\n".join(prototypes), "#ifdef __AVX512F__", *at_once, "#else", *found, "#endif"]


def _sixteen(kernel: Kernel) -> list[str] | None:
    """The loops over sixteen numbers at once, where the tables of a function fit into registers."""
    many = c_pieces.Many.of(kernel.expression)
    if kernel.dtype != "float32" or many is None or not c_registers.fits(many):
        return None
    kind, suffix, bits = TYPES[kernel.dtype]
    name = f"{kernel.name}_{suffix}"
    with mpmath.workdps(DIGITS):
        writer = c_pieces.Writer(name, kernel.dtype, kind, bits)
        text = c_registers.functions(name, many, writer.knots(many), writer.number, kernel.derivative)
    used = [name for name in c_registers.HELPERS if f"aa_{name}(" in text]
    used = [*(["pick32"] if "pick64" in used and "pick32" not in used else []), *used]
    return ["#include <immintrin.h>", *(guarded(name, c_registers.HELPERS) for name in used), text]


def _alive(lines: list[str], results: list[str]) -> list[str]:
    """The declarations that the results need."""
    needed, kept = set(results), []
    for line in reversed(lines):
        before, _, after = line.partition(" = ")
        if before.split()[-1] in needed:
            kept.append(line)
            needed |= set(re.findall(r"[A-Za-z_]\w*", after))
    return kept[::-1]


def _body(kernel: Kernel, wanted: tuple[str, ...]) -> str:
    """The statements that leave f in y and f' in dy."""
    results = ["y" if what == "value" else "dy" for what in wanted]
    if looked_up := _lookup(kernel):
        return "\n".join(f"    {line}" for line in _alive(looked_up.lines, results))
    found = stretches(kernel.expression, kernel.dtype, kernel.derivative)
    with mpmath.workdps(DIGITS):
        is_fast = kernel.variant == "fast"
        written = c_normal.lines(found, wanted, fast=is_fast) if kernel.dtype == "float32" else None
        lines = _alive(written or Writer(kernel, wanted).lines(found), results)
    return "\n".join(f"    {line}" for line in lines)
