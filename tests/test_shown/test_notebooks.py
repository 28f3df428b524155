"""The runner: what it injects, publishes and refuses, and that two runs are identical byte for byte."""

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.build

ACCIDENTAL = """
import sys, time, warnings
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from analysis.one import value

x = np.linspace(-3, 3)
figure, axes = plt.subplots()
axes.plot(x, np.sin(value * x), label="sin")
axes.legend()
for suffix in formats:
    figure.savefig(f"{out}/curve.{suffix}")
print(out, object(), time.tzname, sorted({"a", "b", "c"}, key=hash))
warnings.warn("a warning names its file")
print(value, file=sys.stderr)
ipywidgets.IntSlider()
"""


def outputs(notebook: Path) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "".join("".join(output.get("text", [])) for cell in cells for output in cell.get("outputs", []))


@pytest.mark.proof
def test_two_runs_are_identical_byte_for_byte(toy, tmp_path):
    """Figures and executed notebook: in another folder, with another time zone, locale, width and taste."""
    toy.notebook("curve", ACCIDENTAL)
    assert toy.run("curve").returncode == 0
    first = toy.files("figures"), toy.files("build/mish")
    assert set(first[0]) == {"curve.png", "curve.svg"}
    again = toy.moved(tmp_path / "elsewhere")
    for path in (*again.root.glob("figures/*"), *again.root.glob("build/mish/*")):
        path.unlink()
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 9\n")
    other = {"MATPLOTLIBRC": str(tmp_path), "TZ": "Asia/Tokyo", "LC_ALL": "C", "COLUMNS": "20", "MPLBACKEND": "svg"}
    result = again.run("curve", **other, PYTHONWARNINGS="ignore", PYTHONHASHSEED="7")
    assert result.returncode == 0, result.stderr
    assert (again.files("figures"), again.files("build/mish")) == first


@pytest.mark.proof
def test_injects_target_formats_and_out(toy):
    toy.notebook("say", "print(target, formats, out, domain, points + 1)")
    result = toy.run("say", "--target", "x*tanh(x)", "--formats", "pdf", "-p", "domain", "-4,4", "-p", "points", "7")
    assert result.returncode == 0, result.stderr
    assert outputs(toy.root / "build/mish/say.ipynb") == "x*tanh(x) ['pdf'] ../figures -4,4 8\n"


@pytest.mark.proof
def test_says_what_it_drew(toy):
    result = toy.run("one")
    assert result.stdout.split()[0] == "one"
    assert result.stdout.endswith("2 figures: one\n")
    assert toy.files("figures") == {"one.png": b"mish 1", "one.svg": b"mish 1"}


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("value = 1\nraise ValueError('first\\nlast')", "cell 3 failed: ValueError: last"),
        pytest.param("1 +", "cell 3 failed: SyntaxError: invalid syntax", marks=pytest.mark.proof),
        pytest.param("import os\nos._exit(1)", "the kernel died in cell 3", marks=pytest.mark.proof),
        pytest.param("raise SystemExit(0)", "cell 3 left the notebook: SystemExit", marks=pytest.mark.proof),
    ],
)
def test_a_failure_names_the_cell_and_changes_no_figure(drawn, cell, message):
    before = drawn.files("figures"), drawn.files("build/mish")
    drawn.notebook("one", cell, "Path(out, 'one.svg').write_text('never')")
    result = drawn.run("one")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(f"one: {message}")
    assert "Traceback" not in result.stderr
    after = drawn.files("build/mish")
    assert (after.pop("one.failed.ipynb", None) is None) == ("died" in message)
    assert (drawn.files("figures"), after) == before


@pytest.mark.parametrize(
    ("parameters", "arguments", "message"),
    [
        ("target = 'mish'\nout = '.'", (), "cell 2, tagged parameters, does not assign formats"),
        (None, ("-p", "sigma", "2"), "-p sigma: no such parameter; it has domain, points"),
        (None, ("-p", "points", "many"), "-p points: 'many' is not like the default, 3"),
    ],
)
def test_bad_parameters_are_one_line(toy, parameters, arguments, message):
    if parameters:
        toy.notebook("one", "1", parameters=parameters)
    result = toy.run("one", *arguments)
    assert (result.returncode, result.stderr) == (1, f"one: {message}\n")


def test_a_notebook_without_parameters_is_refused(toy):
    path = toy.notebook("one", "1")
    path.write_text(path.read_text().replace('"parameters"', '"other"'))
    assert toy.run("one").stderr == "one: has no cell tagged parameters (it assigns target, formats, out)\n"


def test_two_notebooks_cannot_draw_the_same_figure(drawn):
    drawn.draws("one", "from analysis.one import value").rename(drawn.root / "notebooks/three.ipynb")
    drawn.draws("one", "from analysis.one import value")
    result = drawn.run("three")
    assert result.returncode == 1
    assert "three: figures/one.png is a figure of one as well" in result.stderr
    assert not (drawn.root / "build/mish/three.ipynb").exists()


def test_a_figure_that_is_no_longer_drawn_goes(drawn):
    drawn.draws("one", "value = 2")
    assert drawn.run("one", "--formats", "svg").returncode == 0
    figures = drawn.files("figures")
    assert figures.pop("one.svg") == b"mish 2"
    assert set(figures) == {"two.png", "two.svg"}


def test_a_folder_that_cannot_be_written_is_one_line(toy):
    (toy.root / "figures").write_text("a file where a folder should be")
    result = toy.run("one")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("one: [Errno")
    assert "Traceback" not in result.stderr
