"""A process that has loaded everything once and forks for each command: in 20 ms what costs a start of Python a second.

A forked command is as alone as one from a shell, with its own limits of time and memory (`cli.limits`). Not one of
multiprocessing's servers: the workers of a cluster are daemons, which may not have such children.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress

PR_SET_PDEATHSIG = 1
CODE = """\
import sys
sys.path[:] = {path}
from analysis.cli import main
from analysis.cli.sweeping.server import serve
serve(main, {parent})
"""


class Ended(Exception):
    """The server gave no answer; the message says why."""


class Server:
    """The server, as who asks it sees it. It ends with the thread that started it, even where that is killed."""

    def __init__(self) -> None:
        code = CODE.format(path=repr(sys.path), parent=os.getpid())
        # a session of its own: an interrupt of the keyboard is for the sweep to hear
        self._process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         start_new_session=True)  # fmt: skip

    def run(self, arguments: Sequence[str], seconds: float) -> tuple[int, str, str]:
        """Exit status, standard output and standard error of `actapprox ARGUMENTS`; Ended after so many seconds."""
        question, reply = self._process.stdin, self._process.stdout
        assert question is not None
        assert reply is not None
        try:
            question.write(json.dumps(arguments).encode() + b"\n")
            question.flush()
            heard = select.select([reply], [], [], seconds)[0]
            line = reply.readline() if heard else b""
        except OSError:
            heard, line = [reply], b""
        if not line:
            self.end()
            raise Ended("its process was ended" if heard else f"its process did not end within {seconds:g} s")
        status, out, err = json.loads(line)
        return status, out, err

    def end(self) -> None:
        """Ends the server and what it runs."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def serve(main: Callable[[list[str]], int], parent: int) -> None:
    """Answers a line of JSON, the words of a command, with a line of JSON: its status and what it printed."""
    _bound_to(parent)
    _load()
    for line in sys.stdin.buffer:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            here = os.getpid()
            with warnings.catch_warnings(action="ignore"):  # of a fork beside threads: none of them is ours
                child = os.fork()
            if child == 0:
                _bound_to(here)
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                _run(main, json.loads(line))
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            printed = [_content(stream.fileno()) for stream in (out, err)]
        print(json.dumps([status, *printed]), flush=True)


def _bound_to(parent: int) -> None:
    """Ends this process when its parent ends, if the system can."""
    if (prctl := getattr(ctypes.CDLL(None), "prctl", None)) is not None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended already
        os._exit(1)


def _load() -> None:
    """What fits and designs import where they use it."""
    import scipy.optimize
    import scipy.stats

    from analysis.optimal import cost, design
    from analysis.optimal.fitting import constants
    from analysis.optimal.shapes import gate, pwl, pwl_rounded, pwl_squares, quadratic, rational, spline, table

    del scipy, cost, design, constants, gate, pwl, pwl_rounded, pwl_squares, quadratic, rational, spline, table


def _run(main: Callable[[list[str]], int], arguments: list[str]) -> None:
    status = 1
    try:
        status = main(arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _content(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(os.dup(descriptor), "rb") as stream:
        return stream.read().decode(errors="replace")
