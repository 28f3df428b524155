"""The atlas of a sweep: for each target and norm a panel with every answer, certified error against operations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from analysis.activation.sheet import decimal
from analysis.shown.canvas import panels, styled

Row = Mapping[str, Any]

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
PANEL = (2.5, 2.3)  # inches
LONGEST = 28  # characters of a name
LEAST = 1e-15  # an error below is said, not drawn


@styled
def atlas(rows: Sequence[Row]) -> Figure:
    """A row of panels for each norm, a column for each target; hollow marks are rounded to a format.

    A family is a mark; the designs of a shape are joined by a line, from the cheapest on. A panel says what it does
    not draw: what has no answer, or an error of nearly zero or of infinity. `rows` are those of a sweep's summary.
    """
    settings, targets, names = (list(dict.fromkeys(map(key, rows))) for key in (_setting, _target, _name))
    size = PANEL[0] * max(len(targets), 2) + 1.6, PANEL[1] * len(settings) + 0.5
    title = f"{len(rows)} tasks: certified error against operations for one value"
    figure, axes = panels(len(settings), len(targets), size=size, title=title, sharex=True, sharey="row")
    looks = dict(zip(names, zip(cycle(COLORS), _markers(len(names))), strict=False))
    for k, ax in enumerate(axes):
        setting, target = settings[k // len(targets)], targets[k % len(targets)]
        _panel(ax, [row for row in rows if (_setting(row), _target(row)) == (setting, target)], looks)
        ax.set_title(_short(target) if k < len(targets) else "", loc="left")
        if k % len(targets) == 0:
            ax.set_ylabel(f"error, {setting}")
        if k // len(targets) == len(settings) - 1:
            ax.set_xlabel("operations")
    marks = [Line2D([], [], color=color, marker=marker, linewidth=0, label=_short(name))
             for name, (color, marker) in looks.items()]  # fmt: skip
    if any(row["round"] for row in rows):
        marks.append(Line2D([], [], color="0.3", marker="o", markerfacecolor="white", linewidth=0, label="rounded"))
    figure.legend(handles=marks, loc="outside right upper")
    return figure


def _panel(ax: Axes, rows: Sequence[Row], looks: Mapping[str, tuple[str, str]]) -> None:
    drawn = [row for row in rows if row["operations"] and LEAST < float(row["error"][1]) < math.inf]
    for name, (color, marker) in looks.items():
        for format_ in dict.fromkeys(row["round"] for row in drawn):
            own = [row for row in drawn if (_name(row), row["round"]) == (name, format_)]
            points = np.array(sorted((row["operations"], float(row["error"][1])) for row in own)).reshape(-1, 2)
            line = 0.8 if own and own[0]["shape"] else 0
            face = "white" if format_ else color
            ax.plot(*points.T, color=color, marker=marker, markerfacecolor=face, linewidth=line, markersize=4.5)
    ax.set(xscale="log", yscale="log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(lambda value, _: decimal(value, 4))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.text(0.03, 0.03, _left_out(rows), transform=ax.transAxes, fontsize=6, color="0.35", va="bottom")


def _left_out(rows: Sequence[Row]) -> str:
    """What the panel does not draw, a line a reason."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row["outcome"] != "answered":
            reasons.setdefault(row["outcome"], []).append(_name(row))
        elif float(row["error"][1]) <= LEAST:
            reasons.setdefault(f"below {LEAST:g}", []).append(_name(row))
        elif not row["operations"] or math.isinf(float(row["error"][1])):
            reasons.setdefault("infinitely far", []).append(_name(row))
    return "\n".join(f"{reason}: {_short(', '.join(dict.fromkeys(names)))}" for reason, names in reasons.items())


def _markers(count: int) -> list[str]:
    """The marker changes with the colour, and otherwise once the colours are used up."""
    return [MARKERS[(k + k // len(COLORS)) % len(MARKERS)] for k in range(count)]


def _setting(row: Row) -> str:
    return row["setting"]


def _target(row: Row) -> str:
    return row["target"]


def _name(row: Row) -> str:
    return row["family"] or row["shape"]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
