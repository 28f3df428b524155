"""The time and the memory of a command, and its answer where they end."""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import click

from analysis.activation.errors import BadInput, OutOfTime, Undecided
from analysis.cli.answers import file_of, one_line, write

MEMORY = 800 << 20  # bytes that a command may take, beyond those at its start
GRACE = 2.0  # seconds that the alarm is given to be heard
AGAIN = 0.001  # seconds after which an alarm that came too early or too late is repeated
PATIENCE = 0.05  # seconds between two looks at a command


@contextmanager
def limited(seconds: float, as_json: bool):
    """Ends the work after so many seconds, and turns what is undecided into an answer; the caller then exits with 3.

    An alarm that comes between the work and here, where nobody would catch it, comes again.
    """

    def stop(_signal, frame):
        if frame.f_code.co_name in ("limited", "_watched", "__enter__", "__exit__"):
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
        else:
            raise OutOfTime(f"no answer within {seconds:g} s (--timeout)")

    if not seconds > 0:
        raise BadInput(f"expected a positive number of seconds for --timeout, got {seconds}")
    previous = signal.signal(signal.SIGALRM, stop)
    try:
        with _watched(seconds, as_json):
            signal.setitimer(signal.ITIMER_REAL, seconds)
            try:
                yield
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
    except (OverflowError, MemoryError) as problem:
        raise BadInput(f"expected numbers of moderate size, got {one_line(str(problem)) or 'too large ones'}") from None
    except (OutOfTime, Undecided, NotImplementedError, RecursionError) as reason:  # the last two are how sympy gives up
        print(_undecided(one_line(str(reason)), as_json))
    finally:
        signal.signal(signal.SIGALRM, previous)


def _undecided(reason: str, as_json: bool) -> str:
    """What a command prints that found no answer; the file of --out gets what --json prints."""
    answer = {"verdict": "UNDECIDED", "reason": reason}
    context = click.get_current_context(silent=True)
    if context and (out := context.params.get("out")):
        write(out, file_of(answer))
    return json.dumps(answer) if as_json else f"UNDECIDED: {reason}"


@contextmanager
def _watched(seconds: float, as_json: bool):
    """Ends the process, with the same answer and status 3, where the alarm is not heard or the memory grows too large.

    Python runs its handlers between bytecodes only, so one long call of a C library would outlast any alarm. A second
    process keeps the time and looks at the memory. The handler that ends this one is the C function _exit: it gets the
    number of the signal as its argument, and that of SIGQUIT is 3. Commands that read samples may take what they need.
    """
    context = click.get_current_context(silent=True)
    most = float("inf") if context and context.params.get("samples") else _memory(os.getpid()) + MEMORY
    library = ctypes.CDLL(None)
    library.signal.argtypes, library.signal.restype = [ctypes.c_int, ctypes.c_void_p], ctypes.c_void_p
    previous = library.signal(signal.SIGQUIT, ctypes.cast(library._exit, ctypes.c_void_p))
    reading, writing = os.pipe()
    with warnings.catch_warnings(action="ignore"):  # of a fork beside threads: the child only waits and writes
        child = os.fork()
    if child == 0:
        try:
            os.close(writing)
            _watch(os.getppid(), reading, seconds, most, as_json)
        finally:
            os._exit(0)
    os.close(reading)
    try:
        yield
    finally:
        os.close(writing)
        os.waitpid(child, 0)
        library.signal(signal.SIGQUIT, previous)


def _watch(process: int, done: int, seconds: float, most: float, as_json: bool) -> None:
    """Waits until the pipe `done` is closed; before that, ends the process once it takes too long or too much."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end = time.monotonic() + seconds + GRACE
    reason = ""
    while not reason and not select.select([done], [], [], PATIENCE)[0]:
        if time.monotonic() > end:
            reason = f"no answer within {seconds:g} s (--timeout)"
        elif _memory(process) > most:
            reason = f"no answer within {MEMORY >> 20} MiB of memory"
    if reason:
        try:
            os.write(1, (_undecided(reason, as_json) + "\n").encode())
        finally:
            os.kill(process, signal.SIGQUIT)


def _memory(process: int) -> int:
    """The bytes of memory that the process holds; 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
