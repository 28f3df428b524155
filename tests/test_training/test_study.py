"""The whole chain in small: runs, journal, resumption, record."""

import json
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train (torch)")
pytest.importorskip("sklearn", reason="needs the extra train (scikit-learn)")

from analysis.training import plan, standins, study, summary  # noqa: E402
from analysis.training.journal import Journal  # noqa: E402
from analysis.training.networks import Network  # noqa: E402
from benchmarks import training as runner  # noqa: E402

pytestmark = pytest.mark.extras

SIZE = plan.Size((0, 1, 2), (1000, 1001), (3e-3, 1e-2), (1e-3, 3e-3), examples=200, samples=100)
MLP = replace(plan.MLP, network=Network(depth=2, width=8), data="digits", epochs=2)
CNN = replace(plan.RESIDUAL, network=Network("cnn", depth=1, width=4, residual=True), data="digits", epochs=1)
TARGETS = ("relu", "pwl 3")


@pytest.fixture(scope="module")
def small():
    """The plan with small recipes and few functions, as long as a test of it runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "MLP", MLP)
        patch.setattr(plan, "BASES", {"mlp": MLP, "residual cnn": CNN})
        patch.setattr(plan, "TRAININGS", {"mixup": replace(MLP, mixup=0.2)})
        patch.setattr(plan, "GAINS", {"mixup": ("mixup", "mlp")})
        patch.setattr(
            plan,
            "AXES",
            {"depth": {"1": replace(MLP, network=Network(depth=1, width=8)), "2": MLP}, "width": {"8": MLP}},
        )
        patch.setattr(plan, "COMPARED", (*plan.PAPER, "hard_mish"))
        patch.setattr(plan, "TARGETS", TARGETS)
        patch.setattr(standins, "TOLERANCES", {"pwl 3": 0.2})
        patch.setattr(standins, "STAND_INS", ("relu", "silu", "hard_mish", "pwl 3", "best hard_gate"))
        patch.setattr(study, "REFITTED", ("hard_gate",))
        trained = [SIZE.trained(recipe, f) for recipe in (MLP, plan.TRAININGS["mixup"]) for f in (*plan.PAPER, "pwl 3")]
        trained += [SIZE.trained(plan.AXES["depth"]["1"], f) for f in plan.PAPER] + [SIZE.trained(CNN, "mish")]
        stages = [trained, [SIZE.untuned(MLP, plan.SOURCE), *plan.swaps(SIZE, MLP, TARGETS, (2,))]]
        patch.setattr(plan, "stages", lambda size: stages)
        yield stages


@pytest.fixture(scope="module")
def done(small, tmp_path_factory):
    """All runs of the small plan, in this process."""
    build = tmp_path_factory.mktemp("build")
    journal = Journal(build / "journal.jsonl")
    for configuration in (c for stage in small for c in stage):
        journal.add(configuration, study.run(configuration, build), 1.0)
    return build, journal


def test_the_same_configuration_gives_the_same_result(small, done):
    build, journal = done
    for configuration in (small[0][0], small[1][0], small[1][1], small[1][2]):
        assert study.run(configuration, build) == journal[configuration]


def test_weights_that_were_lost_are_trained_again(small, done, tmp_path):
    _, journal = done
    assert study.run(small[1][1], tmp_path) == journal[small[1][1]]


def test_the_record_is_json_and_answers_every_question(small, done):
    record, samples = summary.of(SIZE, done[1])
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["carried_out"] == record["planned"] == sum(map(len, small))
    assert {row["setting"] for row in record["trained"]} == {"mlp", "mixup", "depth 1", "residual cnn"}
    assert all(record["questions"].values())
    assert set(record["claims"]) == {"T18", "P6", "P7"}
    assert {row["way"] for row in record["swaps"]["mlp"]["ways"]} == {"kept", "none", "sudden", "lerp", "start"}
    assert len(samples["mlp"]) == SIZE.samples
    assert record["untuned"]["mlp"]["ranks"]["count"] == 5


def test_a_record_of_half_a_study_says_how_much_there_is(small, done, tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    for configuration in small[0][:5]:
        journal.add(configuration, done[1][configuration], 1.0)
    record, samples = summary.of(SIZE, journal)
    assert (record["carried_out"], samples) == (5, {})
    assert "T18" not in record["claims"]
    assert [row["setting"] for row in record["questions"]["mish and others"]] == ["mlp", "mlp"]


def test_the_runner_runs_what_is_missing_and_nothing_twice(small, done, tmp_path, capsys):
    stages = [small[0][:2]]
    journal = Journal(tmp_path / "journal.jsonl")
    journal.add(stages[0][0], {"kept": "as it was"}, 0.0)
    runner.carried_out(stages, journal, tmp_path, 1)
    assert journal[stages[0][0]] == {"kept": "as it was"}
    assert journal[stages[0][1]] == done[1][stages[0][1]]
    assert capsys.readouterr().err.startswith("[2/2]")
    runner.carried_out(stages, journal, tmp_path, 1)
    assert capsys.readouterr().err == ""
