"""The folder of a sweep: a file an answer, written whole or not at all, by one sweep at a time."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analysis.activation.errors import BadInput
from analysis.cli.answers import DRAFT, file_of, write
from analysis.cli.sweeping.task import Task


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Makes the folder if need be, keeps other sweeps out of it, and clears away what a killed one was writing.

    The lock is on the folder itself and ends with the process, however that ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(f"expected a folder that no other sweep works in, got {folder}") from None
        for draft in folder.glob(f"{DRAFT}*"):
            draft.unlink()
        yield
    finally:
        os.close(descriptor)


def kept(folder: Path, task: Task) -> dict[str, Any] | None:
    """The answer of a task that is there already; None where there is none, or where somebody has damaged it."""
    try:
        found = json.loads((folder / task.name).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) and found else None


def keep(folder: Path, task: Task, answer: dict[str, Any]) -> None:
    write(folder / task.name, file_of(answer))
