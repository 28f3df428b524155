"""What the tests of the ledger share: quoted commands that are read but not run, and names for tables of checks."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial

import pytest

from analysis import cli
from analysis.ledger.audit import SLOWEST
from analysis.ledger.claim import Claim


def cases(claims: Sequence[Claim]) -> list:
    """The claims as parameters of a test; those that take seconds are marked proof."""
    marks = {id: [pytest.mark.proof] for id in SLOWEST[:4]}
    return [pytest.param(claim, id=f"{claim.id} {claim.reading}", marks=marks.get(claim.id, [])) for claim in claims]


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
