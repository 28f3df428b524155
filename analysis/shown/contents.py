"""The table of contents of the catalogue: the answer of `list`. It needs no sympy and is instant."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.activation.catalogue import FAMILIES, FUNCTIONS
from analysis.activation.record import Entry, Member
from analysis.activation.sheet import Record, Sheet, Table


@dataclass(frozen=True)
class Contents(Record):
    """Functions, named members of families among them, and families."""

    functions: tuple[dict, ...]
    families: tuple[dict, ...]

    def to_dict(self) -> dict:
        return {"functions": list(self.functions), "families": list(self.families)}

    def sheet(self) -> Sheet:
        rows = [(e["name"], e["formula"], _constants_text(e["constants"])) for e in self.functions]
        families = [
            (e["name"], e["formula"], _constants_text(e["constants"]), ", ".join(m["name"] for m in e["members"]))
            for e in self.families
        ]
        return Sheet(
            "the catalogue of actapprox",
            tables=(
                Table(("function", "formula", "constants"), tuple(rows), texts=3),
                Table(("family", "formula", "constants and defaults", "published"), tuple(families), texts=4),
            ),
            notes=("actapprox show NAME gives a function's card with its sources",),
        )


def contents() -> Contents:
    """The whole catalogue, as its rows stand."""
    plain = [_function(entry) for entry in FUNCTIONS]
    members = [_member(entry, member) for entry in FAMILIES for member in entry.members if member.name]
    return Contents((*plain, *members), tuple(_family(entry) for entry in FAMILIES))


def _function(entry: Entry) -> dict:
    return {"name": entry.name, "formula": entry.formula, "constants": {}, "sources": list(entry.sources)}


def _member(entry: Entry, member: Member) -> dict:
    return {
        "name": member.name,
        "formula": entry.formula,
        "constants": dict(member.constants),
        "family": entry.name,
        "sources": list(member.sources),
    }


def _family(entry: Entry) -> dict:
    return {
        "name": entry.name,
        "formula": entry.formula,
        "constants": {c.name: c.default for c in entry.constants},
        "members": [{"name": _member_name(entry, m), "constants": dict(m.constants)} for m in entry.members],
        "sources": list(entry.sources),
    }


def _member_name(entry: Entry, member: Member) -> str:
    return member.name or f"{entry.name}({', '.join(f'{k}={v}' for k, v in member.constants.items())})"


def _constants_text(constants: dict) -> str:
    return ", ".join(name if value is None else f"{name}={value}" for name, value in constants.items())
