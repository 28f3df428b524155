"""Knots of piecewise linear designs: where they lie, what their kinds cost, and what to expect of many of them.

A line of slope and height of its own choice leaves |f''| h^2/16 on a short interval of length h. With N free knots of
density sqrt|f''| all intervals leave the same: the error tends to (integral of sqrt|f''|)^2/(16 N^2). That is a law for
large N, computed in floating point; the errors of designs are certified for each N.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from analysis.activation.errors import BadInput, Refused, Undecided
from analysis.activation.record import Activation
from analysis.optimal.design import design
from analysis.optimal.designs import Design
from analysis.rigorous.norms import Norm
from analysis.shown.canvas import styled
from analysis.shown.figures import BLUE, GREEN, RED, Ends, trace

LOOKS = {"free": ("o-", BLUE), "float": ("D-", GREEN), "dyadic": ("^--", RED), "uniform": ("s:", "0.35")}


def designed(
    target: Activation, norm: Norm, counts: Mapping[str, Sequence[int]]
) -> tuple[dict[str, list[Design]], tuple[str, ...]]:
    """The best designs for each kind of knots and number of pieces; what was refused, with the reason."""
    found: dict[str, list[Design]] = {kind: [] for kind in counts}
    refused: list[str] = []
    for kind, numbers in counts.items():
        for pieces in numbers:
            try:
                found[kind].append(design(target, "pwl", pieces=pieces, norm=norm, knots=kind))
            except (BadInput, Refused, Undecided) as reason:
                refused.append(f"{kind} knots, {pieces} pieces: {reason}")
    return {kind: designs for kind, designs in found.items() if designs}, tuple(refused)


@dataclass(frozen=True)
class Law:
    """The integral of sqrt|f''| from the left end to each x; `total` is over all of the domain."""

    x: np.ndarray
    share: np.ndarray
    total: float

    @classmethod
    def of(cls, target: Activation, ends: Ends) -> Law:
        x, curvature = trace(target, ends, 2)
        known = ~np.isnan(curvature)
        x, density = x[known], np.sqrt(np.abs(curvature[known]))
        steps = np.diff(x) * (density[1:] + density[:-1]) / 2
        total = float(steps.sum())
        share = np.concatenate([[0.0], np.cumsum(steps)]) / (total or 1.0)
        return cls(x, share, total)

    def error(self, pieces: int) -> float:
        """What the error tends to."""
        return self.total**2 / (16 * pieces**2)


@styled
def errors_over_pieces(ax: Axes, curves: Mapping[str, Sequence[Design]], law: Law) -> None:
    """Certified errors over the number of pieces, both logarithmic, with the law of free knots as a line."""
    for kind, designs in curves.items():
        look, color = LOOKS[kind]
        points = [(one.pieces, float(one.error[1])) for one in designs if float(one.error[1]) > 0]
        if points:
            ax.loglog(*zip(*points, strict=True), look, color=color, markersize=4, linewidth=1.1, label=f"{kind} knots")
    every = sorted({one.pieces for designs in curves.values() for one in designs})
    if law.total:
        spread = np.array([every[0], every[-1]], float)
        text = r"$(\int\!\sqrt{|f''|})^2/16N^2$, for large $N$"
        ax.loglog(spread, law.total**2 / (16 * spread**2), color="black", linewidth=0.8, linestyle="--", label=text)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel="pieces $N$", ylabel="certified error", title="error against pieces")
    if ax.lines:
        ax.legend(loc="lower left")


@styled
def share_of_knots(ax: Axes, designs: Sequence[Design], law: Law, ends: Ends) -> None:
    """Which share of the knots lies left of x, as steps for each design, over the share that the law predicts."""
    ax.plot(law.x, law.share, color="0.72", linewidth=3.2, label=r"share of $\int\!\sqrt{|f''|}$")
    for one, (color, look) in zip(designs, ((RED, ":"), (BLUE, "-")), strict=False):
        knots = [float(k) for k in one.polynomials.knots]
        x = [ends[0], *knots, ends[1]]
        share = [k / (len(knots) + 1) for k in range(1, len(knots) + 1)]
        ax.step(x, [0, *share, share[-1] if share else 0], look, where="post", color=color, linewidth=1.1,
                label=f"{one.pieces} pieces")  # fmt: skip
    ax.set(xlim=ends, ylim=(0, 1), xlabel="$x$", ylabel="share of the knots left of $x$", title="where the knots lie")
    ax.legend(loc="upper left")


def against_law(designs: Sequence[Design], law: Law) -> str:
    """How far the certified errors are from the law, in words; and how much each kind of knots costs."""
    if not law.total:
        return "The target is piecewise linear: the law has nothing to say."
    parts = [f"{float(one.error[1]) / law.error(one.pieces):.3f} times with {one.pieces} pieces" for one in designs]
    return f"The certified error is the law's {', '.join(parts)}."
