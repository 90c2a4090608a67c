"""Ports of this machine: a free one where 0 is asked for, a clear word where one is taken."""

from __future__ import annotations

from threading import Event
from typing import Final

from shared import clock
from shared.free_ports import claim, free_port

RETRY_SECONDS: Final = 0.1


class Taken(Exception):
    """An address or a folder can't be used, or is another program's; the text is fit for people."""


def resolve(setting: str, bind: str, patience: float = 0.0) -> str:
    """`bind` with a real port that can be bound, now or within `patience` seconds; raises Taken, naming `setting`."""
    deadline = clock.monotonic() + patience
    while True:
        try:
            return _bound(bind)
        except OSError as error:
            if clock.monotonic() >= deadline:
                raise Taken(f"{setting}: {bind} can't be used: {error.strerror}") from None
            Event().wait(RETRY_SECONDS)


def _bound(bind: str) -> str:
    host, _, port = bind.rpartition(":")
    address = host.strip("[]")
    chosen = int(port) or free_port(address)
    claim(address, chosen)
    return f"{host}:{chosen}"
