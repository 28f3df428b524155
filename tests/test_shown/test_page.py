"""The card as a page: whole, without scripts and outsiders, well-formed, and the same each time."""

import html
import re
from xml.etree import ElementTree

import pytest
import sympy as sp

from analysis.activation import lookup
from analysis.activation.parsing import X
from analysis.shown import page
from analysis.shown.card import show

MATH = "{http://www.w3.org/1998/Math/MathML}"


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text.replace("<!DOCTYPE html>", ""))


@pytest.fixture(scope="module")
def made():
    return page.card_page(show("hard_mish"), "actapprox show hard_mish --html FILE").decode()


def test_a_page_is_well_formed_and_needs_nothing_from_outside(made):
    root = parsed(made)
    assert made.startswith("<!DOCTYPE html>\n<html lang")
    tags = {element.tag.split("}")[-1] for element in root.iter()}
    assert {"math", "svg", "table", "title"} <= tags
    assert not tags & {"script", "link", "img", "iframe"}
    references = [value for element in root.iter() for name, value in element.attrib.items() if "href" in name]
    assert all(value.startswith("#") for value in references)
    assert "url(http" not in made


def test_the_plot_has_an_alternative_text(made):
    (picture,) = (e for e in parsed(made).iter() if e.tag.endswith("}svg"))
    assert picture.get("role") == "img"
    assert "breakpoints at x = -3, x = 2" in picture.get("aria-label")
    assert "minimum at x = -1.5 with the value -0.45" in picture.get("aria-label")


def test_the_page_says_what_the_card_says(made):
    text = html.unescape(re.sub(r"<[^>]*>", " ", made))
    sheet = show("hard_mish").sheet()
    for line in sheet.lines:
        assert line.text in text or html.escape(line.text) in made
    for cell in sheet.tables[0].rows[0]:
        assert cell in text
    assert "actapprox show hard_mish --html FILE" in text


def test_the_same_card_gives_the_same_bytes(made):
    assert page.card_page(show("hard_mish"), "actapprox show hard_mish --html FILE").decode() == made


def test_a_family_has_no_plot_but_its_page():
    made = page.card_page(show("swish", symbolic=True), "actapprox show swish").decode()
    assert "<svg" not in made
    assert parsed(made).find(".//title").text == "swish"


@pytest.mark.parametrize("name", ["mish", "gelu", "elu", "selu", "squareplus", "x*tanh(exp(x)) + abs(x)/3"])
def test_mathematics_of_all_kinds_is_well_formed(name):
    expression = lookup.function(name).expression
    for shown in (expression, sp.diff(expression, X), show(name).derivative):
        root = parsed(page.mathematics(shown))
        assert root.tag == f"{MATH}math"
        assert root.get("alttext") == str(shown)


def test_pieces_stand_below_one_another_behind_a_brace():
    root = parsed(page.mathematics(sp.Piecewise((0, X < 0), (X, True))))
    rows = root.findall(f".//{MATH}mtr")
    assert ["".join(row.itertext()) for row in rows] == ["0for\u00a0x<0", "xotherwise"]
    assert root.find(f".//{MATH}mo").text == "{"


def test_names_and_entities_are_characters():
    made = page.mathematics(lookup.function("gelu").expression * sp.exp(X) * sp.pi)
    assert "Φ" in made
    assert "<mi>e</mi>" in made
    assert not re.search(r"&(?!lt;|gt;|amp;|quot;|#)", made)


def test_what_a_user_typed_is_text():
    sheet = show("x*(1 + tanh(x))").sheet()
    made = page.page(type(sheet)("<b>&", sheet.lines), {}, "actapprox '<script>'").decode()
    assert "<b>" not in made
    assert "<script>" not in made
