"""How people work on a page: with a mouse or a finger, or with the keyboard alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from playwright.sync_api import Locator

from tests.support.chromium import Window

_CHOICES: Final = 20
"""More than any group of choices of a test has."""


class Hand(Protocol):
    """What somebody does with one thing of a page."""

    def press(self, thing: Locator) -> None:
        """A button, or a link."""
        ...

    def write(self, place: Locator, text: str) -> None:
        """Into a field, instead of what is there."""
        ...

    def tick(self, choice: Locator) -> None:
        """A box, or one of several choices."""
        ...

    def choose(self, box: Locator, name: str) -> None:
        """One of a list, by its name."""
        ...

    def give(self, place: Locator, file: Path) -> None:
        """A file, where the browser asks for one."""
        ...


@dataclass(frozen=True, slots=True)
class Pointer:
    """A mouse or a finger."""

    window: Window

    def press(self, thing: Locator) -> None:
        """Click it."""
        thing.click()

    def write(self, place: Locator, text: str) -> None:
        """Type there."""
        place.fill(text)

    def tick(self, choice: Locator) -> None:
        """Click it, unless it is ticked."""
        choice.check()

    def choose(self, box: Locator, name: str) -> None:
        """Pick it of the list."""
        box.select_option(label=name)

    def give(self, place: Locator, file: Path) -> None:
        """Click, and pick the file."""
        with self.window.page.expect_file_chooser() as asked:
            place.click()
        asked.value.set_files(file)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keyboard, and nothing else."""

    window: Window

    def press(self, thing: Locator) -> None:
        """Come to it, and press Enter."""
        self.window.tab_to(thing)
        self._key("Enter")

    def write(self, place: Locator, text: str) -> None:
        """Come to it, and type."""
        self.window.tab_to(place)
        self._key("ControlOrMeta+a")
        self.window.page.keyboard.type(text)

    def tick(self, choice: Locator) -> None:
        """Come to it, and press Space; between several choices, arrows."""
        self.window.tab_to(choice)
        if choice.get_attribute("type") == "checkbox":
            self._key("Space")
        for _ in range(_CHOICES):
            if choice.is_checked():
                return
            self._key("ArrowDown")
        raise AssertionError(f"no arrow leads to {choice}")

    def choose(self, box: Locator, name: str) -> None:
        """Come to it, and go down the list."""
        self.window.tab_to(box)
        self._key("Home")
        for _ in range(_CHOICES):
            if box.evaluate("one => one.selectedOptions[0].text") == name:
                return
            self._key("ArrowDown")
        raise AssertionError(f"no arrow leads to {name!r}")

    def give(self, place: Locator, file: Path) -> None:
        """Come to it; the window in which one picks is the browser's own, and does not always come to a program."""
        self.window.tab_to(place)
        place.set_input_files(file)

    def _key(self, name: str) -> None:
        self.window.page.keyboard.press(name)
