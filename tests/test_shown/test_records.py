"""Tables from records of results."""

import json
from pathlib import Path

import pytest

from analysis.activation.errors import BadInput
from analysis.optimal.fitting.constants import fit
from analysis.rigorous.norms import Norm
from analysis.shown import records

ROOT = Path(__file__).resolve().parents[2]


def entry(**changed) -> dict:
    return {
        "family": "hard_gate",
        "target": "mish",
        "norm": "sup",
        "round": None,
        "constants": {"a": 5.0, "b": 3.0},
        "error": ["0.159", "0.160"],
        "estimate": 0.1595,
        "optimum": {"verdict": "PROVED", "lower": "0.159", "gap": 1e-8, "reason": ""},
        "unique": True,
        "optimal_set": {"a": ["5", "5"], "b": ["3", "3"]},
        "published": [{"name": "hard_mish", "ratio": 1.0}, {"name": "h_mish", "ratio": None}],
        "note": "",
    } | changed


def test_the_nearest_family_comes_first_and_the_infinite_ones_are_named():
    far = {"family": "relu_n", "target": "mish", "norm": "sup", "round": None, "note": "infinite"}
    found = records.optima({"entries": [far, entry(), entry(family="near", estimate=0.1)]}, "mish", "sup")
    assert [row[0] for row in found.rows] == ["near", "hard_gate"]
    assert "relu_n" in found.notes[0]
    assert found.rows[1][3:] == ("PROVED, unique, gap 1e-08", "hard_mish", "1")


def test_standings():
    free = entry(unique=False, optimal_set={"a": ["4", "6"], "b": ["3", "3"]})
    open_ = entry(optimum={"verdict": "UNDECIDED", "lower": None, "gap": None, "reason": "why"})
    whole = entry(round="integer")
    known = {"entries": [free, open_, whole]}
    standings = [row[3] for row in records.optima(known, "mish", "sup").rows]
    assert standings == ["PROVED, not unique: a in [4, 6], gap 1e-08", "UNDECIDED: why"]
    assert records.rounded(known, "mish").rows[0][-1] == "PROVED best of the format"


def test_a_missing_record_is_asked_for(tmp_path):
    with pytest.raises(BadInput, match="make optima"):
        records.read(tmp_path / "none.json", "optima")


@pytest.mark.parametrize(
    ("family", "norm"), [("swish", "sup"), pytest.param("hard_gate", "gaussian", marks=pytest.mark.proof)]
)
def test_the_record_holds_what_the_code_finds(family, norm):
    """A few entries of results/optima.json are worked out again."""
    known = json.loads((ROOT / "results" / "optima.json").read_text())["entries"]
    (recorded,) = (
        e for e in known if [e[k] for k in ("family", "target", "norm", "round")] == [family, "mish", norm, None]
    )
    found = fit(family, "mish", Norm(norm))
    assert str(found.verdict) == recorded["optimum"]["verdict"] == "PROVED"
    low, high = (float(end) for end in recorded["error"])
    assert float(found.error[0]) <= high * (1 + 1e-9)
    assert low <= float(found.error[1]) * (1 + 1e-9)
    for name, value in found.constants.items():
        assert value == pytest.approx(recorded["constants"][name], rel=1e-6)


def test_a_recorded_proof_is_only_that_of_these_very_constants():
    """Of another norm, target or family, of constants or an error that are not these: it is proved anew."""
    made = fit("swish", "mish", Norm("gaussian"))
    seen = {"estimate": made.estimate, "error": list(made.error), "optimum": {"verdict": "SEEN"}}
    mine = {"family": "swish", "target": "mish", "norm": "gaussian", "round": None, "constants": dict(made.constants)}
    known = mine | seen
    assert records.standing({"entries": [known]})(made) == "optimum SEEN, recorded"
    others = (
        {"target": "gelu"},
        {"norm": "l2"},
        {"round": "integer"},
        {"constants": {"beta": made.constants["beta"] * (1 + 1e-6)}},
        {"error": ["0.5", "0.6"]},
        {"estimate": None},
    )
    for other in others:
        assert records.standing({"entries": [known | other]})(made) == "optimum PROVED"
    wider = fit("swish", "mish", Norm("gaussian", sigma=2))
    assert "recorded" not in records.standing({"entries": [known | {"constants": dict(wider.constants)}]})(wider)
