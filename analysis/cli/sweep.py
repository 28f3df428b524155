"""`sweep`: many fits and designs from one plan, each kept in a file of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from analysis.activation.errors import BadInput
from analysis.cli.answers import ANSWERED, UNDECIDED, file_of, reply, write

Heard = Callable[[str, str], None]


@click.command()
@click.argument("plan", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="The folder of the results. What is there already is not done again.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Processes. Default: 1.")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler, tcp://host:port, whose workers do the work.")
@click.option("--timeout", type=click.FloatRange(0, 1e6, min_open=True), default=60.0, show_default=True,
              help="Seconds after which the answer of one task is UNDECIDED.")  # fmt: skip
@click.option("--retry", is_flag=True, help="Do those that are UNDECIDED again, say with a longer --timeout.")
@click.option("--dry-run", is_flag=True, help="Only say which tasks there are, and which are still to do.")
@click.option("--json", "as_json", is_flag=True, help="The summary as one JSON object on standard output.")
def sweep(plan: Path, out: Path | None, jobs: int | None, scheduler: str | None, timeout: float, retry: bool,
          dry_run: bool, as_json: bool) -> int:  # fmt: skip
    """Many fits and designs, as PLAN says, each into a file of DIR; then a summary and the atlas of all errors.

    The plan is TOML: tables [[fit]] and [[design]], whose keys are the words of these commands, each with a value or
    a list of values. A sweep that was interrupted or killed goes on where it was. Exit status 3: tasks failed.

    Example: actapprox sweep examples/sweep.toml --dry-run
    """
    from analysis.cli.sweeping import folder, summary, workers
    from analysis.cli.sweeping.plan import read
    from analysis.cli.sweeping.task import Task

    if jobs and scheduler:
        raise BadInput("expected one of --jobs and --scheduler, got both")
    tasks = read(plan)
    if dry_run:
        there = {task: answer for task in tasks if out and (answer := folder.kept(out, task))}
        if as_json:
            return reply(summary.joined(tasks, there, plan.name), as_json, None)
        return _listed([(task.name, task.said, task in there) for task in tasks])
    if out is None:
        raise BadInput("expected --out DIR, or --dry-run")
    from analysis.shown import atlas, canvas

    with folder.held(out):
        found: dict[Task, dict | workers.Failed] = {
            task: answer
            for task in tasks
            if (answer := folder.kept(out, task)) and not (retry and answer.get("verdict") == "UNDECIDED")
        }
        due = [task for task in tasks if task not in found]
        print(f"{len(tasks)} tasks, {len(found)} of them done before", file=sys.stderr)
        if due:
            hired = workers.cluster(scheduler) if scheduler else workers.processes(jobs or 1)
            with hired as crew, _progress(len(due)) as heard:
                for task, came in workers.answers(due, timeout, crew):
                    if not isinstance(came, workers.Failed):
                        folder.keep(out, task, came)
                    found[task] = came
                    heard(summary.row(task, came)["outcome"], task.said)
        whole = summary.joined(tasks, found, plan.name)
        write(out / "summary.json", file_of(whole.to_dict()))
        write(out / "summary.csv", whole.csv().encode())
        write(out / "atlas.svg", canvas.render(atlas.atlas(whole.rows), "svg"))
    reply(whole, as_json, None)
    return UNDECIDED if summary.FAILED in whole.counts else ANSWERED


def _listed(tasks: list[tuple[str, str, bool]]) -> int:
    for name, said, done in tasks:
        print(f"{name}  {'done   ' if done else 'to do  '}{said}")
    print(f"{len(tasks)} tasks, {sum(not done for *_, done in tasks)} to do")
    return ANSWERED


@contextmanager
def _progress(total: int) -> Iterator[Heard]:
    """What it gives is told the outcome of each task: a bar with the time left on a terminal, else a line each."""
    if not sys.stderr.isatty():
        from analysis.cli.sweeping.summary import seconds_left

        began, done = time.monotonic(), iter(range(1, total + 1))

        def line(outcome: str, said: str) -> None:
            k = next(done)
            left = seconds_left(time.monotonic() - began, k, total)
            print(f"{k}/{total}  {left:.0f} s left  {outcome}  {said}", file=sys.stderr, flush=True)

        yield line
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        one = bar.add_task("", total=total)
        yield lambda outcome, said: bar.update(one, advance=1, description=f"{outcome}  {said}"[:60])
