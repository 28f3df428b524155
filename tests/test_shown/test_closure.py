"""What the closure of a notebook reaches, form of import by form of import."""

import json
from pathlib import Path

import pytest

from analysis.shown import closure

FACADE = """
from analysis.base import Record
HOMES = {"fit": "analysis.optimal.constants", "card": ".shown.card"}

def __getattr__(name):
    import importlib
    return getattr(importlib.import_module(HOMES[name]), name)

def prove(left, right):
    from analysis.exact.identities import prove
    return prove(left, right)
"""
MODULES = {
    "__init__": FACADE,
    "base": "class Record: pass",
    "exact/__init__": "",
    "exact/identities": "from .roots import root",
    "exact/roots": "def root():\n    from ..base import Record",
    "optimal/__init__": "import analysis.base",
    "optimal/constants": "from analysis.exact import roots as r",
    "shown/__init__": "",
    "shown/card": "STYLE = 'style.mplstyle'",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in MODULES.items():
        path = tmp_path / "analysis" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "analysis/shown/style.mplstyle").write_text("")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "results/runs").mkdir(parents=True)
    (tmp_path / "results/speed.json").write_text("{}")
    (tmp_path / "results/runs/first.json").write_text("{}")
    return tmp_path


def write(notebook: Path, *cells: str) -> None:
    notebook.write_text(json.dumps({"cells": [{"cell_type": "code", "source": [cell]} for cell in cells]}))


PROVE = {"", "base", "exact", "exact.identities", "exact.roots"}
FIT = {"", "base", "exact", "exact.roots", "optimal", "optimal.constants"}
CARD = {"", "base", "shown", "shown.card"}


@pytest.mark.parametrize(
    ("source", "reached"),
    [
        ("import numpy", set()),
        ("import analysis", {"", "base"}),
        ("from analysis import base", {"", "base"}),
        ("import analysis.exact.roots", {"", "base", "exact", "exact.roots"}),
        ("def later():\n    from analysis.exact import roots", {"", "base", "exact", "exact.roots"}),
        ("from analysis.exact import identities", PROVE),
        ("from analysis import prove", PROVE),
        ("import analysis\nanalysis.prove('x', 'x')", PROVE),
        ("from analysis import fit", FIT),
        ("import analysis as a\na.fit('hard_gate')", FIT),
        ("from analysis import card", CARD),
        ("import importlib\nimportlib.import_module('analysis.shown.card')", CARD),
        ("%matplotlib inline\nimport analysis\n!ls", {"", "base"}),
        ("from analysis import what_the_facade_does_not_say", PROVE | FIT | CARD),
    ],
)
def test_reaches(project, source, reached):
    notebook = project / "a.ipynb"
    write(notebook, source, "this is no Python")
    expected = {f"analysis.{name}".rstrip(".") for name in reached}
    assert closure.closure(notebook, closure.modules(project)) == expected


@pytest.mark.parametrize(
    ("source", "files"),
    [
        ("from analysis.shown import card", {"analysis/shown/style.mplstyle"}),
        ("open('../results/speed.json')", {"results/speed.json"}),
        ("ROOT / 'results/speed.json'", {"results/speed.json"}),
        ("load('speed.json')", {"results/speed.json"}),
        ("load('runs')", {"results/runs/first.json"}),
        ("glob('../results')", {"results/runs/first.json", "results/speed.json"}),
        ("open('../figures/speed.svg'), '', '.', '..'", set()),
    ],
)
def test_data(project, source, files):
    notebook = project / "notebooks/a.ipynb"
    write(notebook, source)
    known = closure.modules(project)
    sources = {known[name] for name in closure.closure(notebook, known)} | {notebook}
    assert {str(path.relative_to(project)) for path in closure.data(project, sources)} == files


def test_rules_survive_odd_names(project):
    write(project / "notebooks/a.ipynb", "'odd $ name.json'")
    (project / "results/odd $ name.json").write_text("{}")
    rules = closure.rules(project)
    assert "results/odd\\ $$\\ name.json:" in rules.splitlines()
