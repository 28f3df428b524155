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
    Where a process dies over a number the result is None.
    """
    waiting = deque(batch for batch in map(list, batches) if batch)
    running: dict[Connection, tuple[BaseProcess, list[int]]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < max(1, jobs):
                connection, process = _started(work)
                running[connection] = process, waiting.popleft()
                connection.send(running[connection][1])
            for connection in wait(list(running)):
                assert isinstance(connection, Connection)
                process, due = running[connection]
                try:
                    found, problem = connection.recv()
                except (EOFError, OSError):  # it was killed: what is left of its batch goes to another
                    _ended(*running.pop(connection)[:1], connection)
                    yield due[0], None
                    waiting.appendleft(due[1:])
                    waiting = deque(filter(None, waiting))
                    continue
                if problem is not None:
                    raise problem
                yield due.pop(0), found
                if not due and waiting:
                    running[connection] = process, waiting.popleft()
                    connection.send(running[connection][1])
                elif not due:
                    _ended(process, connection)
                    del running[connection]
    finally:
        for connection, (process, _) in running.items():
            _ended(process, connection)


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
    """Answers (result, None) or (None, exception) for each number of each batch until the pipe is closed."""
    try:
        while True:
            for number in connection.recv():
                try:
                    answer = work(number), None
                except Exception as problem:
                    answer = None, problem
                connection.send(answer)
    except (EOFError, OSError):
        return
