"""A sheet as rich renders it on a terminal. Nothing is printed here."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from analysis.activation.sheet import Sheet, Table

LONGEST = 600  # characters of one text; a formula of many pieces is whole in the JSON
VERDICT_STYLES = {"PROVED": "bold green", "REFUTED": "bold red", "UNDECIDED": "bold yellow", "MEASURED": "bold blue"}


def render(sheet: Sheet) -> RenderableType:
    """The sheet: title, labelled lines in two columns, tables, notes."""
    parts: list[RenderableType] = [Text(_cropped(sheet.title, LONGEST // 3), style="bold")]
    if sheet.lines:
        grid = RichTable.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for line in sheet.lines:
            grid.add_row(Text(f"  {line.label}"), _coloured(line.text))
        parts.append(grid)
    parts += [_table(table) for table in sheet.tables]
    parts += [Text(f"  {note}", style="italic") for note in sheet.notes]
    return Group(*parts)


def _cropped(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest // 2]} ... {text[-longest // 4 :]}"


def _coloured(text: str) -> Text:
    text = _cropped(text)
    first = text.split(" ", 1)[0]
    coloured = Text(text)
    if first in VERDICT_STYLES:
        coloured.stylize(VERDICT_STYLES[first], 0, len(first))
    return coloured


def _table(table: Table) -> RichTable:
    drawn = RichTable(box=None, pad_edge=True, padding=(0, 1), header_style="dim")
    for i, heading in enumerate(table.headings):
        drawn.add_column(heading, justify="left" if i < table.texts else "right", overflow="fold")
    for row in table.rows:
        drawn.add_row(*map(_coloured, row))
    return drawn
