"""What a request asks for, as text that can be kept: fields of forms, the tab, the page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flask import request

from shared.refusal import Refused
from shared.storable import storable_text

NUMBER: Final = "<int(max=9223372036854775807):number>"
"""Of a row, in a path: what a bigint holds."""
LONGEST: Final = 200  # characters of a field
_PAGES: Final = 100_000


class Missing(Refused):
    """A form lacks what it can't do without; the text is fit for people."""


def field(name: str) -> str:
    """The field of the form without space around it, '' where there is none."""
    return _plain(request.form.get(name, ""))


def needed(name: str, problem: str) -> str:
    """The field of the form; raises Missing with `problem` where it is empty."""
    found = field(name)
    if not found:
        raise Missing(problem)
    return found


def argument(name: str) -> str:
    """What the address says of `name`, '' where it says nothing."""
    return _plain(request.args.get(name, ""))


def tab(known: Iterable[str]) -> str:
    """Which of the tabs `known` is asked for, the first where it is none of them."""
    tabs, asked = list(known), request.args.get("show", "")
    return asked if asked in tabs else tabs[0]


def page_number() -> int:
    """Which page is asked for, from 1."""
    return max(1, min(request.args.get("page", 1, type=int) or 1, _PAGES))


def _plain(text: str) -> str:
    return storable_text(text).strip()[:LONGEST]
