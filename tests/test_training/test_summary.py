"""What the record makes of accuracies that are known beforehand."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra train (torch)")

from analysis.training import claimed, plan, summary
from analysis.training.journal import Journal

pytestmark = pytest.mark.extras

SIZE = plan.Size()
NOISE = np.random.default_rng(5).normal(0, 1, (9, len(SIZE.seeds)))


def course(test, **more):
    validation = [[50.0] * len(test)] * 12
    checkpoints = list(range(1, 13))
    fixed = {
        "checkpoints": checkpoints,
        "validation": validation,
        "losses": [0.1] * 12,
        "tuning": {"0.003": 1.0, "0.01": 2.0, "0.03": 1.5},
    }
    return {"formula": "x", "test": [float(x) for x in test], "rate": 0.01, **fixed, **more}


@pytest.fixture
def journal(tmp_path):
    """Mish 2 points above ReLU and level with Swish, with a tenth of the spread; it gains 1 from mixup, Swish 3."""
    made = Journal(tmp_path / "j")
    shared = 60 + NOISE[0]
    accuracies = {"mish": 60 + NOISE[0] / 10, "silu": shared + 0.01 * NOISE[1], "relu": shared - 2}
    for name, test in accuracies.items():
        made.add(SIZE.trained(plan.MLP, name), course(test), 1.0)
        made.add(SIZE.trained(plan.TRAININGS["mixup"], name), course(test + (1 if name == "mish" else 3)), 1.0)
    for way, gain in {"sudden": 1.0, "lerp": 1.5}.items():
        test = accuracies["relu"] + gain + 0.01 * NOISE[2]
        made.add(SIZE.swapped(plan.MLP, "mish", "relu", 2, way), course(test), 1.0)
    made.add(SIZE.swapped(plan.MLP, "relu", "relu", 2, "sudden"), course(accuracies["relu"] + 3), 1.0)
    return made


def row(record, question, **wanted):
    (found,) = [r for r in record["questions"][question] if wanted.items() <= r.items()]
    return found


def test_differences_have_their_sign_and_their_standing(journal):
    record, _ = summary.of(SIZE, journal)
    better = row(record, "mish and others", setting="mlp", other="relu")
    assert better["mean"] == pytest.approx(2, abs=0.5)
    assert better["significant"]
    assert not row(record, "mish and others", setting="mlp", other="silu")["significant"]
    narrow = row(record, "spread", setting="mlp", other="silu")
    assert np.exp(narrow["mean"]) == pytest.approx(0.1, rel=0.1)
    assert narrow["significant"]
    gain = row(record, "difference of gains", setting="mixup", other="silu")
    assert gain["mean"] == pytest.approx(-2)
    assert gain["significant"]


def test_ways_of_swapping_are_compared(journal):
    record, _ = summary.of(SIZE, journal)
    questions = record["swaps"]["mlp"]["questions"]
    (lerp,) = questions["lerp and sudden"]
    assert (lerp["mean"], lerp["significant"], lerp["same_rate"]) == (pytest.approx(0.5), True, True)
    assert lerp["epochs"] == 2
    assert [r["mean"] < 0 for r in questions["tuned and from the start"]] == [True, True]


def test_the_claims_speak_of_what_was_measured(journal):
    said = summary.of(SIZE, journal)[0]["claims"]
    assert "is better in 1, worse in 0 of 2 comparisons" in said["P6"]["reason"]
    assert "gain of Mish minus that of Swish is -2.00 points" in said["P7"]["reason"]
    assert "interpolation is better in 1, worse in 0 of 1" in said["T18"]["reason"]
    assert all(set(item) == {"what", "value"} for claim in said.values() for item in claim["evidence"])


def test_an_empty_journal_claims_nothing(tmp_path):
    record, samples = summary.of(SIZE, Journal(tmp_path / "j"))
    assert (record["claims"], record["carried_out"], samples) == ({}, 0, {})
    assert claimed.tally([]) == "is better in 0, worse in 0 of 0 comparisons (nothing measured)"


def test_what_has_not_levelled_is_said(journal):
    rising = course([60.0] * 20, validation=[[float(5 * k)] * 20 for k in range(12)])
    journal.add(SIZE.trained(plan.DIGITS, "mish"), rising, 1.0)
    rows = {r["setting"]: r for r in summary.of(SIZE, journal)[0]["trained"] if r["function"] == "mish"}
    assert rows["mlp"]["levelled"]
    assert not rows["digits"]["levelled"]
