"""Run one notebook with papermill and put its figures in place, all of them or none.

``python -m analysis.shown.notebooks run notebooks/03_hard_mish.ipynb --target gelu --figures figures/gelu --build
build/gelu`` is what make calls. The contract with a notebook:

- its cell tagged ``parameters`` assigns ``target``, ``formats`` and ``out``, and whatever ``-p NAME VALUE`` may set;
- it runs in its own folder and writes its figures under ``out``, which is not to be cleared;
- every file under ``out`` is a figure, and no two notebooks draw one of the same name.

``out`` is a temporary folder. After the last cell its files are moved to where they are seen, then comes the manifest
``build/.../NAME.sha256``, and last the executed notebook, which is make's target: a run that is interrupted in between
is run again. A notebook that fails changes no figure; as far as it got it is kept as ``NAME.failed.ipynb``.
"""

import ast
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analysis.shown import publishing, reproducible

if TYPE_CHECKING:
    from analysis.shown.kernels import Spare

INJECTED = ("target", "formats", "out")


@dataclass(frozen=True)
class Prepared:
    """What a copy of `analysis.shown.warm` has: a kernel, and a time before any of its imports, in nanoseconds."""

    kernel: "Spare"
    since: int


prepared: Prepared | None = None


class NotebookError(Exception):
    """A notebook that cannot be run, or that did not get to its end; the text is one line for the reader."""


def parameters_cell(notebook: Path) -> tuple[int, dict[str, Any]]:
    """Where the cell tagged ``parameters`` is, and the names it assigns with their values (None: not a literal)."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError) as error:
        raise NotebookError(f"cannot be read as a notebook: {error}") from error
    for index, cell in enumerate(cells):
        if "parameters" in cell["metadata"].get("tags", []):
            defaults = dict(assignments("".join(cell["source"])))
            if missing := [name for name in INJECTED if name not in defaults]:
                raise NotebookError(f"cell {index + 1}, tagged parameters, does not assign {', '.join(missing)}")
            return index, defaults
    raise NotebookError(f"has no cell tagged parameters (it assigns {', '.join(INJECTED)})")


def assignments(source: str) -> list[tuple[str, Any]]:
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                value = ast.literal_eval(node.value)
            except ValueError:
                value = None
            found.append((node.targets[0].id, value))
    return found


def chosen(defaults: dict[str, Any], pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """The values of ``-p NAME VALUE``, each read as its default is: text stays text, else a Python literal."""
    values = {}
    for name, text in pairs:
        if name not in defaults or name in INJECTED:
            free = [known for known in defaults if known not in INJECTED]
            raise NotebookError(f"-p {name}: no such parameter; it has {', '.join(free) or 'none'}")
        try:
            values[name] = text if isinstance(defaults[name], str | None) else ast.literal_eval(text)
        except (ValueError, SyntaxError):
            raise NotebookError(f"-p {name}: {text!r} is not like the default, {defaults[name]!r}") from None
    return values


def execute(notebook: Path, executed: Path, parameters: dict[str, Any], position: int) -> Any:
    """Run the cells in a fresh kernel and return the executed notebook; what there is of it is left at `executed`.

    `position` is that of the parameters cell: papermill puts its own behind it, which the reader does not count. The
    environment is set for this whole process, which lives for one notebook. The kernel is reached over Unix sockets
    in a folder of its own: two that start at once over TCP can pick the same port (papermill issue 511).
    """
    running = 0

    def count(cell: Any, cell_index: int) -> None:
        nonlocal running
        running = cell_index + (cell_index <= position)

    with tempfile.TemporaryDirectory(prefix="nb", dir=short_folder()) as private:
        environment = reproducible.environment(dict(os.environ), Path(private))
        os.environ.clear()
        os.environ.update(environment)
        import papermill
        from traitlets.config import Config

        config = Config(KernelManager={"transport": "ipc", "ip": f"{private}/k"})
        if prepared:
            from analysis.shown import kernels

            config.NotebookClient.kernel_manager_class = kernels.manager(prepared.kernel)
        try:
            result = papermill.execute_notebook(
                notebook,
                executed,
                parameters,
                kernel_name="python3",
                language="python",
                cwd=notebook.parent,
                progress_bar=False,
                request_save_on_cell_execute=False,
                record_timing=False,
                store_widget_state=False,
                coalesce_streams=True,
                shutdown_kernel="immediate",  # all is written; to ask politely takes seconds at times
                on_cell_execute=count,
                config=config,
            )
        except papermill.PapermillExecutionError as error:
            raise NotebookError(f"cell {running} failed: {error.ename}: {last_line(error.evalue)}") from error
        except RuntimeError as error:  # how nbclient says that there is no kernel, or no longer
            where = f"the kernel died in cell {running}" if running else "the kernel did not start"
            raise NotebookError(f"{where}: {last_line(str(error))}") from error
    if any(output.get("ename") == "SystemExit" for cell in result.cells for output in cell.get("outputs", [])):
        raise NotebookError(f"cell {running} left the notebook: SystemExit")  # papermill lets it
    return result


def short_folder() -> str:
    """A folder for sockets: the system cuts their paths at 107 bytes."""
    return tempfile.gettempdir() if len(os.fsencode(tempfile.gettempdir())) < 70 else "/tmp"


def last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]


def run(notebook: Path, target: str, formats: list[str], figures: Path, build: Path, pairs: Any) -> list[Path]:
    """Execute `notebook`, publish what it draws, and return the figures. Raises NotebookError.

    The executed notebook gets the time at which the run began, or its imports did, so that a source edited meanwhile
    counts as newer.
    """
    began = prepared.since if prepared else time.time_ns()
    notebook = notebook.resolve()
    position, defaults = parameters_cell(notebook)
    siblings = {path.stem for path in notebook.parent.glob("*.ipynb")} - {notebook.stem}
    manifests = [build / f"{stem}.sha256" for stem in (notebook.stem, *sorted(siblings))]
    failed = build / f"{notebook.stem}.failed.ipynb"
    with publishing.workplace(build, notebook.stem) as scratch:
        (drawn := scratch / "figures").mkdir()
        executed = scratch / notebook.name
        out, shown = (os.path.relpath(folder.resolve(), notebook.parent) for folder in (drawn, figures))
        given = {"target": target, "formats": formats, "out": out, **chosen(defaults, pairs)}
        try:
            result = execute(notebook, executed, given, position)
            places = {str(drawn): shown, out: shown, str(reproducible.ROOT): "."}
            executed.write_text(reproducible.normalised(result, places), encoding="utf-8")
            os.utime(executed, ns=(began, began))
            published = publishing.publish(drawn, figures, manifests[0], manifests[1:])
        except (NotebookError, ValueError) as error:
            kept = f" (kept as {executed.replace(failed)})" if executed.exists() else ""
            raise NotebookError(f"{error}{kept}") from error
        executed.replace(build / notebook.name)
    failed.unlink(missing_ok=True)
    return published


@click.group()
def main() -> None:
    """Run notebooks and put their figures in place."""


@main.command("run")
@click.argument("notebook", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--target", default="mish", show_default=True, help="the function that the figures are about")
@click.option("--formats", default="svg,png", show_default=True, help="formats of the figures")
@click.option("--figures", type=click.Path(path_type=Path), default=Path("figures"), show_default=True)
@click.option("--build", type=click.Path(path_type=Path), default=Path("build/mish"), show_default=True)
@click.option("-p", "pairs", nargs=2, multiple=True, metavar="NAME VALUE", help="set another parameter")
def command(notebook: Path, target: str, formats: str, figures: Path, build: Path, pairs: Any) -> None:
    """Run NOTEBOOK; one line says what it drew, or which cell failed and why (exit status 1)."""
    began = time.perf_counter()
    try:
        drawn = run(notebook, target, formats.split(","), figures, build, pairs)
    except (NotebookError, OSError) as error:
        sys.exit(f"{notebook.stem}: {error}")
    except KeyboardInterrupt:
        click.echo(f"{notebook.stem}: interrupted", err=True)
        sys.exit(130)
    stems = sorted({path.stem for path in drawn})
    click.echo(f"{notebook.stem:16} {time.perf_counter() - began:5.1f} s  {len(drawn)} figures: {' '.join(stems)}")


@main.command("check")
@click.argument("target")
def check(target: str) -> None:
    """Whether TARGET is a function; one line says what is wrong with one that is not (exit status 1)."""
    from analysis.activation import lookup
    from analysis.activation.errors import BadInput, Undecided

    try:
        lookup.function(target)
    except (BadInput, Undecided) as error:
        sys.exit(f"TARGET: {error}")


if __name__ == "__main__":
    main()
