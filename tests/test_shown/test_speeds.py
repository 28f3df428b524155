"""The recorded costs, in words, in a table and drawn; with and without Sollya."""

import pytest

from analysis.shown import figures, speeds


def timing(median):
    return {"median": median, "quartiles": [median * 0.9, median * 1.2]}


def record(with_sollya):
    rival = {"milliseconds": timing(30.0)} if with_sollya else None
    row = {
        "left": "f",
        "right": "g",
        "distance": ["0.1", "0.2"],
        "milliseconds": timing(1.5),
        "sollya": rival,
        "ratio": timing(20.0) if with_sollya else None,
    }
    return {
        "command": "python -m benchmarks.distances",
        "machine": {"processor": "a processor", "cores": 2, "system": "Linux"},
        "versions": {"python": "3.11", "sollya": "8.0" if with_sollya else None},
        "rounds": 3,
        "tolerance": 1e-12,
        "suprema": [row, row | {"right": "h"}],
        "tolerances": [
            {"tolerance": 1e-3, "milliseconds": timing(1.0)},
            {"tolerance": 1e-30, "milliseconds": timing(3)},
        ],
    }


def test_words_are_those_of_the_record():
    assert "f and g Sollya takes 20 times as long" in speeds.in_words(record(True))
    assert "the time grows 3-fold" in speeds.described(record(True))
    assert "Sollya was not measured" in speeds.in_words(record(False))
    assert "sollya" not in speeds.provenance(record(False))


@pytest.mark.parametrize("with_sollya", [True, False])
def test_table_and_figure(with_sollya):
    found = record(with_sollya)
    assert speeds.table(found).rows[0][3:5] == ("1.5", "30" if with_sollya else "not measured")
    _, (left, right) = figures.panels(1, 2)
    speeds.cost_curve(left, found)
    speeds.beside_sollya(right, found)
    assert [float(x) for x in left.get_xticks()] == [3, 30]
    assert [text.get_text() for text in right.texts] == ["20×", "20×"] * with_sollya
    assert [label.get_text() for label in right.get_yticklabels()] == ["f − g", "f − h"]
