"""The index with its thumbnails, and the tables of what was recorded."""

from __future__ import annotations

import html
from itertools import groupby
from pathlib import Path

from bs4 import BeautifulSoup

from analysis.activation.record import Activation
from analysis.shown import canvas, figures, frontiers, literature, records, speeds
from analysis.shown.records import Record
from analysis.shown.tables import Rows
from analysis.shown.words import label
from gallery import layout
from gallery.mathematics import typeset
from gallery.notebook import title

LEAD = (
    "How far is a cheap stand-in from Mish, Swish or GELU, where does it break, and which constants are the best "
    "possible? Exact algebra and enclosures answer; nothing here is a verdict from sampling."
)
TARGETS = ("mish", "silu", "gelu")
RESULTS = Path("results")


def index(notebooks: list[Path], pictures: Path, functions: list[Activation]) -> str:
    """The first page: the notebooks with their first figures under `pictures`, and all functions."""
    parts = [
        "<h1>Cheap activation functions, with proof</h1>",
        f'<p class="lead">{LEAD}</p>',
        "<h2>Questions</h2>",
        f'<ul class="cards wide">{"".join(_notebook(path, pictures) for path in notebooks)}</ul>',
        f"<h2>{len(functions)} functions</h2>",
        '<p class="quiet">Blue: the function; red, dashed: its derivative; dots: kinks; triangles: minima.</p>',
    ]
    for family, members in groupby(functions, key=lambda f: f.family):
        parts.append(f"<h3>{html.escape(family or 'without constants')}</h3>")
        parts.append(f'<ul class="cards">{"".join(map(_function, members))}</ul>')
    soup = BeautifulSoup("\n".join(parts), "html.parser")
    typeset(soup)
    return layout.page("Gallery", str(soup))


def thumbnails(notebooks: list[Path], pictures: Path) -> dict[str, Path]:
    """The first figure of each notebook that has one."""
    found = {path.stem: sorted(pictures.glob(f"{path.stem[:2]}_*.svg")) for path in notebooks}
    return {stem: drawn[0] for stem, drawn in found.items() if drawn}


def _notebook(path: Path, pictures: Path) -> str:
    drawn = thumbnails([path], pictures).get(path.stem)
    image = layout.picture(f"notebooks/{drawn.name}", canvas.alternative(drawn)) if drawn else ""
    return f'<li><a href="notebooks/{path.stem}.html">{image}{html.escape(title(path))}</a></li>\n'


def _function(function: Activation) -> str:
    stem = layout.slug(function.name)
    low = [f"minimum at x = {x:.3g}" for x, _ in map(figures.place, _minima(function))]
    kinks = [f"kink at x = {float(p.x):.3g}" for p in figures.card(function).breakpoints]
    alt = "; ".join([f"{label(function)} and its derivative", *kinks, *low])
    image = layout.picture(f"functions/{stem}.svg", alt)
    return f'<li><a href="functions/{stem}.html">{image}{html.escape(label(function))}</a></li>\n'


def _minima(function: Activation) -> list:
    return [m for m in figures.card(function).minima if m.x is None or m.x.is_number]


def tables(folder: Path) -> str:
    """The records under `folder` as tables; one that is not there is left out, and said."""
    soup = BeautifulSoup("<h1>Tables of what was recorded</h1>", "html.parser")
    for name, heading, made in (
        ("frontiers", "Frontiers of error and cost", _frontiers),
        ("optima", "Best constants", _optima),
        ("literature", "Figures in print", _literature),
        ("distances", "What certainty costs", _distances),
    ):
        path = folder / f"{name}.json"
        soup.append(BeautifulSoup(f'<h2 id="{name}">{heading}</h2>', "html.parser"))
        if not path.exists():
            soup.append(BeautifulSoup("<p>No record yet.</p>", "html.parser"))
            continue
        record = records.read(path, name)
        said = html.escape(records.provenance(record).replace("`", ""))
        soup.append(BeautifulSoup(f'<p class="quiet">{said}</p>', "html.parser"))
        for rows in made(record):
            soup.append(BeautifulSoup(rows.sheet().html(), "html.parser"))
    for styled in soup.select("[style]"):
        del styled["style"]
    typeset(soup)
    return layout.page("Tables", str(soup))


def _frontiers(record: Record) -> list[Rows]:
    return [frontiers.recommended(entry) for entry in record["entries"]]


def _optima(record: Record) -> list[Rows]:
    found = [records.optima(record, target, norm) for target in TARGETS for norm in records.NORMS]
    return [*found, *(records.rounded(record, target) for target in TARGETS)]


def _literature(record: Record) -> list[Rows]:
    return [literature.table(record)]


def _distances(record: Record) -> list[Rows]:
    return [speeds.table(record)]
