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
from analysis.activation.parsing import X, definitions
from analysis.activation.sheet import Line, Record, Sheet
from analysis.exact.identities import identity
from analysis.exact.verdict import Verdict
from analysis.rigorous import balls

POINTS = tuple(sp.Rational(n, d) for n, d in [(1, 1), (-1, 1), (2, 1), (-2, 1), (1, 2), (-1, 2), (3, 1), (-3, 1)])
POINTS += tuple(sp.Rational(n, 7) for n in (-61, -45, -30, -11, -3, 1, 10, 25, 40, 59))
CONSTANTS = (sp.S.One, sp.Integer(2), sp.Rational(1, 2), sp.Integer(3))
PRECISIONS = (64, 128, 512)
_ASSUMPTIONS = {">": "positive", ">=": "nonnegative", "<": "negative", "<=": "nonpositive", "!=": "nonzero"}


@dataclass(frozen=True)
class Witness:
    """An exact x, and values of the free constants, at which the enclosures of the two sides are disjoint."""

    x: sp.Expr
    left: tuple[str, str]
    right: tuple[str, str]
    constants: Mapping[str, sp.Expr]

    def to_dict(self) -> dict:
        found: dict[str, object] = {"x": str(self.x), "left": list(self.left), "right": list(self.right)}
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
            at = ", ".join(f"{k} = {v}" for k, v in {"x": self.witness.x, **self.witness.constants}.items())
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
    for name, text in definitions(where, "--where").items():
        if name == "x" or name in names:
            raise BadInput(f"expected a new name in --where, got {name!r}")
        names[name] = lookup.expression(text, names, unknown="real")
    one, other = (lookup.expression(text, names, unknown="real") for text in (left, right))
    # At a breakpoint a derivative may not exist, so identities between derivatives leave those points out.
    found = identity(one, other, at_breakpoints="diff(" not in f"{left}{right}{where}".replace(" ", ""))
    if found.verdict is Verdict.PROVED:
        return Proof(left, right, found.verdict, found.method)
    witness = _witness(one, other, found.point)
    if witness is not None:
        method = found.method if found.verdict is Verdict.REFUTED else "disjoint enclosures at a point"
        return Proof(left, right, Verdict.REFUTED, method, witness)
    return Proof(left, right, Verdict.UNDECIDED, f"{found.method}; no point tried tells the sides apart")


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


def _witness(left: sp.Expr, right: sp.Expr, first: sp.Expr | None) -> Witness | None:
    points = [first, *POINTS] if first is not None else POINTS
    free = sorted((left.free_symbols | right.free_symbols) - {X}, key=lambda s: s.name)
    for values in _trial_values(free):
        sides = left.subs(values), right.subs(values)
        try:
            evaluators = [balls.evaluator(side) for side in sides]
            for bits, point in itertools.product(PRECISIONS, points):
                with ctx.workprec(bits):
                    at = balls.enclose(sp.sympify(point).subs(values))
                    a, b = (f(at) for f in evaluators)
                    if _apart(a, b):
                        named = {s.name: v for s, v in values.items()}
                        return Witness(point, balls.decimals(a), balls.decimals(b), named)
        except (Undecided, KeyError):
            continue
    return None


def _apart(a: arb, b: arb) -> bool:
    return a.is_finite() and b.is_finite() and not a.overlaps(b)


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
