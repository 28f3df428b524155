"""`bench`: nanoseconds per element, in interleaved rounds."""

from __future__ import annotations

from pathlib import Path

import click

from analysis.activation.errors import BadInput
from analysis.cli.answers import UNDECIDED, reply
from analysis.cli.limits import limited
from analysis.cli.options import EXPRESSIONS, answer_options, function_text


@click.command(context_settings=EXPRESSIONS)
@click.argument("functions", nargs=-1, metavar="[F ...]")
@click.option("--dtype", "dtypes", default="float32", show_default=True, help="float32, float64, or both with a comma.")
@click.option("--size", "sizes", default="100000", show_default=True, metavar="N[,N...]", help="Elements.")
@click.option("--rounds", default=11, show_default=True, metavar="N", help="Each measures everything once.")
@click.option("--compile", "compile_", is_flag=True, help="torch.compile too; takes a while.")
@click.option("--quick", is_flag=True, help="C alone, without the gradient.")
@answer_options(timeout=600.0)
def bench(functions: tuple[str, ...], dtypes: str, sizes: str, rounds: int, compile_: bool, quick: bool,
          as_json: bool, out: Path | None, timeout: float) -> int:  # fmt: skip
    """Nanoseconds per element of each F in our C and NumPy, as a plain formula, and in PyTorch if that is installed.

    Beside ReLU in the same C and a memory copy, in interleaved rounds, one thread.

    Example: actapprox bench mish hard_mish "x*sigmoid(1.702*x)" --size 1000
    """
    with limited(timeout, as_json):
        from analysis.deployed.benchmark import FUNCTIONS
        from analysis.deployed.benchmark import bench as timed

        try:
            elements = [int(float(part)) for part in sizes.split(",")]
        except (ValueError, OverflowError):
            raise BadInput(f"expected --size N[,N...], got {sizes!r}") from None
        answer = timed(tuple(map(function_text, functions)) or FUNCTIONS, dtypes=dtypes.split(","), sizes=elements,
                       count=rounds, compile_=compile_, quick=quick)  # fmt: skip
        return reply(answer, as_json, out)
    return UNDECIDED
