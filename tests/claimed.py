"""What the tests of the ledger share: quoted commands that are read but not run, and names for tables of checks."""

from __future__ import annotations

import shlex
from functools import partial

from analysis import cli


def parses(quoted: str) -> bool:
    """Whether this is a command of ours with options that it has; click's own error where they are not."""
    program, name, *words = shlex.split(quoted)
    return program == "actapprox" and cli.command.commands[name].make_context(name, words) is not None


def named(value: object) -> str:
    """A partial check by its function and arguments, the same in every process."""
    if not isinstance(value, partial):
        return str(value)
    words = [*map(str, value.args), *(f"{key}={word}" for key, word in value.keywords.items())]
    return f"{value.func.__name__} {' '.join(words)}"
