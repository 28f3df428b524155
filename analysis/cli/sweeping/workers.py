"""Who does the work of a sweep: processes of this machine, or those of a Dask cluster, behind one interface.

Each task is the command itself, run by the server of the thread that it is given to, here or on a cluster.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from analysis.activation.errors import BadInput
from analysis.cli.answers import ANSWERED, BAD, NO, UNDECIDED, one_line
from analysis.cli.sweeping.server import Ended, Server
from analysis.cli.sweeping.task import Task, release

PATIENCE = 60.0  # seconds beyond its limit after which a task that should have ended itself is ended
CONNECT = 10.0  # seconds that a scheduler is given to answer

LOOK = 5.0  # seconds between two looks whether who works is still there

_servers: dict[threading.Thread, Server] = {}  # of each thread that works


class Failed(Exception):
    """A task ended without an answer; the message says how. Nothing is kept of it, and the next sweep tries again."""


@dataclass(frozen=True)
class Crew:
    """Who works, and whether it is still there to be waited for."""

    executor: Executor
    is_there: Callable[[], bool] = lambda: True


def answer(task: Task, seconds: float, made_by: str) -> dict[str, Any]:
    """What the task's command answers with --json within so many seconds; bad input gives {"refused": reason}.

    `made_by` is the release that wants the answer; Failed where another one runs here, or where no answer came.
    """
    if made_by != release():
        raise Failed(f"expected actapprox {made_by} on the worker, got {release()}")
    command, *options = task.arguments
    mine = threading.current_thread()
    server = _servers.get(mine) or _servers.setdefault(mine, Server())
    try:
        return _understood(*server.run([command, "--json", f"--timeout={seconds:g}", *options], seconds + PATIENCE))
    except Ended as reason:
        _servers.pop(mine, None)
        raise Failed(str(reason)) from None


def _understood(status: int, out: str, err: str) -> dict[str, Any]:
    last = one_line((err.strip().splitlines() or [""])[-1])
    if status == BAD:
        return {"refused": last.removeprefix("actapprox: ")}
    try:
        found = json.loads(out) if status in (ANSWERED, NO, UNDECIDED) else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        ended = f"signal {-status}" if status < 0 else f"status {status}"
        raise Failed(f"its process ended with {ended}{f': {last}' if last else ''}")
    return found


def answers(tasks: Sequence[Task], seconds: float, crew: Crew) -> Iterator[tuple[Task, dict[str, Any] | Failed]]:
    """Each task with its answer, or how it failed, as they come; once the crew is gone all that is left has failed."""
    futures = {crew.executor.submit(answer, task, seconds, release()): task for task in tasks}
    present = True
    while futures:
        done = wait(futures, timeout=LOOK, return_when=FIRST_COMPLETED).done
        if not done and not (present or crew.is_there()):
            yield from ((task, Failed("the scheduler is gone")) for task in futures.values())
            return
        present = crew.is_there()
        for future in done:
            yield futures.pop(future), _result(future)


def _result(future: Future) -> dict[str, Any] | Failed:
    try:
        return future.result()
    except Failed as problem:
        return problem
    except Exception as problem:  # of a cluster it may be anything
        return Failed(f"{type(problem).__name__}: {one_line(str(problem))}")


@contextmanager
def processes(jobs: int) -> Iterator[Crew]:
    """So many processes of this machine at a time; leaving early ends them."""
    threads: list[threading.Thread] = []
    executor = ThreadPoolExecutor(jobs, initializer=lambda: threads.append(threading.current_thread()))
    try:
        yield Crew(executor)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        while any(thread.is_alive() for thread in threads) or any(thread in _servers for thread in threads):
            for thread in threads:
                if server := _servers.pop(thread, None):
                    server.end()
            time.sleep(0.01)


@contextmanager
def cluster(address: str) -> Iterator[Crew]:
    """The workers of the Dask scheduler at that address, through its `concurrent.futures` interface.

    A task of a worker that dies goes to another worker. The workers need this release of actapprox.
    """
    try:
        from distributed import Client
    except ImportError:
        raise BadInput("expected distributed for --scheduler (the extra cluster), found none") from None
    logging.disable()  # of distributed and what it stands on: what matters of it is said of each task
    try:
        client = Client(address, timeout=CONNECT, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as problem:
        raise BadInput(f"no Dask scheduler at {address}: {one_line(str(problem))}") from None
    with client:
        executor = client.get_executor(pure=False)
        try:
            yield Crew(executor, lambda: client.status == "running")
        finally:
            if client.status == "running":
                executor.shutdown(wait=False)  # which cancels what is still to do
