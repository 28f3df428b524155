"""`precision`: the error of evaluated code in units in the last place."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from analysis.cli.answers import UNDECIDED, reply
from analysis.cli.limits import limited
from analysis.cli.options import EXPRESSIONS, answer_options, function_text


@click.command(context_settings=EXPRESSIONS)
@click.argument("function", metavar="F")
@click.option("--dtype", default="float32", show_default=True, help="float32, float64, float16 or bfloat16.")
@click.option("--exhaustive", is_flag=True, help="All 4,294,967,296 inputs of float32; takes minutes.")
@click.option("--derivative", is_flag=True, help="The derivative in place of the value.")
@click.option("--variant", default="accurate", show_default=True, help="Of our code: accurate or fast.")
@click.option(
    "--of",
    default="c",
    show_default=True,
    metavar="CODE",
    help="Ours: c, numpy, torch, jax. Others: numpy:naive, numpy:lowering, torch:F.NAME, jax:nn.NAME.",
)
@click.option("--inputs", default=20_000, show_default=True, metavar="N", help="How many are drawn, about.")
@answer_options(timeout=600.0)
def precision(function: str, dtype: str, exhaustive: bool, derivative: bool, variant: str, of: str, inputs: int,
              as_json: bool, out: Path | None, timeout: float) -> int:  # fmt: skip
    """The error of code for F in ulp (spacing of the type at the exact value), where it is largest, and where it lies.

    Types with 16 bits are always measured whole. Of a sample the upper end of the maximum is infinite.

    Example: actapprox precision mish --derivative --variant fast
    """
    with limited(timeout, as_json):
        from analysis.deployed.precision import precision as measured

        def heard(done: int) -> None:
            if sys.stderr.isatty():
                print(f"\r{done / 2**32:.0%}", end="\r", file=sys.stderr, flush=True)

        answer = measured(function_text(function), dtype, exhaustive=exhaustive, derivative=derivative,
                          variant=variant, of=of, count=inputs, heard=heard)  # fmt: skip
        return reply(answer, as_json, out)
    return UNDECIDED
