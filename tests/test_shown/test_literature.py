"""What is in print: table, figure and words from the record."""

import json
from pathlib import Path

import pytest

from analysis.shown import figures, literature

ROOT = Path(__file__).resolve().parents[2]
RECORD = json.loads((ROOT / "results" / "literature.json").read_text())


def entry(**changed) -> dict:
    return {
        "name": "a table",
        "target": "gelu",
        "source": "a paper",
        "figure": "1e-3",
        "norm": "sup norm, x in R",
        "measured": ["0.002", "0.002"],
        "holds": False,
        "ours": ["0.001", "0.001"],
        "lower": 0.0009,
        "standing": "beaten",
        "sentence": "beaten by a factor of 2",
        "why": None,
    } | changed


def test_the_table_says_what_is_measured_and_what_is_not_compared():
    skipped = entry(
        name="b, 8", ours=None, lower=None, standing="not compared", sentence="cannot be compared: no domain"
    )
    found = literature.table({"entries": [entry(), entry(holds=True), entry(measured=None, holds=None), skipped]})
    assert [row[4] for row in found.rows] == ["0.002: not as printed", "0.002: as printed", ""]
    assert found.notes == ("b, 1 more: cannot be compared: no domain.",)


def test_the_figure_has_a_mark_for_each_comparison():
    _, (ax,) = figures.panels()
    impossible = entry(measured=None, figure="0.0005", standing="below the proved bound")
    literature.multiples(ax, {"entries": [entry(), impossible, entry(lower=None)]})
    assert [text.get_text() for text in ax.texts] == ["2", "0.5", "2"]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["beaten", "below the proved bound"]


def test_sources_are_listed_once_with_their_remark():
    said = literature.sources({"entries": [entry(), entry(name="another"), entry(source="b", why="from memory")]})
    assert said == "- a paper\n- b (from memory)"


def test_the_record_can_be_shown():
    compared = [one for one in RECORD["entries"] if one["ours"]]
    assert len(literature.table(RECORD).rows) == len(compared) > 10
    assert literature.described(RECORD).count(";") >= len(compared) - 1
    assert literature.in_words(RECORD)


def test_the_readme_says_what_the_record_says():
    text = " ".join((ROOT / "README.md").read_text().split())
    known = {one["name"]: one for one in RECORD["entries"]}
    table, igelu, quick = (known[n] for n in ("GQA-LUT, 16 entries, rivals in steps of 1/64", "i-GELU", "quick-GELU"))
    assert f"has {float(table['measured'][0]) / float(table['ours'][1]):.2f} times the mean square" in text
    assert f"largest error of {float(igelu['measured'][1]):.5f}, and with other" in text
    assert f"other constants {float(igelu['ours'][1]):.5f};" in text
    assert f"has {float(quick['measured'][0]) / float(quick['ours'][1]):.3f} times the error of the best" in text
    flex = [one["standing"] for one in RECORD["entries"] if one["name"].startswith("Flex-SFU") and one["ours"]]
    assert sorted(flex) == 2 * ["beaten"] + 4 * ["below the proved bound"]
    assert "Of six mean squared errors in print for Flex-SFU, as they are quoted, two are beaten, and four" in text


@pytest.mark.parametrize("word", ["beaten", "below the proved bound", "not compared"])
def test_words_count_the_verdicts(word):
    count = sum(one["standing"] == word for one in RECORD["entries"])
    assert f"{count} {word}" in literature.in_words(RECORD)
