"""`design` and `frontier`: the best function of a shape, and what no other beats."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from analysis.activation.errors import BadInput, Refused
from analysis.cli.answers import NO, UNDECIDED, draw, reply
from analysis.cli.limits import limited
from analysis.cli.options import EXPRESSIONS, NORM_OPTIONS, answer_options, function_text, norm_of


@click.command(context_settings=EXPRESSIONS)
@click.argument("target")
@click.option("--shape", required=True, help="pwl, pwq, pwq:c0, gate:D, rational:M,N, table:K or table:int8.")
@click.option("--pieces", type=int, metavar="N", help="So many pieces, the asymptotes counted.")
@click.option("--tolerance", type=float, metavar="E", help="The fewest pieces, or the least degree, that keep E.")
@click.option("--knots", default="free", show_default=True, help="Of pwl: free, uniform, dyadic or float.")
@click.option(
    "--round",
    "round_",
    metavar="FORMAT",
    help="Knots and coefficients of a format, as in fit: fixed:I.F has I integer bits, the sign among them.",
)
@click.option("--input-scale", metavar="S", help="Of table:int8: x = S (q - Z). Without it, the domain is covered.")
@click.option("--input-zero", type=int, metavar="Z", help="Of table:int8: the code of x = 0.")
@click.option("--output-scale", metavar="S", help="Of table:int8: y = S (t - Z). Without it, the best.")
@click.option("--output-zero", type=int, metavar="Z", help="Of table:int8: the code of y = 0. Without it, the best.")
@NORM_OPTIONS
@answer_options(plot=True)
def design(target: str, shape: str, pieces: int | None, tolerance: float | None, knots: str, round_: str | None,
           input_scale: str | None, input_zero: int | None, output_scale: str | None, output_zero: int | None,
           norm: str | None, domain: str | None, sigma: float | None, grid: str | None, samples: Path | None,
           as_json: bool, out: Path | None, plot: Path | None, timeout: float) -> int:  # fmt: skip
    """The best function of a shape for TARGET, with its certified error. Exit status 1: no tolerance can be kept.

    At an infinite end of the domain the outermost piece is the asymptote exactly.

    Example: actapprox design gelu --shape pwl --tolerance 1e-2
    """
    with limited(timeout, as_json):
        from analysis.optimal.design import design as best

        measure = norm_of(norm, domain, sigma, grid, samples)
        codes = {"input_scale": input_scale, "input_zero": input_zero, "output_scale": output_scale,
                 "output_zero": output_zero}  # fmt: skip
        if shape == "table:int8":
            no = {"pieces": pieces, "tolerance": tolerance, "knots": None if knots == "free" else knots,
                  "round": round_, "plot": plot, "norm": norm}  # fmt: skip
            _refuse(no, "expected no --{} with --shape table:int8")
            return reply(_int8(target, codes, measure.ends if domain else None), as_json, out)
        _refuse(codes, "expected --{} with --shape table:int8, got it with " + shape)
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


def _refuse(given: Mapping[str, object], message: str) -> None:
    for name, value in given.items():
        if value is not None:
            raise BadInput(message.format(name.replace("_", "-")))


def _int8(target: str, codes: dict[str, Any], domain: tuple[float, float] | None) -> Any:
    from analysis.activation import lookup
    from analysis.optimal.shapes import table

    if domain is not None and None not in (codes["input_scale"], codes["input_zero"]):
        raise BadInput("expected --domain, or --input-scale and --input-zero, which say what is covered; got both")
    return table.int8(lookup.function(function_text(target)), **codes, domain=domain or table.DEFAULT)


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
