"""The real notebooks run, and the committed figures are what they draw.

Between machines exp and tanh may differ in the last bit, so committed figures are compared by eye, so to say: with a
tolerance on the pixels. Between two runs on one machine they are the same to the byte.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.testing.compare import compare_images

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TOLERANCE = 2.0  # root mean square over the pixels, of 255; a line moved by one pixel is well above

pytestmark = [pytest.mark.build, pytest.mark.drawing]


def run(notebook: Path, folder: Path) -> dict[str, bytes]:
    """What one run of `notebook` writes: its figures and the executed notebook, by their paths under `folder`."""
    build = folder / "build"
    arguments = ["run", notebook.relative_to(ROOT), "--figures", folder / "figures", "--build", build]
    command = [sys.executable, "-m", "analysis.shown.notebooks", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    paths = [*(folder / "figures").rglob("*"), build / notebook.name]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths if path.is_file()}


def each(notebooks: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("notebook", notebooks, ids=lambda path: path.stem)


@each(NOTEBOOKS)
def test_the_committed_figures_are_what_the_notebook_draws(notebook, tmp_path):
    figures = {name: tmp_path / name for name in run(notebook, tmp_path) if name.startswith("figures/")}
    assert figures, "a notebook without a figure"
    for name, drawn in figures.items():
        assert (ROOT / name).exists(), f"{name} is not there: run `make figures` and commit it"
        if drawn.suffix == ".png":
            assert compare_images(str(ROOT / name), str(drawn), TOLERANCE) is None


@each(NOTEBOOKS[:1])
def test_two_runs_are_identical_byte_for_byte(notebook, tmp_path):
    assert run(notebook, tmp_path) == run(notebook, tmp_path)


@pytest.mark.slow
@each(NOTEBOOKS[1:])
def test_two_runs_of_the_others_are_identical_too(notebook, tmp_path):
    assert run(notebook, tmp_path) == run(notebook, tmp_path)


@pytest.mark.slow
def test_every_committed_figure_is_drawn_by_a_notebook(tmp_path):
    drawn = {name for notebook in NOTEBOOKS for name in run(notebook, tmp_path)}
    assert {f"figures/{path.name}" for path in (ROOT / "figures").glob("*.*")} <= drawn
