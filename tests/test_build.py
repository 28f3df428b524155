"""The build: pyproject, lock and conda environment say the same, and stored notebooks are as they should be."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()
PINS = dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", LOCK, re.MULTILINE))
EXTRAS = PROJECT["optional-dependencies"]
LOCKED = ("notebooks", "dev")
ASKED = [Requirement(text) for asked in (PROJECT["dependencies"], *map(EXTRAS.get, LOCKED)) for text in asked]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("requirement", ASKED, ids=str)
def test_the_lock_pins_what_the_project_asks_for(requirement):
    pinned = PINS[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(pinned), f"the lock has {pinned}: run `make lock`"


def test_the_build_backend_is_in_the_lock():
    """An install without network and without isolation takes it from the environment."""
    system = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    for requirement in map(Requirement, system):
        assert requirement.specifier.contains(PINS[requirement.name])


def test_every_pin_is_exact_hashed_and_single():
    entries = re.split(r"\n(?=\S)", LOCK.strip())
    assert len(entries) == len(PINS) > 50
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==\S+( ; .+)? \\\n", entry)
        assert "--hash=sha256:" in entry


def test_the_lock_names_no_host():
    assert not re.search(r"://|--index|--find-links|--extra|@ ", LOCK)


def test_matplotlib_is_pinned_exactly():
    assert f"matplotlib=={PINS['matplotlib']}" in PROJECT["dependencies"]


def test_heavy_packages_are_not_in_the_lock():
    heavy = {canonicalize_name(Requirement(text).name) for extra in EXTRAS.keys() - {*LOCKED} for text in EXTRAS[extra]}
    assert "torch" in heavy
    assert heavy.isdisjoint(PINS)


def test_the_conda_environment_is_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, packages = environment["dependencies"]
    assert environment["name"] == PROJECT["name"]
    assert python.removeprefix("python ").split(",")[0] == PROJECT["requires-python"]
    assert pip == "pip"
    assert packages == {"pip": ["-r requirements.lock"]}


def test_the_command_is_declared():
    assert PROJECT["scripts"] == {"actapprox": "analysis.cli:main"}


@pytest.mark.slow
def test_the_lock_is_what_resolving_gives(tmp_path):
    """Asks the package index. Versions that are pinned stay; what pyproject.toml asks for now must not need others."""
    for name in ("pyproject.toml", "requirements.lock", "Makefile"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    subprocess.run(["make", "lock", f"PY={sys.executable}", "READY="], cwd=tmp_path, check=True)
    assert (tmp_path / "requirements.lock").read_text() == LOCK


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_notebooks_carry_no_outputs(path):
    """And no execution counts; but cell identifiers, without which executed notebooks would differ from run to run."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in cells] == [[]] * len(cells)
    assert {cell["execution_count"] for cell in cells} <= {None}
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
