"""The command as a user meets it: answers, JSON, files, exit statuses, and one line for a mistake."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy as sp

from analysis import cli
from analysis.optimal import frontier

# the contract's keys


def test_list_names_every_function_and_family_with_its_source(answer):
    found = answer("list")
    assert set(found) == {"functions", "families"}
    names = {entry["name"] for entry in found["functions"]}
    assert {"mish", "relu", "gelu", "hard_mish", "silu", "quick_gelu", "approx_mish"} <= names
    for entry in (*found["functions"], *found["families"]):
        assert {"name", "formula", "constants", "sources"} <= set(entry)
        assert all(entry["sources"])


def test_list_does_not_import_sympy():
    script = "import sys; from analysis import cli; cli.main(['list', '--json']); sys.exit('sympy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], stdout=subprocess.DEVNULL, check=False).returncode == 0


def test_show_answers_with_the_keys_of_the_contract(answer):
    card = answer("show", "hard_mish")
    keys = "name formula latex constants derivative smoothness breakpoints minima maxima inflections range lipschitz"
    assert set(keys.split()) | {"asymptotes", "sources"} <= set(card)
    assert card["constants"] == {"a": "5", "b": "3"}
    assert card["smoothness"] == 0
    assert [point["x"] for point in card["breakpoints"]] == ["-3", "2"]
    assert [point["jumps"]["1"] for point in card["breakpoints"]] == ["-3/5", "-2/5"]
    assert card["minima"] == [
        {
            "x": {"exact": "-3/2", "enclosure": ["-1.5", "-1.5"]},
            "value": {"exact": "-9/20", "enclosure": ["-0.45", "-0.45"]},
        }
    ]
    assert card["range"] == ["-0.45", "inf"]
    assert card["lipschitz"] == ["1.4", "1.4"]
    assert card["asymptotes"]["oo"] == {"slope": "1", "intercept": "0"}


@pytest.mark.parametrize(
    "name", [pytest.param("mish", marks=pytest.mark.proof), "silu", "hard_mish", "elu", "gelu", "softsign"]
)
def test_the_printed_derivative_is_read_by_sympy_alone(answer, name):
    from analysis.activation import lookup, lowering

    derivative = sp.sympify(answer("show", name)["derivative"])
    f = lowering.evaluator(lookup.function(name).expression)
    (symbol,) = derivative.free_symbols
    for x in (-2.3, -0.4, 0.7, 3.1):
        difference = (f(np.float64(x + 1e-5)) - f(np.float64(x - 1e-5))) / 2e-5
        assert float(derivative.subs(symbol, x)) == pytest.approx(difference, abs=1e-8)


def test_show_encloses_mish_minimum_to_thirty_digits(answer):
    (minimum,) = answer("show", "mish", "--tol", "1e-30")["minima"]
    low, high = (sp.Rational(end) for end in minimum["x"]["enclosure"])
    with mpmath.workdps(60):
        known = mpmath.findroot(lambda x: mpmath.diff(lambda t: t * mpmath.tanh(mpmath.log1p(mpmath.exp(t))), x), -1.2)
        assert mpmath.mpf(str(low.n(60))) <= known <= mpmath.mpf(str(high.n(60)))
    assert minimum["x"]["exact"] is None
    assert 0 < high - low <= abs(low) / 10**30


def test_show_keeps_a_family_symbolic(answer):
    card = answer("show", "hard_gate")
    assert {point["x"]: point["jumps"]["1"] for point in card["breakpoints"]} == {"-b": "-b/a", "a - b": "-1 + b/a"}
    assert [minimum["if"] for minimum in card["minima"]] == ["a >= b/2", "a < b/2"]
    assert answer("show", "elu")["constants"] == {"alpha": "1"}
    assert answer("show", "elu", "--symbolic")["constants"] == {"alpha": None}


W = "w=4*(x+1)+4*exp(2*x)+exp(3*x)+exp(x)*(4*x+6)"


def test_prove_decides_the_printed_mish_derivative(answer):
    misprint = answer("prove", "diff(mish)", "exp(x)*w/d**2", "--where", f"{W}, d=2*exp(2*x)+exp(2*x)+2", status=1)
    assert misprint["verdict"] == "REFUTED"
    assert set(misprint["witness"]) == {"x", "left", "right"}
    right = answer("prove", "diff(mish)", "exp(x)*w/d**2", "--where", f"{W}, d=2*exp(x)+exp(2*x)+2")
    assert (right["verdict"], right["witness"]) == ("PROVED", None)


def test_prove_says_undecided_with_status_three(answer):
    found = answer("prove", "atan(x)", "2*atan(x/(1 + sqrt(1 + x**2)))", status=3)
    assert found["verdict"] == "UNDECIDED"
    assert "equal within 1e-20 on [-10, 10]" in found["method"]


def test_assumptions_decide(answer):
    assert answer("prove", "sqrt(b**2)", "b", "--assume", "b>0")["verdict"] == "PROVED"
    refuted = answer("prove", "sqrt(b**2)", "b", status=1)
    assert refuted["witness"]["constants"] == {"b": "-1"}


def test_a_witness_never_breaks_the_assumptions(run):
    assert run("prove", "b", "0", "--assume", "b>=0,b<=0")[0] != 1
    assert run("prove", "b*abs(x)", "abs(b*x)", "--assume", "b>0,b!=0")[0] == 0
    assert run("prove", "abs(x)", "x", "--assume", "x>0")[0] == 2


def test_fit_answers_with_the_keys_of_the_contract(answer):
    fit = answer("fit", "swish", "--to", "mish", "--norm", "grid", "--grid", "-6,6,1000")
    keys = "family target norm domain constants exact error optimum unique optimal_set published seconds"
    assert set(keys.split()) <= set(fit)
    silu, _ = fit["published"]
    assert float(silu["error"][0]) > float(fit["error"][1]) >= float(fit["optimum"]["lower"])
    assert set(fit["optimum"]) == {"verdict", "lower", "gap", "reason"}
    assert (fit["optimum"]["verdict"], fit["optimum"]["gap"] < 1e-9) == ("PROVED", True)
    low, high = fit["optimal_set"]["beta"]
    assert float(low) <= fit["constants"]["beta"] <= float(high)


def test_fit_is_closed_under_its_results(run, answer, tmp_path):
    result = tmp_path / "best.json"
    assert run("fit", "hard_gate", "--to", "mish", "--fix", "b=3", "--grid", "-8,8,33", "--out", str(result))[0] == 0
    fitted = json.loads(result.read_text())
    card = answer("show", str(result))
    assert card["breakpoints"][0]["x"] == "-3"
    again = answer("fit", "hard_gate", "--to", str(result), "--grid", "-8,8,33")
    assert again["error"] == ["0", "0"]
    assert again["constants"]["a"] == pytest.approx(fitted["constants"]["a"], rel=1e-7)
    assert again["constants"]["b"] == pytest.approx(3, rel=1e-7)


def test_fit_reads_samples_from_npy_and_csv(answer, tmp_path):
    values = np.random.default_rng(5).normal(size=(8, 5))
    np.save(tmp_path / "z.npy", values)
    np.savetxt(tmp_path / "z.csv", values, delimiter=",")
    binary, text = (
        answer("fit", "a*x", "--to", "relu", "--samples", str(tmp_path / name)) for name in ("z.npy", "z.csv")
    )
    assert binary["norm"] == "samples"
    assert binary["constants"]["a"] == pytest.approx(text["constants"]["a"], rel=1e-8)


def test_an_expression_with_names_is_a_family(answer):
    fit = answer("fit", "x*clip(x + b, 0, a)/a", "--to", "mish", "--tie", "a=2*b", "--norm", "l2")
    assert fit["constants"]["a"] == pytest.approx(2 * fit["constants"]["b"])


def test_an_expression_may_begin_with_a_minus(answer):
    assert answer("show", "-x")["derivative"] == "-1"
    assert answer("prove", "-relu(-x)", "min(x, 0)")["verdict"] == "PROVED"


# people


def test_tables_for_people_name_the_verdict(run):
    assert "PROVED" in run("prove", "aptx(alpha=1, beta=1, gamma=1/2)", "swish(beta=2)")[1]
    shown = run("show", "hard_swish")[1]
    assert "x = -3/2, f = -3/8" in shown
    assert "\x1b[" not in shown  # colour only on a terminal


def test_plots_are_written_whole(run, tmp_path):
    assert run("show", "hard_mish", "--plot", str(tmp_path / "card.svg"))[0] == 0
    assert (tmp_path / "card.svg").read_text().rstrip().endswith("</svg>")
    assert [path.name for path in tmp_path.iterdir()] == ["card.svg"]


DEAR = {"frontier": pytest.mark.slow} | dict.fromkeys(
    ("bench", "claims", "export", "fit", "precision"), pytest.mark.proof
)


def example(name: str) -> list[str]:
    """The words of the example in a command's help."""
    (line,) = [line for line in (cli.command.commands[name].help or "").splitlines() if "Example: " in line]
    words = shlex.split(line.strip().removeprefix("Example: actapprox "))
    assert words[0] == name
    return words


@pytest.mark.parametrize("name", cli.command.commands)
def test_the_example_of_each_help_is_read(name):
    cli.command.commands[name].make_context(name, example(name)[1:])


@pytest.mark.parametrize("name", [pytest.param(name, marks=DEAR.get(name, [])) for name in cli.command.commands])
def test_the_example_of_each_help_works(run, name):
    assert run(*example(name))[0] == 0


def test_frontier_answers_with_designs_beside_published_functions(answer, monkeypatch):
    few = {"shapes": (("pwl", 2),), "families": ("gelu_tanh",)}  # else minutes
    monkeypatch.setattr(frontier.frontier, "__kwdefaults__", frontier.frontier.__kwdefaults__ | few)
    found = answer("frontier", "gelu", "--domain", "-2,2")
    on_frontier = [one["name"] for one in found["candidates"] if one["on_frontier"]]
    assert "pwl, 2 pieces" in on_frontier
    assert "gelu_tanh, fitted" in on_frontier  # beats the published constants at the same cost
    assert "gelu_tanh" not in on_frontier


# mistakes


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("show", "hardmish"), "unknown activation 'hardmish'; did you mean hard_mish, hard_swish"),
        (("show", "x*"), "got the end at column 3"),
        (("show", "__import__('os').system('true')"), "at column 12"),
        (("show", "sqrt(x)"), "real values"),
        (("show", "nowhere.json"), "No such file"),
        (("show", "mish", "--tol", "2"), "expected a tolerance"),
        (("show", "mish", "--plot", "card.txt"), "--plot FILE ending in .svg"),
        (("show",), "FUNCTION"),
        (("show", "mish", "--jsn"), "unexpected extra argument (--jsn)"),
        (("shaw", "mish"), "No such command 'shaw'"),
        (("fit", "hard_gate"), "--to"),
        (("fit", "mish", "--to", "relu"), "expected a family with at least one free constant"),
        (("fit", "hard_gate", "--to", "mish", "--fix", "c=3"), "expected constants out of a, b"),
        (("fit", "hard_gate", "--to", "mish", "--fix", "b"), "expected --fix as name=expression"),
        (("fit", "hard_gate", "--to", "mish", "--fix", "a=1", "--fix", "a=2"), "expected each name once in --fix"),
        (("fit", "hard_gate", "--to", "mish", "--domain", "3"), "expected --domain LO,HI, got '3'"),
        (("fit", "hard_gate", "--to", "mish", "--domain", "3,-3"), "LO < HI"),
        (("fit", "hard_gate", "--to", "mish", "--norm", "max"), "expected --norm out of sup, l2"),
        (("fit", "hard_gate", "--to", "mish", "--norm", "grid"), "expected --grid LO,HI,N"),
        (("fit", "hard_gate", "--to", "mish", "--sigma", "2"), "expected --sigma with --norm gaussian"),
        (("fit", "hard_gate", "--to", "mish", "--norm", "gaussian", "--sigma", "0"), "positive sigma"),
        (("prove", "x", "x", "--assume", "b>2"), "expected --assume as name>0"),
    ],
)
def test_a_mistake_is_one_line_and_status_two(run, arguments, expected):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("actapprox: ")
    assert expected in err


def test_bad_samples_and_unwritable_answers_are_one_line(run, tmp_path):
    (tmp_path / "z.csv").write_text("1,2\n3,oops\n")
    (tmp_path / "z.npy").write_bytes(b"not an array")
    (tmp_path / "nan.csv").write_text("1\nnan\n")
    for name in ("z.csv", "z.npy", "nan.csv"):
        status, _, err = run("fit", "swish", "--to", "mish", "--samples", str(tmp_path / name))
        assert (status, err.count("\n")) == (2, 1)
    for path in (tmp_path / "missing" / "card.json", Path("/dev/full")):
        status, _, err = run("show", "relu", "--out", str(path))
        assert (status, err.count("\n")) == (2, 1)
        assert err.endswith(f": {path}\n")
    assert Path("/dev/full").is_char_device()  # a device is written to, not replaced


def test_time_runs_out_with_status_three(run):
    status, out, _ = run("fit", "gelu_tanh", "--to", "gelu", "--timeout", "0.05", "--json")
    assert status == 3
    assert json.loads(out)["verdict"] == "UNDECIDED"


def test_a_closed_pipe_and_a_full_disk_end_quietly():
    command = f"{shlex.quote(sys.executable)} -m analysis"
    piped = subprocess.run(f"{command} list | head -1", shell=True, capture_output=True, text=True, check=False)
    assert (piped.stderr, len(piped.stdout.splitlines())) == ("", 1)
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    full = subprocess.run(f"{command} list > /dev/full", shell=True, capture_output=True, text=True, check=False)
    assert full.returncode == 2
    assert full.stderr.count("\n") == 1
