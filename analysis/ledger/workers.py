"""Work spread over processes: numbers go out, results come back one by one.

Not an executor of the standard library: its processes outlive a parent that is killed, and finish their work before an
interrupted one may end. Here each has a pipe of its own; it ends when the parent does, and is ended with it.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

Work = Callable[[int], Any]


def spread(work: Work, batches: Sequence[Sequence[int]], jobs: int) -> Iterator[tuple[int, Any]]:
    """Each number with what `work` makes of it, as they are finished; a batch stays in one process, in order.

    `work` is a function of a module, for it is found by name in the other process. An exception there is raised here.
    Where a process dies over a number the result is None. Raises RuntimeError where one does not even start.
    """
    waiting = deque(batch for batch in map(list, batches) if batch)
    running: dict[Connection, tuple[BaseProcess, list[int] | None]] = {}  # None: it starts
    try:
        while waiting or running:
            while len(running) < max(1, jobs) and sum(due is None for _, due in running.values()) < len(waiting):
                connection, process = _started(work)
                running[connection] = process, None
            for ready in wait(list(running)):
                assert isinstance(ready, Connection)
                process, due = running[ready]
                answer = _heard(ready)
                if answer is None:  # it was killed: what is left of its batch goes to another
                    if due is None:
                        raise RuntimeError("a process did not start; is what starts them guarded by __main__?")
                    _ended(process, ready)
                    del running[ready]
                    waiting.extend([due[1:]] if due[1:] else [])
                    yield due[0], None
                    continue
                if due:
                    if answer[1] is not None:
                        raise answer[1]
                    yield due.pop(0), answer[0]
                if not due and waiting and _told(ready, waiting[0]):
                    running[ready] = process, waiting.popleft()
                elif not due:
                    _ended(process, ready)
                    del running[ready]
    finally:
        for connection, (process, _) in running.items():
            _ended(process, connection)


def _heard(connection: Connection) -> tuple[Any, Exception | None] | None:
    """The next answer of a process, None if it has ended."""
    try:
        return connection.recv()
    except (EOFError, OSError):
        return None


def _told(connection: Connection, batch: list[int]) -> bool:
    """Sends a batch; whether there was somebody to take it."""
    try:
        connection.send(batch)
    except OSError:
        return False
    return True


def _started(work: Work) -> tuple[Connection, BaseProcess]:
    """A process that waits for batches. It does not hear the keyboard: it is for the parent to be interrupted."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(work, there), daemon=True)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    there.close()
    return here, process


def _ended(process: BaseProcess, connection: Connection) -> None:
    connection.close()
    process.terminate()
    process.join()


def _serve(work: Work, connection: Connection) -> None:
    """Says that it is there, then (result, None) or (None, exception) for each number until the pipe is closed."""
    try:
        connection.send((None, None))
        while True:
            for number in connection.recv():
                answer: tuple[Any, Exception | None]
                try:
                    answer = work(number), None
                except Exception as problem:
                    answer = None, problem
                connection.send(answer)
    except (EOFError, OSError):
        return
