"""Errors in ulp, from the record that `make exhaustive` writes: over the whole line of floats, and as tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy as sp
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from analysis.activation import lookup
from analysis.activation.record import Activation
from analysis.activation.sheet import decimal
from analysis.shown.canvas import styled
from analysis.shown.figures import BLUE, GREEN, RED
from analysis.shown.records import Record
from analysis.shown.tables import Rows

Entry = dict[str, Any]
# how the code of an entry is drawn: color, line width, dashes
LOOKS: dict[str, tuple[str, float, str]] = {
    "numpy:naive": ("black", 0.9, ":"),
    "jax:": (GREEN, 1.0, "-."),
    "torch:": (RED, 1.1, "--"),
    "c fast": ("#56B4E9", 1.0, "-"),
    "c accurate": (BLUE, 1.6, "-"),
}
TICKS = (0.0, 1.0, 8.0, 64.0)
LEAST = 0.02  # what is drawn for no error at all


def provenance(record: Record) -> str:
    """Machine, compiler and versions."""
    machine = record["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in record["libraries"].items() if number)
    return f"{machine['processor']} ({machine['system']}), {record['compiler']}, {versions}; `{record['command']}`."


def function_of(record: Record, target: Activation) -> str:
    """The name of the target where all its float32 inputs were measured, else mish."""
    for entry in record["entries"]:
        if entry["profile"] and lookup.function(entry["function"]).expression == target.expression:
            return entry["function"]
    return "mish"


def chosen(record: Record, function: str, derivative: bool, dtype: str = "float32") -> list[Entry]:
    """The entries of a function or its derivative in a type."""
    asked = (function, derivative, dtype)
    return [e for e in record["entries"] if (e["function"], e["derivative"], e["dtype"]) == asked]


def code_of(entry: Entry) -> str:
    """How a person names the code."""
    asked = entry["asked"]
    if ":" in asked["of"]:
        library, _, name = asked["of"].partition(":")
        return {"numpy": "NumPy, the formula as typed", "torch": f"PyTorch {name}", "jax": f"JAX {name}"}[library]
    known = {"c": "C", "numpy": "NumPy", "torch": "PyTorch", "jax": "JAX"}
    return f"our {known[asked['of']]}, {asked['variant']}"


def _look(entry: Entry) -> tuple[str, float, str] | None:
    asked = entry["asked"]
    name = asked["of"] if ":" in asked["of"] else f"{asked['of']} {asked['variant']}"
    return next((look for start, look in LOOKS.items() if name.startswith(start)), None)


def _named(entry: Entry) -> str:
    """With a word where not all inputs were tried."""
    return code_of(entry) + ("" if entry["exhaustive"] else " (sampled)")


@styled
def profile_panel(ax: Axes, record: Record, function: str, derivative: bool) -> None:
    """The largest error in each bin of the float line, from the most negative number to the largest, logarithmic.

    Bins have the same width on paper: sixteen a binade where activations bend, sixteen binades each elsewhere.
    """
    edges = record["edges"]
    drawn = [(entry, look) for entry in chosen(record, function, derivative) if (look := _look(entry))]
    order = list(LOOKS.values())
    for entry, look in sorted(drawn, key=lambda pair: order.index(pair[1])):
        color, width, dashes = look
        heights = [LEAST if value is None else max(value, LEAST) for value in _in_order(entry["profile"])]
        ends = np.arange(len(heights) + 1) - len(edges)
        ax.stairs(heights, ends, baseline=None, color=color, linewidth=width, linestyle=dashes, label=_named(entry))
    ax.set(yscale="log", xlim=(-len(edges), len(edges)), ylabel="largest error, ulp")
    ax.axhline(1, color="0.35", linewidth=0.8, linestyle=(0, (1, 1)), zorder=0.5)
    places = [_place(edges, x) for x in TICKS]
    texts = [f"{x:g}" for x in TICKS]
    ax.set_xticks([*(-p for p in reversed(places[1:])), *places], [*(f"−{t}" for t in reversed(texts[1:])), *texts])
    ax.yaxis.set_major_locator(LogLocator(numticks=6))
    ax.yaxis.set_minor_formatter(NullFormatter())


def _in_order(profile: Sequence[float | None]) -> list[float | None]:
    """From the most negative bin to the most positive."""
    half = len(profile) // 2
    return [*reversed(profile[half:]), *profile[:half]]


def _place(edges: Sequence[float], x: float) -> float:
    """Where a number lies in bins."""
    i = max(k for k, edge in enumerate(edges) if edge <= x)
    if i + 1 == len(edges) or edges[i] == x:
        return float(i)
    low, high = (math.log2(max(edge, 2.0**-149)) for edge in edges[i : i + 2])
    return i + (math.log2(x) - low) / (high - low)


def described(record: Record, function: str) -> str:
    """The alternative text of the profiles."""
    parts = []
    for derivative, name in ((False, function), (True, f"the derivative of {function}")):
        known = [e for e in chosen(record, function, derivative) if e["profile"] and _look(e)]
        said = ", ".join(f"{_named(e)} {decimal(e['max_ulp'], 3)}" for e in known)
        parts.append(f"{name}: {said}")
    return "Largest error in ulp over the float32 numbers, bin by bin. Overall, " + "; ".join(parts) + "."


def in_words(record: Record, function: str) -> str:
    """What the profiles say: where each code is worst."""
    lines = []
    for derivative in (False, True):
        for entry in chosen(record, function, derivative):
            if not entry["profile"] or not _look(entry):
                continue
            zones = {name: zone["max_ulp"] for name, zone in entry["zones"].items() if zone["inputs"]}
            worst = ", ".join(f"{decimal(value, 3)} {_ZONES[name]}" for name, value in zones.items())
            lost = f"; at -inf it gives {entry['special']['-inf']['gives']}" if _is_lost(entry) else ""
            what = f"{function}, derivative" if derivative else function
            lines.append(f"- {what}, {_named(entry)}: {worst}{lost}.")
    return "\n".join(["At most, in ulp:", "", *lines])


_ZONES = {
    "normal": "where the value is a normal number",
    "underflow": "where it is subnormal or zero",
    "near_zero": "beside the zero",
}


def _is_lost(entry: Entry) -> bool:
    return entry["special"]["-inf"]["right"] is False


def table(record: Record, dtypes: Sequence[str], function: str | None = None) -> Rows:
    """A row for each measurement: how much is proved, the worst input, the mean, and results that are no numbers."""
    found = [e for e in record["entries"] if e["dtype"] in dtypes and function in (None, e["function"])]
    rows = tuple(
        (
            f"{e['function']}, derivative" if e["derivative"] else e["function"],
            code_of(e),
            e["dtype"],
            _proved(e),
            e["worst_input"] or "",
            decimal(e["mean_ulp"], 3) if e["mean_ulp"] is not None else "",
            str(e["failures"] or ""),
            e["special"]["-inf"]["gives"] if _is_lost(e) else "",
        )
        for e in found
    )
    headings = ("function", "code", "type", "largest error, ulp", "at x", "mean", "finite x lost", "wrong at -inf")
    return Rows("Errors in units in the last place", headings, rows)


def _proved(entry: Entry) -> str:
    low, high = entry["enclosure"]
    if high == "inf":
        return f"≥ {decimal(float(low), 4)} ({entry['inputs']} inputs)"
    return f"in [{decimal(float(low), 6)}, {decimal(float(high), 6)}]"


@styled
def overflow_panel(ax: Axes, results: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Results of a formula in several types over x; where they stop being numbers a cross marks the last one."""
    for (name, (x, y)), color, dashes in zip(results.items(), (BLUE, RED, GREEN), ("-", "--", ":"), strict=False):
        wide = y.astype(np.float64)
        is_number = np.isfinite(wide)
        ax.plot(x[is_number], wide[is_number], color=color, linestyle=dashes, linewidth=1.4, label=name)
        lost = np.flatnonzero(~is_number)
        if lost.size:
            last = max(lost[0] - 1, 0)
            ax.plot(x[last], wide[last], "x", color=color, markersize=8, markeredgewidth=2)
            ax.annotate(
                f"then {wide[lost[0]]}", (float(x[last]), float(wide[last])), (4, -12), textcoords="offset points",
                color=color, fontsize=7,
            )  # fmt: skip


@styled
def nan_panel(ax: Axes, x: np.ndarray, results: dict[str, np.ndarray]) -> None:
    """Results at neighbouring numbers; a cross at the bottom where one is nan."""
    for (name, y), color, marker in zip(results.items(), (RED, BLUE), ("s", "."), strict=False):
        wide, at = y.astype(np.float64), x.astype(np.float64)
        lost = np.isnan(wide)
        ax.plot(at[~lost], wide[~lost], marker, color=color, markersize=4, label=name, alpha=0.8)
        if lost.any():
            ax.plot(at[lost], np.zeros(lost.sum()), "x", color=color, markersize=9, markeredgewidth=2)
            ax.annotate("nan", (float(at[lost][0]), 0.0), (0, 9), textcoords="offset points", color=color, ha="center")


def overflows(results: dict[str, tuple[np.ndarray, np.ndarray]]) -> str:
    """Where the results of `overflow_panel` stop being numbers, in words."""
    said = []
    for name, (x, y) in results.items():
        lost = x[~np.isfinite(y.astype(np.float64))]
        said.append(f"in {name} " + (f"infinite from x = {float(lost[0]):g} on" if lost.size else "always a number"))
    return ", ".join(said) + "."


def typed(formula: str) -> Callable[[np.ndarray], np.ndarray]:
    """A formula of a notebook, word for word, in NumPy and in the type of its input: nothing is wider or rewritten."""
    made = sp.lambdify(sp.Symbol("x"), formula, "numpy")

    def call(x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.asarray(made(x))

    return call
