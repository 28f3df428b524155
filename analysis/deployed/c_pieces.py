"""Many polynomial pieces in C: the piece is looked up without branches, then evaluated by Horner's rule.

Up to SELECTED pieces the coefficients are selected, one knot after the other. Beyond, what lies between the knots is
divided into equal cells with at most one knot each: the cell is found by arithmetic, and the knot in it decides between
the polynomial at its beginning and the one at its end. Where cells begin at the knots there is nothing to decide; where
knots lie too closely, a binary search counts those that are not above x. The outermost pieces stand apart. Loops over
arrays of floats have a quicker way where the machine has AVX-512 (`c_registers`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp

from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.deployed.c_working import high_precision
from analysis.deployed.forms import FORMATS, Format
from analysis.deployed.polynomials import hexadecimal

FEW = 4  # pieces whose values are selected, not their coefficients
SELECTED = 16  # pieces up to which selections are faster than reading tables
MOST_CELLS = 4096
CELLS_A_KNOT = 32  # beyond that a binary search is made
SLACK = 4  # ulp of the stretch: where neighbours meet, a cell may begin so far from its knot
FLOATS: dict[str, Any] = {"float32": np.float32, "float64": np.float64}

Rows = tuple[tuple[sp.Expr, ...], ...]


@dataclass(frozen=True)
class Many:
    """Ascending knots, and the coefficients of each piece in ascending powers of x; at a knot its right piece holds."""

    knots: tuple[sp.Expr, ...]
    rows: Rows

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, expression: sp.Expr) -> Many | None:
        """From {P, x < k; ...; Q} with more than a few polynomials, else None."""
        if not isinstance(expression, sp.Piecewise) or len(expression.args) <= FEW:
            return None
        *inner, (last, otherwise) = expression.args
        plain = all(isinstance(c, sp.StrictLessThan) and c.lhs == X and c.rhs.is_number for _, c in inner)
        bodies = [e for e, _ in expression.args]
        if not plain or otherwise != sp.true or not all(e.is_polynomial(X) for e in bodies):
            return None
        return cls(tuple(c.rhs for _, c in inner), tuple(_ascending(e) for e in (*[e for e, _ in inner], last)))

    @property
    def is_continuous(self) -> bool:
        """Whether neighbours have the same value at their knot, exactly."""
        return all(_value(a, k) == _value(b, k) for (a, b), k in zip(pairwise(self.rows), self.knots, strict=True))

    def derivative(self) -> Many:
        return Many(self.knots, tuple(tuple(k * c for k, c in enumerate(row))[1:] or (sp.S.Zero,) for row in self.rows))


def _value(row: Sequence[sp.Expr], x: sp.Expr) -> sp.Expr:
    total = sp.S.Zero
    for c in reversed(row):
        total = total * x + c
    return total if total.is_Rational else sp.expand(total)


def _ascending(e: sp.Expr) -> tuple[sp.Expr, ...]:
    """By reading a sum of multiples of powers, else as a `Poly`, which takes milliseconds."""
    found: dict[int, sp.Expr] = {}
    for term in sp.Add.make_args(e):
        factor, rest = term.as_coeff_Mul()
        base, power = rest.as_base_exp()
        if rest != 1 and not (base == X and power.is_Integer and power > 0):
            break
        found[0 if rest == 1 else int(power)] = factor
    else:
        return tuple(found.get(k, sp.S.Zero) for k in range(max(found) + 1))
    return tuple(sp.Poly(e, X).all_coeffs()[::-1])


@dataclass(frozen=True)
class Lookup:
    """The tables of a function and the statements that use them."""

    tables: list[str]
    lines: list[str]


class Writer:
    """Writes the lookup for one or two functions with the same knots: `names` are those of their results."""

    def __init__(self, name: str, dtype: str, kind: str, bits: int):
        self.name, self.kind, self.bits = name, kind, bits
        self.format: Format = FORMATS[dtype]
        self.float = FLOATS[dtype]
        self.meets = False

    def knots(self, many: Many) -> list[str]:
        """Those of the type, as literals."""
        return [self._text(knot) for knot in self._knots(many)]

    def _knots(self, many: Many) -> list:
        return [self._float(self.format.rounded_up(k)) for k in many.knots]

    def lookup(self, functions: Sequence[tuple[str, Many]]) -> Lookup:
        knots = self._knots(functions[0][1])
        if any(a >= b for a, b in pairwise(knots)):
            raise Undecided("knots that the type does not tell apart")
        low, high = self._text(knots[0]), self._text(knots[-1])
        lines = [
            f"const {self.kind} w0 = x > {low} ? x : {low};",
            f"const {self.kind} w = w0 < {high} ? w0 : {high};",
        ]
        if len(knots) < SELECTED:
            return Lookup([], [line for f in functions for line in self._selected(*f, knots, low, high)])
        self.meets = functions[0][1].is_continuous
        cells = self._cells(knots)
        tables, more, pieces = self._by_cells(knots, cells) if cells else self._by_search(knots)
        lines += more
        for result, many in functions:
            found, statements = self._evaluated(result, many, pieces)
            tables += found
            lines += [*statements, self._outside(result, many, low, high)]
        return Lookup(tables, lines)

    def _selected(self, result: str, many: Many, knots: list, low: str, high: str) -> list[str]:
        """Each coefficient from a row of selections, beginning with the piece after the first knot."""
        degree = max(len(row) for row in many.rows) - 1
        lines = []
        for power in range(degree + 1):
            column = [row[power] if power < len(row) else sp.S.Zero for row in many.rows]
            text = self.number(column[1])
            for k, (knot, entry) in enumerate(zip(knots[1:], column[2:-1], strict=False)):
                lines.append(
                    f"const {self.kind} {result}{power}_{k} = x >= {self._text(knot)} ? {self.number(entry)} : {text};"
                )
                text = f"{result}{power}_{k}"
            lines.append(f"const {self.kind} {result}{power} = {text};")
        lines.append(f"const {self.kind} {result}_inner = {self._horner([f'{result}{p}' for p in range(degree + 1)])};")
        return [*lines, self._outside(result, many, low, high)]

    def _horner(self, coefficients: list[str]) -> str:
        """The polynomial in x; a constant, too, is nan where x is."""
        fma = "aa_fma_f32" if self.bits == 24 else "aa_fma"
        text = coefficients[-1]
        for c in reversed(coefficients[:-1]):
            text = f"{fma}({text}, x, {c})"
        return text if len(coefficients) > 1 else f"x != x ? x : {text}"

    # where x is

    def _cells(self, knots: list) -> int | None:
        count = len(knots) - 1
        while count <= min(MOST_CELLS, CELLS_A_KNOT * len(knots)):
            places = self._places(knots, count)
            if len(set(places)) == len(places):
                return count
            count *= 2
        return None

    def _places(self, knots: list, count: int) -> list[int]:
        """The cell of each knot, in the very arithmetic of the C code."""
        scale = self._scale(knots, count)
        return [int((k - knots[0]) * scale) for k in knots]

    def _scale(self, knots: list, count: int):
        return self.float(count) / self.float(knots[-1] - knots[0])

    def _by_cells(self, knots: list, count: int) -> tuple[list[str], list[str], list[int]]:
        """Entry c is the piece at the beginning of cell c, which is the one at the end of the cell before."""
        scale = self._scale(knots, count)
        places = self._places(knots, count)
        total = max(count, places[-1]) + 1
        lines = [f"const int32_t cell = (int32_t)((w - {self._text(knots[0])}) * {self._text(scale)});"]
        if begun := self._boundaries(knots, count):
            pieces = [sum(place <= cell for place in begun) for cell in range(total)]
            return [], [*lines, "const int32_t i = cell;"], pieces
        within = dict(zip(places, knots, strict=True))
        pieces = [sum(place < cell for place in places) for cell in range(total + 1)]
        marks = [self._text(within[c]) if c in within else "AA_INFINITY" for c in range(total)]
        lines.append(f"const int32_t i = cell + (w >= {self.name}_knots[cell]);")
        return [self._table("knots", marks)], lines, pieces

    def _boundaries(self, knots: list, count: int) -> list[int] | None:
        """The cells that begin at the knots, or by so little beside them that pieces which meet do not differ there.

        None where a knot lies inside a cell.
        """
        scale, reach = self._scale(knots, count), self.float(SLACK) * np.spacing(max(abs(knots[0]), abs(knots[-1])))
        slack = reach if self.meets else self.float(0)
        found = [0]
        for k in knots[1:]:
            before, after = min(k - slack, np.nextafter(k, self.float(-np.inf))), k + slack
            found.append(int((after - knots[0]) * scale))
            if int((before - knots[0]) * scale) >= found[-1]:
                return None
        return found

    def _by_search(self, knots: list) -> tuple[list[str], list[str], list[int]]:
        size = 1 << len(knots).bit_length()
        padded = [*(self._text(k) for k in knots), *["AA_INFINITY"] * (size - len(knots))]
        lines, place, step = [], "0", size // 2
        while step:
            name = f"i{step}"
            lines.append(
                f"const int32_t {name} = {place} + (w >= {self.name}_knots[{place} + {step - 1}] ? {step} : 0);"
            )
            place, step = name, step // 2
        return [self._table("knots", padded)], [*lines, f"const int32_t i = {place};"], list(range(len(knots) + 1))

    # what it is there

    def _evaluated(self, result: str, many: Many, pieces: list[int]) -> tuple[list[str], list[str]]:
        """One table for each power; the outermost pieces are there only for nan to come through."""
        degree = max(len(row) for row in many.rows) - 1
        tables = []
        for power in range(degree + 1):
            column = [row[power] if power < len(row) else sp.S.Zero for row in many.rows]
            tables.append(self._table(f"{result}{power}", [self.number(column[k]) for k in pieces]))
        text = self._horner([f"{self.name}_{result}{power}[i]" for power in range(degree + 1)])
        return tables, [f"const {self.kind} {result}_inner = {text};"]

    def _outside(self, result: str, many: Many, low: str, high: str) -> str:
        left, right = (self._polynomial(many.rows[i]) for i in (0, -1))
        text = f"x < {low} ? {left} : x >= {high} ? {right} : {result}_inner"
        return f"const {self.kind} {result} = {text};"

    def _polynomial(self, row: Sequence[sp.Expr]) -> str:
        if all(c == 0 for c in row[1:]):
            return self.number(row[0])
        if tuple(row) == (0, 1):
            return "x"
        return self._horner([self.number(c) for c in row])

    # numbers

    def _table(self, name: str, entries: list[str]) -> str:
        return f"AA_TABLE {self.kind} {self.name}_{name}[{len(entries)}] = {{\n    {_wrapped(entries)}\n}};"

    def _float(self, value: sp.Expr):
        return self.float(float.fromhex(hexadecimal(high_precision(value), self.bits).rstrip("f")))

    def _text(self, value) -> str:
        return hexadecimal(float(value), self.bits)

    def number(self, value: sp.Expr) -> str:
        return hexadecimal(high_precision(value), self.bits)


def _wrapped(entries: list[str]) -> str:
    rows = [", ".join(entries[i : i + 4]) for i in range(0, len(entries), 4)]
    return ",\n    ".join(rows)
