"""The house: imports run downward only, go in no circles, and the package is light to import.

What counts as an import is what `analysis.shown.closure` reads for make: statements anywhere, inside functions too,
attributes asked of whole modules, and strings that name a module.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from analysis.shown import closure

ROOT = Path(__file__).resolve().parents[1]

# The floors from the ground up. Those on one level do not know one another; the facade is analysis/__init__.py.
LEVELS = [
    {"activation"},
    {"exact"},
    {"rigorous"},
    {"optimal"},
    {"deployed", "ledger", "shown"},
    {"facade"},
    {"cli", "training"},
    {"__main__"},
]
LEVEL = {floor: level for level, floors in enumerate(LEVELS) for floor in floors}


def floor(module: str) -> str:
    """The part of the house that `module` belongs to; "facade" for the package itself."""
    return module.split(".")[1] if "." in module else "facade"


@cache
def arrows(root: Path) -> set[tuple[str, str]]:
    """Which module of the package imports which."""
    known = closure.modules(root)
    found = set()
    for module, path in known.items():
        code = closure.parse(path)
        for imported, _ in (*closure.imports(code, module, known), *closure.attributes(code, known)):
            if imported != module:
                found.add((module, imported))
    return found


def wrong(root: Path) -> list[str]:
    """The arrows that the plan of the house does not allow, each as a line to read."""
    lines = []
    for module, imported in sorted(arrows(root)):
        above, below = floor(module), floor(imported)
        if not {above, below} <= LEVEL.keys():
            lines.append(f"{module} imports {imported}: one of them stands on no floor")
        elif above != below and LEVEL[above] <= LEVEL[below]:
            lines.append(f"{module} imports {imported}, which is not below it")
    return lines


def circle(root: Path) -> list[str]:
    graph = TopologicalSorter()
    for module, imported in arrows(root):
        graph.add(module, imported)
    try:
        graph.prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_imports_run_downward_only():
    assert wrong(ROOT) == []


def test_imports_go_in_no_circle():
    assert circle(ROOT) == []


def package(root: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        path = root / "analysis" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in (path.parent, root / "analysis"):
            (folder / "__init__.py").touch()
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("exact/a", "from analysis.optimal import b"),
        ("exact/a", "def late():\n    from analysis.optimal import b"),
        ("exact/a", "from ..optimal.b import best"),
        ("exact/a", "import importlib\nimportlib.import_module('analysis.optimal.b')"),
        ("optimal/a", "from analysis import get"),
        ("shown/a", "import analysis.ledger.b"),
        ("cli", "def study():\n    from analysis import training"),
        ("attic/a", "from analysis.exact import b"),
    ],
)
def test_an_arrow_upward_is_seen(tmp_path, module, text):
    others = dict.fromkeys(("exact/b", "optimal/b", "ledger/b", "training/b"), "")
    assert len(wrong(package(tmp_path, {module: text} | others))) == 1


def test_an_arrow_downward_is_allowed(tmp_path):
    texts = {
        "activation/a": "",
        "exact/a": "from analysis.activation.a import x",
        "cli": "import analysis\nfrom analysis.exact import a",
        "__main__": "from analysis.cli import main",
    }
    assert wrong(package(tmp_path, texts)) == []


def test_a_circle_is_seen(tmp_path):
    texts = {"exact/a": "from analysis.exact import b", "exact/b": "def late():\n    from analysis.exact.a import x"}
    root = package(tmp_path, texts)
    assert wrong(root) == []
    assert set(circle(root)) == {"analysis.exact.a", "analysis.exact.b"}


def test_importing_the_package_imports_nothing_slow():
    code = "import sys, analysis; print(*sorted({'sympy', 'scipy', 'matplotlib', 'torch', 'numpy'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


def at_module_level(node: ast.AST) -> Iterator[str]:
    """The top-level names of what is imported as soon as the module is."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name.split(".")[0] for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield (child.module or "").split(".")[0]
        elif not isinstance(child, ast.FunctionDef):
            yield from at_module_level(child)


# Training is about torch, and nothing imports it.
LIGHT = [path for path in sorted((ROOT / "analysis").rglob("*.py")) if path.parent.name != "training"]


@pytest.mark.parametrize("path", LIGHT, ids=lambda p: str(p.relative_to(ROOT)))
def test_frameworks_are_never_imported_at_module_level(path):
    assert set(at_module_level(closure.parse(path))).isdisjoint({"torch", "jax", "onnx"})
