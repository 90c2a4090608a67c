"""A list a page at a time, without counting all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

PAGE: Final = 25

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The lines of page `number` (from 1), and whether there are `more` after it."""

    lines: list[T]
    number: int
    more: bool


def page(read: Callable[[int, int], list[T]], number: int) -> Page[T]:
    """Page `number` of what `read` finds, given a limit and an offset."""
    found = read(PAGE + 1, (number - 1) * PAGE)
    return Page(found[:PAGE], number, more=len(found) > PAGE)
