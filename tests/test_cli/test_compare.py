"""`actapprox compare` as a user meets it: the contract's keys, exit statuses, files, and one line for a mistake."""

import json
from functools import partial

import mpmath
import numpy as np
import pytest

from tests import oracles


@pytest.fixture
def run(run):
    """The command `compare`; the fixture `answer` goes through it."""
    return partial(run, "compare")


def test_the_answer_has_the_keys_of_the_contract(answer):
    found = answer("mish", "hard_mish")
    keys = "left right norm domain derivative distance witness verdict reason setting seconds"
    assert set(found) == set(keys.split())
    assert (found["left"], found["right"], found["norm"]) == ("mish", "hard_mish", "sup")
    assert found["domain"] == ["-inf", "inf"]
    assert found["verdict"] == "PROVED"
    assert set(found["witness"]) == {"x", "left", "right"}
    low, high = (mpmath.mpf(end) for end in found["distance"])
    x = mpmath.mpf(found["witness"]["x"])
    with mpmath.workdps(30):
        there = abs(oracles.FUNCTIONS["mish"](x) - oracles.FUNCTIONS["hard_mish"](x))
        assert low <= there <= high <= low * (1 + mpmath.mpf("1e-11"))


@pytest.mark.parametrize("options", [["--norm", "l2"], ["--norm", "gaussian", "--sigma", "2"], ["--grid", "-6,6,100"]])
def test_only_a_supremum_has_a_witness(answer, options):
    found = answer("gelu", "quick_gelu", *options)
    assert found["witness"] is None
    assert 0 < float(found["distance"][0]) <= float(found["distance"][1])


def test_samples_are_read_from_a_file(answer, tmp_path):
    np.save(tmp_path / "z.npy", np.array([[-1.0, 0.0], [1.0, 2.0]]))
    found = answer("relu", "x", "--samples", str(tmp_path / "z.npy"))
    assert (found["norm"], found["setting"], found["distance"]) == ("samples", "z.npy", ["0.25", "0.25"])


def test_derivatives_domain_and_tolerance(answer):
    assert answer("relu", "silu", "--derivative", "1")["distance"] == ["0.5", "0.5"]
    assert answer("-x", "x", "--domain", "-2,1")["distance"] == ["4", "4"]
    narrow = answer("mish", "silu", "--tol", "1e-25")["distance"]
    assert len(narrow[0]) > 25
    assert narrow[0][:26] == narrow[1][:26]


def test_an_infinite_distance_is_an_answer(answer):
    found = answer("relu", "leaky_relu")
    assert (found["distance"], found["verdict"]) == (["inf", "inf"], "PROVED")
    assert found["witness"] == {"x": "-oo", "left": None, "right": None}
    assert "tends to oo" in found["reason"]


def test_undecided_is_status_three_with_its_reason(answer, run):
    found = answer("1/x", "x", status=3)
    assert (found["verdict"], found["distance"]) == ("UNDECIDED", ["0", "inf"])
    assert "singular at x = 0" in found["reason"]
    status, out, _ = run("1/x", "x")
    assert (status, "UNDECIDED: 1/x may be singular at x = 0" in out) == (3, True)


def test_time_runs_out_inside_an_integral(answer):
    heavy = ("sin(x**2)*tanh(sin(x))", "0", "--norm", "l2", "--domain", "-3000,3000", "--timeout", "0.5")
    assert answer(*heavy, status=3)["verdict"] == "UNDECIDED"


def test_people_read_the_distance_and_where_it_is(run):
    status, out, err = run("mish", "hard_mish", "--derivative", "1")
    assert (status, err) == (0, "")
    for part in (
        "0.506606885 (sup norm)",
        "PROVED: it is in [0.5066068854676",
        "x = -3, from the right",
        "hard_mish' = -0.6",
    ):
        assert part in out
    assert "in the limit, as x tends to -oo" in run("elu", "relu")[1]
    assert "infinite: it tends to" in run("relu", "leaky_relu")[1]


def test_the_answer_is_written_whole(run, tmp_path):
    status, out, _ = run(
        "mish", "hard_mish", "--json", "--out", str(tmp_path / "c.json"), "--plot", str(tmp_path / "c.svg")
    )
    assert status == 0
    assert json.loads((tmp_path / "c.json").read_text()) == json.loads(out)
    assert (tmp_path / "c.svg").read_text().rstrip().endswith("</svg>")


@pytest.mark.parametrize(
    "options",
    [
        ("relu", "leaky_relu"),
        ("elu", "relu", "--derivative", "3"),
        ("mish", "relu", "--norm", "l2", "--domain", "-3,40"),
    ],
)
def test_every_answer_can_be_drawn(run, tmp_path, options):
    assert run(*options, "--plot", str(tmp_path / "c.png"))[0] == 0
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("mish", "hardmish"), "unknown activation 'hardmish'; did you mean hard_mish"),
        (("mish",), "Missing argument 'G'"),
        (("mish", "relu", "--derivative", "-1"), "-1 is not in the range x>=0"),
        (("mish", "relu", "--derivative", "1.5"), "'1.5' is not a valid integer"),
        (("mish", "relu", "--domain", "3,-3"), "expected a domain LO,HI with LO < HI, got 3,-3"),
        (("mish", "relu", "--domain", "3,3"), "LO < HI"),
        (("mish", "relu", "--norm", "max"), "expected --norm out of sup, l2"),
        (("mish", "relu", "--norm", "gaussian", "--sigma", "-1"), "positive sigma"),
        (("mish", "relu", "--sigma", "2"), "expected --sigma with --norm gaussian"),
        (("mish", "relu", "--tol", "1"), "expected a tolerance between 1e-30 and 1, got 1"),
        (("mish", "relu", "--plot", "c.txt"), "--plot FILE ending in .svg"),
        (("mish", "swish"), "swish is a family"),
        (("mish", "relu", "--samples", "/tmp/none.csv"), "No such file or directory: /tmp/none.csv"),
        (("mish", "relu", "--samples", "/tmp/none.npy"), "No such file or directory: /tmp/none.npy"),
        (("mish", "relu", "--grid", "0,1,inf"), "expected --grid LO,HI,N with a whole N, got 0,1,inf"),
    ],
)
def test_a_mistake_is_one_line_and_status_two(run, arguments, expected):
    status, out, err = run(*arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("actapprox: ")
    assert expected in err


@pytest.mark.parametrize("seconds", ["0.0000001", "0.001", "0.003"])
def test_an_alarm_that_comes_at_once_is_heard_later(answer, tmp_path, seconds):
    out = tmp_path / "c.json"
    found = answer("mish", "gelu", "--timeout", seconds, "--out", str(out), status=3)
    assert found == {"verdict": "UNDECIDED", "reason": f"no answer within {float(seconds):g} s (--timeout)"}
    assert json.loads(out.read_text()) == found
