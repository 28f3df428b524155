"""What certainty costs, from the record that `make bench` writes: times over the tolerance, and beside Sollya's."""

from __future__ import annotations

import math

from matplotlib.axes import Axes

from analysis.shown import records
from analysis.shown.canvas import styled
from analysis.shown.figures import BLUE, RED
from analysis.shown.records import Record
from analysis.shown.tables import Rows


def provenance(record: Record) -> str:
    """One sentence: how many rounds, which machine, which versions."""
    return f"Medians of {record['rounds']} interleaved rounds on {records.provenance(record)}"


def table(record: Record) -> Rows:
    """A row for each supremum: its enclosure, our time, Sollya's, and the ratio with its quartiles."""
    headings = ("sup of the difference of", "and", "enclosure", "ms", "Sollya, ms", "ratio (quartiles)")
    title = f"Certified to {record['tolerance']:g}, relatively; warm, in one process"
    return Rows(title, headings, tuple(map(_row, record["suprema"])))


def _row(found: Record) -> tuple[str, ...]:
    low, high = found["distance"]
    beside = ("not measured", "")
    if found["sollya"]:
        first, last = found["ratio"]["quartiles"]
        ratio = f"{found['ratio']['median']:.3g} ({first:.3g} to {last:.3g})"
        beside = f"{found['sollya']['milliseconds']['median']:.3g}", ratio
    return found["left"], found["right"], f"[{low}, {high}]", f"{found['milliseconds']['median']:.3g}", *beside


def in_words(record: Record) -> str:
    """What the figure says."""
    first, last = record["tolerances"][0], record["tolerances"][-1]
    times = last["milliseconds"]["median"] / first["milliseconds"]["median"]
    digits = f"From a tolerance of {first['tolerance']:g} to {last['tolerance']:g} the time grows {times:.2g}-fold."
    ratios = sorted(found["ratio"]["median"] for found in record["suprema"] if found["ratio"])
    if not ratios:
        return f"{digits} Sollya was not measured."
    main = record["suprema"][0]
    return (
        f"{digits} For {main['left']} and {main['right']} Sollya takes {main['ratio']['median']:.3g} times as long; "
        f"over all {len(ratios)} differences the multiple is between {ratios[0]:.3g} and {ratios[-1]:.3g}."
    )


def described(record: Record) -> str:
    """The alternative text of the figure."""
    costs = ", ".join(f"{m['milliseconds']['median']:.2g} ms at {m['tolerance']:g}" for m in record["tolerances"])
    return f"Left, time over tolerance: {costs}. Right, our time beside Sollya's. {in_words(record)}"


@styled
def cost_curve(ax: Axes, record: Record) -> None:
    """Milliseconds over the digits asked for, with quartiles."""
    digits = [-math.log10(found["tolerance"]) for found in record["tolerances"]]
    _with_quartiles(ax, digits, [found["milliseconds"] for found in record["tolerances"]])
    ax.set(xlabel="digits asked for", ylabel="milliseconds", ylim=(0, None))
    ax.set(title="what a digit costs", xticks=digits)


def _with_quartiles(ax: Axes, x: list[float], measured: list[Record]) -> None:
    medians = [m["median"] for m in measured]
    aside = [[abs(m["quartiles"][i] - m["median"]) for m in measured] for i in (0, 1)]
    ax.errorbar(x, medians, yerr=aside, fmt="o-", color=BLUE, markersize=3.5, capsize=2, elinewidth=0.8)


@styled
def beside_sollya(ax: Axes, record: Record) -> None:
    """A line for each supremum from our time to Sollya's, on a logarithmic axis, with the ratio beside it."""
    rows = record["suprema"]
    for height, found in enumerate(rows):
        ours, theirs = found["milliseconds"]["median"], (found["sollya"] or found)["milliseconds"]["median"]
        ax.plot([ours, theirs], [height, height], color="0.75", linewidth=1.0, zorder=1)
        ax.plot(ours, height, "o", color=BLUE, label="here" if height == 0 else None)
        if found["sollya"]:
            ax.plot(theirs, height, "s", color=RED, label="Sollya, compact core" if height == 0 else None)
            ax.annotate(
                f"{found['ratio']['median']:.2g}×",
                (theirs, height),
                (6, 0),
                textcoords="offset points",
                va="center",
                fontsize=7,
            )
    ax.set_yticks(range(len(rows)), [f"{found['left']} − {found['right']}" for found in rows])
    ax.set(
        xscale="log",
        xlabel="milliseconds",
        title=f"to {record['tolerance']:g}: time, and how many times it Sollya takes",
    )
    ax.invert_yaxis()
    ax.margins(x=0.16)
    ax.legend(loc="upper right", bbox_to_anchor=(1, -0.12), ncols=2)
