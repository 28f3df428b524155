"""`design` and `frontier`: the best function of a shape, and what no other beats."""

from __future__ import annotations

import json
from pathlib import Path

import click

from analysis.activation.errors import Refused
from analysis.cli.answers import NO, UNDECIDED, draw, reply
from analysis.cli.limits import limited
from analysis.cli.options import EXPRESSIONS, NORM_OPTIONS, answer_options, function_text, norm_of


@click.command(context_settings=EXPRESSIONS)
@click.argument("target")
@click.option("--shape", required=True, help="pwl, pwq, pwq:c0, gate:D, rational:M,N or table:K.")
@click.option("--pieces", type=int, metavar="N", help="So many pieces, the asymptotes counted.")
@click.option("--tolerance", type=float, metavar="E", help="The fewest pieces, or the least degree, that keep E.")
@click.option("--knots", default="free", show_default=True, help="Of pwl: free, uniform, dyadic or float.")
@click.option("--round", "round_", metavar="FORMAT", help="Knots and coefficients of a format, as in fit.")
@NORM_OPTIONS
@answer_options(plot=True)
def design(target: str, shape: str, pieces: int | None, tolerance: float | None, knots: str, round_: str | None,
           norm: str | None, domain: str | None, sigma: float | None, grid: str | None, samples: Path | None,
           as_json: bool, out: Path | None, plot: Path | None, timeout: float) -> int:  # fmt: skip
    """The best function of a shape for TARGET, with its certified error. Exit status 1: no tolerance can be kept.

    At an infinite end of the domain the outermost piece is the asymptote exactly.

    Example: actapprox design gelu --shape pwl --tolerance 1e-2
    """
    with limited(timeout, as_json):
        from analysis.optimal.design import design as best

        measure = norm_of(norm, domain, sigma, grid, samples)
        try:
            answer = best(function_text(target), shape, pieces=pieces, tolerance=tolerance, norm=measure, knots=knots,
                          round=round_)  # fmt: skip
        except Refused as reason:
            print(json.dumps({"verdict": "REFUTED", "reason": str(reason)}) if as_json else f"REFUTED: {reason}")
            return NO
        if plot:
            draw(plot, "design_plot", answer)
        return reply(answer, as_json, out)
    return UNDECIDED


@click.command(context_settings=EXPRESSIONS)
@click.argument("target")
@NORM_OPTIONS
@answer_options(plot=True)
def frontier(target: str, norm: str | None, domain: str | None, sigma: float | None, grid: str | None,
             samples: Path | None, as_json: bool, out: Path | None, plot: Path | None,
             timeout: float) -> int:  # fmt: skip
    """Which designs and published functions no other beats in error and in operations, as stand-ins for TARGET.

    Example: actapprox frontier gelu --timeout 300
    """
    with limited(timeout, as_json):
        from analysis.optimal.frontier import frontier as ranked

        answer = ranked(function_text(target), norm=norm_of(norm, domain, sigma, grid, samples))
        if plot:
            draw(plot, "frontier_plot", answer)
        return reply(answer, as_json, out)
    return UNDECIDED
