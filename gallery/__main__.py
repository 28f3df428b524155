"""What make calls: `python -m gallery notebook EXECUTED PAGE`, `functions FOLDER`, `index SITE ...`."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import click

from gallery import contents, functions, layout, notebook

PLACE = click.Path(path_type=Path)


@click.group()
def main() -> None:
    """Build the gallery, part by part."""


@main.command("notebook")
@click.argument("executed", type=PLACE)
@click.argument("page", type=PLACE)
def one_notebook(executed: Path, page: Path) -> None:
    """The page of an executed notebook."""
    layout.write(page, notebook.rendered(executed))


@main.command("functions")
@click.argument("folder", type=PLACE)
@click.option("--jobs", default=2, show_default=True)
def all_functions(folder: Path, jobs: int) -> None:
    """The pages of all functions of the catalogue."""
    began = time.perf_counter()
    number = functions.write_all(folder, jobs)
    click.echo(f"{number} functions  {time.perf_counter() - began:.1f} s")


@main.command("index")
@click.argument("site", type=PLACE)
@click.argument("executed", type=PLACE, nargs=-1)
@click.option("--figures", type=PLACE, default=Path("figures"))
@click.option("--results", type=PLACE, default=contents.RESULTS)
def index(site: Path, executed: tuple[Path, ...], figures: Path, results: Path) -> None:
    """The first page, the tables and the style."""
    notebooks = sorted(executed, key=lambda path: path.name)
    for drawn in contents.thumbnails(notebooks, figures).values():
        (site / "notebooks").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(drawn, site / "notebooks" / drawn.name)
    layout.write(site / "style.css", layout.STYLE.read_bytes())
    layout.write(site / "tables.html", contents.tables(results))
    layout.write(site / "index.html", contents.index(notebooks, figures, functions.catalogue()))
    click.echo(f"the gallery is at {site / 'index.html'}")


if __name__ == "__main__":
    main()
