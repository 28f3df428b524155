"""A process that has imported what every notebook imports, and a copy of it for each notebook.

``python -m analysis.shown.warm beside make ...`` runs make beside such a process. ``python -m analysis.shown.warm run
notebooks/03_hard_mish.ipynb ...``, which make then runs, is `analysis.shown.notebooks run` in a copy of it, or right
here where there is none. To start Python and to import NumPy, SymPy, matplotlib and papermill for each notebook, and
again for its kernel, would take a sixth of the time of all figures; a copy takes none.

Between them is a pair of sockets of which make, and what it starts, inherit one end: the process ends when the last of
them has. It imports when it is first asked. A request brings the standard files of the asking runner and a socket for
the exit status; a copy whose runner has hung up ends. Sources edited since it started count as newer than what was
drawn.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

from analysis.shown import reproducible

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
    if sys.platform == "linux":  # elsewhere there are no such sockets, or to fork is not safe
        served, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        since = time.time_ns()
        if not os.fork():
            asked.close()
            served.set_inheritable(True)
            arguments = ["-m", "analysis.shown.warm", "serve", str(served.fileno()), str(since)]
            kept = {name: value for name, value in os.environ.items() if name not in reproducible.PERSONAL}
            os.execve(sys.executable, [sys.executable, *arguments], {**kept, **reproducible.FIXED})
        asked.set_inheritable(True)
        os.environ[HANDLE] = f"{asked.fileno()} {os.fstat(asked.fileno()).st_ino}"
    os.execvp(command[0], command)


def ask(arguments: list[str]) -> int | None:
    """The exit status of `analysis.shown.notebooks` with the arguments in a copy; None where there is none to ask."""
    hear, tell = socket.socketpair()
    with hear:
        with tell:
            if not _sent(arguments, tell):
                return None
        return _status(hear)


def _sent(arguments: list[str], tell: socket.socket) -> bool:
    try:
        number, inode = map(int, os.environ[HANDLE].split())
        if os.fstat(number).st_ino != inode:
            return False
        with socket.socket(fileno=os.dup(number)) as asked:
            message = json.dumps([str(Path.cwd()), arguments]).encode()
            socket.send_fds(asked, [message], [0, 1, 2, tell.fileno()])
    except (KeyError, ValueError, OverflowError, OSError):
        return False
    return True


def _status(hear: socket.socket) -> int:
    """What the copy tells. Ctrl-C reaches the copy too, which is given time to tidy up."""
    text = b""
    try:
        with contextlib.suppress(ConnectionError):
            text = hear.recv(16)
    except KeyboardInterrupt:
        hear.settimeout(PATIENCE)
        with contextlib.suppress(OSError):
            hear.recv(16)
        return INTERRUPTED
    if not text:
        print("the process that ran it has ended early", file=sys.stderr)
    return int(text or ENDED)


def serve(requests: socket.socket, since: int) -> None:
    """Make a copy for each request until nobody is left who could ask."""
    heard = signal.getsignal(signal.SIGINT) != signal.SIG_IGN  # a script's make in the background is not
    for number in (signal.SIGINT, signal.SIGTERM) if heard else (signal.SIGTERM,):
        signal.signal(number, lambda *_: sys.exit(INTERRUPTED))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the copies
    is_cold = True
    while True:
        message, files, *_ = socket.recv_fds(requests, LONGEST, 4)
        if not message:
            return
        if is_cold:
            _import_all()
            is_cold = False
        if not os.fork():
            requests.close()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if heard:
                signal.signal(signal.SIGINT, signal.default_int_handler)
            _answer(message, files, since)
        for file in files:
            os.close(file)


def _import_all() -> None:
    """What fails to be imported will fail again where it is needed, and be reported."""
    with tempfile.TemporaryDirectory(prefix="warm") as private:
        os.environ |= reproducible.environment(dict(os.environ), Path(private))
        for name in IMPORTED:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    gc.freeze()


def _answer(message: bytes, files: list[int], since: int) -> None:
    """In the copy: be the runner that has asked."""
    *standard, tell = files
    status = ENDED
    try:
        for number, file in enumerate(standard):
            os.dup2(file, number)
            os.close(file)
        folder, arguments = json.loads(message)
        os.chdir(folder)
        from analysis.shown import kernels, notebooks

        notebooks.prepared = notebooks.Prepared(kernels.Spare(), since)
        threading.Thread(target=_end_with, args=(tell,), daemon=True).start()
        notebooks.main(arguments)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, AttributeError):  # closed, or none from the start
                stream.flush()
        with contextlib.suppress(OSError):
            os.write(tell, str(status).encode())
        os._exit(status)


def _end_with(tell: int) -> None:
    """End as the runner has that asked: it has hung up."""
    poll = select.poll()
    poll.register(tell, 0)
    poll.poll()
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    match sys.argv[1:]:
        case ["beside", *command] if command:
            beside(command)
        case ["serve", number, since]:
            serve(socket.socket(fileno=int(number)), int(since))
        case ["run", *_] as arguments:
            if (status := ask(arguments)) is not None:
                sys.exit(status)
            from analysis.shown import notebooks

            notebooks.main(arguments)
        case _:
            sys.exit("expected beside COMMAND... or run NOTEBOOK..., got " + (" ".join(sys.argv[1:]) or "nothing"))


if __name__ == "__main__":
    main()
