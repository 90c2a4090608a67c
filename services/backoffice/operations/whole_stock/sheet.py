"""Reading a table of stock: what `stocksync report --format csv` wrote, or a spreadsheet saved; pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from shared import spreadsheet
from shared.stock_levels import HEADER
from shared.vocabulary import ProductId, Size

PRODUCT, NAME, SIZE, STOCK = HEADER[:4]
NEEDED: Final = (PRODUCT, SIZE, STOCK)
SEPARATORS: Final = ",;\t"
"""A spreadsheet saves with a semicolon where the comma is for decimals."""


@dataclass(frozen=True, slots=True)
class Row:
    """One size as the file has it; `stock` is what stands there. `line` is that of the file, from 1."""

    line: int
    product: ProductId
    name: str
    size: Size
    stock: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a line of the file; line 0: with all of it."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows that could be read, and what could not."""

    rows: tuple[Row, ...] = ()
    problems: tuple[Problem, ...] = ()


class _Broken(Exception):
    """From this line on it is no table."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.problem = Problem(line, why)


def read(content: bytes) -> Sheet:
    """The rows of a table in UTF-8, with or without a byte order mark, separated by comma, semicolon or tab."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Sheet(problems=(Problem(line, "it is not in UTF-8: save the file as “CSV UTF-8”"),))
    if not text.strip():
        return Sheet(problems=(Problem(0, "the file is empty"),))
    return min((_table(text, separator) for separator in SEPARATORS), key=_lacks).sheet()


@dataclass(frozen=True, slots=True)
class _Table:
    """A text as one separator splits it: the names in its first line."""

    text: str
    separator: str
    header: tuple[str, ...]

    @property
    def lacking(self) -> list[str]:
        return [name for name in NEEDED if name.lower() not in self.header]

    def sheet(self) -> Sheet:
        problems = [Problem(0, f"there is no column {name!r}") for name in self.lacking]
        problems += [
            Problem(0, f"there are several columns {name!r}")
            for name in NEEDED
            if self.header.count(name.lower()) > 1
        ]
        if problems:
            return Sheet(problems=tuple(problems))
        rows: list[Row] = []
        records = _records(self.text, self.separator)
        next(records)  # the header
        try:
            for line, cells in records:
                found = self._row(line, cells)
                if isinstance(found, Row):
                    rows.append(found)
                else:
                    problems.append(found)
        except _Broken as broken:
            problems.append(broken.problem)
        if not rows and not problems:
            problems.append(Problem(0, "there is no row below the header"))
        return Sheet(tuple(rows), tuple(problems))

    def _row(self, line: int, cells: list[str]) -> Row | Problem:
        if any(cells[len(self.header) :]):
            return Problem(
                line,
                f"there are {len(cells)} cells below {len(self.header)} columns: names with a separator"
                " in them need quotes",
            )
        named = {name: spreadsheet.plain(cell) for name, cell in zip(self.header, cells, strict=False)}
        product, name, size, stock = (named.get(column.lower(), "") for column in HEADER[:4])
        return Row(line, ProductId(product), name, Size(size), stock)


def _table(text: str, separator: str) -> _Table:
    try:
        _, first = next(_records(text, separator))
    except _Broken:
        first = []
    return _Table(text, separator, _names(first))


def _lacks(table: _Table) -> int:
    return len(table.lacking)


def _names(cells: list[str]) -> tuple[str, ...]:
    return tuple(cell.strip().lower() for cell in cells)


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold anything, each with the line in which it begins; raises _Broken."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _Broken(line, f"it can't be read as a table ({error})") from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield line, cells
        line = reader.line_num + 1
