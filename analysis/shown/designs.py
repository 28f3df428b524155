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
from analysis.shown.figures import BLUE, POINTS, RED, SIGHT, Ends, plot_target
from analysis.shown.frontiers import frontier_panel
from analysis.shown.words import label

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
    """What `frontier --plot` writes."""
    title = f"Stand-ins for {label(found.target)}: error against operations"
    figure, (ax,) = panels(1, 1, size=(6.6, 4.6), title=title)
    frontier_panel(ax, found.to_dict())
    ax.set_ylabel(f"certified error ({found.norm.unit})")
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
