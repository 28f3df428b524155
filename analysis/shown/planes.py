"""The plane of two constants of a family: contours of the error, published members, and curves of exact conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from analysis.activation import lowering
from analysis.activation.record import Activation, Family
from analysis.exact.placement import Placement
from analysis.shown.canvas import styled
from analysis.shown.words import constants

Offset = tuple[float, float]


@styled
def landscape_map(
    ax: Axes, axes: Mapping[str, Sequence[float]], table: np.ndarray, best: float, levels: Sequence[float]
) -> QuadContourSet:
    """Contours of the error over two constants, as multiples of the best; what is returned takes a colour bar."""
    (first, u), (second, v) = axes.items()
    scale = LogNorm(levels[0], levels[-1])
    shades = ax.contourf(u, v, table / best, levels=levels, norm=scale, cmap="cividis_r", extend="max")
    lines = ax.contour(u, v, table / best, levels=levels[1:], colors="white", linewidths=0.5)
    for text in ax.clabel(lines, levels[4::2], fmt=lambda value: f"{value:g}", fontsize=6):
        text.set_path_effects([withStroke(linewidth=1.2, foreground="0.3")])
    ax.set(xlabel=f"${first}$", ylabel=f"${second}$")
    ax.grid(visible=False)
    return shades


@styled
def mark_members(ax: Axes, members: Iterable[Activation], offsets: Mapping[str, Offset] | None = None) -> None:
    """Published members as dots in the plane of their two constants, with these beside them."""
    for member in members:
        u, v = (float(value) for value in member.constants.values())
        ax.plot([u], [v], "o", color="white", markeredgecolor="black", markersize=4.5, zorder=5)
        text = constants(member)
        name_point(ax, text, (u, v), (offsets or {}).get(text, (5, 4)))


@styled
def mark_best(ax: Axes, point: Sequence[float]) -> None:
    """The best point as a star."""
    ax.plot(*point, "*", color="#D55E00", markeredgecolor="white", markeredgewidth=0.6, markersize=12, zorder=6)


@styled
def name_point(ax: Axes, text: str, point: tuple[float, float], offset: Offset, **kind) -> None:
    """A text beside a point, `offset` points away, with a white halo."""
    side = "left" if offset[0] > 0 else "right" if offset[0] < 0 else "center"
    halo = [withStroke(linewidth=2, foreground="white")]
    look: dict[str, Any] = {"fontsize": 6.5, "ha": side, "zorder": 7, "path_effects": halo, **kind}
    ax.annotate(text, point, offset, textcoords="offset points", **look)


@styled
def plot_placement(
    ax: Axes, found: Placement, family: Family, limits: Mapping[str, tuple[float, float]], **line
) -> Line2D:
    """The curve of the constants at which an extremum is where it should be; `limits` are the ends of both axes."""
    ((solved, value),) = found.equations.items()
    first, second = (family.symbol(name) for name in limits)
    free = second if solved == first else first
    s = np.linspace(*limits[free.name], 2001)
    allowed = np.broadcast_to(lowering.evaluator(found.condition, (free,))(s) > 0.5, s.shape)
    t = np.where(allowed, lowering.evaluator(value, (free,))(s), np.nan)
    (drawn,) = ax.plot(*((t, s) if solved == first else (s, t)), **line)
    ax.set(xlim=limits[first.name], ylim=limits[second.name], xlabel=f"${first}$", ylabel=f"${second}$")
    return drawn


@styled
def plot_diagonal(ax: Axes, limits: Mapping[str, tuple[float, float]], **line) -> Line2D:
    """The line on which the two constants are equal."""
    end = min(high for _, high in limits.values())
    (drawn,) = ax.plot([0, end], [0, end], **{"color": "0.5", "linewidth": 0.9, "linestyle": ":", "zorder": 1, **line})
    return drawn


@styled
def colour_bar(
    figure: Figure, shades: QuadContourSet, axes: Iterable[Axes], levels: Sequence[float], text: str
) -> None:
    """One scale for several maps, with a tick at every other level."""
    bar = figure.colorbar(shades, ax=list(axes), label=text, pad=0.01, aspect=30)
    bar.set_ticks(levels[::2], labels=[f"{level:g}" for level in levels[::2]])
    bar.minorticks_off()
