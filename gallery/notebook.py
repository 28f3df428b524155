"""An executed notebook as a page: prose, outputs, and its code behind a fold."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup, Tag
from traitlets.config import Config

from gallery import layout
from gallery.mathematics import typeset

# What has no kernel on a page comes last: of a widget, its still picture is shown.
KINDS = ["text/html", "text/markdown", "image/svg+xml", "image/png", "text/latex", "text/plain"]
NOTHING_SAID = "No description has been provided for this image"  # what nbconvert puts there
PLUMBING = {"parameters", "injected-parameters"}  # tags of cells that say nothing to a reader


def title(notebook: Path) -> str:
    """Its first heading."""
    cells = nbformat.read(notebook, 4).cells
    lines = (line for cell in cells if cell.cell_type == "markdown" for line in cell.source.splitlines())
    return next((line.removeprefix("# ") for line in lines if line.startswith("# ")), notebook.stem)


def rendered(notebook: Path) -> str:
    """The page of an executed notebook. Raises ValueError for one with a picture that has no alternative text."""
    from nbconvert import HTMLExporter

    content = nbformat.read(notebook, 4)
    content.cells = [cell for cell in content.cells if not PLUMBING & set(cell.metadata.get("tags", []))]
    config = Config(NbConvertBase={"display_data_priority": KINDS})
    exporter = HTMLExporter(config=config, template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True)
    exporter.exclude_anchor_links = True
    soup = BeautifulSoup(exporter.from_notebook_node(content)[0], "html.parser")
    for script in soup(["script", "style"]):
        script.decompose()
    for source in soup.select("div.input"):
        _folded(soup, source)
    for styled in soup.select("table [style], table[style]"):
        del styled["style"]
    for image in soup("img"):
        if str(image.get("alt", "")).strip() in ("", NOTHING_SAID):
            raise ValueError(f"{notebook.stem}: a picture without an alternative text")
    for link in soup("a", href=True):
        link["href"] = re.sub(r"\.ipynb(?=#|$)", ".html", str(link["href"]))
    typeset(soup)
    return layout.page(title(notebook), str(soup), up="../", made="make site")


def _folded(soup: BeautifulSoup, source: Tag) -> None:
    """The code of a cell behind a fold."""
    fold, head, listing = (soup.new_tag(name) for name in ("details", "summary", "pre"))
    head.string = "code"
    listing.string = source.get_text().strip("\n")
    fold.extend([head, listing])
    source.replace_with(fold)
