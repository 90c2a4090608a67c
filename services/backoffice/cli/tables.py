"""Tables on the terminal, and a line of little bars; names from outside are shown, never obeyed."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from shared.stock_levels import Status

STYLES: Final = {
    Status.OUT: "bold red",
    Status.LOW: "yellow",
    Status.ENOUGH: "green",
    Status.UNREADABLE: "magenta",
}
BARS: Final = "▁▂▃▄▅▆▇█"
UNKNOWN: Final = "·"
WIDEST: Final = 60  # bars


def visible(text: str) -> str:
    """`text` on one line, without characters that a terminal would obey."""
    return "".join(" " if unicodedata.category(c)[0] == "C" else c for c in text)


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """A plain table; the columns named in `right` hold numbers."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        made.add_column(column, overflow="fold", justify="right" if column in right else "left")
    return made


def add(made: Table, *cells: str | int | Text) -> None:
    """One row; text is taken as it stands, whatever brackets are in it."""
    made.add_row(*(cell if isinstance(cell, Text) else Text(visible(str(cell))) for cell in cells))


def show(made: Table) -> None:
    """Print the table."""
    Console(highlight=False).print(made)


def coloured(text: str, style: str) -> Text:
    """Text in a colour."""
    return Text(visible(text), style)


def standing(status: Status) -> Text:
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
