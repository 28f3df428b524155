"""`actapprox show`: beside known functions, and as a page."""

import json

import pytest


def test_against_gives_certified_distances_in_three_norms(answer, run):
    (found,) = answer("show", "hard_mish", "--against", "mish")["against"]
    compared = answer("compare", "hard_mish", "mish")
    assert found["distance"]["sup"] == compared["distance"]
    assert set(found["distance"]) == {"sup", "l2", "gaussian"}
    assert found["same"] == "REFUTED"
    assert "0.159547" in run("show", "hard_mish", "--against", "mish")[1]


def test_html_is_a_whole_page_and_the_same_each_time(run, tmp_path):
    paths = [tmp_path / "one.html", tmp_path / "two.html"]
    for path in paths:
        assert run("show", "hard_mish", "--against", "silu", "--html", str(path))[0] == 0
    pages = [path.read_bytes() for path in paths]
    assert pages[0] == pages[1]
    assert pages[0].endswith(b"</html>\n")
    assert b"actapprox show hard_mish --against silu --html FILE" in pages[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.html", "two.html"]


def test_a_page_that_cannot_be_written_is_one_line_and_leaves_the_old_one(run, tmp_path):
    status, _, err = run("show", "relu", "--html", str(tmp_path / "missing" / "card.html"))
    assert (status, err.count("\n")) == (2, 1)
    old = tmp_path / "card.html"
    old.write_text("old")
    assert run("show", "relu(", "--html", str(old))[0] == 2
    assert old.read_text() == "old"


def test_a_page_and_json_at_once(run, tmp_path):
    status, out, _ = run("show", "silu", "--html", str(tmp_path / "card.html"), "--json")
    assert status == 0
    assert json.loads(out)["name"] == "silu"


@pytest.mark.parametrize(
    ("names", "said"),
    [("mishh", "did you mean mish"), ("", "expected names of functions"), ("x*", "got the end at column 3")],
)
def test_a_mistake_in_against_is_one_line(run, names, said):
    status, out, err = run("show", "mish", "--against", names)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err
