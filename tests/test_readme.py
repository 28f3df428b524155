"""The README shows what the command answers, to the letter, and names files that exist."""

import re
import shlex
from pathlib import Path

import pytest

from analysis import cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```console\n\$ actapprox (.*)\n([^`]*)```", README)


@pytest.mark.parametrize(("command", "shown"), EXAMPLES)
def test_examples_answer_as_printed(command, shown, capsys):
    cli.main(shlex.split(command))
    assert capsys.readouterr().out == shown


def test_there_are_examples():
    assert len(EXAMPLES) >= 3


def test_the_python_example_runs(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict = {}
    for line in filter(None, example.splitlines()):
        exec(compile(line, "README", "exec"), names)
    assert names["best"].activation().family == "hard_gate"


@pytest.mark.parametrize("path", re.findall(r"\]\(((?:figures|notebooks)/[^)]+)\)", README))
def test_files_named_exist(path):
    assert (ROOT / path).exists()
