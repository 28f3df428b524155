"""The record of the studies, drawn: each comparison with its interval; a full mark is significant, a hollow one not."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from analysis.shown.canvas import styled
from analysis.shown.figures import BLUE, GREEN, RED
from analysis.shown.records import Record
from analysis.shown.studies import ENOUGH, named

GREY = "0.45"
NAMED = 3.0  # points of loss above which a stand-in has its name beside it
LINE = 0.05  # of the largest loss: the height of a name
COLOURS = {"sudden": BLUE, "lerp": RED, "start": GREY, "none": GREEN}
MARKS = {"sudden": "o", "lerp": "s", "start": "^", "none": "D"}
SAID = {
    "sudden": "sudden swap",
    "lerp": "interpolated",
    "start": "cheap from the start",
    "none": "not trained after it",
}


@styled
def curves(ax: Axes, record: Record, setting: str, functions: Sequence[str]) -> None:
    """The mean validation accuracy over the epochs."""
    rows = {row["function"]: row for row in record["trained"] if row["setting"] == setting}
    for name, colour, mark in zip(functions, (RED, BLUE, GREY), "sox", strict=False):
        if name in rows:
            row = rows[name]
            ax.plot(row["checkpoints"], row["validation"], mark + "-", color=colour, markersize=3, label=named(name))
    ax.set(xlabel="epoch", ylabel="validation accuracy, %", title=named(setting))
    ax.legend(loc="lower right")


@styled
def forest(
    ax: Axes, rows: Sequence[Record], labels: Sequence[str], xlabel: str, title: str, ratio: bool = False
) -> None:
    """A line for each comparison: mean, interval, and a full mark where it is significant."""
    for height, row in enumerate(rows):
        ends = [math.exp(e) if ratio else e for e in row["interval"]]
        mean = math.exp(row["mean"]) if ratio else row["mean"]
        ax.plot(ends, [height, height], color=BLUE, linewidth=1.0)
        ax.plot(mean, height, "o", markersize=4, color=BLUE, markerfacecolor=BLUE if row["significant"] else "white")
    ax.axvline(1 if ratio else 0, color="0.6", linewidth=0.8, zorder=0)
    ax.set_yticks(range(len(rows)), labels)
    ax.set(xlabel=xlabel, title=title, ylim=(len(rows) - 0.4, -0.6))


@styled
def beside_mish(left: Axes, right: Axes, record: Record) -> None:
    """Mish minus each other in every setting, and the ratio of their spreads on the same lines."""
    rows = record["questions"]["mish and others"]
    spreads = {(row["setting"], row["other"]): row for row in record["questions"]["spread"]}
    labels = [f"{named(row['setting'])}, beside {named(row['other'])}" for row in rows]
    forest(left, rows, labels, "accuracy of Mish minus the other, points", "accuracy")
    paired = [spreads[row["setting"], row["other"]] for row in rows]
    forest(right, paired, labels, "deviation of Mish over the other's", "spread over seeds", ratio=True)


@styled
def stand_in_panel(ax: Axes, record: Record, setting: str) -> None:
    """The accuracy of each cheap function minus that of Mish, in one setting."""
    rows = [row for row in record["questions"]["stand-ins"] if row["setting"] == setting]
    forest(ax, rows, [named(row["one"]) for row in rows], "points beside Mish", named(setting))


@styled
def stand_in_grid(panels: Sequence[Axes], record: Record, settings: Sequence[str]) -> None:
    """A panel for each setting."""
    for axes, setting in zip(panels, settings, strict=True):
        stand_in_panel(axes, record, setting)


@styled
def swap_grid(panels: Sequence[Axes], record: Record, model: str, targets: Sequence[str]) -> None:
    """A panel for each target, and the legend in the first place that is left."""
    for axes, target in zip(panels, targets, strict=False):
        swap_panel(axes, record, model, target)
    for axes in panels[len(targets) :]:
        axes.set_axis_off()
    handles, labels = panels[0].get_legend_handles_labels()
    panels[min(len(targets), len(panels) - 1)].legend(handles, labels, loc="center")
    panels[0].set_ylabel("points beside Mish all the way")
    panels[0].set_xlabel("epochs after the swap")


@styled
def loss_grid(panels: Sequence[Axes], record: Record, models: Sequence[str]) -> None:
    """For each model the loss over the sup error and over the Gaussian error."""
    for i, model in enumerate(models):
        loss_panel(panels[2 * i], record, model, "sup")
        loss_panel(panels[2 * i + 1], record, model, "gaussian")


@styled
def swap_panel(ax: Axes, record: Record, model: str, target: str) -> None:
    """The difference to Mish all the way over the epochs after the swap, a line for each way."""
    rows = [row for row in record["swaps"][model]["questions"]["and mish"] if row["target"] == target]
    for shift, way in enumerate(("none", "sudden", "lerp", "start")):
        mine = sorted((row for row in rows if row["one"] == way), key=lambda row: row["epochs"])
        if not mine:
            continue
        places = [_place(row["epochs"]) + 0.08 * (shift - 1.5) for row in mine]
        means = [row["mean"] for row in mine]
        sides = [[abs(row["interval"][i] - row["mean"]) for row in mine] for i in (0, 1)]
        ax.errorbar(places, means, yerr=sides, fmt="-", color=COLOURS[way], linewidth=0.9, capsize=2, label=SAID[way])
        for place, row in zip(places, mine, strict=True):
            face = COLOURS[way] if row["significant"] else "white"
            ax.plot(place, row["mean"], MARKS[way], markersize=4, color=COLOURS[way], markerfacecolor=face)
    counts = sorted({row["epochs"] for row in record["swaps"][model]["ways"]})
    ax.axhline(0, color="0.6", linewidth=0.8, zorder=0)
    ax.set_xticks([_place(count) for count in counts], [str(count) for count in counts])
    ax.set(title=f"to {named(target)}", xlim=(_place(counts[0]) - 0.4, _place(counts[-1]) + 0.4))


def _place(epochs: int) -> float:
    return math.log2(epochs) if epochs else -1.0


@styled
def loss_panel(ax: Axes, record: Record, model: str, kind: str) -> None:
    """The loss of accuracy of an untuned swap over an error of the stand-in; large ones have names where they fit."""
    found = record["untuned"][model]
    rows = [row for row in found["stand_ins"] if not row["name"].endswith(" refitted")]
    for row in rows:
        x, loss = _error(row, kind), row["loss"]
        designed = row["name"].startswith("pwl")
        colour = RED if designed else BLUE
        face = colour if loss["significant"] else "white"
        ax.plot([x, x], loss["interval"], color=colour, linewidth=0.8)
        ax.plot(x, loss["mean"], "s" if designed else "o", markersize=4, color=colour, markerfacecolor=face)
    for row in _apart(rows):
        at = (_error(row, kind), row["loss"]["mean"])
        ax.annotate(named(row["name"]), at, (-4, 2), textcoords="offset points", fontsize=5.5, ha="right")
    ax.axhline(0, color="0.6", linewidth=0.8, zorder=0)
    ax.axhline(ENOUGH, color="0.6", linewidth=0.8, linestyle=":", zorder=0)
    label = {"sup": "certified sup error", "gaussian": f"RMS error under N(0, {found['root_mean_square']:.3g}²)"}
    ax.set(xscale="log", xlabel=label.get(kind, "RMS error over the samples"), ylabel="accuracy lost, points")
    ax.set(title=named(model))


def _error(row: Record, kind: str) -> float:
    return float(row[kind][1] if kind != "samples" else row[kind])


def _apart(rows: Sequence[Record]) -> list[Record]:
    """From the largest loss down, those so far below the last one that their names do not meet."""
    found: list[Record] = []
    top = max((row["loss"]["mean"] for row in rows), default=0.0)
    for row in sorted(rows, key=lambda row: -row["loss"]["mean"]):
        mean = row["loss"]["mean"]
        if mean > NAMED and (not found or found[-1]["loss"]["mean"] - mean > LINE * top):
            found.append(row)
    return found
