"""What kernels cost, from the record of `make bench`: times beside ReLU, and the price of an error in nanoseconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from analysis.activation import lookup
from analysis.activation.record import Activation
from analysis.activation.sheet import decimal
from analysis.shown.canvas import styled
from analysis.shown.figures import BLUE, GREEN, RED
from analysis.shown.frontiers import MARKERS
from analysis.shown.records import Record
from analysis.shown.tables import Rows

Entry = dict[str, Any]
# code -> how a person names it, and its marker
CODES: dict[str, tuple[str, str, str]] = {
    "c accurate": ("our C, accurate", "o", BLUE),
    "c fast": ("our C, fast", "D", BLUE),
    "numpy accurate": ("our NumPy, accurate", "s", GREEN),
    "numpy fast": ("our NumPy, fast", "v", GREEN),
    "numpy naive": ("NumPy, the formula as typed", "x", "black"),
    "torch": ("PyTorch, eager", "^", RED),
    "torch compiled": ("PyTorch, compiled", "P", RED),
}
FUNCTIONS = ("hard_mish", "hard_swish", "silu", "gelu", "mish")
ONCE = {"gradient in one pass": "gradient"}  # our C makes value and derivative together
TICKS = (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
MAIN = {"dtype": "float32", "size": 100_000}


def provenance(record: Record) -> str:
    """Machine, instruction sets, compiler, versions, and how busy the machine was."""
    machine = record["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["libraries"].items() if number)
    return (
        f"{machine['processor']} ({', '.join(machine['features'])}), {machine['compiler']} {machine['flags']}, Python "
        f"{machine['python']}, {versions}; load {record['load'][0]} before and {record['load'][1]} after; "
        f"`{record['command']}`."
    )


def chosen(record: Record, **asked: Any) -> list[Entry]:
    """The timings that match, such as code="torch", work="forward"."""
    return [t for t in record["timings"] if all(t[key] == value for key, value in asked.items())]


@styled
def kernels_panel(ax: Axes, record: Record, work: str) -> None:
    """Times ReLU for each function and code, logarithmic, at 100,000 float32 numbers; a line at ReLU and at a copy."""
    names = [*(name for name, once in ONCE.items() if once == work), *([work] if work == "forward" else [])]
    for height, function in enumerate(FUNCTIONS):
        for code, (label, marker, color) in CODES.items():
            works = names if code.startswith("c ") else [work]
            for timing in (t for w in works for t in chosen(record, function=function, code=code, work=w, **MAIN)):
                ax.plot(timing["ratio"]["median"], height, marker, color=color, label=label, markersize=5, alpha=0.85)
    ax.axvline(1, color="0.4", linewidth=0.9)
    for copy in chosen(record, code="copy", **MAIN):
        ax.axvline(copy["ratio"]["median"], color="0.4", linewidth=0.9, linestyle=":")
    ax.set(xscale="log", ylim=(-0.6, len(FUNCTIONS) - 0.4), xlabel="time, in multiples of ReLU")
    ax.set_yticks(range(len(FUNCTIONS)), FUNCTIONS)
    _multiples(ax)


def _multiples(ax: Axes) -> None:
    low, high = ax.get_xlim()
    shown = [tick for tick in TICKS if low <= tick <= high]
    ax.xaxis.set_major_locator(FixedLocator(shown))
    ax.set_xticks(shown, [f"{tick:g}" for tick in shown])
    ax.xaxis.set_minor_locator(NullLocator())


@styled
def kernels_key(figure: Figure, record: Record) -> None:
    """One legend below the panels."""
    known = {t["code"] for t in record["timings"]}
    rows = [
        Line2D([], [], marker=marker, color=color, linestyle="", label=label)
        for code, (label, marker, color) in CODES.items()
        if code in known
    ]
    rows += [
        Line2D([], [], color="0.4", linewidth=0.9, label="ReLU in C"),
        Line2D([], [], color="0.4", linewidth=0.9, linestyle=":", label="a memory copy"),
    ]
    figure.legend(handles=rows, loc="outside lower center", ncols=3)


def kernels_table(record: Record) -> Rows:
    """Nanoseconds and times ReLU of Mish, by type, size, code and work."""
    timings = [t for t in record["timings"] if t["function"] == "mish"]
    rows = tuple(
        (
            CODES.get(t["code"], (t["code"],))[0],
            t["work"],
            t["dtype"],
            f"{t['size']:,}",
            decimal(t["ns"]["median"], 3),
            _ratio(t),
        )
        for t in timings
    )
    headings = ("code", "work", "type", "elements", "ns per element", "times ReLU (quartiles)")
    return Rows("Mish", headings, rows)


def _ratio(timing: Entry) -> str:
    low, high = timing["ratio"]["quartiles"]
    return f"{decimal(timing['ratio']['median'], 3)} ({decimal(low, 3)} to {decimal(high, 3)})"


def kernels_described(record: Record) -> str:
    """The alternative text of the panels."""
    said = []
    for work in ("forward", "gradient in one pass", "gradient"):
        for t in chosen(record, function="mish", work=work, **MAIN):
            said.append(f"{t['code']}, {work}: {decimal(t['ratio']['median'], 3)}")
    return "Times of activations in multiples of ReLU. Mish: " + "; ".join(said) + "."


def measures(record: Record) -> Rows:
    """What was asked of the kernels, and what was found."""
    rows = []
    for one in record["measures"]:
        bound = f"{'at most' if one['upper'] else 'at least'} {one['bound']:g}"
        kept = {True: "kept", False: "not kept", None: one["why"]}[one["kept"]]
        rows.append((one["what"], bound, "" if one["found"] is None else decimal(one["found"], 3), kept))
    return Rows("What was asked of the kernels", ("what", "bound", "found", ""), tuple(rows))


# the price of an error


def beside(record: Record, target: Activation) -> list[Entry]:
    """The prices of the target first, where the record has it, then the others."""
    own = [one for one in record["price"] if lookup.function(one["target"]).expression == target.expression]
    return [*own, *(one for one in record["price"] if one not in own)]


def unbeaten(entry: Entry) -> list[Entry]:
    """The stand-ins that no other beats in error and in time."""
    ordered = sorted(_stand_ins(entry), key=lambda p: (p["ns"]["median"], p["error"]))
    found: list[Entry] = []
    for point in ordered:
        if not found or point["error"] < found[-1]["error"]:
            found.append(point)
    return found


def _stand_ins(entry: Entry) -> list[Entry]:
    return [p for p in entry["points"] if p["error"] is not None]


@styled
def price_panel(ax: Axes, entry: Entry) -> None:
    """Certified error over nanoseconds, both logarithmic; what nothing beats is joined, the target itself is a line."""
    for kind, (marker, color) in MARKERS.items():
        points = [(p["ns"]["median"], p["error"]) for p in _stand_ins(entry) if p["kind"] == kind]
        if points:
            ax.plot(*zip(*points, strict=True), marker, color=color, markersize=4, alpha=0.85)
    best = unbeaten(entry)
    ax.step(*zip(*((p["ns"]["median"], p["error"]) for p in best), strict=True), where="post", color="0.4",
            linewidth=0.8, zorder=1)  # fmt: skip
    for point in entry["points"]:
        if point["error"] is None:
            dashes = "-" if point["variant"] == "accurate" else "--"
            ax.axvline(point["ns"]["median"], color=BLUE, linewidth=1.0, linestyle=dashes, zorder=0.8)
    ax.set(xscale="log", yscale="log", xlabel="ns per number")
    _multiples(ax)
    ax.yaxis.set_minor_formatter(NullFormatter())


@styled
def price_key(figure: Figure, entries: Sequence[Entry]) -> None:
    """One legend below all panels."""
    kinds = {p["kind"] for entry in entries for p in entry["points"]}
    rows = [
        Line2D([], [], marker=marker, color=color, linestyle="", markersize=4, label=kind)
        for kind, (marker, color) in MARKERS.items()
        if kind in kinds
    ]
    rows += [
        Line2D([], [], color="0.4", linewidth=0.8, label="nothing else beats"),
        Line2D([], [], color=BLUE, label="the target, accurate"),
        Line2D([], [], color=BLUE, linestyle="--", label="the target, fast"),
    ]
    figure.legend(handles=rows, loc="outside lower center", ncols=4)


def price_described(entries: Sequence[Entry]) -> str:
    """The alternative text: what nothing else beats."""
    said = []
    for entry in entries:
        best = ", ".join(
            f"{p['name']} {decimal(p['error'], 2)} at {decimal(p['ns']['median'], 2)} ns" for p in unbeaten(entry)
        )
        said.append(f"{entry['target']}: {best}.")
    return "Certified error over nanoseconds for one number, both logarithmic. " + " ".join(said)


def price_in_words(entry: Entry) -> str:
    """What the target costs, and the stand-ins that are worth their error."""
    own = {p["variant"]: p["ns"]["median"] for p in entry["points"] if p["error"] is None}
    fastest = min(own.values())
    worth = [p for p in unbeaten(entry) if p["ns"]["median"] < fastest]
    said = ", ".join(f"{variant} {decimal(ns, 3)} ns" for variant, ns in own.items())
    if not worth:
        return f"{entry['target']} itself takes {said}: no stand-in is faster."
    nearest, known = min(worth, key=lambda p: p["error"]), {p["name"] for p in _stand_ins(entry)}
    return (
        f"{entry['target']} itself takes {said}. Of its {len(known)} stand-ins {len(worth)} are faster and "
        f"beaten by none; the nearest of them, {nearest['name']}, is off by {decimal(nearest['error'], 3)} in "
        f"{decimal(nearest['ns']['median'], 3)} ns."
    )
