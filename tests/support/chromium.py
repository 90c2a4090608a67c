"""Debian's Chromium, driven by playwright: pages as people see them, whatever they complain of kept."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, cast

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.support.missing import missing

CHROMIUM: Final = Path("/usr/bin/chromium")
WIDE: Final = 1200
NARROW: Final = 390
GRAVE: Final = ("serious", "critical")
_TABS: Final = 80
"""More than any page has places to stop at."""
_QUIET: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
]


@contextmanager
def chromium() -> Generator[Browser]:
    """The browser, without a window."""
    if not CHROMIUM.is_file():
        missing("Chromium", "On Debian: sudo apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        yield browser
        browser.close()


@dataclass(slots=True)
class Window:
    """One window of a person, and what its console complained of."""

    page: Page
    complaints: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.page.set_default_timeout(20_000)
        self.page.on("console", lambda message: self._hear(message))  # noqa: PLW0108 - playwright marks methods
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        refused = message.text.startswith("Failed to load resource") and "status of 4" in message.text
        if message.type in {"error", "warning"} and not refused:
            self.complaints.append(f"{message.text} ({self.page.url})")

    def tab_to(self, name: str) -> None:
        """Press Tab until what has the focus is called, or says, `name`; fail where it never does."""
        for _ in range(_TABS):
            self.page.keyboard.press("Tab")
            if name in self._focused():
                return
        raise AssertionError(f"no Tab leads to {name!r} on {self.page.url}")

    def _focused(self) -> set[str]:
        return set(
            self.page.evaluate(
                """() => {
                    const one = document.activeElement;
                    return [one.name || "", one.innerText || "", one.value || ""];
                }"""
            )
        )

    def look(self, scheme: Literal["light", "dark"], *rules: str) -> list[str]:
        """What axe finds grave, in this scheme; of these rules alone where some are given."""
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        options = {"runOnly": list(rules)} if rules else {}
        answer = Axe().run(self.page, options=options)  # pyright: ignore[reportUnknownMemberType] - no types
        found = cast("list[dict[str, Any]]", answer.response["violations"])  # pyright: ignore[reportUnknownMemberType]
        return [
            f"{self.page.url} {scheme}: {one['id']}: {[node['html'][:120] for node in one['nodes']][:3]}"
            for one in found
            if one["impact"] in GRAVE
        ]

    def overflows(self) -> list[str]:
        """Whether the page is wider than its window."""
        wide = self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        return [f"{self.page.url} is wider than its window"] if wide else []
