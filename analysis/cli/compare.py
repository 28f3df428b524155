"""`compare`: the certified distance between two functions."""

from __future__ import annotations

from pathlib import Path

import click

from analysis.cli.answers import UNDECIDED, VERDICTS, draw, reply
from analysis.cli.limits import limited
from analysis.cli.options import EXPRESSIONS, NORM_OPTIONS, answer_options, function_text, norm_of


@click.command(context_settings=EXPRESSIONS)
@click.argument("left", metavar="F")
@click.argument("right", metavar="G")
@click.option("--derivative", type=click.IntRange(0), default=0, metavar="K", help="Compare the K-th derivatives.")
@NORM_OPTIONS
@click.option("--tol", type=float, default=1e-12, show_default=True, help="Relative width of the enclosure.")
@answer_options(plot=True)
def compare(left: str, right: str, derivative: int, norm: str | None, domain: str | None, sigma: float | None,
            grid: str | None, samples: Path | None, tol: float, as_json: bool, out: Path | None, plot: Path | None,
            timeout: float) -> int:  # fmt: skip
    """The certified distance between F and G, and the x that attains it. Exit status 0: PROVED; 3: UNDECIDED.

    A derivative is compared where both exist; beside a jump the supremum may be a limit from one side.

    Example: actapprox compare mish hard_mish --derivative 1
    """
    with limited(timeout, as_json):
        from analysis.rigorous import comparison

        measure = norm_of(norm, domain, sigma, grid, samples)
        sides = function_text(left), function_text(right)
        answer = comparison.compare(*sides, measure, derivative=derivative, tol=tol)
        if plot:
            draw(plot, "comparison_plot", answer)
        reply(answer, as_json, out)
        return VERDICTS[str(answer.verdict)]
    return UNDECIDED
