"""The benchmark of distances runs, and its record is whole; no test looks at how long anything takes."""

import json
import shutil

import pytest
import sympy as sp

from analysis.activation.functions import elementary
from analysis.activation.parsing import X
from analysis.optimal import judgement
from analysis.optimal.literature import Printed
from benchmarks import distances, frontiers, literature, sollya

NEEDS_SOLLYA = pytest.mark.skipif(shutil.which("sollya") is None, reason="Sollya is not installed")


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(distances, "INNER", 1e-4)
    monkeypatch.setattr(distances, "TOLERANCES", [1e-3, 1e-20])
    monkeypatch.setattr(sollya, "PRECISIONS", (60,))
    monkeypatch.setattr(sollya, "DIAMETERS", ("1e-7", "1e-8"))


@pytest.mark.proof
def test_without_sollya_its_fields_are_null(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sollya.shutil, "which", lambda _: None)
    record = distances.measured(1, True, [distances.Subject.pair("mish", "hard_mish")])
    assert "not installed" in capsys.readouterr().err
    assert record["versions"]["sollya"] is None
    assert record["suprema"][0]["sollya"] is record["suprema"][0]["ratio"] is None
    low, high = map(sp.Rational, record["suprema"][0]["distance"])
    assert 0 < high - low < 1e-12 * high
    assert [row["tolerance"] for row in record["tolerances"]] == [1e-3, 1e-20]
    distances.write(record, tmp_path / "results" / "record.json")
    assert json.loads((tmp_path / "results" / "record.json").read_text()) == json.loads(json.dumps(record))
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["record.json"]


@pytest.mark.proof
@NEEDS_SOLLYA
def test_sollya_finds_the_same_suprema():
    for subject in (distances.Subject.pair("mish", "hard_mish"), distances.Subject.interpolant("mish", 3)):
        row = distances.compared(subject, 1, True)
        norms = sollya.run([sollya.Call(p["formula"], *p["domain"]) for p in row["sollya"]["pieces"]])
        low, high = max(norm.low for norm in norms), max(norm.high for norm in norms)
        assert low <= float(row["distance"][1])
        assert float(row["distance"][0]) <= high
        assert 0 <= row["sollya"]["relative_width"] <= distances.TOLERANCE
        assert row["ratio"]["quartiles"][0] <= row["ratio"]["median"] <= row["ratio"]["quartiles"][1]


def test_formulas_are_written_in_several_ways():
    mish = distances.Subject.pair("mish", "relu").core()[0].expression
    assert sollya.forms(mish)[:2] == ["x*tanh(log1p(exp(x)))", "x*(1 - 2/((exp(x) + 1)^2 + 1))"]


def test_an_interpolant_meets_the_function_in_its_points():
    subject = distances.Subject.interpolant("mish", 4)
    for k in range(5):
        x = distances.CORE * sp.cos(sp.pi * (2 * k + 1) / 10)
        assert abs(elementary(subject.f.subs(X, x)).evalf(30)) < 1e-14


def test_the_records_of_frontiers_and_of_what_is_in_print_are_whole(monkeypatch, tmp_path):
    found = frontiers.frontier("gelu", shapes=(("pwl", 4),), families=())
    monkeypatch.setattr(frontiers, "frontier", lambda target: found)
    monkeypatch.setattr(frontiers, "TARGETS", ("gelu",))
    one = judgement.judged(Printed("one", "gelu", "a paper", "1e-3", why="the domain is not stated"))
    monkeypatch.setattr(literature, "all_judged", lambda: [one])
    for module, expected in ((frontiers, found), (literature, one)):
        out = tmp_path / f"{module.__name__}.json"
        monkeypatch.setattr("sys.argv", [module.__name__, "--out", str(out)])
        module.main()
        record = json.loads(out.read_text())
        assert record["command"].startswith(f"python -m {module.__name__}")
        assert record["versions"].keys() >= {"python", "flint", "sympy"}
        assert record["entries"] == [json.loads(json.dumps(expected.to_dict()))]
