"""``make figures``: what it runs, what it leaves alone, and that no interruption shows."""

import os
import signal
import time

import pytest

pytestmark = pytest.mark.build

HANGS = "value = 7\nopen(f'{out}/half.svg', 'w')\nopen('../started', 'w')\nimport time\ntime.sleep(60)"


def test_draws_once_and_then_has_nothing_to_do(drawn):
    assert set(drawn.files("figures")) == {"one.png", "one.svg", "two.png", "two.svg"}
    assert drawn.files("figures")["two.svg"] == b"mish (3, '5\\n')"
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        assert drawn.ran(drawn.make("figures")) == []
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 1


@pytest.mark.parametrize(
    ("touched", "runs"),
    [
        pytest.param("analysis/one.py", ["one"], marks=pytest.mark.proof),
        ("analysis/three.py", ["two"]),  # reached by an import inside a function
        pytest.param("results/speed.txt", ["two"], marks=pytest.mark.proof),
        pytest.param("notebooks/one.ipynb", ["one"], marks=pytest.mark.proof),
        pytest.param("requirements.lock", ["one", "two"], marks=pytest.mark.proof),
    ],
)
def test_an_edit_runs_only_what_depends_on_it(drawn, touched, runs):
    (drawn.root / touched).touch()
    assert drawn.ran(drawn.make("figures", "-j2")) == runs
    assert drawn.ran(drawn.make("figures")) == []


@pytest.mark.proof
def test_a_missing_or_altered_figure_runs_its_notebook(drawn):
    before = drawn.files("figures")
    (drawn.root / "figures/one.svg").unlink()
    assert drawn.ran(drawn.make("figures")) == ["one"]
    (drawn.root / "figures/two.png").write_text("cut sh")
    assert drawn.ran(drawn.make("figures")) == ["two"]
    assert drawn.files("figures") == before


@pytest.mark.proof
def test_notebooks_and_modules_may_come_and_go(drawn):
    (drawn.root / "notebooks/one.ipynb").rename(drawn.root / "notebooks/first.ipynb")
    (drawn.root / "analysis/four.py").write_text("value = 4")
    drawn.draws("two", "from analysis.four import value")
    assert drawn.ran(drawn.make("figures")) == ["first", "two"]
    (drawn.root / "analysis/three.py").unlink()
    assert drawn.ran(drawn.make("figures")) == []


@pytest.mark.proof
@pytest.mark.parametrize(("target", "folder"), [("gelu", "gelu"), ("x*tanh(exp(x)) + '1'", "x_tanh_exp_x_1_-113726")])
def test_another_target_has_folders_of_its_own(drawn, target, folder):
    before = drawn.files("figures")
    assert drawn.ran(drawn.make("figures", "-j2", f"TARGET={target}")) == ["one", "two"]
    assert drawn.files(f"figures/{folder}")["one.svg"] == f"{target} 1".encode()
    assert drawn.ran(drawn.make("figures", f"TARGET={target}")) == []
    assert drawn.ran(drawn.make("figures")) == []
    assert {name: text for name, text in drawn.files("figures").items() if "/" not in name} == before


def test_targets_that_are_spelled_alike_are_told_apart(drawn):
    commands = {drawn.make("figures", "-n", f"TARGET=x{sign}tanh(x)").stdout.split("--figures")[1] for sign in "*/+-"}
    assert len(commands) == 4


def test_a_target_that_is_none_stops_at_once_with_one_line(drawn):
    result = drawn.make("figures", "-j2", "TARGET=mihs")
    assert result.returncode == 2
    said = [line for line in result.stderr.splitlines() if not line.startswith("make: ")]
    assert said == ["TARGET: unknown activation 'mihs'; did you mean mish?"]
    assert "figures:" not in result.stdout
    assert drawn.files("figures/mihs") == {}


@pytest.mark.proof
def test_a_failure_leaves_the_old_figures(drawn):
    before = drawn.files("figures")
    drawn.draws("one", "1 / 0")
    result = drawn.make("figures", "-k")
    assert result.returncode == 2
    assert "one: cell 3 failed: ZeroDivisionError: division by zero" in result.stderr
    assert drawn.files("figures") == before
    drawn.draws("one", "value = 5")
    assert drawn.ran(drawn.make("figures")) == ["one"]
    assert drawn.files("figures")["one.svg"] == b"mish 5"


@pytest.mark.proof
def test_an_edit_during_a_run_is_not_missed(drawn):
    drawn.draws("one", "import time\nopen('../started', 'w')\ntime.sleep(2)\nfrom analysis.one import value")
    process = drawn.start("figures")
    drawn.wait((drawn.root / "started").exists)
    drawn.draws("one", "value = 6")
    assert drawn.ran(drawn.finish(process)) == ["one"]
    assert drawn.ran(drawn.make("figures")) == ["one"]
    assert drawn.files("figures")["one.svg"] == b"mish 6"


@pytest.mark.proof
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_run_shows_nothing_and_the_next_completes(drawn, how):
    before = drawn.files("figures")
    drawn.draws("one", HANGS)
    process = drawn.start("figures")
    drawn.wait((drawn.root / "started").exists)
    os.killpg(process.pid, how)
    assert drawn.finish(process).returncode != 0
    assert drawn.files("figures") == before
    drawn.draws("one", "value = 7")
    assert drawn.ran(drawn.make("figures")) == ["one"]
    assert drawn.files("figures") == before | {"one.svg": b"mish 7", "one.png": b"mish 7"}
    assert [path for path in (drawn.root / "build/mish").iterdir() if path.is_dir()] == [], "left over"


@pytest.mark.proof
def test_two_makes_at_once_both_complete(drawn):
    before = drawn.files("figures")
    for source in (drawn.root / "analysis").glob("*.py"):
        source.touch()
    processes = [drawn.start("figures", "-j2") for _ in range(2)]
    assert [drawn.ran(drawn.finish(process)) for process in processes] == [["one", "two"]] * 2
    assert drawn.files("figures") == before
    assert drawn.ran(drawn.make("figures")) == []


def test_help_is_the_default_and_runs_nothing(toy):
    result = toy.make()
    assert result.returncode == 0
    assert {"figures", "test", "lint", "lab", "lock", "clean"} <= {
        line.split()[1] for line in result.stdout.splitlines()
    }
    assert not (toy.root / "build").exists()


@pytest.mark.slow
def test_from_nothing_twice_at_once_in_locale_c(toy):
    """With an environment made from the lock, in a folder whose name locale C cannot spell. Asks the package index."""
    (toy.root / "README.md").write_text("# A toy\n")
    (toy.root / "LICENSE").write_text("none\n")
    processes = [toy.spawn("make", "figures", LC_ALL="C", PYTHONWARNINGS="error") for _ in range(2)]
    results = [toy.finish(process, seconds=600) for process in processes]
    assert [toy.ran(result) for result in results] == [["one", "two"]] * 2
    assert sum("making .venv" in result.stdout for result in results) == 1
    here = toy.finish(toy.spawn(".venv/bin/python", "-c", "import analysis; print(analysis.HOMES['one'])", LC_ALL="C"))
    assert here.stdout == "analysis.one\n"
