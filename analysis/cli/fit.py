"""`fit`: the best constants of a family."""

from __future__ import annotations

from pathlib import Path

import click

from analysis.cli.answers import UNDECIDED, draw, reply
from analysis.cli.limits import limited
from analysis.cli.options import EXPRESSIONS, NORM_OPTIONS, answer_options, function_text, norm_of


@click.command(context_settings=EXPRESSIONS)
@click.argument("family")
@click.option("--to", "target", required=True, help="The function to come close to.")
@click.option("--fix", multiple=True, metavar="b=3", help="Give a constant its value.")
@click.option("--tie", multiple=True, metavar="a=2*b", help="Make a constant an expression in the others.")
@click.option(
    "--round",
    "round_",
    metavar="FORMAT",
    help="Best constants of a format: 1/8, dyadic:N, fixed:I.F (two's complement; I integer bits, the sign among them, "
    "and F fractional ones), integer, float16, bfloat16 or float32.",
)
@NORM_OPTIONS
@answer_options(plot=True)
def fit(family: str, target: str, fix: tuple[str, ...], tie: tuple[str, ...], round_: str | None,
        norm: str | None, domain: str | None, sigma: float | None, grid: str | None, samples: Path | None,
        as_json: bool, out: Path | None, plot: Path | None, timeout: float) -> int:  # fmt: skip
    """The best constants of FAMILY for a target, and the published ones beside them.

    FAMILY is a catalogued family (hard_gate) or an expression with names in it (x*clip(x+b,0,a)/a), whose constants are
    taken to be positive. The error is certified, and in the sup norm a bound is proved that no member beats.

    Example: actapprox fit hard_gate --to mish --round 1/8
    """
    with limited(timeout, as_json):
        from analysis.activation.parsing import definitions
        from analysis.optimal.fitting import constants

        measure = norm_of(norm, domain, sigma, grid, samples)
        given, tied = definitions(",".join(fix), "--fix"), definitions(",".join(tie), "--tie")
        answer = constants.fit(function_text(family), function_text(target), measure, fix=given, tie=tied, round=round_)
        if plot:
            draw(plot, "fit_plot", answer)
        return reply(answer, as_json, out)
    return UNDECIDED
