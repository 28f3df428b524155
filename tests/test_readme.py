"""The README shows what the command answers, and names files that exist.

Words are compared to the letter, and numbers up to what a search in floating point leaves open: its last digits, unlike
the proof about them, differ from one processor to the next.
"""

import re
import shlex
from pathlib import Path

import pytest

from analysis import cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```console\n\$ actapprox (.*)\n([^`]*)```", README)


NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d+(?:e[+-]\d+)?|(?<![\w.])-?\d+e-\d+")


def words_and_numbers(text: str) -> tuple[list[list[str]], list[float]]:
    """Lines of words with `#` for each decimal, and the decimals."""
    return [NUMBER.sub("#", line).split() for line in text.splitlines()], [float(n) for n in NUMBER.findall(text)]


DEAR = [pytest.param(*one, marks=[pytest.mark.proof] * ("--round" in one[0])) for one in EXAMPLES]


@pytest.mark.parametrize(("command", "shown"), DEAR)
def test_examples_answer_as_printed(command, shown, capsys):
    cli.main(shlex.split(command))
    words, numbers = words_and_numbers(capsys.readouterr().out)
    words_shown, numbers_shown = words_and_numbers(shown)
    assert words == words_shown
    assert numbers == pytest.approx(numbers_shown, rel=1e-8, abs=1e-9)


def test_a_wrong_word_or_number_is_seen():
    words, numbers = words_and_numbers("x = 1.2345678, gap 6.1e-11")
    assert words_and_numbers("x = 1.2345678, gap 3.2e-11")[0] == words
    assert numbers == pytest.approx([1.2345678, 3e-11], rel=1e-8, abs=1e-9)
    assert numbers != pytest.approx([1.2345679, 6.1e-11], rel=1e-8, abs=1e-9)
    assert words_and_numbers("x = 2, gap 6.1e-11")[0] != words


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
