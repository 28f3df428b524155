"""A plan: tables of questions, each key with a value or a list of values; a table asks every combination.

    target = ["mish", "gelu"]          # above the tables: for each that takes the key and does not give it

    [[fit]]
    family = ["hard_gate", "swish"]
    norm = ["sup", "gaussian"]

    [[design]]
    shape = ["pwl", "pwq"]
    pieces = [4, 6, 8]
    round = [false, "float16"]         # false: the option is not given

The keys are the words of `fit` and `design`: their arguments in small letters, and their options without the dashes
(`target` for --to). Files are looked for beside the plan. A mistake is BadInput that names the key.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import click

from analysis.activation.errors import BadInput
from analysis.cli.answers import one_line
from analysis.cli.options import function_text, norm_of
from analysis.cli.sweeping.task import COMMANDS, Task, parameters

MOST = 10_000  # tasks
TABLES = " or ".join(f"[[{name}]]" for name in COMMANDS)


def read(path: Path) -> list[Task]:
    """The tasks of the plan, each once, in the order in which the plan has them."""
    try:
        plan = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise BadInput(f"{path}: expected a plan in TOML, got: {one_line(str(problem))}") from None
    try:
        return _tasks(plan, path.parent)
    except BadInput as problem:
        raise BadInput(f"{path}: {problem}") from None


def _tasks(plan: dict[str, Any], folder: Path) -> list[Task]:
    common = {key: value for key, value in plan.items() if key not in COMMANDS}
    tables = [
        (name, number, table) for name in plan if name in COMMANDS for number, table in _numbered(name, plan[name])
    ]
    if not tables:
        raise BadInput(f"expected a table {TABLES}, got {', '.join(plan) or 'an empty plan'}")
    for key in common:
        known = sorted({known for name, _, _ in tables for known in parameters(name)})
        _expect_known(key, known, "above the tables")
    found: dict[Task, None] = {}
    for name, number, table in tables:
        where = f"[[{name}]] {number}"
        for key in table:
            _expect_known(key, list(parameters(name)), f"in {where}")
        inherited = {key: value for key, value in common.items() if key in parameters(name)}
        found |= dict.fromkeys(_combined(name, inherited | table, where, folder))
    if len(found) > MOST:
        raise BadInput(f"expected at most {MOST} tasks, got {len(found)}")
    return list(found)


def _numbered(name: str, tables: Any) -> list[tuple[int, dict[str, Any]]]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise BadInput(f"key {name!r}: expected tables, each below a line [[{name}]]")
    return list(enumerate(tables, 1))


def _expect_known(key: str, known: list[str], where: str) -> None:
    if key not in known:
        near = difflib.get_close_matches(key, known, 1)
        hint = f"; did you mean {near[0]}?" if near else f"; expected one of {', '.join(known)}"
        raise BadInput(f"key {key!r} {where}: unknown{hint}")


def _combined(command: str, table: dict[str, Any], where: str, folder: Path) -> list[Task]:
    """A task for every combination of the values of a table."""
    known = parameters(command)
    for key in (key for key, parameter in known.items() if parameter.required and key not in table):
        raise BadInput(f"key {key!r} in {where}: missing")
    if "pieces" in table and "tolerance" in table:
        raise BadInput(f"key 'tolerance' in {where}: expected one of pieces and tolerance in a table, got both")
    values = {key: _values(key, given, known[key], where, folder) for key, given in table.items()}
    if math.prod(map(len, values.values())) > MOST:
        raise BadInput(f"{where}: expected at most {MOST} tasks")
    rows = (zip(values, row, strict=True) for row in product(*values.values()))
    return [Task.of(command, {key: value for key, value in row if value is not None}) for row in rows]


def _values(key: str, given: Any, parameter: click.Parameter, where: str, folder: Path) -> list[str | None]:
    """The values of a key as text, None where the option is not to be given."""
    values = given if isinstance(given, list) else [given]
    if not values:
        raise BadInput(f"key {key!r} in {where}: expected a value or a list of values, got an empty list")
    try:
        return [_value(key, value, parameter, folder) for value in values]
    except (BadInput, OSError) as problem:
        said = f"{problem.strerror}: {problem.filename}" if isinstance(problem, OSError) else problem
        raise BadInput(f"key {key!r} in {where}: {said}") from None


def _value(key: str, value: Any, parameter: click.Parameter, folder: Path) -> str | None:
    if value is False and not parameter.required:
        return None
    types, expected = _TYPES.get(parameter.type, ((str,), "a text in quotes"))
    if not isinstance(value, types) or isinstance(value, bool):
        raise BadInput(f"expected {expected}, got {_shown(value)}")
    text = str(value)
    if key == "samples":
        text = str((folder / text).resolve())
        norm_of("samples", None, None, None, Path(text))
    if key in ("target", "family") and text.endswith(".json"):
        text = function_text(str(folder / text))
    if key in _CHECKS:
        _CHECKS[key](text)
    return text


_TYPES: dict[click.ParamType, tuple[tuple[type, ...], str]] = {
    click.INT: ((int,), "a whole number"),
    click.FLOAT: ((int, float), "a number"),
}


def _shown(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else f"{value!r:.60}"


def _function(text: str) -> object:
    from analysis.activation import lookup

    return lookup.function(text)


def _family(text: str) -> object:
    from analysis.activation import lookup

    return lookup.family(text)


def _shape(text: str) -> None:
    from analysis.optimal.design import SHAPES

    names = {shape.strip().partition(":")[0] for shape in SHAPES.replace(" or ", ", ").split(", ")}
    if text.partition(":")[0] not in names:
        raise BadInput(f"expected {SHAPES}, got {text!r}")


def _knots(text: str) -> None:
    from analysis.optimal.design import KNOTS

    if text not in KNOTS:
        raise BadInput(f"expected one of {', '.join(KNOTS)}, got {text!r}")


def _norm(text: str) -> None:
    from analysis.rigorous.norms import KINDS

    if text not in KINDS:
        raise BadInput(f"expected one of {', '.join(KINDS)}, got {text!r}")


def _format(text: str) -> object:
    from analysis.optimal.lattice import Lattice

    return Lattice.of(text)


def _definitions(text: str) -> object:
    from analysis.activation.parsing import definitions

    return definitions(text, "name=value")


# what is seen of a value by itself; whether a combination makes sense is for its task to say
_CHECKS: dict[str, Callable[[str], object]] = {
    "target": _function,
    "family": _family,
    "shape": _shape,
    "knots": _knots,
    "norm": _norm,
    "round": _format,
    "fix": _definitions,
    "tie": _definitions,
    "domain": lambda text: norm_of("sup", text, None, None, None),
    "grid": lambda text: norm_of("grid", None, None, text, None),
}
