"""Recorded results: figures that take too long for a notebook, with the machine and the command that made them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.activation.errors import BadInput
from analysis.activation.sheet import decimal
from analysis.rigorous.norms import Norm
from analysis.shown.tables import Rows, enclosed, live

if TYPE_CHECKING:
    from analysis.optimal.fitting.constants import Fit

Record = dict[str, Any]
SAME = 1e-9  # relative difference of constants that are the same
NORMS = {"sup": "sup norm", "l2": "L2 norm", "gaussian": "root mean square under N(0, 1)"}


def read(path: str | Path, recipe: str) -> Record:
    """The record; BadInput, with the make target that writes it, where there is none."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"expected a record of measurements at {path}: `make {recipe}` writes one") from None


def provenance(record: Record) -> str:
    """Which machine, which versions, which command."""
    machine = record["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items() if number)
    return (
        f"{machine['cores']} cores of {machine['processor']} ({machine['system']}), with {versions}; "
        f"`{record['command']}`."
    )


def optima(record: Record, target: str, norm: str) -> Rows:
    """A row for each family that has a member at a finite distance, the nearest family first."""
    found = [e for e in record["entries"] if (e["target"], e["norm"], e["round"]) == (target, norm, None)]
    rows = [_optimum(e) for e in sorted(filter(_is_finite, found), key=lambda e: e["estimate"])]
    infinite = ", ".join(e["family"] for e in found if not _is_finite(e))
    notes = (f"No member at a finite distance was found in: {infinite}.",) if infinite else ()
    headings = ("family", "best constants", "error", "standing", "best published", "times the best")
    return Rows(f"Best constants for {target}, {NORMS[norm]}", headings, tuple(rows), notes)


def rounded(record: Record, target: str) -> Rows:
    """Best constants of the formats in which they ship, per norm."""
    found = [e for e in record["entries"] if e["target"] == target and e["round"] and _is_finite(e)]
    rows = [(e["family"], e["round"], NORMS[e["norm"]], _constants(e), _error(e), _standing(e)) for e in found]
    headings = ("family", "format", "norm", "constants", "error", "standing")
    return Rows(f"Constants to ship for {target}", headings, tuple(rows))


def standing(record: Record) -> Callable[[Fit], str]:
    """What is proved of a fit: from the record of optima where it holds these very constants, else proved now."""

    def said(fit: Fit) -> str:
        entry = next((e for e in record["entries"] if _is_of(e, fit)), None)
        return live(fit) if entry is None else f"optimum {entry['optimum']['verdict']}, recorded"

    return said


def _is_of(entry: Record, fit: Fit) -> bool:
    """Whether the entry is of this fit: the same family, target and norm, constants and error."""
    of = entry["family"], entry["target"], entry["norm"], entry["round"]
    if of != (fit.family.name, fit.target.name, fit.norm.kind, None) or fit.norm != Norm(fit.norm.kind):
        return False
    if (
        not _is_finite(entry)
        or not entry["error"]
        or not fit.error
        or entry["constants"].keys() != fit.constants.keys()
    ):
        return False
    near = (math.isclose(entry["constants"][name], value, rel_tol=SAME) for name, value in fit.constants.items())
    (low, high), (least, most) = (map(Decimal, pair) for pair in (entry["error"], fit.error))
    return all(near) and low <= most and least <= high


def _is_finite(entry: Record) -> bool:
    return entry.get("estimate") is not None


def _optimum(entry: Record) -> tuple[str, ...]:
    known = [p for p in entry["published"] if p["ratio"] is not None]
    nearest = min(known, key=lambda p: p["ratio"], default=None)
    beside = (nearest["name"], decimal(nearest["ratio"], 4)) if nearest else ("", "")
    return entry["family"], _constants(entry), _error(entry), _standing(entry), *beside


def _constants(entry: Record) -> str:
    return ", ".join(f"{name} = {decimal(value, 8)}" for name, value in entry["constants"].items())


def _error(entry: Record) -> str:
    return enclosed(tuple(entry["error"])) if entry["error"] else f"about {decimal(entry['estimate'], 8)}"


def _standing(entry: Record) -> str:
    optimum = entry["optimum"]
    if optimum["verdict"] != "PROVED":
        return f"{optimum['verdict']}: {optimum['reason']}"
    if entry["round"]:
        return "PROVED best of the format"
    unique = {True: ", unique", False: _set(entry), None: ""}[entry["unique"]]
    return f"PROVED{unique}, gap {decimal(optimum['gap'], 2)}"


def _set(entry: Record) -> str:
    """The constants that may vary while the error stays the least."""
    pairs: dict[str, Sequence[str]] = entry["optimal_set"] or {}
    free = [(n, float(low), float(high)) for n, (low, high) in pairs.items()]
    wide = [
        f"{n} in [{low:.4g}, {high:.4g}]" for n, low, high in free if math.isinf(high) or high - low > 1e-3 * abs(high)
    ]
    return ", not unique: " + ", ".join(wide)
