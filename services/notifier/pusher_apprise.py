"""The one door to apprise, which is not always installed: short messages to chat and phone services."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol, cast

from services.notifier.push import Push
from shared import logs

log = logs.get(__name__)

MISSING = "needs a package that is not installed: pip install 'stocksync[apprise]'"


class Notifying(Protocol):
    """The part of `apprise.Apprise` that is used here."""

    def add(self, servers: str) -> bool:
        """Take in one address; False where it is not understood."""
        ...

    def notify(self, body: str, title: str) -> object:
        """Tell every address; true in the sense of `bool` where all took it, of whatever type."""
        ...


class ApprisePusher:
    """Pushes to the addresses that were added to an `apprise.Apprise`."""

    def __init__(self, apprise: Notifying) -> None:
        self._apprise = apprise

    def push(self, message: Push) -> bool:
        """Hand `message` to every address; whether all took it."""
        try:
            return bool(self._apprise.notify(body=message.text, title=message.title))
        except Exception as error:  # noqa: BLE001 - many services, whose errors may quote addresses and keys
            log.warning("push_broken", error=type(error).__name__)
            return False


def parse(urls: str) -> tuple[str, ...]:
    """The addresses in `urls`, comma-separated; raises ValueError with a text that repeats none."""
    found = tuple(url for part in urls.split(",") if (url := part.strip()))
    if not found or any("://" not in url for url in found):
        raise ValueError("must be addresses as apprise writes them, such as ntfys://host/topic")
    return found


def connect(urls: Sequence[str], made: Notifying | None = None) -> ApprisePusher:
    """A pusher to `urls`; raises ValueError where apprise is missing or does not understand one of them."""
    apprise = made or _apprise()
    for number, url in enumerate(urls, 1):
        if not apprise.add(url):
            raise ValueError(f"apprise does not understand address number {number}")
    return ApprisePusher(apprise)


def _apprise() -> Notifying:
    try:
        import apprise  # noqa: PLC0415 # pyright: ignore[reportMissingImports] - an extra; who has none pays nothing
    except ImportError:
        raise ValueError(MISSING) from None
    logging.getLogger("apprise").disabled = True  # its lines may quote addresses and keys
    return cast("Notifying", apprise.Apprise())  # pyright: ignore[reportUnknownMemberType]
