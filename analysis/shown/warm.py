"""A process that has imported what every notebook imports, and a copy of it for each notebook.

``python -m analysis.shown.warm beside make ...`` runs make beside such a process. ``python -m analysis.shown.warm run
notebooks/03_hard_mish.ipynb ...``, which make then runs, is `analysis.shown.notebooks run` in a copy of it, or right
here where there is none. To start Python and to import NumPy, SymPy, matplotlib and papermill for each notebook, and
again for its kernel, would take a quarter of the time of all figures; a copy takes none.

Between them is a pair of sockets of which make, and what it starts, inherit one end: the process ends when the last of
them has. It imports when it is first asked. A request brings the standard files of the asking runner and a socket for
the exit status; a copy whose runner has hung up ends. Sources edited since the imports count as newer than what was
drawn (`since`).
"""

import contextlib
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

HANDLE = "ACTAPPROX_WARM"  # the inherited end: its number, and its inode to tell it from another file of that number
IMPORTED = (
    "papermill",
    "ipykernel.kernelapp",
    "analysis.optimal.fitting.constants",
    "analysis.shown.figures",
    "analysis.shown.kernels",
    "analysis.shown.notebooks",
)
LONGEST = 1 << 16  # bytes of a request
ENDED, INTERRUPTED = 1, 130  # exit statuses, the first where there is none
PATIENCE = 5.0  # seconds


def beside(command: list[str]) -> None:
    """Start the process, then become the command, which finds it by `HANDLE`."""
    from analysis.shown import reproducible

    served, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if not os.fork():
        asked.close()
        served.set_inheritable(True)
        folder = tempfile.mkdtemp(prefix="warm")
        environment = reproducible.environment(dict(os.environ), Path(folder))
        arguments = [sys.executable, "-m", "analysis.shown.warm", "serve", str(served.fileno()), folder]
        os.execve(sys.executable, arguments, environment)
    asked.set_inheritable(True)
    os.environ[HANDLE] = f"{asked.fileno()} {os.fstat(asked.fileno()).st_ino}"
    os.execvp(command[0], command)


def ask(arguments: list[str]) -> int | None:
    """The exit status of `analysis.shown.notebooks` with the arguments in a copy; None where there is none to ask."""
    with contextlib.suppress(KeyError, ValueError, OSError):
        number, inode = map(int, os.environ[HANDLE].split())
        if os.fstat(number).st_ino != inode:
            return None
        answer, told = socket.socketpair()
        with told, socket.socket(fileno=os.dup(number)) as asked:
            message = json.dumps([str(Path.cwd()), arguments]).encode()
            socket.send_fds(asked, [message], [0, 1, 2, told.fileno()])
        return _status(answer)
    return None


def _status(answer: socket.socket) -> int:
    """What the copy tells. Ctrl-C reaches the copy too, which is given time to tidy up."""
    text = b""
    with answer:
        try:
            with contextlib.suppress(ConnectionError):
                text = answer.recv(16)
        except KeyboardInterrupt:
            answer.settimeout(PATIENCE)
            with contextlib.suppress(OSError):
                answer.recv(16)
            return INTERRUPTED
    if not text:
        print("the process that ran it has ended early", file=sys.stderr)
    return int(text or ENDED)


def serve(requests: socket.socket) -> None:
    """Make a copy for each request until nobody is left who could ask."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the copies
    since = 0
    while True:
        message, files, *_ = socket.recv_fds(requests, LONGEST, 4)
        if not message:
            return
        since = since or _import_all()
        if not os.fork():
            requests.close()
            folder, arguments = json.loads(message)
            _answer(folder, arguments, files, since)
        for file in files:
            os.close(file)


def _import_all() -> int:
    """When the imports began, in nanoseconds. One that fails will fail again where it is needed, and be reported."""
    since = time.time_ns()
    for name in IMPORTED:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.freeze()
    return since


def _answer(folder: str, arguments: list[str], files: list[int], since: int) -> None:
    """In the copy: be the runner that has asked."""
    *standard, told = files
    for number, file in enumerate(standard):
        os.dup2(file, number)
        os.close(file)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    status = ENDED
    try:
        os.chdir(folder)
        from analysis.shown import kernels, notebooks

        notebooks.prepared = notebooks.Prepared(kernels.Spare(), since)
        threading.Thread(target=_end_with, args=(told,), daemon=True).start()
        notebooks.main(arguments)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
            os.write(told, str(status).encode())
        os._exit(status)


def _end_with(told: int) -> None:
    """End as the runner has that asked: it has hung up."""
    poll = select.poll()
    poll.register(told, 0)
    poll.poll()
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    match sys.argv[1:]:
        case ["beside", *command] if command:
            beside(command)
        case ["serve", number, folder]:
            try:
                serve(socket.socket(fileno=int(number)))
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        case ["run", *_] as arguments:
            if (status := ask(arguments)) is not None:
                sys.exit(status)
            from analysis.shown import notebooks

            notebooks.main(arguments)
        case _:
            sys.exit("expected beside COMMAND... or run NOTEBOOK..., got " + (" ".join(sys.argv[1:]) or "nothing"))


if __name__ == "__main__":
    main()
