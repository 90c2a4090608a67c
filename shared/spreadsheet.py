"""Rows as CSV (RFC 4180) that a spreadsheet shows as they are, whatever somebody typed into a name."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

Value: TypeAlias = "str | int | None"

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
"""What a spreadsheet takes for the beginning of a formula, in full width too; and what was made safe looks like."""
_INSIDE: Final = re.compile(r"""([;|\t\r\n][ "]*)(?='*[=+\-@＝＋－＠])""")
"""Where a spreadsheet that splits lines at another separator, as in Germany, finds such a beginning inside a cell."""
_SAFE: Final = re.compile(rf"'{_FORMULA.pattern}")
_SAFE_INSIDE: Final = re.compile(r"""([;|\t\r\n][ "]*)'(?='*[=+\-@＝＋－＠])""")


def cell(value: Value) -> str:
    """`value` as text that no spreadsheet runs; numbers stay numbers, None is empty."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    safe = _INSIDE.sub(r"\1'", value)
    return f"'{safe}" if _FORMULA.match(value) else safe


def plain(written: str) -> str:
    """The text that `cell` wrote as `written`: each text has one way to be written."""
    shown = written[1:] if _SAFE.match(written) else written
    return _SAFE_INSIDE.sub(r"\1", shown)


def lines(header: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[str]:
    """The lines of a table, the header first, each with its CRLF."""
    yield _line(header)
    for row in rows:
        yield _line([cell(value) for value in row])


def _line(cells: Sequence[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow(cells)
    return written.getvalue()
