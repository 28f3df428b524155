"""Polynomial pieces in float, sixteen numbers at once, where a machine has AVX-512: tables held in vector registers.

The piece is found by binary search: level k of the tree has 2^k knots, and a permutation reads the one to compare with.
Permutations read the coefficients as well. The polynomials and comparisons are those of the function of one number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sympy as sp

from analysis.deployed.c_pieces import FEW, Many

WIDTH = 16
MOST = 64  # pieces whose tables are read by permutations of registers

Number = Callable[[sp.Expr], str]

HELPERS = {
    "pick16": """
/* table[i] for sixteen i below 16, 32, 64 */
AA_FUNCTION __m512 aa_pick16(const float *table, __m512i i) {
    return _mm512_permutexvar_ps(i, _mm512_loadu_ps(table));
}""",
    "pick32": """
AA_FUNCTION __m512 aa_pick32(const float *table, __m512i i) {
    return _mm512_permutex2var_ps(_mm512_loadu_ps(table), i, _mm512_loadu_ps(table + 16));
}""",
    "pick64": """
AA_FUNCTION __m512 aa_pick64(const float *table, __m512i i) {
    const __mmask16 above = _mm512_cmpgt_epi32_mask(i, _mm512_set1_epi32(31));
    return _mm512_mask_blend_ps(above, aa_pick32(table, i), aa_pick32(table + 32, i));
}""",
    "descend": """
/* the place in the next level of the tree: 2 i, or 2 i + 1 where x >= knot */
AA_FUNCTION __m512i aa_descend(__m512i i, __m512 x, __m512 knot) {
    const __m512i twice = _mm512_add_epi32(i, i);
    return _mm512_mask_add_epi32(twice, _mm512_cmp_ps_mask(x, knot, _CMP_GE_OQ), twice, _mm512_set1_epi32(1));
}""",
    "first16": """
/* the first n of sixteen */
AA_FUNCTION __mmask16 aa_first16(size_t n) {
    return (__mmask16)(n < 16 ? (1u << n) - 1u : 0xffffu);
}""",
}


def fits(many: Many) -> bool:
    """Whether the tables are few enough registers."""
    return FEW < len(many.rows) <= MOST


def levels(knots: Sequence[str], size: int) -> list[list[str]]:
    """The knots of each level of the tree over `size` pieces; where there is none, infinity, which only inf reaches."""
    padded = [*knots, *["INFINITY"] * (size - 1 - len(knots))]
    found, step = [], size // 2
    while step:
        found.append(padded[step - 1 :: 2 * step])
        step //= 2
    return found


def functions(name: str, many: Many, knots: Sequence[str], number: Number, derivative: bool) -> str:
    """The function of sixteen numbers, and the loops; `knots` are those of the type, as literals."""
    size = max(WIDTH, 1 << (len(many.rows) - 1).bit_length())
    tables, lines = [], ["__m512i i = _mm512_setzero_si512();"]

    def table(what: str, entries: Sequence[str]) -> str:
        padded = [*entries, *["0.0f"] * (max(WIDTH, len(entries)) - len(entries))]
        rows = ",\n    ".join(", ".join(padded[k : k + 4]) for k in range(0, len(padded), 4))
        tables.append(f"AA_TABLE float {name}_{what}[{len(padded)}] = {{\n    {rows}\n}};")
        return f"aa_pick{len(padded)}({name}_{what}, i)"

    for depth, level in enumerate(levels(knots, size)):
        knot = _all(level[0]) if len(level) == 1 else table(f"level{depth}", level)
        lines.append(f"i = aa_descend(i, x, {knot});")
    results = [("y", many), *([("dy", many.derivative())] if derivative else [])]
    for result, pieces in results:
        degree = max(map(len, pieces.rows)) - 1
        columns = [[number(r[k]) if k < len(r) else "0.0f" for r in pieces.rows] for k in range(degree + 1)]
        columns = [[*column, *[column[-1]] * (size - len(column))] for column in columns]
        text = _horner([table(f"{result}{k}_of", column) for k, column in enumerate(columns)])
        left, right = (_polynomial(pieces.rows[k], number) for k in (0, -1))
        below, above = (f"_mm512_cmp_ps_mask(x, {_all(knots[k])}, _CMP_{r}_OQ)" for k, r in ((0, "LT"), (-1, "GE")))
        lines.append(f"*{result} = {text};")
        lines.append(f"*{result} = _mm512_mask_mov_ps(*{result}, {below}, {left});")
        lines.append(f"*{result} = _mm512_mask_mov_ps(*{result}, {above}, {right});")
    parameters = "".join(f", __m512 *{result}" for result, _ in results)
    body = "\n".join(f"    {line}" for line in lines)
    function = f"AA_FUNCTION void {name}_at16(__m512 x{parameters}) {{\n{body}\n}}"
    return "\n\n".join([*tables, function, *_loops(name, derivative)])


def _all(number: str) -> str:
    return f"_mm512_set1_ps({number})"


def _horner(coefficients: Sequence[str]) -> str:
    """A constant, too, is nan where x is."""
    text = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        text = f"_mm512_fmadd_ps({text}, x, {c})"
    return text if len(coefficients) > 1 else f"_mm512_mask_mov_ps({text}, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), x)"


def _polynomial(row: Sequence[sp.Expr], number: Number) -> str:
    if all(c == 0 for c in row[1:]):
        return _all(number(row[0]))
    return "x" if tuple(row) == (0, 1) else _horner([_all(number(c)) for c in row])


def _loops(name: str, derivative: bool) -> list[str]:
    both = ", &b" if derivative else ""

    def loop(what: str, arrays: str, stores: Sequence[tuple[str, str]]) -> str:
        stored = "\n".join(f"        _mm512_mask_storeu_ps({to} + i, some, {value});" for to, value in stores)
        return (
            f"void {name}{what}(const float *restrict x, {arrays}, size_t n) {{\n"
            f"    for (size_t i = 0; i < n; i += {WIDTH}) {{\n"
            "        const __mmask16 some = aa_first16(n - i);\n"
            f"        __m512 a{', b' if derivative else ''};\n"
            f"        {name}_at16(_mm512_maskz_loadu_ps(some, x + i), &a{both});\n{stored}\n    }}\n}}"
        )

    found = [loop("", "float *restrict y", [("y", "a")])]
    if derivative:
        product = "_mm512_mul_ps(_mm512_maskz_loadu_ps(some, dy + i), b)"
        found += [
            loop("_derivative", "float *restrict dy", [("dy", "b")]),
            loop("_with_derivative", "float *restrict y, float *restrict dy", [("y", "a"), ("dy", "b")]),
            loop("_backward", "const float *restrict dy, float *restrict dx", [("dx", product)]),
        ]
    return found
