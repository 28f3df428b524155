"""What a command prints, draws and writes."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from analysis.activation.errors import BadInput

ANSWERED, NO, BAD, UNDECIDED, INTERRUPTED = 0, 1, 2, 3, 130
DRAFT = ".draft-"  # how the name of a file begins that is being written
VERDICTS = {"PROVED": ANSWERED, "REFUTED": NO, "UNDECIDED": UNDECIDED}


def reply(record: Any, as_json: bool, out: Path | None) -> int:
    """Prints the record, and writes its JSON where it was asked for."""
    if out:
        write(out, file_of(record.to_dict()))
    if as_json:
        print(json.dumps(record.to_dict(), allow_nan=False))
        return ANSWERED
    from rich.console import Console

    from analysis.shown.terminal import render

    if sys.stdout.isatty():
        Console(highlight=False).print(render(record.sheet()))
    else:  # nothing is wrapped or padded where a program may read it
        console = Console(width=1000, highlight=False, color_system=None)
        with console.capture() as captured:
            console.print(render(record.sheet()))
        print("\n".join(line.rstrip() for line in captured.get().splitlines()))
    return ANSWERED


def draw(path: Path, how: str, what: Any) -> None:
    formats = ("svg", "png", "pdf")
    if path.suffix[1:] not in formats:
        raise BadInput(f"expected --plot FILE ending in .{', .'.join(formats)}, got {path.name!r}")
    from analysis.shown import designs, figures

    drawn = getattr(figures if hasattr(figures, how) else designs, how)(what)
    write(path, figures.render(drawn, path.suffix[1:]))


def write(path: Path, content: bytes) -> None:
    """Writes the file whole or not at all, but a device or a pipe as it is; an error names what was asked for."""
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=DRAFT)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            Path(temporary).chmod(0o666 & ~_umask())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink()
            raise
    except OSError as problem:
        raise OSError(problem.errno, problem.strerror, str(path)) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def file_of(answer: dict) -> bytes:
    return (json.dumps(answer, indent=2, allow_nan=False) + "\n").encode()


def one_line(message: str) -> str:
    return " ".join(message.split())
