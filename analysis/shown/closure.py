"""What a notebook depends on, read from the sources and without running any of them.

``python -P analysis/shown/closure.py build/deps.mk``, at the root of the project, writes for make one rule a notebook:
the modules that it reaches through imports, the data that lie beside these modules, and the files under ``results/``
that it or they name. Imports inside functions count as well: they run later, but they run.

Importing a package runs its ``__init__``, but a facade there hands out names from everywhere, and a notebook that asks
for one of them does not need the rest. So ``from analysis import fit`` (or ``analysis.fit`` after ``import analysis``)
counts for the home of ``fit`` if that can be read from the facade: from the body of a function ``fit``, or from the
entry ``"fit"`` of a table of module names. If it cannot, all that the facade mentions counts.

A file that does not parse has no imports here: running it will say what is wrong with it. Standard library only,
because make runs this by path.
"""

import ast
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

PACKAGE = "analysis"
DATA = "results"

Wanted = tuple[str, str | None]  # a module, and the name that is asked of it; None: the module itself


def modules(root: Path) -> dict[str, Path]:
    """Every module of the package under `root`, by its dotted name; a package is named by its ``__init__``."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def parse(path: Path) -> ast.Module:
    """The syntax tree of a module, or of all code cells of a notebook; lines that only IPython reads are dropped."""
    text = path.read_text(encoding="utf-8")
    pieces = [text]
    if path.suffix == ".ipynb":
        cells = ["".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        pieces = [re.sub(r"^(\s*)[%!?].*", r"\1pass", cell, flags=re.MULTILINE) for cell in cells]
    whole = ast.Module([], [])
    for piece in pieces:
        try:
            whole.body += ast.parse(piece).body
        except SyntaxError:
            continue
    return whole


@cache
def nodes(code: ast.AST) -> tuple[ast.AST, ...]:
    """All nodes of a tree; to walk it once for every question took most of the time."""
    return tuple(ast.walk(code))


def imports(code: ast.AST, module: str, known: dict[str, Path]) -> Iterator[Wanted]:
    """The modules of the package that the import statements in `code` name; `code` stands in `module`.

    ``from package import submodule`` names the submodule, not the package. A string that spells the full name of a
    module counts as an import of it (importlib, tables of lazy names).
    """
    package = module if known.get(module, Path()).name == "__init__.py" else module.rpartition(".")[0]
    for node in nodes(code):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            yield from (asked(base, alias.name, known) for alias in node.names if base in known)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
            name = package + node.value if node.value.startswith(".") else node.value
            if name in known:
                yield name, None


def asked(base: str, name: str, known: dict[str, Path]) -> Wanted:
    return (f"{base}.{name}", None) if f"{base}.{name}" in known else (base, name)


def attributes(code: ast.AST, known: dict[str, Path]) -> Iterator[Wanted]:
    """What is asked of whole modules: ``analysis.fit`` after ``import analysis``, under any alias."""
    aliases = [a for node in nodes(code) if isinstance(node, ast.Import) for a in node.names if a.name in known]
    bound = {alias.asname or alias.name: alias.name for alias in aliases}
    for node in nodes(code):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in bound:
            yield asked(bound[node.value.id], node.attr, known)


def facade(code: ast.Module, name: str | None) -> ast.AST:
    """The part of an ``__init__`` that matters to who asks it for `name`; None asks only what importing it runs."""
    if name is None:
        silent = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign
        return ast.Module([statement for statement in code.body if not isinstance(statement, silent)], [])
    for node in nodes(code):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == name:
                    return value
    return code


def closure(start: Path, known: dict[str, Path], found: dict[Wanted, set[Wanted]] | None = None) -> set[str]:
    """The modules that running `start` (a notebook or a script) can reach; `found` remembers what each one asks for."""
    found = {} if found is None else found
    done: set[Wanted] = set()
    todo = {*imports(parse(start), "", known), *attributes(parse(start), known)}
    while todo:
        wanted = todo.pop()
        done.add(wanted)
        key = wanted if known[wanted[0]].name == "__init__.py" else (wanted[0], None)
        if key not in found:
            found[key] = asks(key, known)
        todo |= found[key] - done
    return {module for module, _ in done}


def asks(wanted: Wanted, known: dict[str, Path]) -> set[Wanted]:
    """What a module, or the part of a facade that matters, asks for by itself."""
    module, name = wanted
    code: ast.AST = parse(known[module])
    if known[module].name == "__init__.py":
        code = facade(parse(known[module]), name)
    parents = {(parent, None) for parent in known if module.startswith(f"{parent}.")}
    return {*imports(code, module, known), *attributes(code, known), *parents}


def data(root: Path, sources: set[Path]) -> set[Path]:
    """Files that `sources` read: what lies beside a module, and what any of them names under ``results/``."""
    found = {p for s in sources if s.suffix == ".py" for p in s.parent.glob("[!.]*") if p.is_file()}
    found = found.union(*(recorded(root, source) for source in sources))
    return {path for path in found if path.suffix != ".py"}


@cache
def recorded(root: Path, source: Path) -> frozenset[Path]:
    """The files under ``results/`` that a source names: from its own folder, from the root or from there."""
    store = root / DATA
    found: set[Path] = set()
    for node in nodes(parse(source)):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and 0 < len(text.strip("./")) < 200:
            named = {Path(os.path.normpath(base / text)) for base in (source.parent, root, store)}
            found |= {f for n in named if n.is_relative_to(store) for f in (n, *n.rglob("*")) if f.is_file()}
    return frozenset(found)


def rules(root: Path) -> str:
    """Make's rules for the notebooks of a project.

    Each prerequisite is also a target of its own, with no recipe: for make, a file that has been removed has just
    changed, where otherwise it would be a file that nobody knows how to make.
    """
    known = modules(root)
    lines = ["# Written by analysis/shown/closure.py: what each notebook depends on."]
    everything: set[str] = set()
    asked: dict[Wanted, set[Wanted]] = {}
    for notebook in sorted((root / "notebooks").glob("*.ipynb")):
        sources = {known[name] for name in closure(notebook, known, asked)} | {notebook}
        needed = sorted(escaped(path.relative_to(root)) for path in sources | data(root, sources))
        lines.append(f"$(BUILD)/{notebook.name}: " + " \\\n  ".join(needed))
        everything |= set(needed)
    return "\n".join([*lines, *(f"{name}:" for name in sorted(everything))]) + "\n"


def escaped(path: Path) -> str:
    return re.sub(r"([ #:%])", r"\\\1", path.as_posix()).replace("$", "$$")


def main(out: Path) -> None:
    """Write the rules whole or not at all: another make may be reading them."""
    draft = out.with_name(f"{out.name}.{os.getpid()}")
    text = rules(Path.cwd())
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(out)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        sys.exit(f"{out}: {error.strerror}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
