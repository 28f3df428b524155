"""A project of its own for each test: our Makefile and runner, a toy package and toy notebooks.

Its path has a space and letters beyond ASCII in it, which is as much a part of these tests as what they say.
"""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = 'target = "mish"\ndomain = "-8,8"\npoints = 3\nformats = ["svg", "png"]\nout = "../figures"'
WRITES = """from pathlib import Path
for suffix in formats:
    Path(out, f"{name}.{suffix}").write_text(f"{target} {value}")"""

LOOKUP = """from analysis.activation.errors import BadInput

def function(text):
    if text == "mihs":
        raise BadInput("unknown activation 'mihs'; did you mean mish?")
"""


@dataclass(frozen=True)
class Toy:
    """A project in `root`; what runs there gets none of the settings of the make and pytest around it."""

    root: Path

    def environment(self, **extra: str) -> dict[str, str]:
        foreign = ("MAKE", "MFLAGS", "PYTEST", "COV_")
        return {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | extra

    def make(self, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        return self.finish(self.start(*arguments, **extra))

    def start(self, *arguments: str, **extra: str) -> subprocess.Popen[str]:
        """``make`` with the Python of this test instead of a .venv, in a process group of its own."""
        return self.spawn("make", f"PY={shlex.quote(sys.executable)}", "READY=", *arguments, **extra)

    def run(self, notebook: str, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        """The runner without make."""
        command = [sys.executable, "-m", "analysis.shown.notebooks", "run", f"notebooks/{notebook}.ipynb", *arguments]
        return self.finish(self.spawn(*command, **extra))

    def spawn(self, *command: str, **extra: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        environment = self.environment(**extra)
        return subprocess.Popen(
            command, cwd=self.root, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )

    def finish(self, process: subprocess.Popen[str], seconds: float = 120) -> subprocess.CompletedProcess[str]:
        out, err = process.communicate(timeout=seconds)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def ran(self, result: subprocess.CompletedProcess[str]) -> list[str]:
        """The notebooks that a make has run, by its own account."""
        assert result.returncode == 0, result.stderr
        return sorted(line.split()[0] for line in result.stdout.splitlines() if " figures: " in line)

    def moved(self, root: Path) -> "Toy":
        return Toy(self.root.rename(root))

    def files(self, folder: str) -> dict[str, bytes]:
        """All files that a reader sees under `folder`, with what is in them."""
        paths = [p for p in sorted((self.root / folder).rglob("*")) if p.is_file() and not p.name.startswith(".")]
        return {str(p.relative_to(self.root / folder)): p.read_bytes() for p in paths}

    def wait(self, condition: Callable[[], object]) -> None:
        """Return when `condition` holds; fail if it does not come to that."""
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.02)

    def notebook(self, name: str, *cells: str, parameters: str = PARAMETERS) -> Path:
        """Write a notebook; its first cell is prose and its second the parameters."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A toy", id="prose")])
        for number, source in enumerate((parameters, *cells)):
            notebook.cells.append(nbformat.v4.new_code_cell(source, id=f"cell-{number}"))
        notebook.cells[1].metadata["tags"] = ["parameters"]
        path = self.root / "notebooks" / f"{name}.ipynb"
        nbformat.write(notebook, path)
        return path

    def draws(self, name: str, value: str) -> Path:
        """A notebook that draws ``name.svg`` and ``name.png``, with a value of the toy package in them."""
        return self.notebook(name, value, f"name = {name!r}\n{WRITES}")


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """A project whose notebook ``one`` imports the module ``one``, and ``two`` both ``two`` and recorded data."""
    return written(tmp_path / "a tôy")


@pytest.fixture(scope="session")
def drawn_once(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    toy = written(tmp_path_factory.mktemp("drawn") / "a tôy")
    assert toy.ran(toy.make("figures")) == ["one", "two"]
    return toy


@pytest.fixture
def drawn(drawn_once: Toy, tmp_path: Path) -> Toy:
    """That project with all its figures drawn and nothing to do."""
    shutil.copytree(drawn_once.root, tmp_path / "drawn ôn")
    return Toy(tmp_path / "drawn ôn")


def written(root: Path) -> Toy:
    shutil.copytree(ROOT / "analysis/shown", root / "analysis/shown", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy2(ROOT / name, root)
    texts = {
        "analysis/__init__.py": '"""A toy."""\nHOMES = {"one": "analysis.one", "two": "analysis.two"}\n',
        "analysis/one.py": "value = 1\n",
        "analysis/activation/errors.py": "class BadInput(ValueError): ...\nclass Undecided(Exception): ...\n",
        "analysis/activation/lookup.py": LOOKUP,
        "analysis/two.py": "def value():\n    from analysis.three import three\n\n    return three\n",
        "analysis/three.py": "three = 3\n",
        "results/speed.txt": "5\n",
    }
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    (root / "notebooks").mkdir()
    toy = Toy(root)
    toy.draws("one", "from analysis.one import value")
    toy.draws("two", "from analysis import two\nvalue = two.value(), open('../results/speed.txt').read()")
    return toy
