"""`precision` and `bench` as a user calls them."""

import json

import pytest

from analysis.activation.errors import Undecided
from analysis.deployed import benchmark_rounds, compiled


def has_compiler() -> bool:
    try:
        return bool(compiled.compiler())
    except Undecided:
        return False


NEEDS_COMPILER = pytest.mark.skipif(not has_compiler(), reason="no C compiler")


def test_precision_answers_with_the_keys_of_the_contract(answer):
    found = answer("precision", "relu", "--dtype", "float16", "--of", "numpy:naive")
    assert {"dtype", "inputs", "max_ulp", "worst_input", "mean_ulp", "special"} <= found.keys()
    assert (found["dtype"], found["inputs"], found["max_ulp"]) == ("float16", 2 * 0x7C00, 0)
    assert set(found["special"]) == {"inf", "-inf", "nan", "-0.0", "subnormals"}
    assert float.fromhex(found["worst_input"]) is not None


def test_precision_shows_where_the_errors_are(run):
    status, out, _ = run("precision", "x*tanh(softplus(x))", "--of", "numpy:naive", "--inputs", "500")
    assert status == 0
    assert "underflow" in out
    assert "not all inputs were tried" in out
    assert "expected 0x0.0p+0" in out  # what a naive Mish gives at -inf is nan


@pytest.mark.parametrize(
    "arguments",
    [
        ("precision", "mish", "--dtype", "float8"),
        ("precision", "mish", "--exhaustive", "--dtype", "float64"),
        ("precision", "mish", "--of", "fortran"),
        ("precision", "mish", "--inputs", "0"),
        ("precision", "mishh"),
        ("bench", "mishh", "--quick"),
        ("bench", "mish", "--size", "many", "--quick"),
        ("bench", "mish", "--dtype", "float16", "--quick"),
        ("bench", "mish", "--rounds", "0", "--quick"),
    ],
)
def test_a_mistake_is_one_line(run, arguments):
    status, out, err = run(*arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "expected" in err or "unknown" in err


def test_without_a_compiler_both_are_undecided(run, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    for arguments in (("precision", "mish"), ("bench", "mish", "--quick")):
        status, out, _ = run(*arguments, "--json")
        assert status == 3
        assert "compiler" in json.loads(out)["reason"]


@NEEDS_COMPILER
def test_bench_answers(answer, run, monkeypatch):
    monkeypatch.setattr(benchmark_rounds, "INNER", 1e-4)
    found = answer("bench", "hard_mish", "--size", "1e3,2000", "--rounds", "2", "--quick")
    assert found["rounds"] == 2
    assert {t["size"] for t in found["timings"]} == {1000, 2000}
    status, out, _ = run("bench", "hard_mish", "--size", "1000", "--rounds", "1", "--quick")
    assert status == 0
    assert "hard_mish" in out


def test_an_export_may_say_its_measured_error(run):
    status, out, _ = run("export", "relu", "--to", "numpy", "--dtype", "float16", "--measure")
    assert status == 0
    assert "code: at most 0 ulp in 63488 inputs" in out
    assert run("export", "relu", "--to", "cuda", "--measure")[0] == 2


def test_an_export_keeps_to_its_schema(answer):
    plain = answer("export", "relu", "--to", "numpy")
    assert plain["certificate"]["measured"] is None
    assert "derivative_ulp" in answer("export", "relu", "--to", "numpy", "--measure")["certificate"]["measured"]
