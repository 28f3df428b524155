"""The command `design`: its answer as JSON, closure, exit statuses and bad input."""

import json

import pytest

KEYS = {
    *("target", "shape", "pieces", "domain", "knots", "coefficients", "formula", "error", "optimum", "cost"),
    *("smoothness", "seconds"),
}
COST = {"mul", "add", "minmax", "compare", "table_bytes"}


def test_the_json_has_the_keys_of_the_contract(answer):
    found = answer("design", "mish", "--shape", "pwl", "--pieces", "6")
    assert found.keys() >= KEYS
    assert found["cost"].keys() == COST
    assert found["pieces"] == 6
    assert len(found["knots"]) == 5
    assert len(found["coefficients"]) == 6
    assert found["optimum"]["verdict"] == "PROVED"
    assert 0 < float(found["optimum"]["lower"]) <= float(found["error"][1])
    assert found["smoothness"] == 0


def test_a_design_is_a_function_again(run, answer, tmp_path):
    result = tmp_path / "design.json"
    assert run("design", "gelu", "--shape", "pwl", "--pieces", "5", "--out", str(result))[0] == 0
    found = json.loads(result.read_text())
    again = answer("compare", "gelu", str(result))
    assert float(again["distance"][0]) == pytest.approx(float(found["error"][1]), rel=1e-11)
    card = answer("show", str(result))
    assert len(card["breakpoints"]) == 4


def test_a_tolerance_gives_the_fewest_pieces(answer):
    found = answer("design", "tanh", "--shape", "pwl", "--tolerance", "0.01")
    assert float(found["error"][1]) <= 0.01
    assert found["fewest"] == "PROVED"


def test_rounded_designs_are_of_the_format(answer):
    found = answer("design", "mish", "--shape", "pwl", "--pieces", "6", "--round", "1/64", "--domain", "-4,4")
    assert all((64 * number).is_integer() for row in [found["knots"], *found["coefficients"]] for number in row)
    assert found["round"] == "1/64"


def test_a_tolerance_that_cannot_be_kept_is_the_answer_no(run):
    status, out, _ = run(
        "design", "mish", "--shape", "pwl", "--tolerance", "0.02", "--round", "1/4", "--domain", "-1,1"
    )
    assert status == 1
    assert out.startswith("REFUTED")


def test_designs_in_mean_squares_say_what_their_bound_is_for(answer):
    found = answer("design", "mish", "--shape", "pwl", "--pieces", "4", "--norm", "l2", "--domain", "-8,8")
    assert found["norm"] == "l2"
    assert float(found["optimum"]["lower"]) <= float(found["error"][0]) <= 1.01 * float(found["optimum"]["lower"])
    assert "need not meet" in found["optimum"]["reason"]


def test_an_int8_table_has_the_given_scales(answer):
    scales = ("--input-scale", "1/16", "--input-zero", "-8", "--output-scale", "0.0625", "--output-zero", "-100")
    found = answer("design", "relu", "--shape", "table:int8", *scales)
    assert found["table"] == [max(-100, q + 8 - 100) for q in range(-128, 128)]
    assert found["error"] == ["0", "0"]
    assert found["cost"]["table_bytes"] == 256


def test_an_int8_table_chooses_the_output_that_is_proved_best(answer):
    found = answer("design", "gelu", "--shape", "table:int8", "--domain", "-4,4")
    optimum, high = found["optimum"], float(found["error"][1])
    assert optimum["verdict"] == "PROVED"
    assert float(optimum["lower"]) <= high <= float(optimum["lower"]) * (1 + 1e-4)
    given = answer("design", "gelu", "--shape", "table:int8", "--domain", "-4,4", "--output-scale", "0.05")
    assert given["optimum"]["verdict"] == "REFUTED"
    assert given["optimum"]["lower"] == optimum["lower"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["mish", "--shape", "table:int8", "--pieces", "4"], "no --pieces with --shape table:int8"),
        (["mish", "--shape", "table:int8", "--norm", "l2"], "no --norm with"),
        (["mish", "--shape", "table:int8", "--plot", "a.svg"], "no --plot with"),
        (["mish", "--shape", "table:int8", "--input-scale", "one"], "a positive number for input_scale, got one"),
        (["mish", "--shape", "table:int8", "--output-zero", "128"], "from -128 to 127 for output_zero"),
        (["mish", "--shape", "table:int8", "--domain", "0,inf"], "a finite domain"),
        (["mish", "--shape", "table:int8", "--domain", "0,1", "--input-scale", "1", "--input-zero", "0"], "got both"),
        (["mish", "--shape", "pwl", "--pieces", "3", "--output-scale", "1"], "--output-scale with --shape table:int8"),
        (["mish", "--shape", "pwl"], "one of --pieces N and --tolerance E, got none"),
        (["mish", "--shape", "pwl", "--pieces", "3", "--tolerance", "1"], "got both"),
        (["mish", "--shape", "pwl", "--pieces", "0"], "from 1 to"),
        (["mish", "--shape", "pwl", "--tolerance", "-1"], "positive tolerance"),
        (["mish", "--shape", "spline", "--pieces", "3"], "expected --shape pwl"),
        (["mish", "--shape", "pwq", "--pieces", "3", "--norm", "l2"], "--norm sup"),
        (["mish", "--shape", "pwl", "--pieces", "3", "--norm", "l2", "--round", "1/64"], "--norm sup"),
        (["x**2", "--shape", "pwl", "--pieces", "3", "--norm", "gaussian"], "asymptote"),
        (["mish", "--shape", "pwl", "--pieces", "3", "--knots", "odd"], "expected --knots"),
        (["x**2", "--shape", "pwl", "--pieces", "3"], "asymptote"),
        (["mish", "--shape", "pwl", "--pieces", "3", "--domain", "2,2"], "LO < HI"),
        (["mish", "--shape", "pwl", "--pieces", "3", "--round", "float8"], "--round"),
    ],
)
def test_bad_input_is_one_line(run, words, expected):
    status, out, err = run("design", *words)
    assert (status, out) == (2, "")
    assert expected in err
    assert err.count("\n") == 1


def test_a_design_is_drawn(run, tmp_path):
    path = tmp_path / "design.svg"
    assert run("design", "mish", "--shape", "pwl", "--pieces", "6", "--plot", str(path))[0] == 0
    assert path.read_text().startswith("<?xml")
