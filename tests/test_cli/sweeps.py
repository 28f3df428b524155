"""Sweeps that the tests run in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# least squares over few points: the quickest questions there are; two have the same answer for any slope
QUICK = """
target = ["relu", "abs(x)", "x/2"]
grid = "-1,1,9"
[[fit]]
family = ["a*x", "a*x**2", "a*tanh(x)"]
"""


def plan(folder: Path, text: str = QUICK) -> Path:
    path = folder / "plan.toml"
    path.write_text(text, encoding="utf-8")
    return path


def started(*arguments, **options) -> subprocess.Popen:
    """`actapprox sweep` in a process of its own."""
    command = [sys.executable, "-m", "analysis", "sweep", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen(command, cwd=ROOT, text=True, **pipes)


def results(folder: Path) -> dict[str, dict]:
    """The content of every file of a finished sweep; how long anything took is not compared."""
    found = {path.name: json.loads(path.read_text()) for path in folder.glob("*.json")}
    for content in (*found.values(), *found.get("summary.json", {}).get("tasks", [])):
        content.pop("seconds", None)
    return found


def children(process: int) -> list[int]:
    """The processes that were started by it and still run."""
    found = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        found += [int(child) for child in task.read_text().split()]
    return found + [grandchild for child in found for grandchild in children(child)]


def runs(process: int) -> bool:
    try:
        os.kill(process, 0)
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
