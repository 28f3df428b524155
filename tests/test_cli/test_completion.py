"""Completion in bash, zsh and fish: what is offered, that the commands take it, and that it is quick to load."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from analysis import cli
from analysis.cli import completion
from analysis.optimal.design import KNOTS, SHAPES
from analysis.optimal.lattice import Lattice
from analysis.rigorous.norms import KINDS

ROOT = Path(__file__).parents[2]
ASK = "import sys; from analysis import cli; cli.main([])"


def offered(words: str, shell: str = "bash") -> list[str]:
    """What a shell that asks is told for the last of the words, which may be empty."""
    last = words.count(" ")
    current = words.rpartition(" ")[2]
    position = {"COMP_CWORD": current if shell == "fish" else str(last)}
    asking = {"_ACTAPPROX_COMPLETE": f"{shell}_complete", "COMP_WORDS": words} | position
    return subprocess.run([sys.executable, "-c", ASK], env=os.environ | asking, cwd=ROOT, capture_output=True,
                          text=True, check=True).stdout.splitlines()  # fmt: skip


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("actapprox swe", {"plain,sweep"}),
        ("actapprox show hard_mi", {"plain,hard_mish"}),
        ("actapprox compare mish ge", {"plain,gelu"}),
        ("actapprox show hard_g", {"plain,hard_gate"}),
        ("actapprox fit hard_gate --to sil", {"plain,silu"}),
        ("actapprox fit hard_gate --no", {"plain,--norm"}),
        ("actapprox fit hard_gate --to mish --round flo", {"plain,float16", "plain,float32"}),
        ("actapprox fit hard_gate --to mish --norm ga", {"plain,gaussian"}),
        ("actapprox design gelu --shape pw", {"plain,pwl", "plain,pwq", "plain,pwq:c0"}),
        ("actapprox show results/", {"file,results/"}),
        ("actapprox completion z", {"plain,zsh"}),
    ],
)
def test_commands_options_and_values_are_offered(words, expected):
    found = set(offered(words))
    assert expected <= found
    start = words.rpartition(" ")[2]
    assert all(line.split(",", 1)[1].startswith(start) for line in found)


def test_families_are_offered_where_a_family_is_fitted():
    found = offered("actapprox fit h")
    assert "plain,hard_gate" in found
    assert "plain,hard_mish" not in found


def test_zsh_and_fish_are_told_the_formula_too():
    assert offered("actapprox show mis", "zsh") == ["plain", "mish", "x*tanh(softplus(x))"]
    assert offered("actapprox show mis", "fish") == ["plain,mish\tx*tanh(softplus(x))"]


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_the_script_asks_the_command_as_click_expects(run, shell):
    status, out, err = run("completion", shell)
    assert (status, err) == (0, "")
    assert f"_ACTAPPROX_COMPLETE={shell}_complete" in out


def test_bash_completes_with_the_script(run, tmp_path):
    (tmp_path / "actapprox").write_text(f'#!/bin/sh\ncd "{ROOT}" && exec "{sys.executable}" -m analysis "$@"\n')
    (tmp_path / "actapprox").chmod(0o755)
    script = run("completion", "bash")[1] + (
        "\nCOMP_WORDS=(actapprox show hard_sw); COMP_CWORD=2; _actapprox_completion actapprox"
        '\nprintf "%s\\n" "${COMPREPLY[@]}"'
    )
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], env=os.environ | {"PATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["hard_swish"]


def test_completing_imports_nothing_slow():
    code = (
        "import sys\nfrom analysis import cli\ntry:\n    cli.main([])\nexcept SystemExit:\n    pass\n"
        "print(*sorted({'sympy', 'numpy', 'scipy', 'flint', 'matplotlib'} & set(sys.modules)), file=sys.stderr)"
    )
    asking = {
        "_ACTAPPROX_COMPLETE": "bash_complete",
        "COMP_WORDS": "actapprox design gelu --shape p",
        "COMP_CWORD": "4",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | asking, cwd=ROOT, capture_output=True, text=True
    )
    assert "plain,pwl" in done.stdout
    assert done.stderr.strip() == ""


def test_what_is_offered_is_what_the_commands_take():
    assert all(Lattice.of(name) for name in completion.FORMATS)
    assert completion.NORMS == tuple(KINDS)
    assert completion.KNOTS == KNOTS
    assert {s.partition(":")[0] for s in completion.SHAPES} == {
        s.partition(":")[0] for s in SHAPES.replace(" or ", ", ").split(", ") if s[0].islower()
    }


def test_every_function_argument_is_completed():
    for name in ("show", "compare", "prove", "fit", "design", "frontier"):
        kinds = [type(p.type) for p in cli.command.commands[name].params if p.name in completion._KNOWN]
        assert kinds
        assert set(kinds) == {completion.Words}
