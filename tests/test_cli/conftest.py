"""The command as a user calls it, in this process."""

import gc
import json

import jsonschema
import pytest

from analysis import cli
from analysis.cli import limits
from analysis.shown.schemas import schema


@pytest.fixture
def run(capsys, monkeypatch):
    """Runs the command in this process: (status, standard output, standard error); its JSON is held to the schema."""

    # What ends a command that does not hear its alarm would end the tests. An alarm that rings inside a callback of the
    # garbage collector is not heard, and Hypothesis has one.
    monkeypatch.setattr(limits, "GRACE", 60)
    callbacks = gc.callbacks[:]
    gc.callbacks.clear()

    def call(*arguments):
        status = cli.main(list(arguments))
        captured = capsys.readouterr()
        if "--json" in arguments and captured.out:
            jsonschema.validate(json.loads(captured.out), schema(arguments[0]))
        return status, captured.out, captured.err

    yield call
    gc.callbacks[:] = callbacks


@pytest.fixture
def answer(run):
    """The JSON of a command that must succeed."""

    def call(*arguments, status=0):
        code, out, err = run(*arguments, "--json")
        assert (code, err) == (status, "")
        assert len(out.splitlines()) == 1
        return json.loads(out)

    return call
