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
        read = [table(f"{result}{k}_of", column) for k, column in enumerate(columns)]
        held = "x"
        if degree and len(_row(pieces, 0)) == 1:  # as 0 inf is nan
            held = f"_mm512_max_ps({_all(knots[0])}, {held})"
        if degree and len(_row(pieces, -1)) == 1:
            held = f"_mm512_min_ps({_all(knots[-1])}, {held})"
        lines += [f"const __m512 {result}_x = {held};"] if held != "x" else []
        lines.append(f"*{result} = {_horner(read, 'x' if held == 'x' else f'{result}_x')};")
        for k, relation in ((0, "LT"), (-1, "GE")):
            row = _row(pieces, k)
            if 1 < len(row) <= degree or (row == (0, 1) and not _is_beyond_zero(many, k)):
                outside = "x" if row == (0, 1) else _horner([_all(number(c)) for c in row], "x")
                mask = f"_mm512_cmp_ps_mask(x, {_all(knots[k])}, _CMP_{relation}_OQ)"
                lines.append(f"*{result} = _mm512_mask_mov_ps(*{result}, {mask}, {outside});")
    parameters = "".join(f", __m512 *{result}" for result, _ in results)
    body = "\n".join(f"    {line}" for line in lines)
    function = f"AA_FUNCTION void {name}_at16(__m512 x{parameters}) {{\n{body}\n}}"
    return "\n\n".join([*tables, function, *_loops(name, derivative)])


def _all(number: str) -> str:
    return f"_mm512_set1_ps({number})"


def _row(pieces: Many, k: int) -> tuple[sp.Expr, ...]:
    """The coefficients without zeros at the end, but at least one."""
    row = pieces.rows[k]
    while len(row) > 1 and row[-1] == 0:
        row = row[:-1]
    return row


def _is_beyond_zero(many: Many, k: int) -> bool:
    """Whether the outermost piece has no zero in it, of which 1 x + 0 would lose the sign."""
    return bool(many.knots[0] < 0 if k == 0 else many.knots[-1] > 0)


def _horner(coefficients: Sequence[str], x: str) -> str:
    """A constant, too, is nan where x is."""
    text = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        text = f"_mm512_fmadd_ps({text}, {x}, {c})"
    return text if len(coefficients) > 1 else f"_mm512_mask_mov_ps({text}, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), x)"


def _loops(name: str, derivative: bool) -> list[str]:
    both = ", &b" if derivative else ""

    def loop(what: str, of_one: str, arrays: str, stores: Sequence[tuple[str, str]]) -> str:
        def block(load: str, store: str, indent: str) -> str:
            lines = [
                f"__m512 a{', b' if derivative else ''};",
                f"{name}_at16({load.format('x + i')}, &a{both});",
                *(store.format(to, value.format(load.format("dy + i"))) for to, value in stores),
            ]
            return "\n".join(indent + line for line in lines)

        whole = block("_mm512_loadu_ps({})", "_mm512_storeu_ps({} + i, {});", "        ")
        rest = block("_mm512_maskz_loadu_ps(rest, {})", "_mm512_mask_storeu_ps({} + i, rest, {});", "    ")
        return (
            f"void {name}{what}(const float *restrict x, {arrays}, size_t n) {{\n"
            f"    (void)&{name}{of_one}_at; /* which is for callers */\n"
            f"    size_t i = 0;\n    for (; n - i >= {WIDTH}; i += {WIDTH}) {{\n{whole}\n    }}\n"
            f"    const __mmask16 rest = (__mmask16)((1u << (n - i)) - 1u);\n{rest}\n}}"
        )

    found = [loop("", "", "float *restrict y", [("y", "a")])]
    if derivative:
        product = "_mm512_mul_ps({}, b)"
        found += [
            loop("_derivative", "_derivative", "float *restrict dy", [("dy", "b")]),
            loop("_with_derivative", "_both", "float *restrict y, float *restrict dy", [("y", "a"), ("dy", "b")]),
            loop("_backward", "_derivative", "const float *restrict dy, float *restrict dx", [("dx", product)]),
        ]
    return found
