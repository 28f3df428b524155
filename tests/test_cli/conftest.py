"""The command as a user calls it, in this process."""

import json

import pytest

from analysis import cli


@pytest.fixture
def run(capsys):
    """Runs the command in this process: (status, standard output, standard error)."""

    def call(*arguments):
        status = cli.main(list(arguments))
        captured = capsys.readouterr()
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
