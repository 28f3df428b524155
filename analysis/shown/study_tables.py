"""The record of the studies in tables: accuracies, ways of swapping, and stand-ins by their certified errors."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from analysis.shown.records import Record
from analysis.shown.studies import WAYS, interval, named, trained
from analysis.shown.tables import Rows


def accuracies(record: Record, setting: str) -> Rows:
    """A row for each function: mean and deviation over seeds, tuned rate, and whether training had levelled."""
    rows = sorted(trained(record, setting), key=lambda row: -row["mean"])
    shown = [
        (
            named(row["function"]),
            f"{row['mean']:.2f}",
            f"{row['deviation']:.2f}",
            f"{row['rate']:g}",
            f"{row['losses'][-1]:.2g}",
            "yes" if row["levelled"] else f"no, still rising by {row['rise']:.2f}",
        )
        for row in rows
    ]
    headings = ("function", "test accuracy, %", "deviation", "learning rate", "training loss", "levelled")
    return Rows(f"{named(setting)}: {len(record['protocol']['seeds'])} seeds", headings, tuple(shown))


def swap_table(record: Record, model: str) -> Rows:
    """A row for each target and number of epochs: the accuracy of each way."""
    ways = {(row["target"], row["epochs"], row["way"]): row for row in record["swaps"][model]["ways"]}
    counts = sorted({count for _, count, _ in ways})
    rows = []
    for target in dict.fromkeys(target for target, _, way in ways if way != "kept"):
        for count in counts:
            found = [ways.get((target, count, way)) for way in ("none", "sudden", "lerp", "start")]
            found.append(ways.get(("mish", count, "kept")))
            cells = [f"{one['mean']:.2f} ± {one['deviation']:.2f}" if one else "" for one in found]
            if any(cells[:-1]):
                rows.append((named(target), str(count), *cells))
    headings = ("to", "epochs", WAYS["none"], "sudden", "interpolated", WAYS["start"], WAYS["kept"])
    return Rows(f"{named(model)}: mean ± deviation of the accuracy, %", headings, tuple(rows))


def stand_ins(record: Record, model: str) -> Rows:
    """Every stand-in with its certified errors and what it loses without tuning."""
    found = record["untuned"][model]
    rows = sorted(found["stand_ins"], key=lambda row: float(row["sup"][1]))
    shown = [
        (named(row["name"]), *(_upward(row[kind][1]) for kind in ("sup", "gaussian")), interval(row["loss"]))
        for row in rows
    ]
    title = f"{named(model)}: Mish replaced without tuning, from {found['source']['mean']:.2f} %"
    headings = (
        "stand-in",
        "sup error ≤",
        f"RMS under N(0, {found['root_mean_square']:.3g}²) ≤",
        "loss of accuracy, points",
    )
    return Rows(title, headings, tuple(shown))


def _upward(bound: str) -> str:
    """An upper bound with four decimals, which stays one."""
    return str(Decimal(bound).quantize(Decimal("1e-4"), rounding=ROUND_CEILING))
