"""The journal of a study: one line of JSON for each run that is done, so that a killed study goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


def key_of(configuration: Entry) -> str:
    """A name for a configuration: the same whatever the order of its keys."""
    return hashlib.sha256(json.dumps(configuration, sort_keys=True).encode()).hexdigest()[:16]


class Journal:
    """Results by configuration, in a file of JSON lines that grows by whole lines.

    A line that a kill cut short is passed over, and the next one starts on a line of its own.
    """

    def __init__(self, path: Path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.entries: dict[str, Entry] = {}
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for line in text.splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue
            self.entries[str(entry["key"])] = entry
        self._torn = bool(text) and not text.endswith("\n")

    def __contains__(self, configuration: Entry) -> bool:
        return key_of(configuration) in self.entries

    def __getitem__(self, configuration: Entry) -> Entry:
        return self.entries[key_of(configuration)]["result"]

    def seconds(self, configuration: Entry) -> float:
        """The processor time that the run took."""
        return self.entries[key_of(configuration)]["seconds"]

    def add(self, configuration: Entry, result: Entry, seconds: float) -> None:
        entry = {"key": key_of(configuration), "configuration": configuration, "result": result, "seconds": seconds}
        self.entries[key_of(configuration)] = entry
        line = ("\n" if self._torn else "") + json.dumps(entry) + "\n"
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._torn = False
