"""The published schemas: of every command with --json, valid themselves, and such that a wrong answer is refused."""

import json

import jsonschema
import pytest

from analysis import cli
from analysis.shown.schemas import ANSWERS, schema


def test_every_command_with_json_has_a_schema():
    with_json = {
        name for name, command in cli.command.commands.items() if any(p.name == "as_json" for p in command.params)
    }
    assert set(ANSWERS) == with_json


@pytest.mark.parametrize("command", ANSWERS)
def test_a_schema_is_a_schema(run, command):
    status, out, _ = run("schema", command)
    jsonschema.Draft202012Validator.check_schema(json.loads(out))
    assert status == 0
    assert json.loads(out) == schema(command)


def test_a_missing_key_one_too_many_and_a_bare_number_are_refused(answer):
    right = answer("compare", "mish", "relu")
    for wrong in (
        {key: value for key, value in right.items() if key != "distance"},
        right | {"distance_": right["distance"]},
        right | {"distance": [0.3, 0.4]},
        right | {"verdict": "MAYBE"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema("compare"))


def test_a_command_without_json_is_refused_in_one_line(run):
    status, out, err = run("schema", "schema")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "list, show" in err
