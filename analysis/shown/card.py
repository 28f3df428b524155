"""The card of a function: everything that is exactly true of it, in one record. The answer of `show`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

import sympy as sp
from flint import arb, ctx

from analysis.activation import lookup
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.functions import elementary
from analysis.activation.parsing import X
from analysis.activation.record import Activation, Family
from analysis.activation.sheet import Line, Record, Sheet, Table
from analysis.exact import bounds
from analysis.exact.asymptotes import Asymptote, asymptote
from analysis.exact.breakpoints import Breakpoint, breakpoints_of, smoothness_of
from analysis.exact.normal import rational_form, tidy
from analysis.exact.pieces import (
    Piece,
    Spot,
    as_piecewise,
    derivative_pieces,
    is_analytic_for_all_constants,
    pieces,
    spots,
)
from analysis.exact.stationary import Equation, Point, Stationary, stationary_of
from analysis.rigorous import balls, roots
from analysis.rigorous.distance import supremum_of

if TYPE_CHECKING:
    from analysis.shown.against import Beside

DIGITS = 15
MOST_DIGITS = 1000
Pair = tuple[str, str]


@dataclass(frozen=True)
class Place:
    """An extremum or inflection: exact where a closed form is known, enclosed where there are no free constants."""

    x: sp.Basic | None
    value: sp.Expr | None
    x_enclosure: Pair | None
    value_enclosure: Pair | None
    condition: sp.Basic = sp.true

    def to_dict(self) -> dict:
        def side(exact, enclosure) -> dict:
            return {"exact": None if exact is None else _readable(exact), "enclosure": enclosure and list(enclosure)}

        found = {"x": side(self.x, self.x_enclosure), "value": side(self.value, self.value_enclosure)}
        return found if self.condition == sp.true else found | {"if": str(self.condition)}

    def text(self) -> str:
        condition = "" if self.condition == sp.true else f"   if {self.condition}"
        if self.x is None or self.x_enclosure is None:
            x, value = (self.x, self.value) if self.x is not None else (self.x_enclosure, self.value_enclosure)
            return f"x = {_shown(x)}, f = {_shown(value)}{condition}"
        if isinstance(self.x, sp.Interval) or self.x.is_Rational:
            return f"x = {self.x}, f = {self.value}"
        return f"x = {self.x} in {_shown(self.x_enclosure)}, f = {self.value} in {_shown(self.value_enclosure)}"

    def latex(self) -> str | None:
        return None if self.x is None else f"x = {sp.latex(self.x)},\\quad f = {sp.latex(self.value)}"


@dataclass(frozen=True)
class Card(Record):
    """What is exactly true of an activation, or of a family for all its constants; computed when first asked for.

    `against` holds the distances to functions that it was set beside. `complete` says whether the lists of extrema and
    of inflections are proved complete; `range` and `lipschitz` are None where there are free constants or a tail
    resists.
    """

    record: Activation | Family
    digits: int = DIGITS + 2
    against: tuple[Beside, ...] = ()

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        return pieces(self.record.expression)

    @cached_property
    def spots(self) -> tuple[Spot, ...]:
        """The values at points where f jumps."""
        return spots(self.record.expression)

    @cached_property
    def derivative(self) -> sp.Expr:
        """f' wherever it exists; at a breakpoint the slope on its left."""
        return as_piecewise(derivative_pieces(self.pieces), short=_shortest)

    @cached_property
    def breakpoints(self) -> tuple[Breakpoint, ...]:
        return breakpoints_of(self.pieces, apart=self.spots)

    @cached_property
    def smoothness(self) -> int | sp.Expr | None:
        """The largest k with f in C^k, or oo; None where it depends on free constants."""
        return smoothness_of(self.breakpoints) if is_analytic_for_all_constants(self.pieces) else None

    @cached_property
    def stationary(self) -> Stationary:
        return stationary_of(self.pieces, apart=self.spots)

    @cached_property
    def minima(self) -> tuple[Place, ...]:
        return self._places(self.stationary.minima, order=1, rising=True)

    @cached_property
    def maxima(self) -> tuple[Place, ...]:
        return self._places(self.stationary.maxima, order=1, rising=False)

    @cached_property
    def inflections(self) -> tuple[Place, ...]:
        return self._places(self.stationary.inflections, order=2, rising=None)

    @cached_property
    def complete(self) -> Mapping[str, bool]:
        return {
            what: not self.stationary.doubts
            and all(self._all_found(equation) for equation in self.stationary.equations if equation.order == order)
            for what, order in (("extrema", 1), ("inflections", 2))
        }

    def _all_found(self, equation: Equation) -> bool:
        """Whether every zero of the equation is shown to be among the enclosed ones."""
        if self._is_symbolic:
            return False
        intervals = roots.isolated(equation.factor, equation.lower, equation.upper)
        known = [root.x for root in self._roots(equation)]
        return intervals is not None and all(any(i.overlaps(x) for x in known) for i in intervals)

    @cached_property
    def asymptotes(self) -> Mapping[str, Asymptote | None]:
        return {"-oo": asymptote(self.pieces[0].expression, -1), "oo": asymptote(self.pieces[-1].expression, 1)}

    @cached_property
    def range(self) -> Pair | None:
        """Enclosure of the infimum and supremum of f: lower end of the one, upper end of the other."""
        if exact := self._exactly(bounds.values):
            return min(exact, key=_low)[0], max(exact, key=_high)[1]
        negative = tuple(Piece(p.lower, p.upper, -p.expression) for p in self.pieces)
        turned = tuple(Spot(s.x, -s.value, s.alone) for s in self.spots)
        low, high = self._supremum(negative, _itself, turned), self._supremum(self.pieces, _itself, self.spots)
        return (_negated(low[1]), high[1]) if low and high else None

    @cached_property
    def lipschitz(self) -> Pair | None:
        """Enclosure of the least Lipschitz constant sup |f'|; infinite where f jumps or its slope is unbounded."""
        if self.smoothness == -1:
            return "inf", "inf"
        if exact := self._exactly(bounds.slopes):
            return max(exact, key=_low)[0], max(exact, key=_high)[1]
        return self._supremum(derivative_pieces(self.pieces), abs)

    def _exactly(self, candidates: Callable) -> list[Pair] | None:
        """Enclosures of the exact candidates, of their sizes for slopes; None where not all are known."""
        if self._is_symbolic:
            return None
        try:
            numbers = candidates(self.pieces, self.stationary, self.spots)
        except Undecided:
            return None
        if numbers is None:
            return None
        with ctx.workprec(self._bits):
            return [self._pair(abs(n) if candidates is bounds.slopes else n) for n in numbers]

    def _supremum(self, found: tuple[Piece, ...], size: Callable, apart: tuple[Spot, ...] = ()) -> Pair | None:
        """The enclosed supremum; None for free constants, and where a tail resists."""
        if self._is_symbolic:
            return None
        try:
            return supremum_of(found, size=size, apart=apart).pair()
        except Undecided:
            return None

    # how

    @property
    def _bits(self) -> int:
        return int(3.33 * self.digits) + 64

    @property
    def _is_symbolic(self) -> bool:
        return self.record.expression.free_symbols != {X} and bool(self.record.expression.free_symbols - {X})

    def _places(self, points: tuple[Point, ...], order: int, rising: bool | None) -> tuple[Place, ...]:
        found = [self._exact_place(point) for point in points]
        if not self._is_symbolic:
            for equation in self.stationary.equations:
                if equation.order == order:
                    found += self._enclosed_places(equation, rising, [p for p in found if p.x is not None])
            found.sort(key=lambda place: float(place.x_enclosure[0]) if place.x_enclosure else 0.0)
        return tuple(found)

    def _exact_place(self, point: Point) -> Place:
        if self._is_symbolic:
            return Place(point.x, point.value, None, None, point.condition)
        with ctx.workprec(self._bits):
            value = self._pair(point.value)
            if isinstance(point.x, sp.Interval):
                return Place(point.x, point.value, (self._pair(point.x.start)[0], self._pair(point.x.end)[1]), value)
            return Place(point.x, point.value, self._pair(point.x), value)

    def _pair(self, value: sp.Expr) -> Pair:
        return balls.decimals_of(value, self.digits)

    def _enclosed_places(self, equation: Equation, rising: bool | None, known: list[Place]) -> list[Place]:
        piece = self._piece_of(equation)
        found = []
        for root in self._roots(equation):
            with ctx.workprec(self._bits):
                if any(
                    root.x.overlaps(balls.enclose(place.x)) for place in known if not isinstance(place.x, sp.Interval)
                ):
                    continue
                value = balls.evaluator(piece.expression)(root.x)
                if rising is None or root.rising is rising:
                    pair = balls.decimals(root.x, self.digits), balls.decimals(value, self.digits)
                    found.append(Place(None, None, *pair))
        return found

    def _piece_of(self, equation: Equation) -> Piece:
        return next(p for p in self.pieces if (p.lower, p.upper) == (equation.lower, equation.upper))

    def _roots(self, equation: Equation) -> tuple[roots.Root, ...]:
        """Where the derivative of that order changes its sign on the piece: maxima and minima share them."""
        key = equation.order, equation.lower, equation.upper
        if key not in self._found_roots:
            derivative = sp.diff(self._piece_of(equation).expression, X, equation.order)
            self._found_roots[key] = roots.sign_changes(derivative, equation.lower, equation.upper, self.digits)
        return self._found_roots[key]

    @cached_property
    def _found_roots(self) -> dict:
        return {}

    def to_dict(self) -> dict:
        """The JSON of `actapprox show`."""
        record = self.record
        return {
            "name": record.name,
            "formula": record.formula,
            "latex": sp.latex(record.expression),
            "constants": self._constants(),
            "derivative": _readable(self.derivative),
            "smoothness": "oo" if self.smoothness == sp.oo else self.smoothness,
            "breakpoints": [_breakpoint(point) for point in self.breakpoints],
            "minima": [place.to_dict() for place in self.minima],
            "maxima": [place.to_dict() for place in self.maxima],
            "inflections": [place.to_dict() for place in self.inflections],
            "complete": dict(self.complete),
            "range": self.range and list(self.range),
            "lipschitz": self.lipschitz and list(self.lipschitz),
            "asymptotes": {
                end: line and {"slope": _readable(line.slope), "intercept": _readable(line.intercept)}
                for end, line in self.asymptotes.items()
            },
            "sources": list(record.sources),
            **({"against": [one.to_dict() for one in self.against]} if self.against else {}),
        }

    def _constants(self) -> dict[str, str | None]:
        if isinstance(self.record, Family):
            return dict.fromkeys((c.name for c in self.record.constants), None)
        return {name: _readable(value) for name, value in self.record.constants.items()}

    def sheet(self) -> Sheet:
        """The card for people."""
        record = self.record
        lines = [
            Line("formula", record.formula, sp.latex(record.expression)),
            Line("derivative", str(self.derivative), sp.latex(self.derivative)),
            Line("smoothness", _smoothness_text(self.smoothness)),
        ]
        for kind in ("minimum", "maximum", "inflection"):
            places: tuple[Place, ...] = getattr(
                self, {"minimum": "minima", "maximum": "maxima"}.get(kind, "inflections")
            )
            lines += [Line(kind, place.text(), place.latex()) for place in places]
        if self.range:
            lines.append(Line("range", f"from {self.range[0]} to {self.range[1]}"))
        if self.lipschitz:
            lines.append(Line("Lipschitz", _shown(self.lipschitz)))
        for end, line in self.asymptotes.items():
            text = "none" if line is None else str(line.slope * X + line.intercept)
            lines.append(Line(f"at {end}", text, None if line is None else sp.latex(line.slope * X + line.intercept)))
        lines += [Line("source", source) for source in record.sources]
        missing = [what for what, proved in self.complete.items() if not proved]
        notes = (f"that the list of {' and of '.join(missing)} is complete is UNDECIDED",) if missing else ()
        return Sheet(record.name, tuple(lines), (*self._kink_table(), *self._against_table()), notes)

    def _against_table(self) -> tuple[Table, ...]:
        if not self.against:
            return ()
        from analysis.shown.against import table

        return (table(self.against),)

    def _kink_table(self) -> tuple[Table, ...]:
        if not self.breakpoints:
            return ()
        headings = ("breakpoint", "class", "jump of f", "of f'", "of f''")
        return (Table(headings, tuple(_kink_row(point) for point in self.breakpoints)),)


def show(
    function: str | Activation | Family,
    *,
    tol: float = 10.0**-DIGITS,
    symbolic: bool = False,
    against: str | Sequence[str] | None = None,
) -> Card:
    """The exact card of a function of x, or of a catalogued family for all its constants.

    `tol` is the relative width of the enclosures. By name, a family with default constants (elu, softplus, ...) is
    shown with those, unless `symbolic`. `against` names functions whose distances to it are certified. Raises Undecided
    where the breakpoints cannot be found.
    """
    if not 10.0**-MOST_DIGITS <= tol < 1:
        raise BadInput(f"expected a tolerance between 1e-{MOST_DIGITS} and 1, got {tol:g}")
    record = lookup.get(function) if isinstance(function, str) else function
    if isinstance(function, str) and isinstance(record, Family) and not symbolic:
        record = next((m for m in record.members if m.name == record.name), record)
    # Two digits more than the width asks for: one for the rounding outward at either end.
    digits = math.ceil(-math.log10(tol)) + 2
    if against is None:
        return Card(record, digits)
    from analysis.shown.against import against as stand_beside

    return Card(record, digits, stand_beside(record, against))


def _breakpoint(point: Breakpoint) -> dict:
    """Its JSON: `value` is there where f(x) is alone, a jump null where both sides are infinite and of one sign."""
    jumps = {str(k): None if jump is sp.nan else _readable(jump) for k, jump in enumerate(point.jumps)}
    found = {"x": _readable(point.x), "smoothness": point.smoothness, "jumps": jumps}
    return found if point.value is None else found | {"value": _readable(point.value)}


def _kink_row(point: Breakpoint) -> tuple[str, ...]:
    alone = "" if point.value is None else f", f = {point.value} there alone"
    smooth = {None: "depends", -1: "jumps"}.get(point.smoothness, f"C^{point.smoothness}")
    return f"x = {point.x}{alone}", smooth, *("none" if jump is sp.nan else str(jump) for jump in point.jumps)


def _readable(exact: sp.Basic) -> str:
    """As sympy can read it, which does not know our primitives."""
    return str(elementary(exact))


def _shortest(expression: sp.Expr) -> sp.Expr:
    rational = rational_form(expression)
    return tidy(expression) if rational is None else rational


def _low(pair: Pair) -> Decimal:
    return Decimal(pair[0])


def _high(pair: Pair) -> Decimal:
    return Decimal(pair[1])


def _itself(ball: arb) -> arb:
    return ball


def _negated(text: str) -> str:
    return text[1:] if text.startswith("-") else text if text == "0" else f"-{text}"


def _shown(what) -> str:
    if not isinstance(what, tuple):
        return str(what)
    return what[0] if what[0] == what[1] else f"[{what[0]}, {what[1]}]"


def _smoothness_text(smoothness: int | sp.Expr | None) -> str:
    if smoothness is None:
        return "depends on the constants"
    return "analytic" if smoothness == sp.oo else f"C^{smoothness}" if smoothness >= 0 else "discontinuous"
