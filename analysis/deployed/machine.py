"""What a measurement ran on: processor, the instruction sets that matter, compiler, and versions of libraries."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from analysis.activation.errors import Undecided
from analysis.deployed.compiled import FLAGS, compiler_version

CPUS = Path("/proc/cpuinfo")
FEATURES = (
    "sse4_2",
    "avx",
    "avx2",
    "fma",
    "avx512f",
    "avx512dq",
    "avx512bw",
    "avx512vl",
    "avx512_fp16",
    "asimd",
    "sve",
)
LIBRARIES = ("numpy", "scipy", "torch", "jax")


def processor() -> str:
    """The model's name."""
    return _of_cpus("model name") or platform.processor()


def features() -> list[str]:
    """Which of `FEATURES` the processor has."""
    known = set((_of_cpus("flags") or _of_cpus("Features")).split())
    return [name for name in FEATURES if name in known]


def described() -> dict[str, Any]:
    """Processor, features, cores, system, compiler with its flags, and versions; null for what is missing."""
    try:
        compiler = compiler_version()
    except Undecided:
        compiler = None
    return {
        "processor": processor(),
        "features": features(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "compiler": compiler,
        "flags": " ".join(FLAGS),
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def _of_cpus(field: str) -> str:
    lines = CPUS.read_text().splitlines() if CPUS.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.split(":")[0].strip() == field), "")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
