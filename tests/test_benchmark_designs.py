"""The benchmark of designs runs, with and without its rivals; no test looks at how long anything takes."""

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.activation import lookup, lowering
from benchmarks import designs

ABSENT = Path("no/such/python")


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(designs, "SIZES", (3,))
    monkeypatch.setattr(designs, "SEGMENTS", {2: "fit"})
    monkeypatch.setattr(designs, "DEGREES", [1])
    monkeypatch.setattr(designs, "TOLERANCE", 0.1)


def test_without_rivals_their_fields_are_null(capsys):
    record = designs.measured(ABSENT, 1, 1)
    assert "pwlf is not installed" in capsys.readouterr().err
    assert record["versions"]["pwlf"] is record["versions"]["baryrat"] is None
    assert record["linear"][0]["pwlf"] is record["linear"][0]["ratio"] is None
    assert record["rational"][0]["brasil"] is None
    assert record["sizes"][0]["pieces"] == 3
    assert {row["target"] for row in record["targets"]} >= {"mish", "gelu", "softsign"}
    assert json.loads(json.dumps(record))["domain"] == [-8, 8]


def test_an_interpolant_goes_through_its_points():
    text = designs.interpolant([-1.0, 0.5, 2.0], [0.25, -1.0, 3.0])
    values = lowering.evaluator(lookup.function(text).expression)(np.array([-1.0, 0.5, 2.0]))
    assert values == pytest.approx([0.25, -1.0, 3.0])
