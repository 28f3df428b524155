"""How a function stands beside known ones: which it equals, is a member of, or how far it is from each, certified."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from analysis.activation import lookup
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.parsing import split_outside_brackets
from analysis.activation.record import Activation, Family
from analysis.activation.sheet import Table, decimal
from analysis.exact.verdict import Verdict
from analysis.optimal.fitting.constants import fit
from analysis.rigorous.balls import Pair
from analysis.rigorous.comparison import INFINITE, UNKNOWN, compare
from analysis.rigorous.norms import Norm
from analysis.shown.words import label

NORMS = {"sup": Norm(), "l2": Norm("l2"), "gaussian": Norm("gaussian")}
HEADINGS = ("against", "the same?", "sup norm", "L2 norm", "RMS under N(0, 1)")


@dataclass(frozen=True)
class Beside:
    """The distances to a known function, or to the member of a family that is nearest in the sup norm.

    `constants` are that member's; there are none for a function, and for a family of which no member is known to be at
    a finite distance. A distance that could not be certified is known to be in ("0", "inf").
    """

    name: str
    distances: Mapping[str, Pair]
    family: str | None = None
    constants: Mapping[str, str] = field(default_factory=dict)

    @property
    def same(self) -> Verdict:
        """Whether the two are one function on all of R."""
        low, high = self.distances["sup"]
        if high == "0":
            return Verdict.PROVED
        return Verdict.REFUTED if Decimal(low) > 0 else Verdict.UNDECIDED

    def to_dict(self) -> dict:
        return {
            "name": self.name,
            "family": self.family,
            "constants": dict(self.constants),
            "same": str(self.same),
            "distance": {norm: list(pair) for norm, pair in self.distances.items()},
        }

    def row(self) -> tuple[str, ...]:
        """The row of the table for people: upper ends, in a few digits."""
        said = {Verdict.PROVED: "PROVED", Verdict.REFUTED: "no", Verdict.UNDECIDED: "UNDECIDED"}[self.same]
        if self.family and self.constants:
            said = "PROVED, as its member" if self.same is Verdict.PROVED else f"{said}; its nearest member"
        return self.name, said, *map(_shown, self.distances.values())


def _shown(pair: Pair) -> str:
    if pair == INFINITE:
        return "infinite"
    return decimal(float(pair[1])) if math.isfinite(float(pair[1])) else "UNDECIDED"


def beside(f: Activation, text: str) -> Beside:
    """The function beside the one that `text` names; a family stands for its defaults, else for its nearest member."""
    known = lookup.get(text)
    if isinstance(known, Family) and not any(member.name == known.name for member in known.members):
        return _nearest(f, known)
    other = lookup.function(text)
    return Beside(label(other), _distances(f, other))


def _nearest(f: Activation, family: Family) -> Beside:
    try:
        found = fit(family, f, NORMS["sup"])
    except (BadInput, Undecided):  # the asymptotes of the two cannot be told apart
        return Beside(family.name, dict.fromkeys(NORMS, UNKNOWN), family.name)
    if not math.isfinite(found.estimate):
        return Beside(family.name, dict.fromkeys(NORMS, INFINITE), family.name)
    member = found.activation()
    constants = {name: lookup.number_text(value) for name, value in member.constants.items()}
    return Beside(label(member), _distances(f, member), family.name, constants)


def _distances(f: Activation, g: Activation) -> dict[str, Pair]:
    return {kind: compare(f, g, norm).distance for kind, norm in NORMS.items()}


def against(f: Activation | Family, names: str | Iterable[str]) -> tuple[Beside, ...]:
    """The function beside each of these, given as names or as one text with commas between them."""
    if isinstance(f, Family):
        raise BadInput(f"expected a function without free constants to set beside others, got {f.name}")
    texts = split_outside_brackets(names) if isinstance(names, str) else list(names)
    texts = [text.strip() for text in texts if text.strip()]
    if not texts:
        raise BadInput(f"expected names of functions with commas between them, got {names!r}")
    return tuple(beside(f, text) for text in texts)


def table(found: Iterable[Beside]) -> Table:
    """A row for each, the nearest in the sup norm first."""
    rows = sorted(found, key=lambda one: float(one.distances["sup"][1]))
    return Table(HEADINGS, tuple(one.row() for one in rows), texts=2)
