"""Designs drawn: the function and its knots over the target, and the error between its certified bounds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from matplotlib.figure import Figure

from analysis.activation import lowering
from analysis.activation.sheet import decimal
from analysis.optimal.designs import Design
from analysis.optimal.frontier import Frontier
from analysis.shown.canvas import panels, styled
from analysis.shown.figures import BLUE, GREEN, POINTS, RED, SIGHT, Ends, plot_target
from analysis.shown.words import label

MARKERS = [("o", "0.45"), ("s", BLUE), ("^", RED), ("D", GREEN), ("v", "black"), ("P", "#CC79A7")]
MARGIN = 0.15  # of the width of the knots, that is seen beyond them


@styled
def design_plot(design: Design, ends: Ends | None = None) -> Figure:
    """What `design --plot` writes."""
    ends = ends or sight(design)
    target = label(design.target)
    count = f"{design.pieces} pieces" if design.pieces > 1 else design.shape
    title = f"{design.shape} for {target}, {count}: error {decimal(float(design.error[1]), 4)}"
    figure, (above, below) = panels(2, 1, size=(6.0, 5.4), title=title, sharex=True)
    plot_target(above, design.target, ends, label=target)
    x = points(design, ends)
    values = lowering.evaluator(design.polynomials.expression)(x)
    above.plot(x, values, color=BLUE, label=design.shape)
    knots = np.array([float(k) for k in design.polynomials.knots if ends[0] <= float(k) <= ends[1]])
    above.plot(
        knots, lowering.evaluator(design.polynomials.expression)(knots), "o", color=BLUE, markersize=4, label="knots"
    )
    below.plot(x, values - lowering.evaluator(design.target.expression)(x), color=BLUE)
    error = float(design.error[1])
    for level in (-error, error):
        below.axhline(level, color="0.4", linewidth=0.8, linestyle=":")
    if design.bound.lower:
        for level in (-design.bound.lower, design.bound.lower):
            below.axhline(level, color=RED, linewidth=0.8, linestyle="--")
    above.legend(loc="best")
    above.set(ylabel="value", title="the functions")
    bound = ", dashed: what no design of this shape is below" if design.bound.lower else ""
    below.set(xlabel="$x$", ylabel="error", title=f"design − target; dotted: its certified error{bound}")
    return figure


@styled
def frontier_plot(found: Frontier) -> Figure:
    """Error against operations, both logarithmic; a line joins what nothing else beats."""
    figure, (ax,) = panels(
        1, 1, size=(6.6, 4.6), title=f"Stand-ins for {label(found.target)}: error against operations"
    )
    kinds = dict.fromkeys(one.kind for one in found.candidates)
    for kind, (marker, color) in zip(kinds, MARKERS, strict=False):
        points = [one.point for one in found.candidates if one.kind == kind]
        ax.plot([n for _, n in points], [e for e, _ in points], marker, color=color, markersize=5, label=kind)
    best = found.best
    ax.step([one.point[1] for one in best], [one.point[0] for one in best], where="post", color="0.4", linewidth=0.8)
    for one in best:
        ax.annotate(one.name, one.point[::-1], (4, 4), textcoords="offset points", fontsize=6)
    ax.set(xscale="log", yscale="log", xlabel="operations for one value", ylabel=f"certified error ({found.norm.unit})")
    ax.legend(loc="best")
    return figure


def sight(design: Design) -> Ends:
    """The knots with a margin, as far as the domain goes."""
    knots = [float(k) for k in design.polynomials.knots]
    low, high = (knots[0], knots[-1]) if len(knots) > 1 else SIGHT
    margin = MARGIN * (high - low)
    ends = max(design.norm.ends[0], low - margin), min(design.norm.ends[1], high + margin)
    return ends if ends[0] < ends[1] else design.norm.ends


def points(design: Design, ends: Ends) -> np.ndarray:
    """Abscissas that show each piece: evenly spaced ones, knots, and points between knots."""
    inner = [float(k) for k in design.polynomials.knots if ends[0] < float(k) < ends[1]]
    spans = [ends[0], *inner, ends[1]]
    between = [np.linspace(a, b, 16) for a, b in pairwise(spans)]
    return np.unique(np.concatenate([np.linspace(*ends, POINTS), *between]))
