"""What a refutation looks like: a printed formula over the right one, curvature, rounded values, better functions.

Functions, exact places and certified distances are handed in; nothing here decides or measures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, NullLocator

from analysis.activation import lowering
from analysis.activation.record import Activation, Family
from analysis.exact.breakpoints import breakpoints
from analysis.rigorous.balls import Pair
from analysis.rigorous.identity import Witness
from analysis.shown.canvas import styled
from analysis.shown.figures import BLUE, GREEN, RED, TARGET, error_curve, mark_kinks, plot_function, plot_target

Ends = tuple[float, float]

DASHED = (0, (4, 1.5))
NORM_LOOKS = {"sup": ("o", BLUE), "L2": ("s", RED), "Gaussian": ("D", GREEN)}
HALO = [withStroke(linewidth=2.5, foreground="white")]


@styled
def printed_over(ax: Axes, printed: Activation, right: Activation, ends: Ends, names: tuple[str, str]) -> None:
    """A formula as it was printed, dashed, over what it stands for."""
    plot_target(ax, right, ends, label=names[1])
    plot_function(ax, printed, ends, color=RED, linestyle=DASHED, label=names[0])
    ax.set_xlabel("$x$")


@styled
def mark_witness(ax: Axes, witness: Witness) -> None:
    """The two values at the point that refutes an identity, and the gap between them."""
    x, left, right = (float(value) for value in (witness.x, witness.left[0], witness.right[0]))
    ax.annotate("", (x, left), (x, right), arrowprops={"arrowstyle": "<->", "color": "0.25", "linewidth": 0.9})
    for value, color, below in ((left, "0.35", 14), (right, RED, -4)):
        ax.plot([x], [value], "D", color=color, markersize=4, zorder=6)
        text = f"{value:.4f} at $x={sp.latex(witness.x)}$"
        ax.annotate(text, (x, value), (8, -below), textcoords="offset points", fontsize=7.5, color=color)


@styled
def jump_sizes(ax: Axes, family: Family, shift: int, gates: Iterable[Activation], ends: Ends) -> None:
    """The sizes of both slope jumps of x clip(x+b, 0, a)/a over a at b = shift, with the given members on them."""
    a, b = family.symbol("a"), family.symbol("b")
    over = np.linspace(*ends, 400)
    looks = ((BLUE, "-", f"lower kink, $x=-{shift}$: $b/a$"), (RED, DASHED, "cap, $x=a-b$: $|1-b/a|$"))
    for place, (color, line, text) in zip(breakpoints(family.expression), looks, strict=True):
        size = abs(place.jumps[1].subs(b, shift))
        ax.plot(over, [float(size.subs(a, value)) for value in over], color=color, linestyle=line, label=text)
        for gate in gates:
            at = gate.constants["a"]
            ax.plot([float(at)], [float(size.subs(a, at))], "o", color=color, markersize=4.5)
    for gate in gates:
        at = float(gate.constants["a"])
        ax.annotate(f"ReLU{at:g}", (at, 1), (0, 3), ("data", "axes fraction"), "offset points", ha="center", fontsize=7)
        ax.axvline(at, color="0.8", linewidth=0.6, zorder=0.5)
    ax.set(xlim=ends, ylim=(0, None), xlabel="the divisor $a$", ylabel="size of the slope jump")
    ax.legend(loc="upper right")


@styled
def chords(ax: Axes, f: Activation, ends: Ends) -> None:
    """The function, and the broken line through its kinks that it would be if it were piecewise linear."""
    kinks = [float(point.x) for point in breakpoints(f.expression)]
    xs = [ends[0], *kinks, ends[1]]
    heights = lowering.evaluator(f.expression)(np.array(xs))
    ax.plot(xs, heights, color=RED, linestyle=DASHED, linewidth=1.1, label="linear between its kinks")
    plot_function(ax, f, ends, color=BLUE, label=f.name)
    mark_kinks(ax, f, ends)
    ax.set_xlabel("$x$")
    ax.legend(loc="upper left")


@styled
def curvature(ax: Axes, functions: Mapping[str, Activation], ends: Ends) -> None:
    """The second derivatives, each with its label."""
    for (name, f), (color, line) in zip(functions.items(), ((BLUE, "-"), (RED, DASHED)), strict=False):
        plot_function(ax, f, ends, 2, color=color, linestyle=line, linewidth=2, label=name)
    ax.set_xlabel("$x$")
    ax.legend(loc="upper left")


# in floating point


@styled
def rounded_curve(ax: Axes, xs: Sequence[Fraction], values: Sequence[Fraction], **line) -> None:
    """Values of a format, number for number, as steps."""
    ax.plot([float(x) for x in xs], [float(v) for v in values], **{"drawstyle": "steps-mid", "linewidth": 1.1, **line})


@styled
def wrong_sign(ax: Axes, upto: float, text: str) -> None:
    """Shades where a sign is wrong, from the left edge to a point."""
    low, high = ax.get_xlim()
    ax.axvspan(low, upto, color=RED, alpha=0.12, linewidth=0, zorder=0.4)
    ax.axvline(upto, color=RED, linewidth=0.8, linestyle=":")
    ax.text(
        (low + upto) / 2, 0.97, text, transform=ax.get_xaxis_transform(), ha="center", va="top", fontsize=7.5, color=RED
    )
    ax.set_xlim(low, high)


@styled
def sizes_until_zero(
    ax: Axes, xs: Sequence[Fraction], values: Sequence[Fraction], exact: Activation, ends: Ends, **line
) -> float | None:
    """|f| as a format gives it, dots on the exact |f|, to where it is 0; returns the largest x there, or None.

    The scale is logarithmic: a value that is 0 has no dot.
    """
    fine = np.linspace(*ends, 400)
    ax.semilogy(fine, np.abs(lowering.evaluator(exact.expression)(fine)), **TARGET)
    shown = [(float(x), abs(float(v))) for x, v in zip(xs, values, strict=True)]
    found = [(x, v) for x, v in shown if v]
    ax.semilogy(*zip(*found, strict=True), **{"linestyle": "", "marker": "o", "markersize": 3.2, **line})
    ax.set(xlim=ends, xlabel="$x$")
    return max((x for x, v in shown if not v), default=None)


@styled
def mark_lost(ax: Axes, x: float, color: str, height: float) -> None:
    """From which point to the left the value is 0: a bar at that height of the axes, of 1, with a text on it."""
    across = ax.get_xaxis_transform()
    left = ax.get_xlim()[0]
    ax.plot([left, x], [height, height], color=color, linewidth=3, transform=across, zorder=5)
    ax.axvline(x, color=color, linewidth=0.8, linestyle=":")
    where: dict[str, Any] = {"xytext": (3, 3), "textcoords": "offset points", "fontsize": 7.5}
    ax.annotate(f"0 from ${x:g}$ down", (left, height), xycoords=across, path_effects=HALO, color=color, **where)


# nearer, and best


@styled
def rival_errors(ax: Axes, rivals: Mapping[str, tuple[Activation, float]], target: Activation, ends: Ends) -> None:
    """The errors of several stand-ins, each between dotted levels at its certified size."""
    looks = ((BLUE, "-"), (RED, DASHED), (GREEN, (0, (1, 1))))
    for (name, (f, size)), (color, line) in zip(rivals.items(), looks, strict=False):
        error_curve(ax, f, target, ends, color=color, linestyle=line, label=name)
        for level in (-size, size):
            ax.axhline(level, color=color, linewidth=0.7, linestyle=":", zorder=1)
    ax.axhline(0, color="0.4", linewidth=0.6, zorder=1)
    ax.set_xlabel("$x$")


def nearest_first(rows: Mapping[str, Mapping[str, Pair]], norm: str = "sup") -> dict[str, Mapping[str, Pair]]:
    """The rows by their distance in one norm."""
    return dict(sorted(rows.items(), key=lambda row: float(row[1][norm][1])))


@styled
def distances_plot(ax: Axes, rows: Mapping[str, Mapping[str, Pair]]) -> None:
    """A row for each name with its certified distance in each norm, the first on top; infinite ones are left out."""
    for norm, (marker, color) in NORM_LOOKS.items():
        points = [(float(row[norm][1]), -i) for i, row in enumerate(rows.values()) if norm in row]
        finite = [(x, y) for x, y in points if math.isfinite(x) and x > 0]
        if finite:
            ax.plot(*zip(*finite, strict=True), marker, color=color, markersize=5, markeredgecolor="white", label=norm)
    ax.set_yticks([-i for i in range(len(rows))], list(rows))
    ax.set_ylim(-len(rows) + 0.4, 0.6)
    if any(line.get_label() in NORM_LOOKS for line in ax.lines):
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.xaxis.set_minor_locator(NullLocator())
        ax.legend(loc="best", title="norm")


@styled
def excess_plot(ax: Axes, rows: Mapping[str, float]) -> None:
    """How many times the least error of their form the stated constants have, with a line at 1."""
    ax.axvline(1, color="0.4", linewidth=0.9)
    for i, (_, ratio) in enumerate(rows.items()):
        ax.plot([1, ratio], [-i, -i], color=RED, linewidth=1.5)
        ax.plot([ratio], [-i], "o", color=RED, markersize=5)
        ax.annotate(f"{ratio:.3f}", (ratio, -i), (6, 0), textcoords="offset points", va="center", fontsize=7.5)
    ax.set_yticks([-i for i in range(len(rows))], list(rows))
    ax.set(ylim=(-len(rows) + 0.4, 0.6), xlim=(0.97, 1 + 1.35 * (max(rows.values()) - 1)))
