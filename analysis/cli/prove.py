"""`prove`: whether an identity is true on the whole line."""

from __future__ import annotations

from pathlib import Path

import click

from analysis.cli.answers import UNDECIDED, VERDICTS, reply
from analysis.cli.limits import limited
from analysis.cli.options import EXPRESSIONS, answer_options, function_text


@click.command(context_settings=EXPRESSIONS)
@click.argument("left")
@click.argument("right")
@click.option("--where", default="", help='Names for subexpressions: "w=..., d=...".')
@click.option("--assume", default="", help='What is known of free constants: "beta>0".')
@answer_options()
def prove(left: str, right: str, where: str, assume: str, as_json: bool, out: Path | None, timeout: float) -> int:
    """Is LEFT = RIGHT for every real x? Exit status 0: PROVED; 1: REFUTED, with a witness; 3: UNDECIDED.

    It is asked where both sides are defined, and of derivatives where they exist; a proof says what it leaves out.

    Example: actapprox prove "diff(silu)" "sigmoid(x)*(1 + x*sigmoid(-x))"
    """
    with limited(timeout, as_json):
        from analysis.rigorous.identity import prove as decide

        answer = decide(function_text(left), function_text(right), where, assume)
        reply(answer, as_json, out)
        return VERDICTS[str(answer.verdict)]
    return UNDECIDED
