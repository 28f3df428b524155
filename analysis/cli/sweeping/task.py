"""A task of a sweep: one command with its options, and the name of the file that keeps its answer."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from analysis.cli.design import design
from analysis.cli.fit import fit

COMMANDS: dict[str, click.Command] = {"fit": fit, "design": design}
COMMON = {"as_json", "out", "plot", "timeout"}  # parameters that say how to answer, not what is asked
DEFAULTS = {("norm", "sup"), ("knots", "free")}  # said or not, they ask for the same
DIGITS = 10  # of the checksum in a file's name
LONGEST = 70  # characters of the readable part


def parameters(command: str) -> dict[str, click.Parameter]:
    """What a command may be asked, by the keys of a plan: its parameters without those that say how to answer."""
    found = {(p.name or "").rstrip("_"): p for p in COMMANDS[command].params}
    return {key: parameter for key, parameter in found.items() if key not in COMMON}


def release() -> str:
    try:
        return version("actapprox")
    except PackageNotFoundError:
        return "unknown"


@dataclass(frozen=True)
class Task:
    """A command and its options as text, sorted by key; `contents` is the checksum of the samples that it reads."""

    command: str
    options: tuple[tuple[str, str], ...]
    contents: str = ""

    @classmethod
    def of(cls, command: str, options: dict[str, str]) -> Task:
        """Options that are given their default are left out, so that the same question is the same task."""
        asked = tuple(sorted(pair for pair in options.items() if pair not in DEFAULTS))
        samples = options.get("samples")
        return cls(command, asked, hashlib.sha256(Path(samples).read_bytes()).hexdigest() if samples else "")

    def get(self, key: str) -> str | None:
        return dict(self.options).get(key)

    @property
    def arguments(self) -> list[str]:
        """The words of the command line after `actapprox`."""
        known = parameters(self.command)
        (subject,) = (v for k, v in self.options if isinstance(known[k], click.Argument))
        given = [w for k, v in self.options if isinstance(known[k], click.Option) for w in (known[k].opts[0], v)]
        return [self.command, *given, "--", subject] if subject.startswith("-") else [self.command, subject, *given]

    @property
    def said(self) -> str:
        """The command for a reader."""
        return shlex.join(["actapprox", *self.arguments])

    @property
    def name(self) -> str:
        """The file of its answer. The checksum is over all that decides the answer, the release included."""
        order = sorted(self.options, key=lambda pair: pair[0] not in ("target", "family", "shape"))
        words = [self.command, *(Path(v).stem if k == "samples" else v for k, v in order)]
        readable = "-".join(filter(None, (re.sub(r"[^A-Za-z0-9.]+", "_", word).strip("_.") for word in words)))
        key = json.dumps(
            [release(), self.command, [pair for pair in self.options if pair[0] != "samples"], self.contents]
        )
        return f"{readable[:LONGEST]}-{hashlib.sha256(key.encode()).hexdigest()[:DIGITS]}.json"
