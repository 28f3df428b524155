"""What the record says of the ledger's claims T18, P6 and P7: a sentence each, from its comparisons."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

Record = dict[str, Any]

NAMES = {"silu": "Swish", "relu": "ReLU", "mish": "Mish"}


def of(record: Record) -> Record:
    """The claims that the runs of the record are enough for."""
    found = {"P6": _p6(record), "P7": _p7(record), "T18": _t18(record)}
    return {claim: said for claim, said in found.items() if said}


def _p6(record: Record) -> Record | None:
    rows, spreads = record["questions"]["mish and others"], record["questions"]["spread"]
    if not rows:
        return None
    parts, evidence = [], []
    for other in ("relu", "silu"):
        against = [row for row in rows if row["other"] == other]
        parts.append(f"{tally(against)} against {NAMES[other]}")
        evidence += [_evidence(f"Mish minus {NAMES[other]}, {row['setting']}", in_points(row)) for row in against]
    narrow, wide = _signs(spreads)
    parts.append(f"its spread over seeds is lower in {narrow} and higher in {wide} of {len(spreads)} comparisons")
    trends = record["questions"]["trend"]
    if trends:
        grown = [row for row in trends if row["significant"] and row["mean"] > 0]
        parts.append(f"the advantage grows with depth or width in {len(grown)} of {len(trends)} trends")
    for row in trends:
        what = f"Mish minus {NAMES[row['other']]}, for each doubling of the {row['setting']}"
        evidence.append(_evidence(what, in_points(row)))
    evidence += [_evidence(_spread_of(row), as_ratio(row)) for row in spreads]
    return {"reason": f"the mean accuracy of Mish {'; '.join(parts)}", "evidence": evidence}


def _spread_of(row: Record) -> str:
    return f"standard deviation of Mish over that of {NAMES[row['other']]}, {row['setting']}"


def _p7(record: Record) -> Record | None:
    more = [row for row in record["questions"]["difference of gains"] if row["other"] == "silu"]
    if not more:
        return None
    said = [f"{in_points(row)} from {row['setting']}" for row in more]
    evidence = [
        _evidence(f"gain of {NAMES[row['one']]} from {row['setting']}", in_points(row))
        for row in record["questions"]["gain"]
    ]
    evidence += [
        _evidence(f"gain of Mish minus gain of {NAMES[row['other']]}, {row['setting']}", in_points(row))
        for row in record["questions"]["difference of gains"]
    ]
    return {"reason": f"the gain of Mish minus that of Swish is {', and '.join(said)}", "evidence": evidence}


def _t18(record: Record) -> Record | None:
    parts, evidence = [], []
    for model, found in record["swaps"].items():
        lerps, starts = found["questions"]["lerp and sudden"], found["questions"]["tuned and from the start"]
        if not lerps:
            continue
        parts.append(
            f"{model}: interpolation {tally(lerps)} against a sudden swap with as many epochs"
            f"{_at_one_rate(lerps)}, and the moved network {tally(starts)} against the cheap activation from the start"
        )
        for row in (*lerps, *starts, *found["questions"]["and mish"]):
            what = f"{model}, to {row['target']}, {row['epochs']} epochs: {WAYS[row['one']]} minus {WAYS[row['other']]}"
            evidence.append(_evidence(what, in_points(row)))
    return {"reason": "; ".join(parts), "evidence": evidence} if parts else None


def _at_one_rate(rows: list[Record]) -> str:
    """The same for the comparisons whose two ways were tuned to one learning rate: in others the rates differ too."""
    same = [row for row in rows if row["same_rate"]]
    return f" (tuned to one rate: {tally(same)})" if len(same) < len(rows) else ""


WAYS = {
    "none": "not trained after the swap",
    "sudden": "sudden swap",
    "lerp": "interpolated",
    "start": "the cheap one from the start",
    "kept": "Mish all the way",
}


def tally(rows: Iterable[Record]) -> str:
    """How often `one` is significantly better and worse than `other`, and the range of the mean differences."""
    rows = list(rows)
    worse, better = _signs(rows)
    means = [row["mean"] for row in rows]
    ranges = f"differences of {min(means):+.2f} to {max(means):+.2f} points" if means else "nothing measured"
    return f"is better in {better}, worse in {worse} of {len(rows)} comparisons ({ranges})"


def _signs(rows: Iterable[Record]) -> tuple[int, int]:
    """How many are significantly negative, and how many positive."""
    significant = [row["mean"] for row in rows if row["significant"]]
    return sum(mean < 0 for mean in significant), sum(mean > 0 for mean in significant)


def in_points(row: Record) -> str:
    """The difference with its interval and its standing."""
    low, high = row["interval"]
    standing = "significant" if row["significant"] else "not significant"
    return f"{row['mean']:+.2f} points [{low:+.2f}, {high:+.2f}], {standing} (p = {row['adjusted']:.2g}, Holm)"


def as_ratio(row: Record) -> str:
    """A ratio of deviations, whose logarithm was compared."""
    low, high = (math.exp(end) for end in row["interval"])
    standing = "significant" if row["significant"] else "not significant"
    return f"{math.exp(row['mean']):.2f} [{low:.2f}, {high:.2f}], {standing} (p = {row['adjusted']:.2g}, Holm)"


def _evidence(what: str, value: str) -> Record:
    return {"what": what, "value": value}
