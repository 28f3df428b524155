"""`claims`: decides the ledger."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path

import click

from analysis.cli.answers import ANSWERED, NO, UNDECIDED, reply
from analysis.cli.limits import limited
from analysis.cli.options import answer_options


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID ...]")
@click.option("--verdict", type=click.Choice(["PROVED", "REFUTED", "UNDECIDED", "MEASURED"], case_sensitive=False),
              help="Only claims whose recorded verdict is this.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Processes. Default: as many as there are cores.")
@answer_options(timeout=600.0)
def claims(ids: tuple[str, ...], verdict: str | None, jobs: int | None, as_json: bool, out: Path | None,
           timeout: float) -> int:  # fmt: skip
    """Decides the statements of the ledger; with IDs, shows the evidence too. Exit status 1: not as recorded.

    Each statement of the sources stands with its verdict and the reason, in every reading that is decided apart.

    Example: actapprox claims T5 W6
    """
    with limited(timeout, as_json):
        from analysis.exact.verdict import Verdict
        from analysis.ledger import audit

        recorded = Verdict(verdict.upper()) if verdict else None
        with _progress(len(audit.chosen(ids, recorded))) as heard:
            answer = audit.claims(ids, verdict=recorded, jobs=jobs or _cores(), heard=heard)
        reply(answer, as_json, out)
        for decision in answer.disagreeing:
            print(f"actapprox: {audit.disagreement(decision)}", file=sys.stderr)
        return ANSWERED if answer.agrees else NO
    return UNDECIDED


@contextmanager
def _progress(total: int):
    """A bar on standard error, if that is a terminal; what it gives is called with each decision."""
    if not sys.stderr.isatty() or not total:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("claims", total=total)

        def heard(decision) -> None:
            bar.update(task, advance=1, description=f"{decision.claim.id:4}", refresh=True)

        yield heard


def _cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
