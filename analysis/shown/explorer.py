"""The explorer of notebook 10: sliders for the constants of a family, and what they do, live.

A moved slider draws at once; when it rests, the certified distance and the exact card follow. Whatever goes wrong is
one line below the picture.
"""

from __future__ import annotations

import asyncio
import base64
import html
import math
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as widgets
import sympy as sp

from analysis.activation import lookup
from analysis.activation.catalogue import FAMILIES, FUNCTIONS, MEMBERS
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.record import Activation, Constant, Family
from analysis.activation.sheet import decimal
from analysis.exact.verdict import Verdict
from analysis.optimal.fitting.constants import fit
from analysis.optimal.fitting.fitted import Fit, with_constants
from analysis.rigorous.comparison import INFINITE, Comparison, compare
from analysis.shown.card import Card, show
from analysis.shown.figures import SIGHT, Ends, place
from analysis.shown.live import LiveFigure, Seen
from analysis.shown.words import number

REST = 0.3  # seconds without a change after which a slider rests
STEPS = 1000  # of a slider, at most
FARTHEST = 10.0  # its end, unless a constant is larger
TARGETS = tuple(entry.name for entry in FUNCTIONS) + tuple(MEMBERS)
CHOICES = tuple(entry.name for entry in FAMILIES if entry.name != "lerp")
CODES = ("c", "numpy", "torch")

Export = Callable[..., Any]  # analysis.export, which stands on a floor of its own


class Explorer:
    """The widgets, and what follows when they change: `retarget`, `move`, `rest`, `best` and `code`.

    `target` is any function, `family` any family; `export` is `analysis.export`, without which there is no code to
    show. Raises BadInput for a target or a family that is none.
    """

    def __init__(
        self, target: str = "mish", family: str = "hard_gate", ends: Ends = SIGHT, export: Export | None = None
    ):
        lookup.function(target)
        lookup.family(family)
        self.ends, self._export = ends, export
        self._timer: asyncio.TimerHandle | None = None
        self._setting = False  # while a slider is set from here
        self._fit: Fit | None = None
        self._given: dict[str, sp.Expr] = {}
        known = (family,) if family not in CHOICES else ()
        self.target = widgets.Combobox(value=target, options=TARGETS, description="target", continuous_update=False)
        self.family = widgets.Dropdown(value=family, options=(*known, *CHOICES), description="family")
        self.language = widgets.Dropdown(value=CODES[0], options=CODES, description="as")
        self.best_button = widgets.Button(description="best constants", tooltip="the least sup distance")
        self.code_button = widgets.Button(description="code", tooltip="the function as drawn, in another language")
        self.picture, self.sliders = widgets.Image(format="png"), widgets.VBox()
        self.says, self.listing = widgets.HTML(), widgets.HTML()
        self._set_up()
        self.target.observe(lambda _: self.retarget(), "value")
        self.family.observe(lambda _: self.retarget(), "value")
        self.best_button.on_click(lambda _: self.best())
        self.code_button.on_click(lambda _: self.code())
        self.language.observe(lambda _: self.code() if self.listing.value else None, "value")
        buttons = [self.best_button, *([self.code_button, self.language] if export else [])]
        top = widgets.HBox([self.target, self.family], layout=widgets.Layout(flex_flow="row wrap"))
        row = widgets.HBox(buttons, layout=widgets.Layout(flex_flow="row wrap"))
        self.widget = widgets.VBox([top, self.sliders, row, self.picture, self.says, self.listing])

    # what follows a change

    def retarget(self) -> None:
        """Another target or family: new curves, and sliders that begin at a published member."""
        self._guarded(self._set_up)

    def move(self, name: str) -> None:
        """The slider of a constant moved: draw now, certify when it rests. The other constants stay as they are."""
        slider = self._by_name[name]
        places = _places(slider.step)
        moved = round(slider.value, places)
        if self._setting or moved == round(float(self._given[name]), places):  # the browser rounds what it is given
            return
        self._fit = None
        self._given |= {name: lookup.expression(decimal(moved, 10))}
        self._draw()
        self._later()

    def rest(self) -> None:
        """The exact facts and the certified distance of what is drawn."""
        self._guarded(self._certify)

    def best(self) -> None:
        """The constants of the least sup distance, on the sliders and to all their digits in the picture."""
        self._guarded(self._fit_now)

    def code(self) -> None:
        """The function as drawn, or the fit with its certificate, in the language chosen."""
        self._guarded(self._write_code)

    def member(self) -> Activation:
        """The function as drawn."""
        return self._fit.activation() if self._fit else with_constants(self.live.family, self.values(), self._given)

    def values(self) -> dict[str, float]:
        return {name: float(value) for name, value in self._given.items()}

    # how

    def _guarded(self, work: Callable[[], None]) -> None:
        self.best_button.disabled = True
        try:
            work()
        except (BadInput, Undecided) as error:
            self._say(f"<b>{html.escape(str(error))}</b>")
        finally:
            self.best_button.disabled = False

    def _set_up(self) -> None:
        goal, family = lookup.function(self.target.value), lookup.family(self.family.value)
        self.live = LiveFigure(family, goal, self.ends)
        start = _start(family)
        self._by_name = {c.name: _slider(c) for c in family.constants}
        self._given, self._fit = start, None
        for name, slider in self._by_name.items():
            self._set(slider, float(start[name]))
            slider.observe(lambda _, name=name: self.move(name), "value")
        self.sliders.children = tuple(self._by_name.values())
        self.listing.value = ""
        self._draw()
        self._certify()

    def _draw(self) -> None:
        self.seen: Seen = self.live.move(self.values())
        self.picture.value = self.live.png()
        self._say(f"{self._named()}: {html.escape(self.seen.text())} <i>(read off the picture)</i>")

    def _later(self) -> None:
        if self._timer:
            self._timer.cancel()
        try:
            self._timer = asyncio.get_running_loop().call_later(REST, self.rest)
        except RuntimeError:  # nothing runs that could call back later
            self.rest()

    def _certify(self) -> None:
        member = self.member()
        found = compare(member, self.live.target)
        card = show(member, tol=1e-12)
        self.comparison = found
        self.live.bound(float(found.distance[1]) if found.verdict is Verdict.PROVED else None)
        self.picture.value = self.live.png()
        self.alt = f"{self._named()}: {self.seen.text()}; {_distance(found)}"
        self._say(f"<b>{self._named()}: {html.escape(_distance(found))}</b><br>{html.escape(_facts(card))}")

    def _fit_now(self) -> None:
        found = fit(self.live.family, self.live.target)
        if not math.isfinite(found.estimate):
            raise BadInput(found.note)
        for name, value in found.constants.items():
            self._set(self._by_name[name], value)
        self._fit = found
        self._given = {n: found.exact[n] or sp.Rational(repr(v)) for n, v in found.constants.items()}
        self._draw()
        self._certify()

    def _set(self, slider: widgets.FloatSlider, value: float) -> None:
        """To the step next to the value: at any other place the browser would move it there, and say so."""
        steps, places = value / slider.step, _places(slider.step)
        self._setting = True
        slider.min = min(slider.min, round(math.floor(steps) * slider.step, places))
        slider.max = max(slider.max, round(math.ceil(steps) * slider.step, places))
        slider.value = round(value, places)
        self._setting = False

    def _write_code(self) -> None:
        if self._export is None:
            raise BadInput("expected the words of the package to write code with, got none")
        source = self._export(self._fit or self.member(), to=self.language.value).source
        self.listing.value = f'<pre style="line-height:1.3;overflow-x:auto">{html.escape(source)}</pre>'

    def _named(self) -> str:
        constants = ", ".join(f"{name} = {number(value)}" for name, value in self._given.items())
        return html.escape(f"{self.live.family.name} ({constants}) for {self.live.target.name}")

    def _say(self, text: str) -> None:
        self.says.value = f'<div role="status">{text}</div>'

    def _repr_mimebundle_(self, **_: Any) -> Mapping[str, Any]:
        """The widgets; where there is no kernel for them, the picture as it was."""
        picture = base64.b64encode(self.picture.value).decode()
        still = f'<img style="max-width:100%" alt="{html.escape(self.alt)}" src="data:image/png;base64,{picture}"/>'
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        return {"application/vnd.jupyter.widget-view+json": view, "text/html": still, "text/plain": self.alt}


def _start(family: Family) -> dict[str, sp.Expr]:
    """The constants of the first published member, else their defaults, else one."""
    if family.members:
        return dict(family.members[0].constants)
    return {c.name: lookup.expression(c.default or "1") for c in family.constants}


def _slider(constant: Constant) -> widgets.FloatSlider:
    """Over the box where fits search, or as far as ten, in a thousand steps at most."""
    high = min(constant.box[1], FARTHEST)
    step = 10.0 ** math.ceil(math.log10(high / STEPS))
    low = round(math.ceil(constant.box[0] / step) * step, _places(step))
    wide, form = widgets.Layout(width="min(32rem, 95%)"), f".{_places(step)}f"
    return widgets.FloatSlider(
        low, min=low, max=high, step=step, description=constant.name, layout=wide, readout_format=form
    )


def _places(step: float) -> int:
    """Decimals of a step."""
    return max(0, -math.floor(math.log10(step)))


def _distance(found: Comparison) -> str:
    if found.verdict is not Verdict.PROVED:
        return f"sup distance {found.verdict}: {found.reason}"
    if found.distance == INFINITE:
        return f"sup distance infinite: {found.reason}"
    low, high = found.distance
    where = f", attained {'at ' * bool(found.witness.x.is_finite)}{found.witness.text()}" if found.witness else ""
    return f"certified sup distance in [{low}, {high}]{where}"


def _facts(card: Card) -> str:
    """Smoothness, breakpoints and minima, exactly."""
    smooth = {sp.oo: "analytic", -1: "discontinuous"}.get(card.smoothness, f"C^{card.smoothness}")
    jumps = [f"x = {number(p.x)} (slope jumps by {number(p.jumps[1])})" for p in card.breakpoints if p.jumps[1] != 0]
    minima = [place(m) for m in card.minima if not isinstance(m.x, sp.Interval)]
    lows = [f"{y:.6g} at x = {x:.6g}" for x, y in minima]
    return f"{smooth}; kinks: {', '.join(jumps) or 'none'}; minimum: {', '.join(lows) or 'none'}"
