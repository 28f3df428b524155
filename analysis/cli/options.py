"""The options that commands share, and what their values mean."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from analysis.activation.errors import BadInput
from analysis.cli.answers import one_line

Options = Callable[[Callable], Callable]
EXPRESSIONS = {"ignore_unknown_options": True}  # an expression may begin with a minus


def answer_options(plot: bool = False, timeout: float = 60.0) -> Options:
    options = [
        click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output."),
        click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the JSON to this file."),
        click.option("--timeout", type=click.FloatRange(0, 1e6, min_open=True), default=timeout, show_default=True,
                     help="Seconds after which the answer is UNDECIDED."),
    ]  # fmt: skip
    if plot:
        options.append(
            click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw it: .svg, .png or .pdf.")
        )
    return _together(options)


def _together(options: Sequence[Options]) -> Options:
    def decorate(function: Callable) -> Callable:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


NORM_OPTIONS = _together(
    [
        click.option("--norm", help="sup (default), l2, gaussian, grid or samples."),
        click.option("--domain", metavar="LO,HI", help="Where it counts; -inf and inf allowed. Default: all of R."),
        click.option("--sigma", type=float, help="Standard deviation of the inputs, for --norm gaussian. Default: 1."),
        click.option("--grid", metavar="LO,HI,N", help="Mean square over linspace(LO, HI, N)."),
        click.option("--samples", type=click.Path(path_type=Path), help="Mean square over a .npy or .csv file."),
    ]
)


def function_text(text: str) -> str:
    """The text itself, or the formula in the result file that it names."""
    if not text.endswith(".json"):
        return text
    try:
        result = json.loads(Path(text).read_text(encoding="utf-8"))
        formula = result["formula"]
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"expected a result of actapprox with a formula in {text}") from None
    if not isinstance(formula, str):
        raise BadInput(f"{text} holds no function: its formula is {formula!r}")
    return formula


def norm_of(kind: str | None, domain: str | None, sigma: float | None, grid: str | None, samples: Path | None):
    from analysis.rigorous.norms import KINDS, Norm

    kind = kind or ("grid" if grid else "samples" if samples else "sup")
    if kind not in KINDS:
        raise BadInput(f"expected --norm out of {', '.join(KINDS)}, got {kind!r}")
    for option, value, owner in (
        ("--grid", grid, "grid"),
        ("--samples", samples, "samples"),
        ("--sigma", sigma, "gaussian"),
    ):
        if value is not None and kind != owner:
            raise BadInput(f"expected {option} with --norm {owner}, got it with --norm {kind}")
    if domain is not None and kind in ("grid", "samples"):
        raise BadInput(f"expected no --domain with --norm {kind}, whose points are the domain")
    if kind == "grid":
        low, high, count = _numbers(grid or "", 3, "--grid LO,HI,N")
        if not count.is_integer():
            raise BadInput(f"expected --grid LO,HI,N with a whole N, got {grid}")
        return Norm.grid(low, high, int(count))
    if kind == "samples":
        if samples is None:
            raise BadInput("expected --samples FILE with --norm samples, got none")
        return Norm.samples(_samples(samples), label=f"{samples.name}")
    low, high = _numbers(domain, 2, "--domain LO,HI") if domain else (float("-inf"), float("inf"))
    return Norm(kind, low, high, 1.0 if sigma is None else sigma)


def _numbers(text: str, count: int, expected: str) -> list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count or any(v != v for v in values):
        raise BadInput(f"expected {expected}, got {text!r}")
    return values


def _samples(path: Path):
    import numpy as np

    try:
        with warnings.catch_warnings(action="ignore"):  # an empty file is refused below, in our words
            if path.suffix == ".npy":
                with path.open("rb") as stream:
                    values = np.load(stream, allow_pickle=False)
            else:
                with path.open(encoding="utf-8") as lines:
                    values = np.loadtxt(lines, delimiter=",", ndmin=1)
        if values.dtype.kind not in "fiu":
            raise ValueError(f"values of type {values.dtype}")
        return np.asarray(values, dtype=float)
    except (ValueError, TypeError, EOFError) as problem:
        raise BadInput(f"expected numbers in {path} (.npy or .csv), got: {one_line(str(problem))}") from None
