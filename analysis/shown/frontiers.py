"""Frontiers of error and cost, from a record or as answered: drawn, and as a table of what to use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_CEILING, Context
from fractions import Fraction
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from analysis.activation import lookup
from analysis.activation.record import Activation
from analysis.activation.sheet import decimal
from analysis.optimal.frontier import frontier
from analysis.shown.canvas import styled
from analysis.shown.figures import BLUE, GREEN, RED
from analysis.shown.records import Record
from analysis.shown.tables import Rows

MARKERS = {
    "published": ("o", "0.45"),
    "fitted": ("P", "0.2"),
    "pwl": ("s", BLUE),
    "gate": ("^", RED),
    "pwq": ("D", GREEN),
    "rational": ("v", "black"),
}
FEWER = (("pwl", 4), ("pwl", 8), ("pwl", 16), ("gate:1", None), ("gate:3", None))  # for what is not in the record
NAME: dict[str, Any] = {"textcoords": "offset points", "fontsize": 6, "ha": "right", "va": "top"}
LONG = 360  # characters of a formula; above it the command that makes it is shown
EXACT = re.compile(r"\d+\.?\d{7,}(?:/\d+)?|\d+/\d{5,}")
SHORT = (
    "≈: constants to six digits. The error is that of the exact ones, which `actapprox design` gives for the shape and "
    "its pieces; with `--round` in a format to ship."
)
UPWARD = Context(prec=6, rounding=ROUND_CEILING)
OWN: dict[str, Any] = {"color": "0.4", "linewidth": 0.8, "linestyle": ":"}
TICKS = (1, 2, 5, 10, 20, 50, 100, 200)


def of(record: Record, target: Activation) -> dict[str, Any]:
    """The frontier of the record where it has the target's, else one over fewer shapes, computed now."""
    for entry in record["entries"]:
        if lookup.function(entry["target"]).expression == target.expression:
            return entry
    return frontier(target, shapes=FEWER, families=()).to_dict()


def beside(record: Record, target: Activation) -> list[dict[str, Any]]:
    """The frontier of the target, and those of the record that are others."""
    own = of(record, target)
    return [own, *(entry for entry in record["entries"] if entry["target"] != own["target"])]


@styled
def frontier_panel(ax: Axes, entry: dict[str, Any]) -> None:
    """Error against operations, both logarithmic; a line joins what nothing else beats, each with its name.

    What lies right of the dotted line takes more operations than the target itself.
    """
    known = entry["candidates"]
    for kind, (marker, color) in MARKERS.items():
        points = [_point(one) for one in known if one["kind"] == kind]
        if points:
            ax.plot(*zip(*points, strict=True), marker, color=color, markersize=4, alpha=0.85, label=kind)
    best = [one for one in known if one["on_frontier"]]
    ax.axvline(_own(entry), **OWN)
    ax.set(xscale="log", yscale="log", xlabel="operations for one value")
    if best:
        ax.step(*zip(*map(_point, best), strict=True), where="post", color="0.4", linewidth=0.8, zorder=1)
        low, high = min(e for _, e in map(_point, known)), max(e for _, e in map(_point, known))
        bottom, top = ax.get_ylim()  # of panels beside it as well, where they share the axis
        room = min(e for _, e in map(_point, best)) / 60  # for the names
        ax.set_ylim(min(bottom, low / 2, room), max(top, high * 1.6))
        for one in best:
            text = one["name"].split("(")[0].removesuffix(" pieces").replace(", ", " ")
            ax.annotate(text, _point(one), (-2, -2), rotation=35, **NAME)
        widest = max(_own(entry), *(n for n, _ in map(_point, known)))
        ax.set_xlim(0.45, widest * 1.4)
        ax.set_xticks([n for n in TICKS if n <= widest * 1.4], [str(n) for n in TICKS if n <= widest * 1.4])
    ax.xaxis.set_minor_locator(NullLocator())


def _point(one: dict[str, Any]) -> tuple[int, float]:
    return one["operations"], float(one["error"][1])


@styled
def kinds_key(figure: Figure, entries: Sequence[dict[str, Any]]) -> None:
    """One legend below all panels: a marker for each kind, and the line of what nothing else beats."""
    kinds = {one["kind"] for entry in entries for one in entry["candidates"]}
    rows: dict[str, Line2D] = {}
    for kind, (marker, color) in MARKERS.items():
        if kind in kinds:
            rows[kind] = Line2D([], [], marker=marker, color=color, linestyle="", markersize=4)
    rows["nothing else beats"] = Line2D([], [], color="0.4", linewidth=0.8)
    rows["the target itself"] = Line2D([], [], **OWN)
    figure.legend(list(rows.values()), list(rows), loc="outside lower center", ncols=len(rows))


def described(entries: Sequence[dict[str, Any]]) -> str:
    """The alternative text: what is on each frontier."""
    said = [f"{entry['target']}: {', '.join(map(_in_words, _best(entry)))}." for entry in entries]
    return "Error against operations, both logarithmic. " + " ".join(said)


def _in_words(one: dict[str, Any]) -> str:
    return f"{one['name']} {decimal(float(one['error'][1]), 3)} at {one['operations']}"


def recommended(entry: dict[str, Any]) -> Rows:
    """The best known function for each number of operations, with its constants and its certified error."""
    rows = tuple(
        (
            str(one["operations"]),
            str(one["cost"]["table_bytes"] or ""),
            one["name"],
            f"{UPWARD.create_decimal(one['error'][1]):f}",
            one["optimum"] or "published",
            _constants(entry["target"], one),
        )
        for one in _best(entry)
    )
    title = f"For {entry['target']}, which itself takes {_own(entry)} operations"
    headings = ("operations", "bytes of tables", "function", "certified error", "best of its shape", "constants")
    return Rows(title, headings, rows, (SHORT, *(f"Left out: {reason}." for reason in entry["left_out"])))


def _own(entry: dict[str, Any]) -> int:
    """The operations of the target itself."""
    return sum(number for name, number in entry["cost_of_target"].items() if name != "table_bytes")


def _best(entry: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in entry["candidates"] if one["on_frontier"]]


def _constants(target: str, one: dict[str, Any]) -> str:
    text = EXACT.sub(_shortened, one["formula"])
    if len(text) > LONG:
        shape, _, pieces = one["name"].removesuffix(" pieces").partition(", ")
        return f"actapprox design {target} --shape {shape} --pieces {pieces}"
    return text if text == one["formula"] else f"≈ {text}"


def _shortened(number: re.Match[str]) -> str:
    return decimal(float(Fraction(number[0])), 6)
