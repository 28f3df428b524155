"""The command as a user calls it, in this process."""

import json

import jsonschema
import pytest

from analysis import cli
from analysis.cli import limits
from analysis.shown.schemas import schema


@pytest.fixture
def run(capsys, monkeypatch):
    """Runs the command in this process: (status, standard output, standard error); its JSON is held to the schema."""

    # what ends a command that does not hear its alarm would end the tests, and on a busy machine one hears late
    monkeypatch.setattr(limits, "GRACE", 60)

    def call(*arguments):
        status = cli.main(list(arguments))
        captured = capsys.readouterr()
        if "--json" in arguments and captured.out:
            jsonschema.validate(json.loads(captured.out), schema(arguments[0]))
        return status, captured.out, captured.err

    return call


@pytest.fixture
def answer(run):
    """The JSON of a command that must succeed."""

    def call(*arguments, status=0):
        code, out, err = run(*arguments, "--json")
        assert (code, err) == (status, "")
        assert len(out.splitlines()) == 1
        return json.loads(out)

    return call
