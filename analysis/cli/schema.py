"""`schema`: what the JSON of a command looks like."""

from __future__ import annotations

import json

import click

from analysis.cli.answers import ANSWERED


@click.command()
@click.argument("name", metavar="COMMAND")
def schema(name: str) -> int:
    """The JSON schema (draft 2020-12) of what COMMAND answers with --json.

    Example: actapprox schema compare
    """
    from analysis.shown.schemas import schema as of

    print(json.dumps(of(name), indent=2))
    return ANSWERED
