"""Figures: what the records say, drawn. Small functions put curves and marks onto axes; two draw a whole figure.

Nothing here knows a number: curves come from the expressions, kinks and extrema from the exact card, errors and best
constants from fits. A look keeps its meaning from figure to figure: the function that others stand in for is a broad
grey line; a full dot is a kink, a hollow one a point where only a higher derivative jumps; a triangle is a minimum.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from analysis.activation import lowering
from analysis.activation.errors import BadInput
from analysis.activation.parsing import X
from analysis.activation.record import Activation
from analysis.exact.breakpoints import Breakpoint, jump, value_at
from analysis.exact.pieces import Piece, derivative_pieces, pieces
from analysis.exact.verdict import Verdict
from analysis.rigorous.comparison import Comparison
from analysis.rigorous.norms import Norm
from analysis.shown.canvas import Drawing, alternative, panels, render, save, styled, write
from analysis.shown.card import Card, Place, show
from analysis.shown.words import constants, label, mathematics, short_label

if TYPE_CHECKING:
    from analysis.optimal.fitting.constants import Fit

__all__ = [
    "Drawing",
    "alternative",
    "panels",
    "render",
    "save",
    "write",
]  # of the canvas, for who imports figures alone

SIGHT = (-8.0, 8.0)
TARGET: dict[str, Any] = {"color": "0.72", "linewidth": 3.2, "zorder": 1.5}
COLUMNS = 4  # of a gallery
POINTS = 400  # of a curve across its axes
BLUE, RED, GREEN = "#0072B2", "#D55E00", "#009E73"

Ends = tuple[float, float]


@cache
def card(activation: Activation) -> Card:
    """The exact card, made once for each function."""
    return show(activation, tol=1e-12)


# curves


def trace(activation: Activation, ends: Ends, order: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Abscissas and values of the derivative of that order, piece by piece.

    A nan stands where it jumps, so that no line bridges the jump; on either side of it stand the one-sided limits.
    """
    found = card(activation)
    jumping = {p.x for p in found.breakpoints if order >= len(p.jumps) or p.jumps[order] != 0}
    return _trace(derivative_pieces(found.pieces, order=order) if order else found.pieces, jumping, ends)


def _trace(found: Iterable[Piece], jumping: set[sp.Expr], ends: Ends) -> tuple[np.ndarray, np.ndarray]:
    xs, ys = [np.empty(0)], [np.empty(0)]
    for piece in found:
        low, high = max(ends[0], float(piece.lower)), min(ends[1], float(piece.upper))
        if low >= high:
            continue
        if piece.lower in jumping:
            xs.append(np.array([low]))
            ys.append(np.array([math.nan]))
        xs.append(np.linspace(low, high, max(3, round(POINTS * (high - low) / (ends[1] - ends[0])))))
        ys.append(lowering.evaluator(piece.expression)(xs[-1]))
    return np.concatenate(xs), np.concatenate(ys)


@styled
def plot_function(ax: Axes, activation: Activation, ends: Ends = SIGHT, order: int = 0, **line) -> Line2D:
    """The curve of f, or of a derivative."""
    (drawn,) = ax.plot(*trace(activation, ends, order), **line)
    ax.set_xlim(ends)
    return drawn


@styled
def plot_target(ax: Axes, target: Activation, ends: Ends = SIGHT, order: int = 0, **line) -> Line2D:
    """The function that others stand in for."""
    return plot_function(ax, target, ends, order, **{**TARGET, **line})


@styled
def error_curve(ax: Axes, f: Activation, target: Activation, ends: Ends = SIGHT, **line) -> Line2D:
    """f - target, with the kinks of both among the points."""
    kinks = [float(p.x) for g in (f, target) for p in card(g).breakpoints if ends[0] < p.x < ends[1]]
    x = np.union1d(np.linspace(*ends, 2 * POINTS + 1), kinks)
    (drawn,) = ax.plot(x, lowering.evaluator(f.expression)(x) - lowering.evaluator(target.expression)(x), **line)
    ax.set_xlim(ends)
    return drawn


@styled
def name_curve(ax: Axes, line: Line2D, text: str, x: float, offset: tuple[float, float] = (4, 4), **kind) -> None:
    """A text in the colour of the curve beside its point at x, `offset` points away."""
    xs, ys = (np.asarray(data, float) for data in line.get_data())
    y = float(np.interp(x, xs[~np.isnan(ys)], ys[~np.isnan(ys)]))
    look: dict[str, Any] = {"color": line.get_color(), "fontsize": 7.5, **kind}
    ax.annotate(text, (x, y), offset, textcoords="offset points", **look)


# marks


@styled
def mark_kinks(ax: Axes, activation: Activation, ends: Ends = SIGHT, order: int = 0, **look) -> tuple[Breakpoint, ...]:
    """A dot at every breakpoint in sight, on the left limit of the derivative drawn: full where f or f' jumps."""
    seen = tuple(p for p in card(activation).breakpoints if ends[0] <= p.x <= ends[1])
    for point in seen:
        sharp = point.smoothness is not None and point.smoothness < 1
        piece = next(p for p in card(activation).pieces if p.upper == point.x)
        y = float(value_at(sp.diff(piece.expression, X, order) if order else piece.expression, X, point.x))
        face: dict[str, Any] = {
            "markerfacecolor": "black" if sharp else "white",
            "markersize": 3.5,
            "markeredgewidth": 0.8,
        }
        ax.plot([float(point.x)], [y], "o", **{"color": "black", "zorder": 4, **face, **look})
    return seen


def place(extremum: Place) -> tuple[float, float]:
    """An extremum as floats, for a picture; a plateau by one of its ends."""
    x, value = extremum.x, extremum.value
    if x is None or value is None:
        assert extremum.x_enclosure is not None
        assert extremum.value_enclosure is not None
        return float(extremum.x_enclosure[0]), float(extremum.value_enclosure[0])
    if isinstance(x, sp.Interval):
        x = x.end if x.end.is_finite else x.start
    return float(x), float(value)


@styled
def mark_minima(ax: Axes, activation: Activation, ends: Ends = SIGHT, **look) -> list[tuple[float, float]]:
    """A triangle at every minimum in sight, plateaus aside; returns where they are."""
    found = [place(m) for m in card(activation).minima if not isinstance(m.x, sp.Interval)]
    seen = [(x, y) for x, y in found if ends[0] <= x <= ends[1]]
    for x, y in seen:
        ax.plot([x], [y], "v", **{"color": RED, "markersize": 4.5, "zorder": 5, **look})
    return seen


def slopes_beside(activation: Activation, at: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """The exact slopes to the left and to the right of a point."""
    found = card(activation).pieces
    left = next(p for p in found if p.lower < at <= p.upper)
    right = next(p for p in found if p.lower <= at < p.upper)
    before, after = (value_at(sp.diff(p.expression, X), X, at) for p in (left, right))
    return before, after


@styled
def magnify(ax: Axes, activation: Activation, at: sp.Expr, radius: float, **line) -> sp.Expr:
    """The function within `radius` of a point, with both tangents, their exact slopes and the exact jump between them.

    Both axes have the same scale, so that the angle is the true one. Returns the jump of the slope.
    """
    at = sp.sympify(at)
    left, right = slopes_beside(activation, at)
    x, y = float(at), float(lowering.evaluator(activation.expression)(np.float64(at)))
    plot_function(ax, activation, (x - radius, x + radius), **{"color": BLUE, "linewidth": 2.2, **line})
    for slope in (left, right):
        ax.axline((x, y), slope=float(slope), color="0.5", linestyle=(0, (3, 2)), linewidth=0.8, zorder=1)
    if any(point.x == at for point in card(activation).breakpoints):
        face = "black" if left != right else "white"
        ax.plot([x], [y], "o", color="black", markersize=4.5, markerfacecolor=face, zorder=4)
    ax.set(xlim=(x - radius, x + radius), ylim=(y - radius, y + radius), aspect="equal", yticks=[])
    ax.set_xticks([x - radius, x, x + radius], [f"{x - radius:g}", f"$x={mathematics(at)}$", f"{x + radius:g}"])
    rises = left + right > 0  # then the corners at the upper left and the lower right are free, else the other two
    for u, v, side, slope in ((0.03, rises, "left", left), (0.97, not rises, "right", right)):
        v = 0.91 if v else 0.03
        ax.text(u, v, f"{side} slope ${mathematics(slope)}$", transform=ax.transAxes, ha=side, fontsize=7, color="0.25")
    jump = sp.nsimplify(right - left)
    said = f"slope jumps by ${mathematics(jump)}$" if jump != 0 else "slope does not jump"
    ax.set_title(said, color=RED if jump != 0 else GREEN)
    ax.spines[["top", "right"]].set_visible(True)
    return jump


@styled
def finish(ax: Axes, **properties) -> None:
    """Titles, labels and limits in our style: what Axes.set takes."""
    ax.set(**properties)


@styled
def key(ax: Axes, **options) -> None:
    """A legend of the curves that have a label."""
    ax.legend(**options)


# several marks at once


@styled
def portrait(ax: Axes, activation: Activation, target: Activation, ends: Ends, heights: Ends) -> None:
    """A small picture: f solid, f' dashed, kinks and minima marked, the target behind; the title is the name."""
    plot_target(ax, target, ends, linewidth=2.4)
    plot_function(ax, activation, ends, 1, color=RED, linestyle=(0, (3, 1.5)), linewidth=1)
    plot_function(ax, activation, ends, color=BLUE)
    mark_kinks(ax, activation, ends)
    mark_minima(ax, activation, ends)
    ax.set(ylim=heights)
    ax.locator_params("x", nbins=4)
    ax.locator_params("y", nbins=5, integer=True)
    ax.set_title(short_label(activation), fontsize=7.5)


@styled
def portrait_key(ax: Axes, target: Activation) -> None:
    """The legend of portraits, on axes of its own."""
    dot: dict[str, Any] = {"marker": "o", "color": "black", "linestyle": "", "markersize": 3.5}
    rows = [
        (Line2D([], [], **TARGET), target.name),
        (Line2D([], [], color=BLUE), "$f$"),
        (Line2D([], [], color=RED, linestyle=(0, (3, 1.5)), linewidth=1), "$f'$"),
        (Line2D([], [], **dot), "kink: $f'$ jumps"),
        (Line2D([], [], markerfacecolor="white", **dot), "only $f''$ jumps"),
        (Line2D([], [], color=RED, marker="v", linestyle=""), "minimum"),
    ]
    ax.legend(*zip(*rows, strict=True), loc="center left", borderaxespad=0)
    ax.set_axis_off()


@styled
def kink_column(axes: Iterable[Axes], activation: Activation, target: Activation, ends: Ends, points, radius) -> list:
    """The function on the first axes, and on the others what is within `radius` of each point; returns the jumps."""
    above, *others = axes
    plot_target(above, target, ends)
    plot_function(above, activation, ends, color=BLUE)
    mark_kinks(above, activation, ends)
    for at in points:
        x, y = float(at), float(lowering.evaluator(activation.expression)(np.float64(at)))
        frame = Rectangle((x - radius, y - radius), 2 * radius, 2 * radius, fill=False, color="0.35", linewidth=0.7)
        above.add_patch(frame)
    return [magnify(ax, activation, at, radius) for ax, at in zip(others, points, strict=True)]


@styled
def pair_column(axes: Iterable[Axes], smooth: Activation, hard: Activation, ends: Ends, error: float) -> None:
    """A function with its stand-in on the first axes, their difference between +-`error` on the second."""
    above, below = axes
    plot_target(above, smooth, ends, label=smooth.name)
    plot_function(above, hard, ends, color=BLUE, label=hard.name)
    mark_kinks(above, hard, ends)
    above.legend(loc="upper left")
    error_curve(below, hard, smooth, ends, color=BLUE)
    for level in (-error, error):
        below.axhline(level, color="0.4", linewidth=0.8, linestyle=":")
    above.set_title(f"{hard.name} for {smooth.name}")
    below.set_title(f"error: up to about {error:.4f}")
    below.set_xlabel("$x$")


@styled
def minimum_panel(ax: Axes, functions: Iterable[Activation], target: Activation, ends: Ends, what: str) -> None:
    """Functions whose minimum has its `what`, place or value, in common, with a line through all the minima."""
    plot_target(ax, target, ends, label=target.name)
    for f, look in zip(functions, ("-", (0, (5, 1.5)), (0, (2, 1)), (0, (5, 1, 1, 1))), strict=False):
        plot_function(ax, f, ends, linestyle=look, label=constants(f))
        ((x, y),) = mark_minima(ax, f, ends)
    (ax.axvline if what == "place" else ax.axhline)(x if what == "place" else y, color="0.4", linewidth=0.8, zorder=1)
    ax.legend(loc="upper left", title="$(a, b)$", handlelength=2.6)
    ax.set(xlabel="$x$", ylim=(-1.35, 1.9), title=f"the {what} at $-1$")


@styled
def constants_curves(ax: Axes, sigmas: Sequence[float], fits: Sequence[Fit], flat: Fit) -> None:
    """The best constants over the spread of the inputs; dotted, those of `flat`, the fit with even weight."""
    for name, look in zip(fits[0].constants, ("o-", "s--"), strict=False):
        (line,) = ax.plot(sigmas, [fit.constants[name] for fit in fits], look, markersize=3.5)
        name_curve(ax, line, f"${name}$", sigmas[1], (0, 6))
        ax.axhline(flat.constants[name], color=line.get_color(), linestyle=":", linewidth=0.9)
    _spread_axis(ax, sigmas)
    ax.set(title=f"best constants; dotted: those of {flat.norm.kind}", ylabel="constant")


@styled
def error_curves(ax: Axes, sigmas: Sequence[float], fits: Sequence[Fit], names: Sequence[str]) -> None:
    """The error of the best constants over the spread of the inputs, and of the published members called `names`."""
    ax.plot(sigmas, [fit.estimate for fit in fits], "o-", markersize=3.5, label="best for each")
    for name, look in zip(names, ("--", "-.", ":"), strict=False):
        errors = [next(p.estimate for p in fit.published if p.name == name) for fit in fits]
        ax.plot(sigmas, errors, look, label=name)
    _spread_axis(ax, sigmas)
    ax.set(title="root mean square error", ylabel="error", ylim=(0, None))
    ax.legend()


@styled
def scaling_law(ax: Axes, slopes: Sequence[float], measured: Sequence[float], factor: sp.Expr, name: str) -> None:
    """Measured distances as dots on the exact law factor/slope, both axes logarithmic."""
    ends = np.array([slopes[0], slopes[-1]], float)
    ax.loglog(ends, float(factor) / ends, color=BLUE, label=name)
    ax.loglog(slopes, measured, "o", color="black", markersize=4, label="measured")
    ax.set(xlabel=r"$\beta$", ylabel="largest distance", title="distance to ReLU")
    ax.legend()


@styled
def fit_errors(ax: Axes, fit: Fit, best: Activation, ends: Ends) -> None:
    """The error of `best`, of all that attain the estimate, and of the published members dashed."""
    for member, color in zip(fit.family.members, (RED, GREEN), strict=False):
        text = constants(member) if "(" in member.name else member.name
        error_curve(ax, member, fit.target, ends, color=color, linestyle=(0, (4, 1.5)), linewidth=1.1, label=text)
    text = ", ".join(f"{float(value):.4g}" for value in best.constants.values())
    error_curve(ax, best, fit.target, ends, color=BLUE, label=f"best ({text})")
    for level in (-fit.estimate, fit.estimate):
        ax.axhline(level, color="0.4", linewidth=0.8, linestyle=":")
    ax.set(xlabel="$x$", title=f"{fit.family.name}: ±{fit.estimate:.4f}")
    ax.legend(loc="best")


def _spread_axis(ax: Axes, sigmas: Sequence[float]) -> None:
    ax.set_xscale("log")
    ax.set_xticks(sigmas, [f"{sigma:g}" for sigma in sigmas])
    ax.minorticks_off()
    ax.set_xlabel(r"spread of the inputs, $\sigma$")


# whole figures


@styled
def gallery(functions: Sequence[Activation], target: Activation, ends: Ends, heights: Ends, title: str) -> Figure:
    """Portraits side by side, four in a row, with the legend in the last place."""
    rows = len(functions) // COLUMNS + 1
    figure, axes = panels(rows, COLUMNS, size=(7.2, 0.6 + 1.45 * rows), title=title)
    for i, (ax, f) in enumerate(zip(axes, functions, strict=False)):
        portrait(ax, f, target, ends, heights)
        ax.tick_params(labelleft=i % COLUMNS == 0, labelbottom=i + COLUMNS >= len(functions))
    for ax in axes[len(functions) :]:
        ax.set_axis_off()
    portrait_key(axes[-1], target)
    figure.supxlabel("$x$", fontsize=8)
    return figure


@styled
def function_plot(activation: Activation, ends: Ends = SIGHT) -> Figure:
    """The function above, its two first derivatives below, with kinks and minima: what `show --plot` writes."""
    figure, (above, below) = panels(2, 1, size=(6.0, 5.2), title=label(activation), sharex=True)
    plot_function(above, activation, ends)
    mark_kinks(above, activation, ends)
    mark_minima(above, activation, ends)
    smooth = card(activation).smoothness
    kind = "analytic" if smooth == sp.oo else "discontinuous" if smooth == -1 else f"$C^{smooth}$, no smoother"
    above.set(ylabel="$f(x)$", title=f"the function: {kind}")
    for order, name, look in ((1, "$f'$", "-"), (2, "$f''$", "--")):
        plot_function(below, activation, ends, order, linestyle=look, label=name)
    below.legend(loc="best")
    below.set(xlabel="$x$", ylabel="derivatives", title="its first and second derivative")
    return figure


@styled
def fit_plot(fit: Fit, ends: Ends | None = None) -> Figure:
    """Target, best member and nearest published member above, their errors below: what `fit --plot` writes."""
    if not math.isfinite(fit.estimate):
        raise BadInput(f"expected a fit with a finite error to draw, got none: {fit.note}")
    ends = ends or _sight(fit.norm)
    best = fit.activation()
    title = f"{fit.family.name} to {fit.target.name}, {fit.norm.kind}: error {fit.estimate:.6g}, optimum {fit.verdict}"
    figure, (above, below) = panels(2, 1, size=(6.0, 5.4), title=title, sharex=True)
    plot_target(above, fit.target, ends, label=fit.target.name)
    plot_function(above, best, ends, color=BLUE, label=_constants(fit))
    error_curve(below, best, fit.target, ends, color=BLUE)
    if fit.published:
        nearest = min(fit.published, key=lambda p: p.ratio)
        member = next(m for m in fit.family.members if m.name == nearest.name)
        dashed: dict[str, Any] = {"color": RED, "linestyle": "--"}
        plot_function(above, member, ends, label=f"{label(member)}: {nearest.ratio:.4g} times", **dashed)
        error_curve(below, member, fit.target, ends, **dashed)
    mark_kinks(above, best, ends)
    if fit.norm.kind == "sup":
        for level in (-fit.estimate, fit.estimate):
            below.axhline(level, color="0.4", linewidth=0.8, linestyle=":")
    if fit.attained_at is not None and ends[0] <= fit.attained_at <= ends[1]:
        _witness(below, best, fit)
    above.legend(loc="upper left")
    above.set(ylabel="value", title="the functions")
    below.set(xlabel="$x$", ylabel="error", title=f"member $-$ {fit.target.name}")
    return figure


def _constants(fit: Fit) -> str:
    return "best: " + ", ".join(f"{name} = {value:.6g}" for name, value in fit.constants.items())


def _sight(norm: Norm) -> Ends:
    low, high = max(norm.lower, SIGHT[0]), min(norm.upper, SIGHT[1])
    return (low, high) if low < high else (norm.lower, norm.upper)


def _witness(ax: Axes, best: Activation, fit: Fit) -> None:
    """The point at which the largest error was found."""
    x = np.float64(fit.attained_at)
    _mark(ax, x, lowering.evaluator(best.expression)(x) - lowering.evaluator(fit.target.expression)(x))


def _mark(ax: Axes, x: float, error: float) -> None:
    ax.plot([x], [error], "D", color="black", markersize=4, zorder=5)
    ax.annotate(f"x = {x:.4g}", (x, error), (6, 2), textcoords="offset points", fontsize=7)


@styled
def comparison_plot(comparison: Comparison, ends: Ends | None = None) -> Figure:
    """Both functions above, or their derivatives; below, their difference, the certified bound and where it is reached.

    What `compare --plot` writes.
    """
    left, right, order = comparison.left, comparison.right, comparison.derivative
    ends = ends or _sight_of(comparison)
    names = [label(f) + "′" * order for f in (left, right)]
    title = f"{' and '.join(names)}: {_distance(comparison)}"
    figure, (above, below) = panels(2, 1, size=(6.0, 5.4), title=title, sharex=True)
    plot_target(above, left, ends, order, label=names[0])
    plot_function(above, right, ends, order, color=BLUE, label=names[1])
    mark_kinks(above, right, ends, order)
    below.plot(*_difference(comparison, ends), color=BLUE)
    if comparison.norm.kind == "sup" and math.isfinite(bound := float(comparison.distance[1])):
        for level in (-bound, bound):
            below.axhline(level, color="0.4", linewidth=0.8, linestyle=":")
    if (witness := comparison.witness) and witness.left and witness.right:
        _mark(below, float(witness.x), float(witness.left[0]) - float(witness.right[0]))
    above.legend(loc="best")
    above.set(ylabel="value", title="the functions" if order == 0 else f"derivatives of order {order}")
    below.set(xlabel="$x$", ylabel="difference", title=" − ".join(names))
    return figure


def _difference(comparison: Comparison, ends: Ends) -> tuple[np.ndarray, np.ndarray]:
    found = pieces(comparison.left.expression - comparison.right.expression)
    found = derivative_pieces(found, order=comparison.derivative) if comparison.derivative else found
    jumping = {a.upper for a, b in pairwise(found) if jump(a.expression, b.expression, X, a.upper) != 0}
    return _trace(found, jumping, ends)


def _distance(comparison: Comparison) -> str:
    bound = float(comparison.distance[1])
    size = f"{bound:.6g}" if math.isfinite(bound) else "infinite"
    known = comparison.verdict is Verdict.PROVED
    return f"distance {size}, {comparison.norm.unit}, {comparison.verdict}" if known else "distance UNDECIDED"


def _sight_of(comparison: Comparison) -> Ends:
    """What is seen of the domain: as usual, or as much about the witness where that lies outside."""
    norm, witness = comparison.norm, comparison.witness
    low, high = _sight(norm)
    if witness is None or not witness.x.is_finite or low <= witness.x <= high:
        return low, high
    return max(norm.lower, float(witness.x) + SIGHT[0]), min(norm.upper, float(witness.x) + SIGHT[1])
