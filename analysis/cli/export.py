"""`export`: the code of a function in another language, with its certificate in the header."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from analysis.activation.errors import BadInput
from analysis.cli.answers import ANSWERED, UNDECIDED, write
from analysis.cli.limits import limited
from analysis.cli.options import EXPRESSIONS


@click.command(context_settings=EXPRESSIONS)
@click.argument("function", metavar="F")
@click.option("--to", required=True, metavar="LANGUAGE", help="c, cuda, numpy, torch, jax or onnx.")
@click.option("--dtype", metavar="DTYPE", help="float32 (default) or float64; others where a language can.")
@click.option("--derivative", is_flag=True, help="The derivative too, and what training needs.")
@click.option("--variant", metavar="VARIANT", help="accurate (an ulp) or fast (a few). Default: accurate; numpy: fast.")
@click.option("--name", metavar="NAME", help="What the functions are called. Default: from the name of F.")
@click.option("--measure", is_flag=True, help="Measure the error of the code in ulp, and say it in the header.")
@click.option("--out", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the source to this file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with source and certificate.")
@click.option("--timeout", type=click.FloatRange(0, 1e6, min_open=True), default=60.0, show_default=True,
              help="Seconds after which the answer is UNDECIDED.")  # fmt: skip
def export(function: str, to: str, dtype: str | None, derivative: bool, variant: str | None, name: str | None,
           measure: bool, file: Path | None, as_json: bool, timeout: float) -> int:  # fmt: skip
    """The code of F in another language. F may be the result file of a fit or a design, whose certificate it carries.

    The source is printed, or written to the file of --out.

    Example: actapprox export mish --to c --derivative
    """
    with limited(timeout, as_json):
        if to == "onnx" and file is None and not as_json:
            raise BadInput("expected --out FILE with --to onnx, whose model is no text")
        from analysis.deployed.export import export as written

        answer = written(_function(function), to, dtype=dtype, derivative=derivative, variant=variant, name=name,
                         called=function)  # fmt: skip
        if measure:
            from analysis.deployed.export import Export
            from analysis.deployed.precision import in_header

            if not isinstance(answer, Export):
                raise BadInput("expected --measure with a function, got it with an int8 table")
            answer = in_header(answer)
        for note in answer.kernel.certificate.notes:
            print(f"note: {note}", file=sys.stderr)
        source = answer.source.encode() if isinstance(answer.source, str) else answer.source
        if file is not None:
            write(file, source)
        if as_json:
            print(json.dumps(answer.to_dict(), allow_nan=False))
        elif file is None:
            sys.stdout.write(source.decode())
        return ANSWERED
    return UNDECIDED


def _function(text: str) -> str | dict:
    """A name or an expression, or what the result file holds."""
    if not text.endswith(".json"):
        return text
    try:
        answer = json.loads(Path(text).read_text(encoding="utf-8"))
    except ValueError:
        raise BadInput(f"expected a result of actapprox in {text}, got no JSON") from None
    if not isinstance(answer, dict):
        raise BadInput(f"expected a result of actapprox in {text}, got {type(answer).__name__}")
    return answer
