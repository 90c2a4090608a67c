"""Tables on the terminal, and a line of little bars; names from outside are shown, never obeyed."""

from __future__ import annotations

import math
import shutil
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from shared.vocabulary import StockStatus

STYLES: Final = {
    StockStatus.OUT: "bold red",
    StockStatus.LOW: "yellow",
    StockStatus.IN: "green",
    StockStatus.NOT_A_NUMBER: "magenta",
    StockStatus.NO_VALUE: "magenta",
}
BARS: Final = "▁▂▃▄▅▆▇█"
UNKNOWN: Final = "·"
WIDEST: Final = 60  # bars
GAP: Final = 2
"""Columns of the terminal between two of the table."""
ENDLESS: Final = 10_000
"""How wide it is where nobody looks: what reads a pipe gets a row a line."""


def visible(text: str) -> str:
    """`text` on one line, without characters that a terminal would obey."""
    return "".join(" " if unicodedata.category(c)[0] == "C" else c for c in text)


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """A plain table; the columns named in `right` hold numbers."""
    made = Table(box=None, padding=(0, GAP, 0, 0), header_style="dim")
    for column in columns:
        made.add_column(column, overflow="fold", justify="right" if column in right else "left")
    return made


def add(made: Table, *cells: str | int | Text) -> None:
    """One row; text is taken as it stands, whatever brackets are in it."""
    made.add_row(*(cell if isinstance(cell, Text) else Text(visible(str(cell))) for cell in cells))


def show(made: Table) -> None:
    """Print the table, no word broken; where that needs more room than there is, each row as lines of its own."""
    width = shutil.get_terminal_size((ENDLESS, 0)).columns
    console = Console(highlight=False, width=width)
    words = [[str(cell).split() for cell in (column.header, *column.cells)] for column in made.columns]
    for column, cells in zip(made.columns, words, strict=True):
        column.no_wrap = all(len(cell) <= 1 for cell in cells)
    narrowest = sum(
        GAP + max((cell_len(word) for cell in cells for word in cell), default=0) for cells in words
    )
    if narrowest <= width:
        console.print(made)
        return
    for number, record in enumerate(_records(made)):
        console.print(*([""] if number else []), record, sep="\n")


def _records(made: Table) -> Iterator[Table]:
    names = [str(column.header) for column in made.columns]
    for row in zip(*(column.cells for column in made.columns), strict=True):
        record = Table.grid("", "", padding=(0, GAP, 0, 0))
        record.columns[0].style = "dim"
        record.columns[1].overflow = "fold"
        for name, cell in zip(names, row, strict=True):
            if str(cell):
                record.add_row(name, cell)
        yield record


def coloured(text: str, style: str) -> Text:
    """Text in a colour."""
    return Text(visible(text), style)


def standing(status: StockStatus) -> Text:
    """A status in its colour."""
    return Text(status.value, STYLES[status])


def sparkline(points: Sequence[int | None], widest: int = WIDEST) -> str:
    """The points as bars from 0 up, at most `widest` of them: of several days in one bar the last counts."""
    count = min(len(points), widest)
    last = [points[(n + 1) * len(points) // count - 1] for n in range(count)]
    top = max((point for point in last if point is not None), default=0)
    return "".join(UNKNOWN if point is None else _bar(point, top) for point in last)


def _bar(point: int, top: int) -> str:
    """The lowest bar is for nothing left; whatever is left is higher."""
    if point <= 0:
        return BARS[0]
    return BARS[max(1, math.floor(point * (len(BARS) - 1) / top))]
