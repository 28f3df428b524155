"""The plan of the real study."""

import json

import pytest

pytest.importorskip("torch", reason="needs the extra train (torch)")

from analysis.training import plan, standins, summary
from analysis.training.journal import key_of

pytestmark = pytest.mark.extras


def test_the_plan_names_each_run_once_and_every_run_can_be_read_again():
    configurations = [c for stage in plan.stages(plan.Size()) for c in stage]
    keys = [key_of(c) for c in configurations]
    assert len(set(keys)) == len(keys)
    for configuration in configurations:
        assert json.loads(json.dumps(configuration)) == configuration
        assert plan.recipe_of(configuration) in {*summary.settings().values()}


def test_the_study_has_seeds_and_stand_ins_enough():
    size = plan.Size()
    assert len(size.seeds) >= 20
    assert not set(size.seeds) & set(size.tuning_seeds)
    assert len(standins.STAND_INS) >= 20
    assert set(plan.EPOCHS) == {2, 8, 32}
