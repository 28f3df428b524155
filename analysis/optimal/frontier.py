"""`frontier`: for a target, which designs and published functions nothing else beats in error and in cost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from analysis.activation import lookup
from analysis.activation.catalogue import FAMILIES, FUNCTIONS
from analysis.activation.errors import BadInput, Refused, Undecided
from analysis.activation.record import Activation
from analysis.activation.sheet import Line, Record, Sheet, Table, decimal
from analysis.exact.verdict import Verdict
from analysis.optimal import cost
from analysis.optimal.cost import Cost
from analysis.optimal.design import design
from analysis.optimal.designs import GAP, Clock
from analysis.optimal.fitting.constants import fit
from analysis.rigorous.balls import Pair
from analysis.rigorous.comparison import compare
from analysis.rigorous.norms import Norm

SHAPES = (
    *(("pwl", n) for n in (3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32)),
    *((f"gate:{d}", None) for d in range(1, 6)),
    *(("pwq", n) for n in (4, 5, 6, 8)),
    *((f"rational:{n},{n}", None) for n in range(2, 7)),
)
COMBINATORS = ("lerp",)  # of two activations that are to be named
FITTED = tuple(entry.name for entry in FAMILIES if entry.name not in COMBINATORS)
TOLERANCE = 1e-9  # of the certified distances, relative


@dataclass(frozen=True)
class Candidate:
    """A stand-in for the target: a published function, a fitted one, or a design, with its certified error and cost."""

    name: str
    kind: str  # "published", "fitted" or the shape
    formula: str
    error: Pair
    cost: Cost
    stands: bool = False  # nothing else, nor the target itself, is as near and as cheap, and better in one of the two
    optimum: Verdict | None = None  # of a design: whether it is proved best of its shape and size

    @property
    def point(self) -> tuple[float, int]:
        """The error's upper end and the operations, of which less is better."""
        return float(self.error[1]), self.cost.operations

    def to_dict(self) -> dict:
        return {
            "name": self.name,
            "kind": self.kind,
            "formula": self.formula,
            "error": list(self.error),
            "cost": self.cost.to_dict(),
            "operations": self.cost.operations,
            "optimum": self.optimum and str(self.optimum),
            "on_frontier": self.stands,
        }


@dataclass(frozen=True)
class Frontier(Record):
    """All candidates for a target, the cheapest first."""

    target: Activation
    norm: Norm
    candidates: tuple[Candidate, ...]
    left_out: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    @property
    def best(self) -> tuple[Candidate, ...]:
        """Those that nothing else beats."""
        return tuple(one for one in self.candidates if one.stands)

    def to_dict(self) -> dict:
        """The JSON of `actapprox frontier`."""
        return {
            "target": self.target.name,
            "norm": self.norm.kind,
            "domain": [repr(float(end)).removesuffix(".0") for end in self.norm.ends],
            "cost_of_target": cost.of_expression(self.target.expression).to_dict(),
            "candidates": [one.to_dict() for one in self.candidates],
            "left_out": list(self.left_out),
            "seconds": round(self.seconds, 3),
        }

    def sheet(self) -> Sheet:
        """The answer for people: the frontier, and what is published or fitted and is beaten."""
        own = cost.of_expression(self.target.expression)
        lines = (Line("the target itself", f"{own.operations} operations"),)
        shown = [one for one in self.candidates if one.stands or one.kind in ("published", "fitted")]
        rows = [_row(one, "*" if one.stands else "") for one in shown]
        headings = ("function", "kind", "", "operations", "table bytes", "error")
        title = f"stand-ins for {self.target.name}, {self.norm}: * nothing else beats"
        return Sheet(title, lines, (Table(headings, tuple(rows), texts=3),), self.left_out)


def frontier(
    target: str | Activation,
    *,
    norm: Norm | None = None,
    shapes: Sequence[tuple[str, int | None]] = SHAPES,
    families: Sequence[str] = FITTED,
) -> Frontier:
    """All published stand-ins at a finite distance, the families fitted to the target, and the best designs, ranked.

    A fitted member has the best constants that `fit` finds; that they are the best is not proved here. Raises BadInput
    for another norm than sup.
    """
    clock = Clock()
    found, norm = lookup.function(target), norm or Norm()
    if norm.kind != "sup":
        raise BadInput(f"expected --norm sup for a frontier, got {norm.kind!r}")
    left_out: list[str] = []
    candidates = [*_published(found, norm), *_fitted(found, norm, families), *_designs(found, norm, shapes, left_out)]
    points = [(0.0, cost.of_expression(found.expression).operations), *(one.point for one in candidates)]
    ranked = sorted((_standing(one, points) for one in candidates), key=lambda one: (one.point[1], one.point[0]))
    return Frontier(found, norm, tuple(ranked), tuple(left_out), clock.seconds())


def _published(target: Activation, norm: Norm) -> Iterator[Candidate]:
    for known in published():
        if known.expression == target.expression:
            continue
        try:
            distance = compare(target, known, norm, tol=TOLERANCE)
        except (Undecided, BadInput):
            continue
        low, high = (float(end) for end in distance.distance)
        if low == 0 or math.isinf(high):  # the same function, or one that goes elsewhere
            continue
        yield Candidate(known.name, "published", known.formula, distance.distance, cost.of_expression(known.expression))


def _fitted(target: Activation, norm: Norm, families: Sequence[str]) -> Iterator[Candidate]:
    """The nearest member of each family, where it is nearer than all that are published, and a new function."""
    known = {target.expression, *(one.expression for one in published())}
    for name in families:
        try:
            found = fit(name, target, norm)
        except (Undecided, BadInput):
            continue
        if found.error is None or float(found.error[0]) == 0 or math.isinf(float(found.error[1])):
            continue
        member = found.activation()
        if member.expression in known:
            continue
        known.add(member.expression)
        yield Candidate(f"{name}, fitted", "fitted", member.formula, found.error, cost.of_expression(member.expression))


def published() -> tuple[Activation, ...]:
    """Every function of the catalogue and every member of its families."""
    names = [entry.name for entry in (*FUNCTIONS, *FAMILIES) if entry.name not in COMBINATORS]
    found = [lookup.get(name) for name in names]
    plain = [one for one in found if isinstance(one, Activation)]
    members = [member for one in found if not isinstance(one, Activation) for member in one.members]
    return tuple({one.expression: one for one in (*members, *plain)}.values())


def _designs(
    target: Activation, norm: Norm, shapes: Sequence[tuple[str, int | None]], left_out: list[str]
) -> Iterator[Candidate]:
    """The shapes that the target and the domain admit; why the others do not is said once for each."""
    known = set()
    for shape, pieces in shapes:
        try:
            best = design(target, shape, pieces=pieces, norm=norm)
        except (BadInput, Refused, Undecided) as reason:
            name = shape.partition(":")[0]
            if not any(line.startswith(f"{name}:") for line in left_out):
                left_out.append(f"{name}: {reason}")
            continue
        size = f"{shape}, {best.pieces} pieces" if pieces else shape
        if size in known:  # one piece more was of no use
            continue
        known.add(size)
        formula, kind = best.polynomials.formula, shape.partition(":")[0]
        yield Candidate(size, kind, formula, best.error, best.cost, optimum=best.verdict)


def _standing(one: Candidate, points: Sequence[tuple[float, int]]) -> Candidate:
    return replace(one, stands=not any(_beats(point, one.point) for point in points))


def _beats(a: tuple[float, int], b: tuple[float, int]) -> bool:
    """As near and as cheap, and better in one; who is cheaper need only be as near up to GAP."""
    return a[0] <= b[0] * (1 + GAP) if a[1] < b[1] else a[1] == b[1] and a[0] < b[0]


def _row(one: Candidate, mark: str) -> tuple[str, ...]:
    table = str(one.cost.table_bytes) if one.cost.table_bytes else ""
    return one.name, one.kind, mark, str(one.cost.operations), table, decimal(float(one.error[1]))
