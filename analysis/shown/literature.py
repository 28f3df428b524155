"""What is in print against the best of its shape, from the record that `make frontiers` writes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator

from analysis.activation.sheet import decimal
from analysis.optimal.judgement import Standing
from analysis.shown.canvas import styled
from analysis.shown.figures import BLUE, RED
from analysis.shown.records import Record
from analysis.shown.tables import Rows

OPEN: dict[str, Any] = {"color": "0.7", "linewidth": 5, "solid_capstyle": "butt", "zorder": 1}
TEXT: dict[str, Any] = {"textcoords": "offset points", "fontsize": 7}
LOOKS = {Standing.BEATEN: ("o", BLUE), Standing.IMPOSSIBLE: ("X", RED), Standing.UNBEATABLE: ("s", "black")}


def table(record: Record) -> Rows:
    """A row for each comparison: the figure in print, what its constants really give, ours, the bound, the verdict."""
    headings = ("in print", "for", "norm", "figure", "its constants, measured", "ours", "proved bound", "verdict")
    rows = tuple(map(_row, _compared(record)))
    others = Counter((one["name"].split(",")[0], one["sentence"]) for one in record["entries"] if not one["ours"])
    notes = tuple(f"{name}, {count} more: {sentence}." for (name, sentence), count in others.items())
    return Rows("Approximations in print against the best of their shape", headings, rows, notes)


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    measured = decimal(float(one["measured"][1]), 6) if one["measured"] else ""
    if one["holds"] is not None:
        measured += ": as printed" if one["holds"] else ": not as printed"
    bound = decimal(one["lower"], 6) if one["lower"] else "none"
    ours = decimal(float(one["ours"][1]), 6)
    return one["name"], one["target"], one["norm"], one["figure"] or "", measured, ours, bound, one["sentence"]


def sources(record: Record) -> str:
    """Where each was read, as a list in Markdown, with the remarks."""
    read = dict.fromkeys((one["source"], one["why"]) for one in record["entries"])
    return "\n".join(f"- {source}" + (f" ({why})" if why else "") for source, why in read)


def in_words(record: Record) -> str:
    """How many of each verdict."""
    counts = Counter(one["standing"] for one in record["entries"])
    return ", ".join(f"{count} {standing}" for standing, count in counts.items())


def described(record: Record) -> str:
    """The alternative text of the figure."""
    return "Errors in print as multiples of the best found. " + "; ".join(
        f"{one['name']}, {one['target']}: {one['sentence']}" for one in _compared(record)
    )


@styled
def multiples(ax: Axes, record: Record) -> None:
    """A row for each: the error in print over ours, with the stretch between the proved bound and ours shaded."""
    rows, shown = _compared(record), set()
    ax.axvline(1, color="0.25", linewidth=0.9)
    for height, one in enumerate(rows):
        ours, standing = float(one["ours"][1]), Standing(one["standing"])
        theirs = float(one["measured"][0]) if one["measured"] else float(one["figure"])
        if one["lower"]:
            ax.plot([one["lower"] / ours, 1], [height, height], **OPEN)
        marker, color = LOOKS[standing]
        said = None if standing in shown else str(standing)
        shown.add(standing)
        ax.plot([theirs / ours], [height], marker, color=color, markersize=5.5, label=said)
        side: dict[str, Any] = {"xytext": (7, 0)} if theirs > ours else {"xytext": (-7, 0), "ha": "right"}
        ax.annotate(f"{theirs / ours:.3g}", (theirs / ours, height), va="center", **side, **TEXT)
    ax.set_yticks(range(len(rows)), [f"{one['name']}: {one['target']}" for one in rows])
    ax.set(xscale="log", xlabel="error in print, as a multiple of ours; grey: what the proved bound leaves open")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.invert_yaxis()
    ax.margins(x=0.12)
    ax.legend(loc="lower right")


def _compared(record: Record) -> list[dict[str, Any]]:
    return [one for one in record["entries"] if one["ours"]]
