"""Exported C as a shared library, called on NumPy arrays.

The compiler is $CC, gcc, clang or cc, whichever comes first. A library is made once for each source, compiler and set
of flags, in a folder of the user's own below the system's one for temporary files; it is written whole or not at all.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from analysis.activation.errors import BadInput, Undecided
from analysis.deployed.export import Export
from analysis.deployed.kernel import Kernel

FLAGS = ("-O3", "-march=native")
STANDARD = ("-std=c99",)
DTYPES = {"float32": np.float32, "float64": np.float64}
SUFFIXES = {"float32": "f32", "float64": "f64"}
# what is computed -> the end of the C function's name, and how many arrays it takes
KINDS = {
    "value": ("", 2),
    "derivative": ("_derivative", 2),
    "both": ("_with_derivative", 3),
    "backward": ("_backward", 3),
}


def compiler(name: str | None = None) -> str:
    """The path of a C compiler: the one asked for, or the first of $CC, gcc, clang and cc; Undecided without one."""
    wanted = [name] if name else [*filter(None, [os.environ.get("CC")]), "gcc", "clang", "cc"]
    for candidate in wanted:
        if path := shutil.which(candidate):
            return path
    raise Undecided(f"a C compiler is needed, and none of {', '.join(wanted)} is installed")


@dataclass(frozen=True)
class Library:
    """A shared library with the functions of several exports."""

    path: Path
    compiler: str
    flags: tuple[str, ...]

    @cached_property
    def _loaded(self) -> ctypes.CDLL:
        return ctypes.CDLL(str(self.path))

    def symbol(self, kernel: Kernel, kind: str = "value"):
        """The C function itself, for `kind` out of value, derivative, both and backward."""
        ending, count = KINDS[kind]
        function = getattr(self._loaded, f"{kernel.name}_{SUFFIXES[kernel.dtype]}{ending}")
        function.argtypes, function.restype = [*[ctypes.c_void_p] * count, ctypes.c_size_t], None
        return function

    def value(self, kernel: Kernel, x: np.ndarray) -> np.ndarray:
        """f(x), an array of the kernel's type."""
        return self._called(kernel, "value", [x], 1)[0]

    def derivative(self, kernel: Kernel, x: np.ndarray) -> np.ndarray:
        return self._called(kernel, "derivative", [x], 1)[0]

    def both(self, kernel: Kernel, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """f(x) and f'(x) from one pass."""
        y, dy = self._called(kernel, "both", [x], 2)
        return y, dy

    def backward(self, kernel: Kernel, x: np.ndarray, dy: np.ndarray) -> np.ndarray:
        """dy f'(x)."""
        return self._called(kernel, "backward", [x, dy], 1)[0]

    def _called(self, kernel: Kernel, kind: str, given: Sequence[np.ndarray], results: int) -> list[np.ndarray]:
        if kind != "value" and not kernel.derivative:
            raise BadInput(f"expected an export with its derivative, got {kernel.name} without")
        dtype = DTYPES[kernel.dtype]
        inputs = [np.ascontiguousarray(a, dtype) for a in given]
        if any(a.shape != inputs[0].shape for a in inputs):
            raise BadInput(f"expected arrays of one shape, got {', '.join(str(a.shape) for a in inputs)}")
        outputs = [np.empty_like(inputs[0]) for _ in range(results)]
        self.symbol(kernel, kind)(*(a.ctypes.data for a in (*inputs, *outputs)), inputs[0].size)
        return outputs


def compiled(*exports: Export, cc: str | None = None, flags: Sequence[str] = FLAGS) -> Library:
    """One library for all the exports, which must be C with names of their own; Undecided without a compiler."""
    if any(export.language != "c" for export in exports):
        raise BadInput(f"expected exports to c, got {', '.join(sorted({export.language for export in exports}))}")
    names = [(export.kernel.name, export.kernel.dtype) for export in exports]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadInput(f"expected exports with names of their own, got {twice[0]} twice")
    sources = tuple(str(export.source) for export in exports)
    command = (compiler(cc), *STANDARD, *flags)
    return Library(_made(sources, command), command[0], tuple(flags))


def built(source: str, flags: Sequence[str] = (), cc: str | None = None) -> Path:
    """The shared library of a text in C that is no export."""
    return _made((source,), (compiler(cc), *STANDARD, *FLAGS, *flags))


@lru_cache(maxsize=64)
def _made(sources: tuple[str, ...], command: tuple[str, ...]) -> Path:
    key = hashlib.sha256("\0".join([*sources, *command, _version(command[0])]).encode()).hexdigest()[:32]
    target = _folder() / f"{key}.so"
    if target.exists():
        return target
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        source, made = Path(folder) / "kernels.c", Path(folder) / "kernels.so"
        source.write_text("\n".join(sources), encoding="utf-8")
        line = [*command, "-shared", "-fPIC", str(source), "-o", str(made), "-lm"]
        found = subprocess.run(line, capture_output=True, text=True, check=False)
        if found.returncode:
            first = next((text for text in found.stderr.splitlines() if "error" in text), found.stderr[:200])
            raise Undecided(f"{shlex.join(command)} did not compile the export: {first}")
        made.replace(target)
    return target


def compiler_version(name: str | None = None) -> str:
    """The first line that the compiler says of itself."""
    return _version(compiler(name)).splitlines()[0]


@lru_cache(maxsize=8)
def _version(path: str) -> str:
    return subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout


def _folder() -> Path:
    """A folder that nobody else may write to."""
    folder = Path(tempfile.gettempdir()) / f"actapprox-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        return Path(tempfile.mkdtemp(prefix="actapprox-"))
    return folder
