"""Plans: the tasks that they make, the names of their files, and mistakes that name the key."""

import json

import numpy as np
import pytest

from analysis.activation.errors import BadInput
from analysis.cli.sweeping import task as tasks
from analysis.cli.sweeping.plan import read
from analysis.cli.sweeping.task import Task
from tests.test_cli import sweeps


def said(folder, text):
    return [task.said.removeprefix("actapprox ") for task in read(sweeps.plan(folder, text))]


def test_a_table_asks_every_combination_in_order(tmp_path):
    text = """
    target = ["mish", "x*tanh(exp(x))"]
    norm = ["sup", "l2"]
    [[fit]]
    family = "hard_gate"
    fix = [false, "b=3"]
    norm = "sup"
    [[design]]
    target = "-abs(x)"
    shape = "pwl"
    pieces = [3, 4]
    """
    assert said(tmp_path, text) == [
        "fit hard_gate --to mish",
        "fit hard_gate --fix b=3 --to mish",
        "fit hard_gate --to 'x*tanh(exp(x))'",
        "fit hard_gate --fix b=3 --to 'x*tanh(exp(x))'",
        "design --pieces 3 --shape pwl -- '-abs(x)'",
        "design --pieces 4 --shape pwl -- '-abs(x)'",
        "design --norm l2 --pieces 3 --shape pwl -- '-abs(x)'",
        "design --norm l2 --pieces 4 --shape pwl -- '-abs(x)'",
    ]


def test_the_same_question_is_one_task(tmp_path):
    table = '[[design]]\ntarget = "mish"\nshape = "pwl"\npieces = 4\n'
    assert len(read(sweeps.plan(tmp_path, table + 'norm = ["sup", false]\n' + table + 'knots = "free"\n'))) == 1


def test_files_are_looked_for_beside_the_plan(tmp_path, monkeypatch, run):
    monkeypatch.chdir("/")
    (tmp_path / "one.json").write_text(json.dumps({"formula": "x*clip(x + 3, 0, 5)/5"}))
    np.save(tmp_path / "seen.npy", np.linspace(-1, 1, 9))
    text = '[[fit]]\ntarget = "one.json"\nfamily = "a*x"\nsamples = "seen.npy"\n'
    (task,) = read(sweeps.plan(tmp_path, text))
    assert task.get("target") == "x*clip(x + 3, 0, 5)/5"
    assert task.get("samples") == str(tmp_path / "seen.npy")
    first = task.name
    assert run(*task.arguments)[0] == 0
    np.save(tmp_path / "seen.npy", np.linspace(-2, 2, 9))
    assert read(tmp_path / "plan.toml")[0].name != first  # the result of other samples is another file


def test_every_option_and_the_release_are_in_the_name_of_the_file(monkeypatch):
    options = {"target": "mish", "shape": "pwl", "pieces": "4"}
    given = {"round": "1/8", "knots": "uniform", "domain": "-8,8", "norm": "l2", "sigma": "2", "tolerance": "1e-3"}
    names = [Task.of("design", options).name, *(Task.of("design", options | {k: v}).name for k, v in given.items())]
    monkeypatch.setattr(tasks, "release", lambda: "0.0.1")
    names.append(Task.of("design", options).name)
    assert len(set(names)) == len(names)
    assert names[0].startswith("design-pwl-mish-4-")


def test_names_are_safe_and_those_of_long_expressions_differ():
    long = "+".join(["x"] * 100)
    one, other = (Task.of("fit", {"family": "a*x", "target": text}).name for text in (long, f"{long}+1"))
    assert one != other
    assert len(one) < 100
    hostile = Task.of("fit", {"family": "../../a*x", "target": "~/x|y\n"}).name
    assert not set(hostile) & set("/~|\n* ")
    assert not hostile.startswith(".")


def test_the_plan_of_the_readme_is_the_example():
    readme = (sweeps.ROOT / "README.md").read_text(encoding="utf-8")
    assert f"```toml\n{(sweeps.ROOT / 'examples' / 'sweep.toml').read_text()}```" in readme


FIT = '[[fit]]\ntarget = "mish"\nfamily = "hard_gate"\n'
DESIGN = '[[design]]\ntarget = "mish"\nshape = "pwl"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "expected a table [[fit]] or [[design]], got an empty plan"),
        ("target = 1 2", "expected a plan in TOML"),
        ('[fit]\ntarget = "mish"', "key 'fit': expected tables, each below a line [[fit]]"),
        ("fit = 3", "key 'fit': expected tables"),
        ('[[fitt]]\ntarget = "mish"', "expected a table [[fit]] or [[design]], got fitt"),
        (FIT + "[[designs]]\n", "key 'designs' above the tables: unknown"),
        ('[[fit]]\nfamily = "hard_gate"', "key 'target' in [[fit]] 1: missing"),
        (FIT + '[[fit]]\ntarget = "mish"', "key 'family' in [[fit]] 2: missing"),
        ('targets = "mish"\n' + FIT, "key 'targets' above the tables: unknown; did you mean target?"),
        ("pieces = 3\n" + FIT, "key 'pieces' above the tables: unknown"),
        (FIT + "json = true", "key 'json' in [[fit]] 1: unknown; expected one of family, target"),
        (FIT + 'round = "float15"', "key 'round' in [[fit]] 1: expected --round 1/8"),
        (FIT + "round = 8", "key 'round' in [[fit]] 1: expected a text in quotes, got 8"),
        (FIT + "norm = []", "key 'norm' in [[fit]] 1: expected a value or a list of values, got an empty list"),
        (FIT + 'norm = "max"', "key 'norm' in [[fit]] 1: expected one of sup, l2"),
        (FIT + 'domain = ["-8,8", "8"]', "key 'domain' in [[fit]] 1: expected --domain LO,HI, got '8'"),
        (FIT + "domain = [[-8, 8]]", "key 'domain' in [[fit]] 1: expected a text in quotes, got [-8, 8]"),
        (FIT + 'sigma = "2"', "key 'sigma' in [[fit]] 1: expected a number, got '2'"),
        (FIT + 'fix = "b"', "key 'fix' in [[fit]] 1: expected name=value as name=expression, got 'b'"),
        (FIT + 'samples = "nowhere.npy"', "key 'samples' in [[fit]] 1: No such file"),
        ('[[fit]]\ntarget = "mihs"\nfamily = "swish"', "key 'target' in [[fit]] 1: unknown activation 'mihs'"),
        ('[[fit]]\ntarget = "mish"\nfamily = "relu"', "key 'family' in [[fit]] 1: expected a family"),
        (
            '[[fit]]\ntarget = false\nfamily = "swish"',
            "key 'target' in [[fit]] 1: expected a text in quotes, got false",
        ),
        ('[[fit]]\ntarget = "no.json"\nfamily = "swish"', "key 'target' in [[fit]] 1: No such file"),
        (DESIGN + "pieces = 3.5", "key 'pieces' in [[design]] 1: expected a whole number, got 3.5"),
        (DESIGN + "pieces = true", "key 'pieces' in [[design]] 1: expected a whole number, got true"),
        (DESIGN + "pieces = 3\ntolerance = 1e-2", "key 'tolerance' in [[design]] 1: expected one of pieces and"),
        (DESIGN + 'knots = "loose"\npieces = 3', "key 'knots' in [[design]] 1: expected one of free"),
        ('[[design]]\ntarget = "mish"\nshape = "cubic"', "key 'shape' in [[design]] 1: expected pwl, pwq"),
        (DESIGN + f"pieces = {list(range(1, 10003))}", "[[design]] 1: expected at most 10000 tasks"),
    ],
)
def test_a_mistake_names_its_key_in_one_line(run, tmp_path, text, expected):
    plan = sweeps.plan(tmp_path, text)
    status, out, err = run("sweep", str(plan), "--dry-run")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"actapprox: {plan}: ")
    assert expected in err


def test_a_plan_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "plan.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="expected a plan in TOML"):
        read(tmp_path / "plan.toml")


def test_a_plan_that_is_not_there_is_one_line(run, tmp_path):
    assert run("sweep", str(tmp_path / "no.toml"), "--dry-run") == (
        2,
        "",
        f"actapprox: No such file or directory: {tmp_path / 'no.toml'}\n",
    )
