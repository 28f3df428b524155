"""A page for each function of the catalogue: card, plot, nearest neighbours, code to copy."""

from __future__ import annotations

import html
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import analysis
from analysis.activation import lookup
from analysis.activation.catalogue import FAMILIES, FUNCTIONS
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.record import Activation
from analysis.shown import canvas, figures
from analysis.shown.page import card_content
from analysis.shown.words import label
from gallery import layout, neighbours
from gallery.neighbours import Neighbour

LANGUAGES = {"c": ("C", "c"), "numpy": ("NumPy", "py"), "torch": ("PyTorch", "torch.py")}
ENDS, HEIGHTS = (-5.0, 5.0), (-1.5, 4.0)


def catalogue() -> list[Activation]:
    """All functions: the plain ones and the published members of the families."""
    plain = [lookup.function(entry.name) for entry in FUNCTIONS]
    return plain + [m for entry in FAMILIES if entry.name != "lerp" for m in lookup.family(entry.name).members]


def thumbnail(function: Activation) -> bytes:
    """A small picture of the function and its derivative, with kinks and minima."""
    figure, (ax,) = canvas.panels(size=(2.2, 1.65))
    figures.plot_function(ax, function, ENDS, 1, color=figures.RED, linewidth=1, linestyle=(0, (3, 1.5)))
    figures.plot_function(ax, function, ENDS, color=figures.BLUE)
    figures.mark_kinks(ax, function, ENDS)
    figures.mark_minima(ax, function, ENDS)
    figures.finish(ax, ylim=HEIGHTS)
    return canvas.render(figure, "svg")


def code(function: Activation, to: str) -> str | None:
    """The function in a language; None where no code of it can be given."""
    try:
        return analysis.export(function, to=to).source
    except (BadInput, Undecided):
        return None


def rendered(function: Activation, near: Sequence[Neighbour], codes: dict[str, str | None]) -> str:
    """The page of one function."""
    name = layout.slug(function.name)
    parts = [
        f"<h1>{html.escape(label(function))}</h1>",
        f'<div class="card">{card_content(figures.card(function))}</div>',
        "<h2>Nearest in the catalogue</h2>",
        _neighbours(near),
        "<h2>Code</h2>",
        '<p class="quiet">A click selects the whole text. The certificate stands in its header.</p>',
        *(_listing(name, to, source) for to, source in codes.items()),
    ]
    return layout.page(label(function), "\n".join(parts), up="../", made=f"actapprox show {function.name!r}")


def _neighbours(near: Sequence[Neighbour]) -> str:
    if not near:
        return "<p>No other function of the catalogue is at a finite distance from it.</p>"
    rows = "".join(
        f'<tr><td><a href="{layout.slug(one.name)}.html">{html.escape(one.name)}</a></td>'
        f'<td class="number">{html.escape(_between(one))}</td><td>{html.escape(one.attained)}</td></tr>\n'
        for one in near
    )
    head = '<tr><th>function</th><th class="number">certified sup distance</th><th>attained</th></tr>'
    return f"<table><thead>{head}</thead><tbody>\n{rows}</tbody></table>"


def _between(one: Neighbour) -> str:
    low, high = one.distance
    return "0: the same function" if high == "0" else f"[{low}, {high}]"


def _listing(name: str, to: str, source: str | None) -> str:
    language, suffix = LANGUAGES[to]
    if source is None:
        return f"<p>{language}: no code of it can be given.</p>"
    return (
        f'<details><summary>{language}</summary>\n<p><a href="{name}.{suffix}" download>{name}.{suffix}</a></p>\n'
        f'<pre class="copy">{html.escape(source)}</pre></details>'
    )


def _written(job: tuple[str, list[Neighbour], Path]) -> str:
    """All files of one function; its name, for the progress."""
    name, near, folder = job
    function, stem = lookup.function(name), layout.slug(name)
    codes = {to: code(function, to) for to in LANGUAGES}
    for to, source in codes.items():
        if source is not None:
            layout.write(folder / f"{stem}.{LANGUAGES[to][1]}", source)
    layout.write(folder / f"{stem}.svg", thumbnail(function))
    layout.write(folder / f"{stem}.html", rendered(function, near, codes))
    return name


def write_all(folder: Path, jobs: int = 2) -> int:
    """The pages of all functions, and how many there are."""
    functions = catalogue()
    with ProcessPoolExecutor(jobs) as pool:
        near = neighbours.of_all(functions, pool)
        return len(list(pool.map(_written, [(f.name, near[f.name], folder) for f in functions])))
