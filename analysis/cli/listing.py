"""`list`: what is in the catalogue."""

from __future__ import annotations

from pathlib import Path

import click

from analysis.cli.answers import reply


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the JSON to this file.")
def list_(as_json: bool, out: Path | None) -> int:
    """What is in the catalogue: name, formula, constants, source.

    Example: actapprox list --json
    """
    from analysis.shown import contents

    return reply(contents.contents(), as_json, out)
