"""Debian's Chromium, driven by playwright: pages as people see them, whatever they complain of kept."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Response, expect, sync_playwright

from tests.support.missing import missing

CHROMIUM: Final = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
"""The one that never has a window needs less than half the processor time for the same pages."""
WIDE: Final = 1200
NARROW: Final = 390
HEIGHT: Final = 900
PATIENCE: Final = 30_000
"""Milliseconds for whatever a page is to do or to show."""
GRAVE: Final = ("serious", "critical")
COLOURS: Final = ("color-contrast", "link-in-text-block")
"""Rules of axe that what is dark, and nothing else of a page, can break."""
_TABS: Final = 120
"""More than any page has places to stop at."""
_AXE: Final = """async (rules) => {
    const options = {resultTypes: ["violations"]};
    if (rules.length) options.runOnly = rules;
    const found = await axe.run(options);
    return found.violations.map((one) => [one.impact, one.id, one.nodes.slice(0, 3).map((node) => node.html)]);
}"""
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
    here = next((path for path in CHROMIUM if path.is_file()), None)
    if here is None:
        missing("Chromium", "On Debian: sudo apt-get install chromium-headless-shell libatomic1")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=here, args=_QUIET)
        yield browser
        browser.close()


@dataclass(slots=True)
class Window:
    """One window of a person, what its console complained of, and what it was answered."""

    page: Page
    complaints: list[str] = field(default_factory=list[str])
    answered: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """(method, path) of what was answered, and not with a problem."""

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", lambda message: self._hear(message))  # noqa: PLW0108 - playwright marks methods
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", lambda response: self._note(response))  # noqa: PLW0108 - the same
        self.page.on("download", lambda file: self.answered.add(("GET", urlsplit(file.url).path)))

    def _hear(self, message: ConsoleMessage) -> None:
        refused = message.text.startswith("Failed to load resource") and "status of 4" in message.text
        if message.type in {"error", "warning"} and not refused:
            self.complaints.append(f"{message.text} ({self.page.url})")

    def _note(self, response: Response) -> None:
        if response.status < 400:
            self.answered.add((response.request.method, urlsplit(response.url).path))

    def tab_to(self, target: Locator) -> None:
        """Press Tab until the focus is on `target`, or on another choice of its group; fail where it never is."""
        one = target.element_handle()
        for _ in range(_TABS):
            self.page.keyboard.press("Tab")
            if one.evaluate(
                """one => {
                    const at = document.activeElement;
                    return one === at || (one.type === "radio" && at.type === "radio" && one.name === at.name);
                }"""
            ):
                return
        raise AssertionError(f"no Tab leads to {target} on {self.page.url}")

    def resize(self, width: int) -> None:
        """As wide as a screen of that width."""
        self.page.set_viewport_size({"width": width, "height": HEIGHT})

    def look(self, scheme: Literal["light", "dark"], *rules: str) -> list[str]:
        """What axe finds grave, in this scheme; of these rules alone where some are given."""
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        found: list[tuple[str, str, list[str]]] = self.page.evaluate(_AXE, list(rules))
        return [
            f"{self.page.url} {scheme}: {rule}: {[text[:120] for text in texts]}"
            for impact, rule, texts in found
            if impact in GRAVE
        ]

    def overflows(self) -> list[str]:
        """Whether the page is wider than its window."""
        wide = self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        return [f"{self.page.url} is wider than its window"] if wide else []
