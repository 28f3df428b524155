"""CONTRIBUTING.md, followed to the letter in a copy of the package: one literal more, and every word knows it."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the package whose catalogue holds the row that the page shows."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "analysis", root / "analysis", ignore=shutil.ignore_patterns("__pycache__"))
    (row,) = re.findall(r"```text\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(row.splitlines()) <= 10
    catalogue = root / "analysis" / "activation" / "catalogue.py"
    before, found, after = catalogue.read_text(encoding="utf-8").partition("FUNCTIONS = (\n")
    catalogue.write_text(before + found + row + after, encoding="utf-8")
    return root


def answer(root, *words):
    command = [sys.executable, "-P", "-m", "analysis", *words, "--json"]
    done = subprocess.run(command, cwd=root, env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_the_new_row_is_listed(copy):
    assert "bent_identity" in {entry["name"] for entry in answer(copy, "list")["functions"]}


def test_its_card_follows(copy):
    card = answer(copy, "show", "bent_identity")
    assert card["smoothness"] == "oo"
    assert card["asymptotes"]["oo"] == {"slope": "3/2", "intercept": "-1/2"}


def test_it_can_be_fitted_and_compared(copy):
    assert answer(copy, "compare", "bent_identity", "x", "--domain", "-1,1")["verdict"] == "PROVED"
