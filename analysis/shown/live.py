"""A figure that follows the constants of a family while they move: function, derivative and error beside a target.

Everything is lowered once, with the constants as arguments, and what does not move is drawn once: a step costs an
evaluation on a grid and a few curves on a copy of the rest. What it marks is a picture (float64, what is in sight); the
exact facts are those of `analysis.shown.card`.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from analysis.activation import lowering
from analysis.activation.functions import derivative
from analysis.activation.parsing import X
from analysis.activation.record import Activation, Family
from analysis.exact.pieces import SWITCHING, switches
from analysis.shown.canvas import panels, styled
from analysis.shown.figures import BLUE, RED, SIGHT, TARGET, Ends

POINTS = 801
BESIDE = 1e-6  # from a breakpoint, where the slopes to its left and right are taken
KINK = 1e-4  # jump of a slope that is drawn as one
DPI = 100
Curve = Callable[..., np.ndarray]


@dataclass(frozen=True)
class Seen:
    """What a step shows: the largest error in sight and where, the kinks with the jump of the slope, the minimum."""

    error: float
    at: float
    kinks: tuple[tuple[float, float], ...]
    minimum: tuple[float, float] | None

    def text(self) -> str:
        kinks = ", ".join(f"{x:.4g} (slope jumps by {jump:+.4g})" for x, jump in self.kinks) or "none"
        low = f"{self.minimum[1]:.5g} at x = {self.minimum[0]:.5g}" if self.minimum else "none in sight"
        return f"largest error {self.error:.4g} at x = {self.at:.4g}; kinks: {kinks}; minimum: {low}"


def branch_points(expression: sp.Expr, x: sp.Symbol = X) -> tuple[sp.Expr, ...]:
    """Where a branch of the expression may change, in terms of its constants; without those that cannot be solved for.

    They are in no order, and at some of them nothing may break: with free constants that need not be decided.
    """
    found: dict[sp.Expr, None] = {}
    for node in expression.atoms(*SWITCHING):
        for switch in switches(node):
            if switch.has(x) and (polynomial := switch.as_poly(x)) is not None and polynomial.degree() == 1:
                found |= dict.fromkeys(sp.solve(switch, x))
    return tuple(found)


class LiveFigure:
    """The panels for a family and a target; `move` sets the constants, `png` is the picture."""

    @styled
    def __init__(self, family: Family, target: Activation, ends: Ends = SIGHT):
        names = (X, *(family.symbol(c.name) for c in family.constants))
        self.family, self.target, self.ends = family, target, ends
        self._f, self._slope = (
            lowering.evaluator(e, names, wide=False) for e in (family.expression, derivative(family.expression, X))
        )
        points = branch_points(family.expression)
        self._points = [sp.lambdify(names[1:], point, "math") for point in points]
        self._goal = lowering.evaluator(target.expression, wide=False)
        known = [float(p) for p in branch_points(target.expression) if p.is_Float or p.is_Rational]
        self._grid = np.union1d(np.linspace(*ends, POINTS), [p for p in known if ends[0] < p < ends[1]])
        self.figure, axes = panels(1, 3, size=(9.6, 3.1), title=f"{family.name} for {target.name}")
        self._draw_once(axes)

    def _draw_once(self, axes: np.ndarray) -> None:
        above, slopes, below = axes
        x, goal = self._grid, self._goal(self._grid)
        steep = lowering.evaluator(derivative(self.target.expression, X), wide=False)(x)
        above.plot(x, goal, **TARGET, label=self.target.name)
        slopes.plot(x, steep, **TARGET)
        moving: dict[str, Any] = {"animated": True}
        dotted: dict[str, Any] = {"color": "0.4", "linewidth": 0.8, "linestyle": ":", "visible": False}
        self._bounds = [below.axhline(0, **dotted, **moving) for _ in range(2)]
        (self._curve,) = above.plot([], [], color=BLUE, label=self.family.name, **moving)
        (self._tangent,) = slopes.plot([], [], color=BLUE, **moving)
        (self._error,) = below.plot([], [], color=BLUE, **moving)
        (self._kinks,) = above.plot([], [], "o", color="black", markersize=4, zorder=4, **moving)
        (self._low,) = above.plot([], [], "v", color=RED, markersize=5, zorder=5, **moving)
        (self._worst,) = below.plot([], [], "D", color="black", markersize=4, zorder=5, **moving)
        above.set(title="the function, kinks and minimum", ylim=_limits(goal))
        slopes.set(title="its derivative", ylim=_limits(steep, 0.6))  # a stand-in with kinks is steeper
        below.set(title=f"error: {self.family.name} $-$ {self.target.name}")
        for ax in axes:
            ax.set(xlabel="$x$", xlim=self.ends)
        above.legend(loc="upper left")
        self._below: Axes = below
        self._moving = (
            *self._bounds,
            self._curve,
            self._tangent,
            self._error,
            self._kinks,
            self._low,
            self._worst,
        )
        self._height = 0.0
        self.figure.set_dpi(DPI)
        self._canvas = FigureCanvasAgg(self.figure)
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")  # as it stands: to lay it out costs more than to draw it

    @styled
    def move(self, values: Mapping[str, float]) -> Seen:
        """Draw the member with these constants."""
        given = [float(values[c.name]) for c in self.family.constants]
        breaks = [p for p in self._broken(given) if self.ends[0] < p < self.ends[1]]
        x = np.union1d(self._grid, [p + side for p in breaks for side in (-BESIDE, 0.0, BESIDE)])
        f, slope = self._f(x, *given), self._slope(x, *given)
        error = f - self._goal(x)
        kinks = tuple(self._jumps(x, slope, breaks))
        slope[np.isin(x, [p for p, _ in kinks])] = math.nan  # so that no line bridges the jump
        worst = int(np.nanargmax(np.abs(error)))
        low = self._lowest(x, f, given)
        self._curve.set_data(x, f)
        self._tangent.set_data(x, slope)
        self._error.set_data(x, error)
        self._kinks.set_data([p for p, _ in kinks], np.interp([p for p, _ in kinks], x, f))
        self._low.set_data(*([low[0]], [low[1]]) if low else ([], []))
        self._worst.set_data([x[worst]], [error[worst]])
        self.bound(None)
        self._scale(_ladder(abs(float(error[worst]))))
        return Seen(abs(float(error[worst])), float(x[worst]), kinks, low)

    def bound(self, distance: float | None) -> None:
        """Draw a certified distance as lines above and below the error; None takes them away."""
        shown = distance is not None and math.isfinite(distance)
        for line, side in zip(self._bounds, (-1, 1), strict=True):
            line.set_visible(shown)
            line.set_ydata([side * (distance or 0.0)] * 2)

    @styled
    def png(self) -> bytes:
        """The figure as it stands, as the content of a PNG."""
        self._canvas.restore_region(self._rest)
        for artist in self._moving:
            artist.axes.draw_artist(artist)
        buffer = io.BytesIO()
        Image.fromarray(np.asarray(self._canvas.buffer_rgba())[..., :3]).save(buffer, "png", compress_level=1)
        return buffer.getvalue()

    def _scale(self, height: float) -> None:
        """The axis of the error; where it changes, what does not move is drawn again."""
        if height != self._height:
            self._height = height
            self._below.set_ylim(-height, height)
            self._canvas.draw()
            self._rest = self._canvas.copy_from_bbox(self.figure.bbox)

    def _broken(self, given: list[float]) -> list[float]:
        places = []
        for point in self._points:
            try:
                places.append(float(point(*given)))
            except (ZeroDivisionError, ValueError, OverflowError):
                continue
        return sorted(set(places))

    def _jumps(self, x: np.ndarray, slope: np.ndarray, breaks: list[float]):
        for p in breaks:
            i = int(np.searchsorted(x, p))
            before, after = slope[max(i - 1, 0)], slope[min(i + 1, len(x) - 1)]
            if abs(after - before) > KINK:
                yield p, float(after - before)

    def _lowest(self, x: np.ndarray, f: np.ndarray, given: list[float]) -> tuple[float, float] | None:
        """The least value in sight where it is inside and no plateau, looked for again on a finer grid."""
        i = int(np.nanargmin(f))
        if not 0 < i < len(x) - 1 or not (f[i] < f[0] and f[i] < f[-1]):
            return None
        fine = np.linspace(x[i - 1], x[i + 1], POINTS)
        values = self._f(fine, *given)
        j = int(np.nanargmin(values))
        return float(fine[j]), float(values[j])


def _limits(values: np.ndarray, share: float = 0.18) -> tuple[float, float]:
    """The range of the values with a share of it as room on both sides."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = share * (high - low) or 1.0
    return low - room, high + room


def _ladder(size: float) -> float:
    """The next of ..., 0.1, 0.2, 0.5, 1, ... that leaves some room: an axis that changed with every step would hide
    what the curve does."""
    if not 0 < size < math.inf:
        return 1.0
    power = 10.0 ** math.floor(math.log10(size))
    return next(step * power for step in (1, 2, 5, 10, 20) if step * power >= 1.15 * size)
