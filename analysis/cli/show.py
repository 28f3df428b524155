"""`show`: the exact card of a function."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from analysis.cli.answers import UNDECIDED, draw, reply, write
from analysis.cli.limits import limited
from analysis.cli.options import EXPRESSIONS, answer_options, function_text


@click.command(context_settings=EXPRESSIONS)
@click.argument("function")
@click.option("--symbolic", is_flag=True, help="Keep a family's constants free even where it has defaults.")
@click.option("--tol", type=float, default=1e-15, show_default=True, help="Relative width of the enclosures.")
@click.option("--against", metavar="F,G,...", help="The distances to these in three norms; a family may be one.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write it as a page with the plot.")
@answer_options(plot=True)
def show(function: str, symbolic: bool, tol: float, against: str | None, html: Path | None, as_json: bool,
         out: Path | None, plot: Path | None, timeout: float) -> int:  # fmt: skip
    """The exact card of FUNCTION: derivative, kinks and their jumps, extrema, inflections, asymptotes.

    Example: actapprox show "x*tanh(exp(x))"
    """
    with limited(timeout, as_json):
        from analysis.shown import card

        answer = card.show(function_text(function), tol=tol, symbolic=symbolic, against=against)
        if html:
            from analysis.shown import page

            write(html, page.card_page(answer, _again(function, symbolic, tol, against)))
        if plot:
            draw(plot, "function_plot", answer.record)
        return reply(answer, as_json, out)
    return UNDECIDED


def _again(function: str, symbolic: bool, tol: float, against: str | None) -> str:
    """The command that makes a page again."""
    options = ["--symbolic"] * symbolic + (["--tol", f"{tol:g}"] if tol != 1e-15 else [])
    beside = [] if against is None else ["--against", against]
    return shlex.join(["actapprox", "show", function, *options, *beside, "--html", "FILE"])
