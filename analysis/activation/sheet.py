"""What a record says of itself, apart from how it is drawn: lines and tables, as text and as LaTeX.

A terminal prints a sheet (`analysis.shown.terminal`); a notebook shows its HTML.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Line:
    """A labelled fact; `latex` is the mathematics of `text`, where there is some."""

    label: str
    text: str
    latex: str | None = None


@dataclass(frozen=True)
class Table:
    """Columns with headings; the first `texts` columns are text, the others are numbers, set to the right."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1


@dataclass(frozen=True)
class Sheet:
    title: str
    lines: tuple[Line, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def html(self) -> str:
        """The sheet as HTML with LaTeX between dollars, which a notebook typesets."""
        parts = [f"<p><b>{html.escape(self.title)}</b></p>"]
        if self.lines:
            cells = "".join(
                f"<tr><th style='text-align:left'>{html.escape(line.label)}</th>"
                f"<td style='text-align:left'>{_mathematics(line)}</td></tr>"
                for line in self.lines
            )
            parts.append(f"<table>{cells}</table>")
        parts += [_table(table) for table in self.tables]
        parts += [f"<p><i>{html.escape(note)}</i></p>" for note in self.notes]
        return "".join(parts)


class Record:
    """A record that shows itself in a notebook through its sheet."""

    def sheet(self) -> Sheet:
        raise TypeError(f"{type(self).__name__} must say what it shows")

    def _repr_html_(self) -> str:
        return self.sheet().html()


def decimal(value: float, digits: int = 6) -> str:
    """A float for people, with that many significant digits."""
    return f"{value:.{digits}g}"


def _mathematics(line: Line) -> str:
    return html.escape(line.text) if line.latex is None else f"${html.escape(line.latex, quote=False)}$"


def _table(table: Table) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        aligned = ["left"] * table.texts + ["right"] * (len(cells) - table.texts)
        return "".join(
            f"<{tag} style='text-align:{side}'>{html.escape(cell)}</{tag}>"
            for side, cell in zip(aligned, cells, strict=True)
        )

    body = "".join(f"<tr>{row(cells, 'td')}</tr>" for cells in table.rows)
    return f"<table><thead><tr>{row(table.headings, 'th')}</tr></thead><tbody>{body}</tbody></table>"
