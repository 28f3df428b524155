"""Records of errors and of times, as they are drawn and told."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.activation import lookup
from analysis.activation.errors import BadInput
from analysis.shown import prices, records, ulps

MISH = {"function": "mish", "of": "c", "derivative": False, "variant": "accurate", "dtype": "float32"}


def zone(ulp):
    return {"inputs": 3, "max_ulp": ulp, "worst_input": "0x1p+0", "mean_ulp": 0.1}


def entry(ulp=0.5, profile=(0.1, 0.5, None, 0.2), high="0.51", **asked):
    asked = MISH | asked
    lost = {"gives": "nan", "expected": "0x0p+0", "right": asked["of"] == "c"}
    return {
        "asked": asked,
        **{key: asked[key] for key in ("function", "derivative", "dtype")},
        **zone(ulp),
        "exhaustive": high != "inf",
        "enclosure": [str(ulp), high],
        "failures": 0,
        "profile": list(profile),
        "zones": {"normal": zone(ulp), "underflow": zone(None) | {"inputs": 0}, "near_zero": zone(ulp / 2)},
        "special": {"-inf": lost},
    }


@pytest.fixture
def record():
    entries = [entry(), entry(derivative=True), entry(150.0, of="torch:F.mish", high="inf"), entry(of="numpy")]
    return {"edges": [0.0, 1.0], "entries": entries}


def test_a_profile_runs_from_the_most_negative_number_to_the_largest(record):
    ax = Figure().subplots()
    ulps.profile_panel(ax, record, "mish", derivative=False)
    ours = next(p for p in ax.patches if p.get_label() == "our C, accurate")
    assert list(ours.get_data().values) == [0.2, ulps.LEAST, 0.1, 0.5]
    assert {p.get_label() for p in ax.patches} == {"our C, accurate", "PyTorch F.mish (sampled)"}


def test_words_and_tables_say_what_is_proved(record):
    rows = ulps.table(record, ["float32"]).rows
    assert [row[3] for row in rows] == ["in [0.5, 0.51]", "in [0.5, 0.51]", "≥ 150 (3 inputs)", "in [0.5, 0.51]"]
    assert rows[2][-1] == "nan"
    said = ulps.in_words(record, "mish")
    assert "PyTorch F.mish (sampled): 150 where the value is a normal number" in said
    assert "at -inf it gives nan" in said
    assert "subnormal" not in said  # no inputs there
    assert "150" in ulps.described(record, "mish")


def test_a_target_without_measurements_shows_mish(record):
    assert ulps.function_of(record, lookup.function("gelu")) == "mish"
    record["entries"].append(entry(function="gelu"))
    assert ulps.function_of(record, lookup.function("x*Phi(x)")) == "gelu"


def test_formulas_as_typed_overflow_where_they_do():
    x = np.arange(0, 100, 1.0)
    results = {kind: (x, ulps.typed("log(1 + exp(x))")(x.astype(kind))) for kind in ("float16", "float32", "float64")}
    assert ulps.overflows(results) == (
        "in float16 infinite from x = 12 on, in float32 infinite from x = 89 on, in float64 always a number."
    )
    assert np.isnan(ulps.typed("(1 + tanh(1e6*x))*x/2")(np.zeros(1, np.float16))).all()


def point(name, error, ns, kind="pwl"):
    return {"name": name, "kind": kind, "error": error, "variant": "accurate", "ns": {"median": ns}}


def test_what_nothing_beats_and_what_is_worth_its_error():
    points = [point("mish", None, 2.0, "itself"), point("a", 0.5, 0.1), point("b", 0.1, 0.3), point("c", 0.2, 0.4)]
    price = {"target": "mish", "points": [*points, point("d", 0.01, 3.0)]}
    assert [p["name"] for p in prices.unbeaten(price)] == ["a", "b", "d"]
    said = prices.price_in_words(price)
    assert "Of its 4 stand-ins 2 are faster" in said
    assert "b, is off by 0.1 in 0.3 ns" in said
    slow = {"target": "mish", "points": [point("mish", None, 0.01, "itself"), *points[1:]]}
    assert "no stand-in is faster" in prices.price_in_words(slow)
    ax = Figure().subplots()
    prices.price_panel(ax, price)
    assert len(ax.lines) == 3  # the points of one kind, the staircase, the target


def test_the_committed_records_can_be_told():
    root = records.Path(__file__).resolve().parents[2] / "results"
    benchmark, precision = (records.read(root / f"{name}.json", name) for name in ("benchmark", "precision"))
    assert prices.measures(benchmark).rows
    assert "load" in prices.provenance(benchmark)
    assert ulps.provenance(precision)
    proved = [e for e in precision["entries"] if e["exhaustive"] and e["dtype"] == "float32"]
    assert {(e["function"], e["derivative"]) for e in proved} >= {("mish", False), ("mish", True)}
    for found in precision["entries"]:
        assert float(found["enclosure"][0]) <= float(found["enclosure"][1])
        assert (
            found["inputs"] == 2 * 0x7F800000
            or not (found["exhaustive"] and found["dtype"] == "float32")
            or found["failures"]
        )


def test_a_record_that_is_missing_is_asked_for(tmp_path):
    with pytest.raises(BadInput, match="make exhaustive"):
        records.read(tmp_path / "none.json", "exhaustive")
