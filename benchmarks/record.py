"""What every record of measurements says of its machine and versions, and how it is written."""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import flint

from analysis.deployed.machine import processor


def provenance(module: str) -> dict[str, Any]:
    """The command that makes the record again, the machine, and the versions of what was measured."""
    return {
        "command": " ".join(["python", "-m", module, *sys.argv[1:]]),
        "machine": {"processor": processor(), "cores": os.cpu_count(), "system": platform.system()},
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    names = {"sympy": "sympy", "python-flint": "python-flint", "numpy": "numpy"}
    found = {name: version(distribution) for name, distribution in names.items()}
    return {"python": platform.python_version(), "flint": flint.__FLINT_VERSION__} | found


def write(record: dict[str, Any], path: Path) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)
