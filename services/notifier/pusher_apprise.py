"""The one door to apprise, which is not always installed: short messages to chat and phone services."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol, cast

from services.notifier.push import Push
from shared import logs

log = logs.get(__name__)

MISSING = "needs a package that is not installed: .venv/bin/pip install 'apprise>=2'"


class Notifying(Protocol):
    """The part of `apprise.Apprise` that is used here."""

    def add(self, servers: str) -> bool:
        """Take in one address; False where it is not understood."""
        ...

    def notify(self, body: str, title: str) -> object:
        """Tell the address; true in the sense of `bool` where it took it, of whatever type."""
        ...


class ApprisePusher:
    """Pushes to addresses, each in an `apprise.Apprise` of its own: one that is dead must not make all look so."""

    def __init__(self, addresses: Sequence[Notifying]) -> None:
        self._addresses = addresses

    def push(self, message: Push) -> bool:
        """Hand `message` to every address; whether one of them took it."""
        taken = [_told(number, one, message) for number, one in enumerate(self._addresses, 1)]
        return any(taken)


def _told(number: int, address: Notifying, message: Push) -> bool:
    """Whether the address took it; the log names it by its number, because it may hold a password."""
    try:
        taken = bool(address.notify(body=message.text, title=message.title))
    except Exception as error:  # noqa: BLE001 - many services, whose errors may quote addresses and keys
        log.warning("push_broken", address=number, error=type(error).__name__)
        return False
    if not taken:
        log.warning("push_refused", address=number)
    return taken


def parse(urls: str) -> tuple[str, ...]:
    """The addresses in `urls`, comma-separated; raises ValueError with a text that repeats none."""
    found = tuple(url for part in urls.split(",") if (url := part.strip()))
    if not found or any("://" not in url for url in found):
        raise ValueError("must be addresses as apprise writes them, such as ntfys://host/topic")
    return found


def connect(urls: Sequence[str], made: Callable[[], Notifying] | None = None) -> ApprisePusher:
    """A pusher to `urls`; raises ValueError where apprise is missing or does not understand one of them."""
    make = made or _apprise()
    addresses = [make() for _ in urls]
    for number, (address, url) in enumerate(zip(addresses, urls, strict=True), 1):
        if not address.add(url):
            raise ValueError(f"apprise does not understand address number {number}")
    return ApprisePusher(addresses)


def _apprise() -> Callable[[], Notifying]:
    try:
        import apprise  # noqa: PLC0415 # pyright: ignore[reportMissingImports] - an extra; who has none pays nothing
    except ImportError:
        raise ValueError(MISSING) from None
    logging.getLogger("apprise").disabled = True  # its lines may quote addresses and keys
    return cast("Callable[[], Notifying]", apprise.Apprise)  # pyright: ignore[reportUnknownMemberType]
