"""Figures are seen whole or not at all: where a run draws, and how what it drew gets to where it is looked for.

A run draws in a folder of its own (`workplace`) and then moves file by file (`publish`). A move within a file system
replaces the old file in one step, so that a reader, a kill or another make at any moment meets whole figures. The
manifest ``NAME.sha256`` says afterwards which figures a notebook has drawn, in the format of sha256sum and by their
path from the folder where make runs: by it make sees a figure that was removed or altered.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`; the system lets go of it when the process ends, however it ends."""
    with (folder / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def workplace(build: Path, name: str) -> Iterator[Path]:
    """A new folder under `build` for one run of the notebook `name`; what killed runs of it left behind is removed."""
    build.mkdir(parents=True, exist_ok=True)
    with locked(build):
        for old in build.glob(f".{name}.*"):
            if not in_use(old):
                shutil.rmtree(old, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=build.resolve()))
        held = (scratch / ".lock").open("w")
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        held.close()


def in_use(folder: Path) -> bool:
    try:
        with (folder / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # half removed by whoever owned it
        return False
    return False


def publish(drawn: Path, figures: Path, manifest: Path, others: list[Path]) -> list[Path]:
    """Move all files under `drawn` into `figures`, record them in `manifest`, and return where they are now.

    A figure that the former manifest names and this one does not is removed. Raises ValueError, and moves nothing, if
    one of the manifests `others` names a figure of this run: each of the two notebooks would undo the other.
    """
    moves = {path: figures / path.relative_to(drawn) for path in sorted(drawn.rglob("*")) if path.is_file()}
    with locked(manifest.parent):
        taken = {figure: other.stem for other in others for figure in recorded(other)}
        lines = {from_here(to): hashlib.sha256(path.read_bytes()).hexdigest() for path, to in moves.items()}
        for figure in sorted(lines.keys() & taken.keys()):
            raise ValueError(f"{figure} is a figure of {taken[figure]} as well")
        with nearby(moves, drawn, figures) as there:
            for path, to in moves.items():
                to.parent.mkdir(parents=True, exist_ok=True)
                (there / path.relative_to(drawn)).replace(to)
        for figure in recorded(manifest) - lines.keys() - taken.keys():
            Path(figure).unlink(missing_ok=True)
        draft = drawn.with_suffix(".sha256")
        draft.write_text("".join(f"{digest}  {figure}\n" for figure, digest in lines.items()), encoding="utf-8")
        draft.replace(manifest)
    return list(moves.values())


@contextmanager
def nearby(moves: Iterable[Path], drawn: Path, figures: Path) -> Iterator[Path]:
    """`drawn`; or, since no file can be moved to another file system, a copy of its files `moves` in `figures`."""
    figures.mkdir(parents=True, exist_ok=True)
    if drawn.stat().st_dev == figures.stat().st_dev:
        yield drawn
        return
    copy = figures / ".drawn"  # of nobody else, for the lock is held
    shutil.rmtree(copy, ignore_errors=True)
    try:
        for path in moves:
            to = copy / path.relative_to(drawn)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)
        yield copy
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def from_here(path: Path) -> str:
    return Path(os.path.relpath(path)).as_posix()


def recorded(manifest: Path) -> set[str]:
    """The figures that a manifest names; none if there is no manifest."""
    lines = manifest.read_text(encoding="utf-8").splitlines() if manifest.exists() else []
    return {line.split("  ", 1)[1] for line in lines}
