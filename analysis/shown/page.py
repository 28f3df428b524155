"""A sheet as one page for a browser: no scripts, nothing from outside, the mathematics as MathML, the plot within.

The same sheet gives the same bytes.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

import sympy as sp
from sympy.printing.mathml import MathMLPresentationPrinter

from analysis.activation.parsing import X
from analysis.activation.record import Family
from analysis.activation.sheet import Line, Sheet, Table
from analysis.shown import figures
from analysis.shown.card import Card
from analysis.shown.words import number

Formulas = Mapping[str, tuple[sp.Basic, ...]]

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 54rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
mtable { margin: 0; }
mtd { text-align: left; padding-right: 1.2rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem 1.2rem .3rem 0; border-bottom: 1px solid #ddd; }
th { font-weight: 600; color: #444; white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
math { font-size: 1.1em; }
svg { width: 100%; height: auto; }
footer { color: #555; font-size: .85rem; margin-top: 2rem; }
""".strip()

LONGEST = 14  # characters of a number that is written out; its text has all of them
NAMES = {"Phi": "Φ", "sigmoid": "σ"}  # of functions, as they are written by hand


class _Printer(MathMLPresentationPrinter):
    """MathML with pieces one below the other, and functions under the names that our LaTeX gives them."""

    def _print_Piecewise(self, expression: sp.Piecewise) -> Any:
        make = self.dom.createElement
        row, brace, table = make("mrow"), make("mo"), make("mtable")
        brace.appendChild(self.dom.createTextNode("{"))
        table.setAttribute("columnalign", "left left")
        for value, condition in expression.args:
            line = make("mtr")
            for content in (self._print(value), self._condition(condition)):
                cell = make("mtd")
                cell.appendChild(content)
                line.appendChild(cell)
            table.appendChild(line)
        row.appendChild(brace)
        row.appendChild(table)
        return row

    def _condition(self, condition: sp.Basic) -> Any:
        make = self.dom.createElement
        row, word = make("mrow"), make("mtext")
        otherwise = condition == sp.true
        word.appendChild(self.dom.createTextNode("otherwise" if otherwise else "for\u00a0"))
        row.appendChild(word)
        if not otherwise:
            row.appendChild(self._print(condition))
        return row

    def _print_Function(self, expression: sp.Function) -> Any:
        name = type(expression).__name__
        printed = super()._print_Function(expression)
        first = printed.firstChild
        if name in NAMES and first is not None and first.nodeName == "mi":
            first.firstChild.data = NAMES[name]
        return printed


def mathematics(*expressions: sp.Basic) -> str:
    """The expressions, a comma between them, as a MathML element with its text for those who cannot see it."""
    inner = "<mo>,</mo><mspace width='1em'/>".join(map(_markup, expressions))
    text = html.escape(", ".join(map(_text, expressions)))
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" alttext="{text}"><mrow>{inner}</mrow></math>'


def _markup(expression: sp.Basic) -> str:
    """As sympy writes it, which leaves names of entities and signs of order as they are; long numbers cut off."""
    long = {q: sp.Symbol(number(q)) for q in expression.atoms(sp.Rational) if len(str(q)) > LONGEST}
    written = _Printer()._print(expression.xreplace(long)).toxml().replace("<mo><</mo>", "<mo>&lt;</mo>")
    return re.sub(r"&([A-Za-z]\w*);", _character, written)


def _character(entity: re.Match[str]) -> str:
    """The character of a named entity; Euler's e without the double strokes that few fonts have."""
    return "e" if entity[1] == "ExponentialE" else html.escape(html.unescape(entity[0]))


def _text(expression: sp.Basic) -> str:
    return f"{expression.lhs} = {expression.rhs}" if isinstance(expression, sp.Eq) else str(expression)


def card_page(card: Card, command: str) -> bytes:
    """The card as a page, with the plot of the function where it has no free constants.

    `command` is how the page is made again.
    """
    return _whole(card.sheet().title, card_content(card), command)


def card_content(card: Card) -> str:
    """What stands on that page: facts with their mathematics, tables and the plot."""
    record = card.record
    formulas: dict[str, tuple[sp.Basic, ...]] = {
        record.formula: (record.expression,),
        str(card.derivative): (card.derivative,),
    }
    for place in (*card.minima, *card.maxima, *card.inflections):
        if place.x is not None and place.value is not None and not isinstance(place.x, sp.Interval):
            equations = (sp.Eq(X, place.x, evaluate=False), sp.Eq(sp.Symbol("f"), place.value, evaluate=False))
            if place.text() == ", ".join(map(_text, equations)):  # no enclosure and no condition beside it
                formulas[place.text()] = equations
    for line in card.asymptotes.values():
        if line is not None:
            expression = line.slope * X + line.intercept
            formulas[str(expression)] = (expression,)
    if isinstance(record, Family):
        return content(card.sheet(), formulas)
    picture = figures.render(figures.function_plot(record), "svg")
    seen = (f"{what} at {', '.join(found)}" for what, found in _seen(card).items() if found)
    alt = "; ".join((f"{record.name} and its first two derivatives", *seen))
    return content(card.sheet(), formulas, picture, alt)


def _seen(card: Card) -> dict[str, list[str]]:
    """What the plot marks, for its alternative text."""
    minima = [figures.place(m) for m in card.minima if not isinstance(m.x, sp.Interval)]
    return {
        "breakpoints": [f"x = {point.x}" for point in card.breakpoints],
        "minimum": [f"x = {x:.6g} with the value {value:.6g}" for x, value in minima],
    }


def page(sheet: Sheet, formulas: Formulas, command: str) -> bytes:
    """The sheet as HTML; `formulas` gives the mathematics of lines by their texts."""
    return _whole(sheet.title, content(sheet, formulas), command)


def content(sheet: Sheet, formulas: Formulas, picture: bytes = b"", alt: str = "") -> str:
    """Lines, tables, notes and the picture, an SVG, of the sheet; its title is for who puts them on a page."""
    lines = "".join(_line(line, formulas) for line in sheet.lines)
    parts = [
        f"<table>{lines}</table>" if lines else "",
        *map(_table, sheet.tables),
        *(f"<p><em>{html.escape(note)}</em></p>" for note in sheet.notes),
        f"<figure>{inline(picture, alt)}</figure>" if picture else "",
    ]
    return "\n".join(filter(None, parts))


def _whole(title: str, inside: str, command: str) -> bytes:
    title = html.escape(title)
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8"/><meta name="viewport" content="width=device-width"/>',
        f"<title>{title}</title>",
        f"<style>\n{STYLE}\n</style></head>",
        f"<body><h1>{title}</h1>",
        inside,
        f"<footer>Made by <code>{html.escape(command)}</code></footer>",
        "</body></html>",
    ]
    return ("\n".join(parts) + "\n").encode()


def inline(svg: bytes, alt: str) -> str:
    """The SVG as an element of a page: without prologue and metadata, with its alternative text."""
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    return text.replace("<svg", f'<svg role="img" aria-label="{html.escape(alt)}"', 1).rstrip()


def _line(line: Line, formulas: Formulas) -> str:
    shown = mathematics(*formulas[line.text]) if line.text in formulas else html.escape(line.text)
    return f"<tr><th>{html.escape(line.label)}</th><td>{shown}</td></tr>\n"


def _table(table: Table) -> str:
    def row(cells: tuple[str, ...], tag: str) -> str:
        kinds = [""] * table.texts + [' class="number"'] * (len(cells) - table.texts)
        inside = "".join(f"<{tag}{kind}>{html.escape(c)}</{tag}>" for kind, c in zip(kinds, cells, strict=True))
        return f"<tr>{inside}</tr>\n"

    body = "".join(row(cells, "td") for cells in table.rows)
    return f"<table><thead>{row(table.headings, 'th')}</thead><tbody>\n{body}</tbody></table>"
