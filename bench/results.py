"""The last measurements on a page with a section for each: writing one leaves the others as they are."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

PAGE: Final = Path(__file__).parent / "results.md"
WIDTH: Final = 100
_TITLE: Final = "# The last measurements\n"
_SECTION: Final = re.compile(r"^## (.+)$", re.MULTILINE)


def keep(section: str, command: str, circumstances: str, table: Table, *, page: Path = PAGE) -> None:
    """Put the section of one measurement into `page`, in place of its predecessor; sections go by name."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    text = f"`{command}` on {machine}; {circumstances}\n\n```\n{_plain(table)}\n```"
    sections = _sections(page.read_text(encoding="utf-8")) if page.exists() else {}
    sections[section] = text
    parts = [_TITLE, *(f"## {name}\n\n{sections[name]}\n" for name in sorted(sections))]
    page.write_text("\n".join(parts), encoding="utf-8")


def _sections(text: str) -> dict[str, str]:
    _, *pairs = _SECTION.split(text)
    return {name: body.strip() for name, body in zip(pairs[::2], pairs[1::2], strict=True)}


def _plain(table: Table) -> str:
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(width=WIDTH, record=True, file=nowhere)
        console.print(table)
        return console.export_text().rstrip()
