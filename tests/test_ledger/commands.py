"""Whether a quoted command is one that `actapprox` understands: its options, and the functions that it names."""

import shlex

from analysis import cli
from analysis.activation import lookup
from analysis.ledger.claim import Finding

FUNCTIONS = {"show": lookup.get, "compare": lookup.function, "fit": lookup.family}


def check(finding: Finding) -> None:
    """Reads every command of the evidence; raises what the command line would raise."""
    for evidence in finding.evidence:
        assert "\n" not in evidence.value
        if evidence.command:
            _check(evidence.command)


def _check(line: str) -> None:
    program, word, *arguments = shlex.split(line)
    assert program == "actapprox"
    context = cli.command.commands[word].make_context(word, arguments)
    for name in ("function", "left", "right", "family"):
        if name in context.params and word in FUNCTIONS:
            FUNCTIONS[word](context.params[name])
    if word == "prove":
        for side in ("left", "right"):
            lookup.expression(context.params[side], {}, unknown="real")
