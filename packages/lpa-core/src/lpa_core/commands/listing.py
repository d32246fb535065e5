"""Lists for people: a row for each thing if rows fit the width, else a few lines for each. Nothing is cut."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, final

import attrs
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lpa_core.commands.output import plain

_GAP: Final = 2
_NARROWEST_PROSE: Final = 30

Cell = str | Text


@final
@attrs.frozen
class ListColumn:
    """``prose`` may be wrapped between words, ``right`` is for numbers."""

    name: str
    right: bool = False
    prose: bool = False


def print_list(
    console: Console, columns: Sequence[str | ListColumn], rows: Iterable[Sequence[Cell]], *, title: str = ""
) -> None:
    """Print rows. If they are too wide, print the first cell of each, which names it, and the others below it."""
    named = [ListColumn(column) if isinstance(column, str) else column for column in columns]
    cells = [[_text(cell) for cell in row] for row in rows]
    if title:
        print_paragraph(console, plain(title, "bold"))
    if _fits(console, named, cells):
        for line in console.render_lines(_table(named, cells), pad=False):
            text = Text.assemble(*((segment.text, segment.style or "") for segment in line))
            text.rstrip()
            console.print(text, soft_wrap=True)
        return
    for heading, *rest in cells:
        print_paragraph(console, heading)
        told = [
            f"{column.name}: {cell}".removeprefix(": ") for column, cell in zip(named[1:], rest, strict=True) if cell
        ]
        if told:
            print_paragraph(console, "; ".join(told), first="  ", indent="  ")


def print_block(console: Console, heading: Cell, fields: Iterable[tuple[str, Cell]]) -> None:
    """Print a thing's name, and below it a line for each field that has a value, wrapped between words."""
    print_paragraph(console, _text(heading))
    told = [(name, text) for name, value in fields if (text := _text(value))]
    width = max((len(name) for name, _ in told), default=0)
    for name, text in told:
        print_paragraph(console, text, first=f"  {name:{width}}  ", indent=" " * (width + 4))


def print_paragraph(console: Console, text: Cell, *, first: str = "", indent: str = "") -> None:
    """Print text wrapped between words: a word that is longer than the line, such as a path, stays whole.

    Text with ``overflow="fold"`` is broken wherever a line is full. ``first`` begins the first line, ``indent`` the
    others.
    """
    lines = _lines(_text(text), console.width - max(len(first), len(indent)))
    for number, line in enumerate(lines):
        line.rstrip()
        console.print(Text(indent if number else first) + line, soft_wrap=True)


def _lines(text: Text, width: int) -> Sequence[Text]:
    breaks, used = [], 0
    for word in re.finditer("." if text.overflow == "fold" else r"\S+\s*", text.plain):
        if used and used + cell_len(word[0].rstrip()) > width:
            breaks.append(word.start())
            used = 0
        used += cell_len(word[0])
    return list(text.divide(breaks))


def _text(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else plain(cell)


def _fits(console: Console, columns: Sequence[ListColumn], rows: Sequence[Sequence[Text]]) -> bool:
    widths = [_GAP * (len(columns) - 1)]
    for index, column in enumerate(columns):
        widest = max((row[index].cell_len for row in rows), default=0)
        if column.prose:
            longest_word = max((cell_len(word) for row in rows for word in row[index].plain.split()), default=0)
            widest = min(widest, max(_NARROWEST_PROSE, longest_word))
        widths.append(max(widest, len(column.name)))
    return sum(widths) <= console.width


def _table(columns: Sequence[ListColumn], rows: Sequence[Sequence[Text]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(
            column.name, justify="right" if column.right else "left", no_wrap=not column.prose, overflow="fold"
        )
    for row in rows:
        table.add_row(*row)
    return table
