"""Timings: interleaved rounds, subjects that compute what they say, and what a record concludes from its numbers."""

import json

import jsonschema
import numpy as np
import pytest

from analysis.activation import lookup
from analysis.activation.errors import BadInput, Undecided
from analysis.deployed import benchmark, compiled, machine
from analysis.deployed import benchmark_rounds as timing
from analysis.deployed import benchmark_subjects as subjects
from analysis.deployed.benchmark_rounds import Spread, rounds
from analysis.deployed.export import export as exported
from analysis.ledger import checks
from analysis.shown.schemas import schema
from benchmarks import kernels


def has_compiler() -> bool:
    try:
        return bool(compiled.compiler())
    except Undecided:
        return False


NEEDS_COMPILER = pytest.mark.skipif(not has_compiler(), reason="no C compiler")


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(timing, "INNER", 2e-4)


# rounds


def test_every_round_measures_every_subject_once_in_a_new_order(monkeypatch):
    monkeypatch.setattr(timing, "_repeats", lambda calls: 1)
    seen = []
    found = rounds({name: lambda times, name=name: seen.append(name) for name in "abcdef"}, 6)
    turns = ["".join(seen[i : i + 6]) for i in range(0, 36, 6)]
    assert all(sorted(turn) == list("abcdef") for turn in turns)
    assert len(set(turns)) > 1
    assert all(len(times) == 6 for times in found.values())


def test_twice_the_work_takes_twice_the_time():
    x = np.ones(20_000)

    def exponentials(times):
        for _ in range(times):
            np.exp(x)

    found = rounds({"one": exponentials, "two": lambda times: exponentials(2 * times)}, 15)
    ratio = Spread.of([b / a for a, b in zip(found["one"], found["two"], strict=True)])
    assert 1.5 < ratio.median < 2.7
    assert ratio.quartiles[0] <= ratio.median <= ratio.quartiles[1]


# subjects


@NEEDS_COMPILER
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_c_computes_value_and_gradient(dtype):
    mish = lookup.function("mish")
    arrays = subjects.Arrays.made(dtype, 1000)
    arrays.dy[:] = 2
    export = exported(mish, dtype=dtype, derivative=True)
    library = compiled.compiled(export)
    forward, training, once = subjects.in_c([export], ["mish"], arrays)
    forward.calls(1)
    assert (arrays.y == library.value(export.kernel, arrays.x)).all()
    arrays.y[:] = 0
    training.calls(2)
    assert (arrays.y == library.value(export.kernel, arrays.x)).all()
    assert (arrays.dx == 2 * library.derivative(export.kernel, arrays.x)).all()
    once.calls(1)
    assert (arrays.dx == library.derivative(export.kernel, arrays.x)).all()
    arrays.y[:] = 0
    subjects.copy(arrays).calls(1)
    assert (arrays.y == arrays.x).all()


def test_numpy_computes_the_function():
    arrays = subjects.Arrays.made("float32", 1000)
    plain, accurate, fast = subjects.in_numpy(lookup.function("mish"), arrays)
    exact = arrays.x.astype(float) * np.tanh(np.logaddexp(0, arrays.x.astype(float)))
    for subject in (accurate, fast):
        arrays.y[:] = 0
        subject.calls(1)
        assert np.allclose(arrays.y, exact, rtol=1e-5)
    assert plain.code == "numpy naive"


@NEEDS_COMPILER
def test_a_quick_bench_has_relu_as_its_unit_and_keeps_to_its_schema():
    found = benchmark.bench(["mish", "hard_mish"], sizes=[1000], count=3, quick=True)
    assert {t.function for t in found.timings} == {"memory", "relu", "mish", "hard_mish"}
    assert [t.code for t in found.timings if t.function == "mish"] == ["c accurate", "c fast"]
    assert [t.code for t in found.timings if t.function == "hard_mish"] == ["c accurate"]  # the variants are one code
    (unit,) = (t for t in found.timings if t.function == "relu")
    assert (unit.ratio.median, unit.ratio.quartiles) == (1, (1, 1))
    assert all(t.ns.median > 0 for t in found.timings)
    jsonschema.validate(json.loads(json.dumps(found.to_dict(), allow_nan=False)), schema("bench"))
    assert "hard_mish" in found.sheet().html()


@pytest.mark.parametrize("options", [{"functions": ["mishh"]}, {"dtypes": ["float16"]}, {"sizes": [0]}, {"count": 0}])
def test_bad_questions_are_refused(options):
    with pytest.raises(BadInput):
        benchmark.bench(**{"functions": ["mish"], "quick": True} | options)


def test_the_machine_says_what_it_is():
    found = machine.described()
    assert found["cores"] >= 1
    assert found["libraries"]["numpy"] == np.__version__
    assert set(found["features"]) <= set(machine.FEATURES)


# what a record concludes


def timings(**ratios):
    """One timing for each function, in both types and all sizes."""
    return [
        {
            "code": code,
            "function": function,
            "work": "forward",
            "dtype": dtype,
            "size": size,
            "ratio": {"median": ratio},
        }
        for function, ratio in ratios.items()
        for code in ("c accurate", "c fast")
        for dtype in kernels.DTYPES
        for size in kernels.SIZES
    ]


def record(points=(), **ratios):
    return kernels.Found(timings(**ratios), [{"target": "mish", "points": list(points)}])


def test_a_measure_is_kept_up_to_its_bound_and_unknown_where_nothing_was_measured():
    def of(found, what):
        return next(row for row in kernels.measures(found) if row["what"].startswith(what))

    assert of(record(hard_mish=1.3), "hard_mish")["kept"] is True
    assert of(record(hard_mish=1.31), "hard_mish")["kept"] is False
    assert of(record(mish=3), "hard_mish")["kept"] is None
    point = {"kind": "pwl", "error": 9e-4, "ratio": {"median": 2.0}}
    assert of(record([point]), "cheapest pwl")["found"] == 2
    assert of(record([point | {"error": 2e-3}]), "cheapest pwl")["found"] is None
    faster = kernels.Found([*timings(mish=2), timings(mish=9)[0] | {"code": "torch", "size": kernels.MAIN}], [])
    assert of(faster, "Mish in C, accurate, times as fast")["found"] == 4.5


def test_the_ledger_reads_what_was_measured(tmp_path):
    for silu, word in ((5, "Swish is cheaper than Mish in float32 and float64"), (15, "Swish is not cheaper")):
        said = kernels.claims(record(mish=10, silu=silu, hard_mish=1.1))
        (tmp_path / "record.json").write_text(json.dumps({"command": "make bench", "claims": said}))
        found = checks.measured("T16", tmp_path)
        assert str(found.verdict) == "MEASURED"
        assert word in found.reason
        assert "Mish takes 10 in float32, 10 in float64 times ReLU" in checks.measured("T17", tmp_path).reason
