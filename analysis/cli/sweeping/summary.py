"""What a sweep found: a row a task, as a table, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.activation.sheet import Line, Record, Sheet, Table, decimal
from analysis.cli.sweeping.task import Task
from analysis.cli.sweeping.workers import Failed

ANSWERED, TO_DO, REFUSED, FAILED = "answered", "to do", "refused", "failed"


def row(task: Task, answer: dict[str, Any] | Failed | None) -> dict[str, Any]:
    """The task and what became of it: answered, REFUTED, UNDECIDED, refused (bad input), failed (no answer) or to do.

    `error` is the certified pair, `lower` the proved bound from below on the whole family or shape, `verdict` that of
    the optimum, `operations` the cost of one value. Of an answer that is none, `reason` says why.
    """
    said = dict.fromkeys(("verdict", "error", "lower", "operations", "table_bytes", "pieces", "seconds", "reason"))
    if answer is None:
        outcome = TO_DO
    elif isinstance(answer, Failed):
        outcome, said["reason"] = FAILED, str(answer)
    elif "error" not in answer:
        outcome = answer.get("verdict", REFUSED)
        said["reason"] = answer.get("reason", answer.get("refused"))
    else:
        outcome = ANSWERED
        optimum, cost = answer["optimum"], _cost(answer)
        said |= {"verdict": optimum["verdict"], "error": answer["error"], "lower": optimum["lower"]}
        said |= {"pieces": answer.get("pieces"), "operations": sum(cost.values()) - cost.get("table_bytes", 0)}
        said |= {"table_bytes": cost.get("table_bytes"), "seconds": answer["seconds"]}
        if not cost:
            said["operations"] = None
    asked = {key: task.get(key) for key in ("target", "family", "shape", "tolerance", "round")}
    return {
        "file": task.name,
        "asked": task.said,
        "command": task.command,
        **asked,
        "setting": _setting(task),
        "outcome": outcome,
        **said,
        "pieces": said["pieces"] if said["pieces"] is not None else int(task.get("pieces") or 0) or None,
    }


def _cost(answer: dict[str, Any]) -> dict[str, int]:
    """Of a design as it says; of a fit that of its formula; empty where there is no function."""
    if "cost" in answer:
        return answer["cost"]
    if answer["formula"] is None:
        return {}
    from analysis.activation import lookup
    from analysis.optimal import cost

    return cost.of_expression(lookup.function(answer["formula"]).expression).to_dict()


def _setting(task: Task) -> str:
    """The norm and what it is taken over, as one writes it: sup, gaussian sigma=2, sup on [-8, 8]."""
    grid, samples, sigma, domain = map(task.get, ("grid", "samples", "sigma", "domain"))
    kind = task.get("norm") or ("grid" if grid else "samples" if samples else "sup")
    over = grid or (samples and samples.rsplit("/", 1)[-1]) or (sigma and f"sigma={sigma}")
    return " ".join(filter(None, (kind, over, domain and f"on [{domain}]")))


@dataclass(frozen=True)
class Sweep(Record):
    """The rows of a sweep in the order of its plan."""

    plan: str
    rows: tuple[dict[str, Any], ...]

    @property
    def counts(self) -> dict[str, int]:
        return dict(sorted(Counter(row["outcome"] for row in self.rows).items()))

    def to_dict(self) -> dict[str, Any]:
        return {"plan": self.plan, "tasks": list(self.rows), "counts": self.counts}

    def csv(self) -> str:
        """A line a task; the pair of the error is two columns."""
        heads = [key for key in self.rows[0] if key != "error"] if self.rows else []
        stream = io.StringIO()
        table = csv.DictWriter(stream, [*heads, "error_lower", "error_upper"], lineterminator="\n")
        table.writeheader()
        for row in self.rows:
            low, high = row["error"] or ("", "")
            table.writerow({key: row[key] for key in heads} | {"error_lower": low, "error_upper": high})
        return stream.getvalue()

    def sheet(self) -> Sheet:
        counted = ", ".join(f"{count} {outcome}" for outcome, count in self.counts.items())
        cells = tuple(map(_cells, self.rows))
        heads = ("target", "stand-in", "norm", "round", "outcome", "optimum", "error", "operations", "seconds")
        unanswered = tuple(
            f"{row['asked']}: {row['reason']}" for row in self.rows if row["outcome"] in (REFUSED, FAILED)
        )
        return Sheet(
            f"{self.plan}: {len(self.rows)} tasks, {counted}",
            tuple(Line("not answered", text) for text in unanswered),
            (Table(heads, cells, texts=6),),
        )


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    size = f", {row['pieces']} pieces" if row["pieces"] and row["command"] == "design" else ""
    asked = f" (<= {row['tolerance']})" if row["tolerance"] else ""
    error = decimal(float(row["error"][1])) if row["error"] else ""
    seconds = "" if row["seconds"] is None else decimal(row["seconds"], 2)
    return (
        row["target"],
        f"{row['family'] or row['shape']}{size}{asked}",
        row["setting"],
        row["round"] or "",
        row["outcome"],
        row["verdict"] or "",
        error,
        "" if row["operations"] is None else str(row["operations"]),
        seconds,
    )


def seconds_left(elapsed: float, done: int, total: int) -> float:
    """How long the rest takes if it goes on as before; inf before the first."""
    return elapsed / done * (total - done) if done else math.inf


def joined(tasks: Sequence[Task], found: Mapping[Task, dict[str, Any] | Failed], plan: str) -> Sweep:
    return Sweep(plan, tuple(row(task, found.get(task)) for task in tasks))
