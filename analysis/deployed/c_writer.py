"""The statements of a C function of one number, for functions of a few stretches.

Each stretch is held to its interval, computed in the working type and rounded once; beyond the start of a tail with a
slope the asymptote takes over, beside a zero its Taylor polynomial. Selections join the stretches.
"""

from __future__ import annotations

from itertools import pairwise

import sympy as sp

from analysis.activation import functions
from analysis.activation.parsing import X
from analysis.deployed import c_float, c_wide
from analysis.deployed.c_working import (
    DOUBLE,
    FLOAT,
    WIDE,
    Working,
    bounded_exp,
    high_precision,
    is_wide,
    program_of,
    short_exp,
    transcribed,
)
from analysis.deployed.forms import FORMATS, E, Form, Stretch, side_at
from analysis.deployed.kernel import Kernel
from analysis.deployed.polynomials import hexadecimal, two_parts
from analysis.deployed.zeros import Zero
from analysis.exact.pieces import value_on

TYPES = {"float32": ("float", "f32", 24), "float64": ("double", "f64", 53)}
STEEP = 230  # exp(-230) times the largest float is zero as a float
HIGHEST = 700  # of an exponent in double
RADIUS = 2.0**-6  # from a zero that its Taylor polynomial is used
TERMS = {"float32": 6, "float64": 12}


class Writer:
    """The statements for one function of one number."""

    def __init__(self, kernel: Kernel, wanted: tuple[str, ...]):
        self.kernel, self.wanted = kernel, wanted
        self.type, _, self.bits = TYPES[kernel.dtype]
        self.base = FLOAT if kernel.dtype == "float32" else DOUBLE
        self.format = FORMATS[kernel.dtype]
        wide = kernel.dtype == "float64" and kernel.variant == "accurate" and is_wide(kernel.expression)
        self.working: Working = WIDE if wide else DOUBLE

    def lines(self, found: tuple[Stretch, ...]) -> list[str]:
        lines, results = [], []
        plain = all(stretch.is_polynomial for stretch in found)
        for i, stretch in enumerate(found):
            more, names = self._polynomial(stretch, i, plain) if stretch.is_polynomial else self._smooth(stretch, i)
            lines += more
            results.append(names)
        for place, what in enumerate(self.wanted):
            lines += self._joined(found, [names[place] for names in results], what)
        return lines

    # one stretch

    def _forms(self, stretch: Stretch) -> list[Form]:
        return [getattr(stretch, what) for what in self.wanted]

    def _polynomial(self, stretch: Stretch, i: int, plain: bool) -> tuple[list[str], list[str]]:
        """In the type itself where nothing is smooth, else as the smooth stretches are."""
        bodies = [form.body for form in self._forms(stretch)]
        program = program_of(*bodies)
        if plain or all(body == X or self.format.holds(body) for body in bodies):
            return transcribed(program, self.base, ["x"], f"p{i}_")
        largest = self._literal(self.format.largest)
        held = f"const {self.type} u{i} = x < -{largest} ? -{largest} : x > {largest} ? {largest} : x;"
        lines, names = transcribed(program, self.working, [f"v{i}"], f"p{i}_")
        return [
            held,
            f"const {self.working.type} v{i} = {self.working.of(f'u{i}')};",
            *lines,
        ], [self.working.narrowed(name, self.type) for name in names]

    def _smooth(self, stretch: Stretch, i: int) -> tuple[list[str], list[str]]:
        forms = self._forms(stretch)
        low, high = self._limits(stretch, forms)
        if self.kernel.dtype == "float32" and self.kernel.variant == "fast":
            scale = c_float.scale(forms, [what == "value" for what in self.wanted], (low, high))
            if scale is not None:
                marks = [f"{'y' if what == 'value' else 'dy'}{i}" for what in self.wanted]
                return c_float.statements(forms, marks, i, (low, high), scale, self._beyond_inexact), marks
        lines = [
            f"const {self.type} u{i} = x < {low} ? {low} : x > {high} ? {high} : x;",
            f"const {self.working.type} v{i} = {self.working.of(f'u{i}')};",
        ]
        short = self.kernel.dtype == "float32" and all(form.is_positive for form in forms)
        head = short_exp if short else bounded_exp if self.kernel.dtype == "float32" else sp.exp
        bodies = [
            form.body if form.exponent is None else form.body.subs(E, head(self._held(forms, form.exponent, low, high)))
            for form in forms
        ]
        more, names = transcribed(program_of(*bodies), self.working, [f"v{i}"], f"s{i}_")
        lines += more
        results = []
        for form, name, what in zip(forms, names, self.wanted, strict=True):
            mark = f"{'y' if what == 'value' else 'dy'}{i}"
            for j, zero in enumerate(form.zeros):
                beside, name = self._beside(zero, f"v{i}", name, f"{mark}_{j}")
                lines += beside
            lines.append(f"const {self.type} {mark}_inner = {self.working.narrowed(name, self.type)};")
            text = self._beyond(form, f"{mark}_inner")
            lines.append(f"const {self.type} {mark} = {text};")
            results.append(mark)
        return lines, results

    def _held(self, forms: list[Form], exponent: sp.Expr, low: str, high: str) -> sp.Expr:
        """The exponent, which increases with x, kept where the exponentials in double hold, and powers of them.

        What that changes is not seen in a float, nor, in a quotient that levels off, in a double.
        """
        parts = [sp.fraction(sp.together(form.body)) for form in forms]
        most = HIGHEST // max(1, *(int(sp.degree(part, E)) for pair in parts for part in pair))
        first, last = (float(exponent.subs(X, float.fromhex(end.rstrip("f")))) for end in (low, high))
        if self.kernel.dtype == "float32":
            most = min(STEEP, most)
            return exponent if -STEEP <= first and last <= most else functions.clip(exponent, -STEEP, most)
        is_level = all(below.has(E) for _, below in parts)
        return sp.Min(exponent, most) if self.working is DOUBLE and is_level and last > most else exponent

    def _limits(self, stretch: Stretch, forms: list[Form]) -> tuple[str, str]:
        """Where x is held between: the kinks, or where all tails have begun, or the largest numbers."""
        ends = []
        for side, end, outer in ((0, stretch.lower, min), (1, stretch.upper, max)):
            tails = [form.tails[side] for form in forms]
            starts = [tail.start for tail in tails if tail is not None]
            largest = self.format.largest * (-1, 1)[side]
            ends.append(end if end.is_finite else outer(starts) if len(starts) == len(tails) else largest)
        return self._literal(ends[0]), self._literal(ends[1])

    def _literal(self, value: sp.Expr) -> str:
        return hexadecimal(high_precision(value), self.bits)

    def _beyond(self, form: Form, name: str, is_exact: bool = True) -> str:
        """The asymptote where it has a slope; else what is inside is right already, if exact but for one rounding."""
        text = name
        for tail, relation in zip(form.tails, "<>", strict=True):
            if tail is None or (tail.slope == 0 and abs(tail.start) < self.format.largest):
                if tail is not None and tail.intercept != 0 and not is_exact:
                    text = f"x {relation} {self._literal(tail.start)} ? {self._literal(tail.intercept)} : {text}"
                continue
            if tail.intercept.is_infinite:
                sign = "" if tail.intercept * tail.start > 0 else "-"
                text = f"x {relation} {self._literal(tail.start)} ? {sign}x : {text}"
                continue
            line = program_of(tail.slope * X + tail.intercept)
            lines, (result,) = transcribed(line, DOUBLE, ["x"], "t")
            for declared in reversed(lines):
                before, after = declared.removeprefix("const double ").removesuffix(";").split(" = ", 1)
                result = result.replace(before, f"({after})")
            cast = f"({self.type}){result}" if result != "x" and self.type == "float" else result
            text = f"x {relation} {self._literal(tail.start)} ? {cast} : {text}"
        return text

    def _beyond_inexact(self, form: Form, name: str) -> str:
        return self._beyond(form, name, is_exact=False)

    def _beside(self, zero: Zero, v: str, main: str, mark: str) -> tuple[list[str], str]:
        """The Taylor polynomial about a zero, and the choice between it and the rest."""
        radius, name = hexadecimal(RADIUS), f"{mark}_d"
        coefficients = zero.taylor(TERMS[self.kernel.dtype])
        if self.working is WIDE:
            nested = c_wide.nested(coefficients, 4, f"{name}_flat")
            return [
                f"const aa_wide {name} = aa_add({v}, {c_wide.number(-zero.root)});",
                f"const aa_pair {name}_flat = aa_flat({name});",
                f"const aa_pair {mark}_q = {nested};",
                f"const aa_wide {mark}_near = aa_mul({name}, aa_make({mark}_q.h, {mark}_q.l, 0.0));",
                f"const aa_wide {mark} = aa_pick(fabs({name}_flat.h) < {radius}, {mark}_near, {main});",
            ], mark
        high, low = two_parts(zero.root)
        text = hexadecimal(coefficients[-1])
        for c in reversed(coefficients[:-1]):
            text = f"aa_fma({text}, {name}, {hexadecimal(c)})"
        return [
            f"const double {name} = ({v} - {_signed(high)}) - {_signed(low)};",
            f"const double {mark} = fabs({name}) < {radius} ? {name} * {text} : {main};",
        ], mark

    # all stretches

    def _joined(self, found: tuple[Stretch, ...], names: list[str], what: str) -> list[str]:
        """Selections from a stretch that is not constant, so that nan finds its way into the result."""
        target = "y" if what == "value" else "dy"
        forms = [getattr(stretch, what) for stretch in found]
        varying = [i for i, form in enumerate(forms) if form.body.has(X, E)]
        start = min(varying, key=lambda i: (found[i].is_polynomial, abs(2 * i - len(found) + 1)), default=0)
        text = names[start]
        for i in range(start - 1, -1, -1):
            text = f"x {self._relation(found, i, what, '<')} ? {names[i]} : {text}"
        lines = [f"const {self.type} {target}_left = {text};"] if start else []
        text = f"{target}_left" if start else text
        for i in range(start + 1, len(found)):
            relation = self._relation(found, i - 1, what, ">")
            lines.append(f"const {self.type} {target}_{i} = x {relation} ? {names[i]} : {text};")
            text = f"{target}_{i}"
        expression = self.kernel.expression if what == "value" else functions.derivative(self.kernel.expression, X)
        for left, right in pairwise(found):
            knot = left.upper
            if self.format.holds(knot) and self._side(left, right, what) == "neither":
                own = self._literal(value_on(expression, X, knot))
                text = f"x == {self._literal(knot)} ? {own} : {text}"
        if what == "value" and self._is_odd_at_zero(found):
            text = f"x == 0.0{'f' if self.bits == 24 else ''} ? x : {text}"
        if not varying:
            text = f"x != x ? x : {text}"
        return [*lines, f"const {self.type} {target} = {text};"]

    def _is_odd_at_zero(self, found: tuple[Stretch, ...]) -> bool:
        """Whether the result at -0.0 is -0.0, as f(0) = 0 and f'(0) > 0, and `wide` has no such thing."""
        if self.working is not WIDE:
            return False
        inside = [s for s in found if s.lower < 0 < s.upper]
        if not inside or inside[0].is_polynomial:
            return False
        expression = self.kernel.expression
        return expression.subs(X, 0) == 0 and functions.derivative(expression, X).subs(X, 0).is_positive is True

    def _side(self, left: Stretch, right: Stretch, what: str) -> str:
        expression = self.kernel.expression if what == "value" else functions.derivative(self.kernel.expression, X)
        bodies = [getattr(s, what) for s in (left, right)]
        plain = [form.body if form.exponent is None else form.body.subs(E, sp.exp(form.exponent)) for form in bodies]
        return side_at(expression, left.upper, *plain)

    def _relation(self, found: tuple[Stretch, ...], i: int, what: str, direction: str) -> str:
        """x < k or x <= k for what is left of knot i, x >= k or x > k for what is right of it."""
        knot = found[i].upper
        if not self.format.holds(knot):
            knot, side = self.format.rounded_up(knot), "right"
        else:
            side = self._side(found[i], found[i + 1], what)
        if direction == "<":
            return f"{'<=' if side == 'left' else '<'} {self._literal(knot)}"
        return f"{'>' if side == 'left' else '>='} {self._literal(knot)}"


def _signed(value: float) -> str:
    return f"({value.hex()})" if value < 0 else value.hex()
