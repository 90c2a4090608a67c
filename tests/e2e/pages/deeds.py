"""What people do on the pages, each written down once, whichever way they do it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Locator, Page, expect

from shared.database.pool import Database
from shared.vocabulary import ProductId
from tests.e2e.pages.shop import Stage
from tests.support import past
from tests.support.chromium import Window
from tests.support.hands import Hand
from tests.support.pages import PASSWORD, Pages

_NUMBERS: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Scene:
    """Somebody's window on the shop, and how they work in it."""

    stage: Stage
    window: Window
    hand: Hand

    @property
    def page(self) -> Page:
        """What the window shows."""
        return self.window.page

    @property
    def pages(self) -> Pages:
        """What serves it."""
        return self.stage.pages

    @property
    def database(self) -> Database:
        """What lies behind it."""
        return self.stage.pages.database

    def product(self, name: str, *sizes: str) -> tuple[ProductId, str]:
        """A new product with ten of each size, and its name, which no other has."""
        called = f"{name} no. {next(_NUMBERS):04}"
        return past.product(self.database, called, *sizes), called

    def go(self, path: str) -> None:
        """To that page, as by a bookmark."""
        self.page.goto(path)

    def log_in(self, password: str = PASSWORD) -> None:
        """Type it, and press the button."""
        self.write(self.page, "Name", "olga")
        self.write(self.page, "Password", password)
        self.press(self.page, "Log in")

    def part(self, name: str) -> Locator:
        """The part of the page below that heading."""
        return self.page.get_by_role("region", name=name, exact=True)

    def card(self, words: str) -> Locator:
        """The one of a list that holds these words."""
        return self.page.get_by_role("article").filter(has_text=words)

    def press(self, place: Locator | Page, name: str) -> None:
        """The button of that name."""
        self.hand.press(place.get_by_role("button", name=name, exact=True))

    def follow(self, place: Locator | Page, name: str) -> None:
        """The link of which that is the name, or a part of it."""
        self.hand.press(place.get_by_role("link", name=name))

    def write(self, place: Locator | Page, label: str, text: str) -> None:
        """Into the field of that label."""
        self.hand.write(place.get_by_label(label), text)

    def choose(self, place: Locator | Page, label: str, name: str) -> None:
        """In the list of that label."""
        self.hand.choose(place.get_by_role("combobox", name=label), name)

    def told(self, words: str) -> None:
        """The page that follows says so."""
        expect(self.page.get_by_role("status")).to_contain_text(words)

    def ready(self, queue: str) -> int:
        """Messages that wait in the queue."""
        return self.pages.broker.depth(queue).ready

    def aside(self, queue: str) -> int:
        """Messages of the queue that lie aside."""
        return self.pages.broker.depth(queue).dead


Act = Callable[[Scene], None]


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that is done on the pages: the endpoints that it needs, and whether it is one of the `chief` ones.

    One that is `alone` has a window of its own, and comes in by itself.
    """

    act: Act
    endpoints: tuple[str, ...]
    chief: bool
    alone: bool

    @property
    def name(self) -> str:
        """What it is called in the list of tests."""
        return self.act.__name__


DEEDS: Final[list[Deed]] = []


def deed(*endpoints: str, chief: bool = False, alone: bool = False) -> Callable[[Act], Act]:
    """What is decorated is done by browsers; `chief` deeds on every way."""

    def keep(act: Act) -> Act:
        DEEDS.append(Deed(act, endpoints, chief, alone))
        return act

    return keep
