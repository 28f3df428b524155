"""The command `actapprox`: the only place that prints, reads or writes a user's files, or exits.

Exit status: 0 answered; 1 the answer is no; 2 bad usage or input, with one line on standard error; 3 UNDECIDED;
130 interrupted. A command that runs out of time, or gives up, answers {"verdict": "UNDECIDED", "reason": ...} alone: on
standard output with --json, and in the file of --out.
"""

from __future__ import annotations

import logging
import os
import sys
from importlib.metadata import PackageNotFoundError, version

import click

from analysis.activation.errors import BadInput
from analysis.cli import (
    bench,
    claims,
    compare,
    completion,
    design,
    export,
    fit,
    listing,
    precision,
    prove,
    schema,
    show,
    sweep,
)
from analysis.cli.answers import ANSWERED, BAD, INTERRUPTED, one_line


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status; a user's mistake is one line on standard error."""
    os.environ["MPLBACKEND"] = "agg"  # figures are files: a window system, or a backend that is none, is no matter
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it warns of a home that cannot be written, and needs none
    try:
        status = command.main(arguments, prog_name="actapprox", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as asked:
        return asked.exit_code
    except click.ClickException as problem:
        return _complain(one_line(problem.format_message()))
    except BadInput as problem:
        return _complain(str(problem))
    except (KeyboardInterrupt, click.Abort):
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:  # the reader has gone; keep the interpreter from complaining about it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ANSWERED
    except OSError as problem:
        where = problem.filename or "standard output"
        return _complain(f"{problem.strerror}: {where}" if problem.strerror else one_line(str(problem)))
    return status if isinstance(status, int) else ANSWERED


def _complain(message: str, status: int = BAD) -> int:
    print(f"actapprox: {message}", file=sys.stderr)
    return status


def _version() -> str:
    try:
        return version("actapprox")
    except PackageNotFoundError:
        return "unknown (not installed)"


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="A function is a catalogue name (mish), a name with constants (swish(beta=2)), an expression in x "
    "(x*tanh(exp(x))), or a .json file that an earlier command wrote.",
)
@click.version_option(_version(), prog_name="actapprox", message="%(prog)s %(version)s")
def command() -> None:
    """Approximations of neural-network activations: exact facts, best constants, identities."""


for part in (
    listing.list_,
    show.show,
    compare.compare,
    prove.prove,
    fit.fit,
    design.design,
    design.frontier,
    export.export,
    precision.precision,
    bench.bench,
    claims.claims,
    schema.schema,
    sweep.sweep,
    completion.completion,
):
    command.add_command(part)
completion.complete(command)
