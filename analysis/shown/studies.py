"""What an activation does to a network, in words, from the record that `make study` writes.

Every number comes from the record; sentences say which differences are significant after Holm's correction and which
are not, whatever they turn out to be. `study_tables` and `study_plots` show the same record.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from analysis.shown import records
from analysis.shown.records import Record

SPOKEN = {
    "mish": "Mish",
    "relu": "ReLU",
    "silu": "Swish",
    "best hard_gate": "best hard gate",
    "approx_mish": "two-sided Swish",
    "mlp": "MLP on MNIST-1D",
    "digits": "MLP on digits",
    "cnn": "CNN on MNIST-1D",
    "residual cnn": "residual CNN on MNIST-1D",
}
WAYS = {
    "none": "not trained after the swap",
    "sudden": "sudden swap",
    "lerp": "interpolated",
    "start": "cheap from the start",
    "kept": "Mish all the way",
}
BASES = ("mlp", "digits", "cnn", "residual cnn")
ENOUGH = 0.5  # points that an engineer may be ready to lose


def named(name: str) -> str:
    """How a function or a setting is called in a figure."""
    if name.startswith("aptx("):
        return "APTx, trained" if name.endswith("*") else "APTx"
    if lines := re.fullmatch(r"pwl (\d+)", name):
        return f"{lines[1]} lines"
    return SPOKEN.get(name, re.sub(r"(linear_swish|beta_mish)\(.*", r"\1", name))


def provenance(record: Record) -> str:
    """What was run, on what, by which command."""
    protocol = record["protocol"]
    share = f"{record['carried_out']} of {record['planned']} planned runs"
    minutes = record["processor_seconds"] / 60
    return (
        f"{share}, {minutes:.0f} minutes of processor time, {len(protocol['seeds'])} seeds for each accuracy, "
        f"on {records.provenance(record)}"
    )


def missing(record: Record) -> str:
    """Which planned settings have no result, or that all have."""
    known = {row["setting"] for row in record["trained"]}
    absent = [named(setting) for setting in record["protocol"]["settings"] if setting not in known]
    return f"Not run: {', '.join(absent)}." if absent else "Every planned setting was run."


def convergence(record: Record) -> str:
    """How many configurations had levelled, and which had not."""
    rows = record["trained"]
    rising = [f"{named(row['function'])} ({named(row['setting'])})" for row in rows if not row["levelled"]]
    rule = f"at most {record['protocol']['rise']:g} points between the last two sixths of the epochs"
    said = f"The validation accuracy had levelled ({rule}) in {len(rows) - len(rising)} of {len(rows)} configurations"
    return said + (f", but not for {', '.join(rising)}." if rising else ".")


def paper(record: Record) -> str:
    """What the study says of Mish beside ReLU and Swish."""
    questions = record["questions"]
    parts = []
    for other in ("relu", "silu"):
        rows = [row for row in questions["mish and others"] if row["other"] == other]
        if rows:
            parts.append(f"Against {named(other)}, Mish {counted(rows)}.")
    spreads = questions["spread"]
    if spreads:
        parts.append(f"As to the spread over seeds, Mish {counted(spreads, 'narrower', 'wider', reverse=True)}.")
    for row in questions["trend"]:
        parts.append(f"With each doubling of the {row['setting']}, its lead over {named(row['other'])} {_moves(row)}.")
    return " ".join(parts)


def trainings(record: Record) -> str:
    """What mixup and cosine annealing add, and to whom more."""
    gains = {(row["setting"], row["one"]): row for row in record["questions"]["gain"]}
    parts = []
    for training in dict.fromkeys(training for training, _ in gains):
        each = [f"{named(name)} {interval(row)}" for (one, name), row in gains.items() if one == training]
        parts.append(f"From {training}: {', '.join(each)}.")
    for row in record["questions"]["difference of gains"]:
        parts.append(f"The gain of Mish minus that of {named(row['other'])}, from {row['setting']}: {interval(row)}.")
    return " ".join(parts) or "Mixup and cosine annealing were not run."


def swaps(record: Record, model: str) -> str:
    """What the ways of moving from Mish to a cheaper function come to."""
    questions = record["swaps"][model]["questions"]
    if not questions["lerp and sudden"]:
        return f"{named(model)}: the swap was not run."
    lerps, starts = questions["lerp and sudden"], questions["tuned and from the start"]
    rates = _at_one_rate(lerps)
    gap = [row for row in questions["and mish"] if row["one"] in ("sudden", "lerp")]
    return (
        f"{named(model)}. Interpolation beside a sudden swap for as many epochs {counted(lerps)}.{rates} "
        f"A moved network beside one with the cheap function from the start and the same budget {counted(starts)}. "
        f"A moved network beside Mish all the way {counted(gap)}."
    )


def _at_one_rate(rows: list[Record]) -> str:
    """The same for the comparisons whose two ways were tuned to one learning rate: in others the rates differ too."""
    same = [row for row in rows if row["same_rate"]]
    if len(same) == len(rows):
        return " Both ways were tuned to the same rate each time."
    said = f" (there it {counted(same)})" if same else ""
    return (
        f" The two ways were tuned to the same learning rate in {len(same)} of these{said}; elsewhere the rates differ."
    )


def tolerance(record: Record, model: str) -> str:
    """Which error predicts the loss of accuracy, and the tolerance that is enough."""
    found = record["untuned"].get(model)
    if not found:
        return f"{named(model)}: not run."
    ranks = found["ranks"]
    each = [f"{ranks[kind]['of_means']:.2f} for {what}" for kind, what in ERRORS.items()]
    better = ranks["gaussian and sup"]
    told = "" if (better["p"] or 0) < LEVEL else "not "
    enough, worst = enough_for(found["stand_ins"])
    limit = (
        f"Every stand-in with a certified error up to {enough:.3g} loses less than {ENOUGH:g} points (upper end of the "
        f"interval); the first that may lose more has an error of {worst:.3g}."
        if enough and worst
        else f"No tolerance of the stand-ins tried keeps the loss surely below {ENOUGH:g} points."
    )
    return (
        f"{named(model)}, {ranks['count']} stand-ins. Rank correlation of error and loss: {', '.join(each)}. Over the "
        f"seeds, the Gaussian error and the sup error are {told}told apart ({better['mean']:+.2f} "
        f"[{better['interval'][0]:+.2f}, {better['interval'][1]:+.2f}]). {limit}"
    )


ERRORS = {
    "sup": "the certified sup error",
    "gaussian": "the certified Gaussian error",
    "samples": "the root mean square over the samples",
}
LEVEL = 0.05


def enough_for(rows: Iterable[Record]) -> tuple[float | None, float | None]:
    """The largest certified sup error up to which every stand-in's loss is surely below ENOUGH, and the next one."""
    enough = None
    for row in sorted(rows, key=lambda row: float(row["sup"][1])):
        if row["loss"]["interval"][1] >= ENOUGH:
            return enough, float(row["sup"][1])
        enough = float(row["sup"][1])
    return enough, None


def refits(record: Record, model: str) -> str:
    """Whether constants fitted on the samples of pre-activations serve better than those of the sup norm."""
    rows = record["untuned"].get(model, {}).get("refits", [])
    if not rows:
        return f"{named(model)}: not run."
    each = "; ".join(f"{row['setting']} {interval(row)}" for row in rows)
    return f"{named(model)}. Fitting constants to the samples instead of in the sup norm {counted(rows)}. {each}."


def compared_settings(record: Record) -> list[str]:
    """The networks and data in which stand-ins were trained from the start."""
    known = {row["setting"] for row in record["questions"]["stand-ins"]}
    return [setting for setting in BASES if setting in known]


def swap_targets(record: Record, model: str) -> list[str]:
    """What networks trained with Mish were moved to."""
    ways = record["swaps"][model]["ways"]
    return list(dict.fromkeys(row["target"] for row in ways if row["way"] != "kept"))


def described_curves(record: Record, setting: str) -> str:
    """The alternative text of the curves of training: where each ends."""
    ends = [f"{named(row['function'])} at {row['validation'][-1]:.1f} %" for row in trained(record, setting)]
    return f"Validation accuracy over epochs, {named(setting)}; at the end {', '.join(ends)}."


def described_stand_ins(record: Record) -> str:
    """The alternative text of the comparison of stand-ins with Mish."""
    rows = record["questions"]["stand-ins"]
    each = [f"{named(row['one'])} ({named(row['setting'])}) {interval(row)}" for row in rows]
    return f"Accuracy minus that of Mish, in points: {'; '.join(each)}."


def practice(record: Record) -> str:
    """What follows, as a list; each sentence by what the record says."""
    lines = []
    rows = [row for row in record["questions"]["stand-ins"] if row["setting"] in BASES]
    worse = [f"{named(row['one'])} ({named(row['setting'])})" for row in rows if _sign(row) < 0]
    better = [f"{named(row['one'])} ({named(row['setting'])})" for row in rows if _sign(row) > 0]
    if rows:
        lines.append(
            f"Trained from the start, the cheap forms are told apart from Mish in {len(worse) + len(better)} of "
            f"{len(rows)} comparisons: worse {', '.join(worse) or 'none'}; better {', '.join(better) or 'none'}."
        )
    for model, found in record["swaps"].items():
        lerps = found["questions"]["lerp and sudden"]
        if lerps:
            won, lost = (sum(_sign(row) == sign for row in lerps) for sign in (1, -1))
            verdict = "pays" if won > lost else "does not pay"
            lines.append(
                f"{named(model)}: interpolation {verdict} here: significantly better than a sudden swap in {won}, "
                f"worse in {lost} of {len(lerps)} cases."
            )
    for model, found in record["untuned"].items():
        enough, _ = enough_for(found["stand_ins"])
        if enough:
            lines.append(
                f"{named(model)}: without training after the swap, a certified error up to {enough:.3g} "
                f"was near enough: less than {ENOUGH:g} points lost by each stand-in."
            )
    return "\n".join(f"- {line}" for line in lines)


# phrases


def counted(rows: list[Record], good: str = "better", bad: str = "worse", reverse: bool = False) -> str:
    """How many comparisons are significant in which direction, and the range of their means."""
    won, lost = (sum(_sign(row) == sign for row in rows) for sign in (1, -1))
    if reverse:
        won, lost = lost, won
    rest = len(rows) - won - lost
    means = [math.exp(row["mean"]) if reverse else row["mean"] for row in rows]
    unit = "ratios from {:.2f} to {:.2f}" if reverse else "mean differences from {:+.2f} to {:+.2f} points"
    span = unit.format(min(means), max(means))
    return f"is {good} in {won}, {bad} in {lost} and not told apart in {rest} of {len(rows)} comparisons ({span})"


def interval(row: dict[str, Any]) -> str:
    """Mean and 95 % interval of a difference, and a word where it is not significant."""
    low, high = row["interval"]
    said = f"{row['mean']:+.2f} [{low:+.2f}, {high:+.2f}]"
    return said if row["significant"] else f"{said} (not significant)"


def _moves(row: Record) -> str:
    return f"changes by, in points, {interval(row)}"


def _sign(row: Record) -> int:
    return 0 if not row["significant"] else 1 if row["mean"] > 0 else -1


def trained(record: Record, setting: str) -> list[Record]:
    """The rows of a setting, one for each function."""
    return [row for row in record["trained"] if row["setting"] == setting]
