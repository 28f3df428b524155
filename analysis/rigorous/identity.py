"""`prove`: is LEFT = RIGHT for every real x? Normal forms prove it, disjoint enclosures at a point refute it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sympy as sp
from flint import arb, ctx
from sympy.core.facts import InconsistentAssumptions

from analysis.activation import lookup
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.parsing import Reading, X, definitions
from analysis.activation.sheet import Line, Record, Sheet
from analysis.exact.domains import requirements
from analysis.exact.identities import Identity, identity
from analysis.exact.normal import value_at
from analysis.exact.pieces import split
from analysis.exact.verdict import Verdict
from analysis.rigorous import balls, nearness

POINTS = tuple(sp.Rational(n, d) for n, d in [(1, 1), (-1, 1), (2, 1), (-2, 1), (1, 2), (-1, 2), (3, 1), (-3, 1)])
POINTS += tuple(sp.Rational(n, 7) for n in (-61, -45, -30, -11, -3, 1, 10, 25, 40, 59))
DISTANCES = tuple(sp.Rational(1, 2**k) for k in (2, 5, 10, 20, 40, 80))  # from a breakpoint
MAGNITUDES = (2, 3, 4, 6, 9, 12, 18, 30, 100, 300)  # powers of ten, and their inverses
CONSTANTS = (sp.S.One, sp.Integer(2), sp.Rational(1, 2), sp.Integer(3))
PRECISIONS = (64, 128, 512, 2048)
FARTHEST = 2**20  # binary exponent of a value that is printed
FAR = 15  # decimal exponent of an x that is written as a power
TOLERANCE = "1e-20"
NEAR = sp.Integer(10)  # the interval on which undecided sides are shown to be close
_ASSUMPTIONS = {">": "positive", ">=": "nonnegative", "<": "negative", "<=": "nonpositive", "!=": "nonzero"}


@dataclass(frozen=True)
class Witness:
    """An exact x, and values of the free constants, at which the enclosures of the two sides are disjoint.

    Where a side is differentiated the enclosures are of all values on an interval around x, so that they speak of
    points at which the derivative exists.
    """

    x: sp.Expr
    left: tuple[str, str]
    right: tuple[str, str]
    constants: Mapping[str, sp.Expr]

    def to_dict(self) -> dict:
        found: dict[str, object] = {"x": _exact(self.x), "left": list(self.left), "right": list(self.right)}
        if self.constants:
            found["constants"] = {name: str(value) for name, value in self.constants.items()}
        return found


@dataclass(frozen=True)
class Proof(Record):
    """The verdict on left = right, what gave it, and the witness of a refutation."""

    left: str
    right: str
    verdict: Verdict
    method: str
    witness: Witness | None = None

    def to_dict(self) -> dict:
        witness = self.witness.to_dict() if self.witness else None
        return {
            "left": self.left,
            "right": self.right,
            "verdict": str(self.verdict),
            "witness": witness,
            "method": self.method,
        }

    def sheet(self) -> Sheet:
        lines = [Line("verdict", f"{self.verdict} ({self.method})")]
        if self.witness:
            at = ", ".join(f"{k} = {_exact(v)}" for k, v in {"x": self.witness.x, **self.witness.constants}.items())
            lines += [Line("at", at)]
            sides = (("left", self.witness.left), ("right", self.witness.right))
            lines += [Line(side, f"[{pair[0]}, {pair[1]}]") for side, pair in sides]
        return Sheet(f"{self.left} = {self.right}", tuple(lines))


def prove(left: str, right: str, where: str = "", assume: str = "") -> Proof:
    """Decides left = right for all real x where both sides are defined, and all constants that `assume` admits.

    `where` names subexpressions ("w=..., d=..."), each of which may use the earlier ones; other names are free real
    constants, restricted by `assume` ("beta>0, n>=0").
    """
    names = _assumed(assume)
    reading = Reading()
    for name, text in definitions(where, "--where").items():
        if name == "x" or name in names:
            raise BadInput(f"expected a new name in --where, got {name!r}")
        names[name] = lookup.expression(text, names, unknown="real", reading=reading)
    one, other = (lookup.expression(text, names, unknown="real", reading=reading) for text in (left, right))
    found = identity(one, other, reading=reading)
    if found.verdict is Verdict.PROVED:
        return Proof(left, right, found.verdict, found.method)
    witness = _witness(one, other, found, reading)
    if witness is not None:
        method = found.method if found.verdict is Verdict.REFUTED else "disjoint enclosures at a point"
        return Proof(left, right, Verdict.REFUTED, method, witness)
    near = _nearness(one - other, found, reading)
    return Proof(left, right, Verdict.UNDECIDED, f"{found.method}; no point tried tells the sides apart{near}")


def _exact(value: sp.Expr) -> str:
    """As sympy reads it; a far power of ten without its digits."""
    if value.is_Rational and value:
        power = len(str(abs(value.p) * value.q)) - 1
        for exponent in (power, -power):
            if power > FAR and abs(value) == sp.Integer(10) ** exponent:
                return f"{'-' if value.is_negative else ''}10**({exponent})"
    return str(value)


def _assumed(text: str) -> dict[str, sp.Symbol]:
    properties: dict[str, dict[str, bool]] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        match = re.fullmatch(r"([A-Za-z_]\w*)\s*(>=|<=|!=|>|<)\s*0", part)
        if match is None:
            raise BadInput(f"expected --assume as name>0, name>=0, name<0, name<=0 or name!=0, got {part!r}")
        if match[1] == "x":
            raise BadInput("expected --assume about free constants, got it about x, which ranges over all of R")
        properties.setdefault(match[1], {"real": True})[_ASSUMPTIONS[match[2]]] = True
    try:
        return {name: sp.Symbol(name, **given) for name, given in properties.items()}
    except InconsistentAssumptions:
        raise BadInput(f"expected assumptions that can hold together, got {text!r}") from None


def _witness(left: sp.Expr, right: sp.Expr, found: Identity, reading: Reading) -> Witness | None:
    """The first of many points at which both sides are sure to be defined, and their enclosures are disjoint."""
    free = tuple(sorted(_symbols(left, right, reading) - {X}, key=lambda s: s.name))
    exact = None if free else _exact_witness(left, right, found)
    if exact is not None:
        return exact
    needed = [*reading.requirements, *requirements(left), *requirements(right)]
    try:
        sides = [balls.evaluator(side, (X, *free)) for side in (left, right)]
        guards = [(balls.evaluator(r.expression, (X, *free)), r.kind) for r in dict.fromkeys(needed)]
        for bits in PRECISIONS[:-1] if free else PRECISIONS:
            for values, point in itertools.product(_trial_values(list(free)), _points(found)):
                with ctx.workprec(bits):
                    given = [balls.enclose(value) for value in values.values()]
                    at = _place(point, free, given, widened=bool(reading.differentiated))
                    if not all(_meets(guard(at, *given), kind) for guard, kind in guards):
                        continue
                    a, b = (side(at, *given) for side in sides)
                    if _apart(a, b):
                        named = {s.name: v for s, v in values.items()}
                        return Witness(point, balls.decimals(a), balls.decimals(b), named)
    except (Undecided, KeyError):
        pass
    return None


def _exact_witness(left: sp.Expr, right: sp.Expr, found: Identity) -> Witness | None:
    """At a breakpoint, perhaps an irrational one that no ball hits: by the exact values of both sides there."""
    if found.point is None or found.domain is None or found.domain.undecided:
        return None
    try:
        with ctx.workprec(PRECISIONS[1]):
            a, b = (balls.enclose(value_at(side, X, found.point)) for side in (left, right))
            return Witness(found.point, balls.decimals(a), balls.decimals(b), {}) if _apart(a, b) else None
    except Undecided:
        return None


def _symbols(left: sp.Expr, right: sp.Expr, reading: Reading) -> set[sp.Symbol]:
    return left.free_symbols.union(right.free_symbols, *(r.expression.free_symbols for r in reading.requirements))


def _points(found: Identity) -> Iterator[sp.Expr]:
    """Where sides that differ may be seen to: where algebra says so, at small numbers, beside breakpoints, far out."""
    if found.point is not None:
        yield found.point
    yield from POINTS
    ends = {end for piece in found.pieces for end in (piece.lower, piece.upper)}
    ends |= {end for stretch in (found.domain.stretches if found.domain else ()) for end in stretch}
    for end in sorted((e for e in ends if e.is_finite), key=sp.default_sort_key):
        yield end
        yield from (end + side * distance for distance in DISTANCES for side in (1, -1))
    for power in MAGNITUDES:
        yield from (sign * sp.Integer(10) ** (way * power) for way in (1, -1) for sign in (1, -1))


def _place(point: sp.Expr, free: tuple[sp.Symbol, ...], given: list[arb], *, widened: bool) -> arb:
    """The point, or with `widened` a small interval around it."""
    at = balls.evaluator(point, free)(*given) if point.free_symbols else balls.enclose(point)
    if not widened:
        return at
    return at + arb(0, 1) * (1 + abs(at)) * arb(2) ** -(2 * ctx.prec)


def _meets(value: arb, kind: str) -> bool:
    """Whether the requirement is sure to be met by every number in the ball."""
    if kind == "nonzero":
        return value.is_finite() and not value.contains(0)
    return bool(value > 0 if kind == "positive" else value >= 0)


def _apart(a: arb, b: arb) -> bool:
    return all(v.is_finite() and _is_printable(v) for v in (a, b)) and not a.overlaps(b)


def _is_printable(value: arb) -> bool:
    return value.mid() == 0 or abs(int(value.mid().man_exp()[1])) < FARTHEST


def _nearness(difference: sp.Expr, found: Identity, reading: Reading) -> str:
    """How close the sides are shown to be where no verdict is found: between breakpoints at which they are equal."""
    is_whole = found.domain is not None and found.domain.is_the_line
    if found.verdict is not Verdict.UNDECIDED or not is_whole or difference.free_symbols - {X}:
        return ""
    pieces = found.pieces
    try:
        pieces = pieces or tuple(split(difference))
    except (Undecided, BadInput):
        return ""
    if len(pieces) > 1 and not found.pieces:  # it is open whether the sides agree at the breakpoints
        return ""
    parts = nearness.on(pieces, -NEAR, NEAR)
    if not all(nearness.is_within(piece.expression, arb(TOLERANCE), a, b) for piece, a, b in parts):
        return ""
    beside = " between breakpoints" if reading.differentiated and len(pieces) > 1 else ""
    return f"; equal within {TOLERANCE} on [-{NEAR}, {NEAR}]{beside}"


def _trial_values(free: list[sp.Symbol]) -> Iterator[dict[sp.Symbol, sp.Expr]]:
    """Values of the free constants that their assumptions admit, different ones for different constants first."""
    for shift in range(len(CONSTANTS)):
        values = [CONSTANTS[(i + shift) % len(CONSTANTS)] for i in range(len(free))]
        for sign in (1, -1):
            yield {s: v * _admitted(s, sign) for s, v in zip(free, values, strict=True)}
        if not free:
            return


def _admitted(symbol: sp.Symbol, sign: int) -> int:
    if symbol.is_zero:
        return 0
    return 1 if symbol.is_nonnegative else -1 if symbol.is_nonpositive else sign
