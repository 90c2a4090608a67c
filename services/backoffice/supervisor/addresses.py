"""Ports of this machine: a free one where 0 is asked for, a clear word where one is taken."""

from __future__ import annotations

import socket


class Taken(Exception):
    """Another program listens there; the text is fit for people."""


def resolve(setting: str, bind: str) -> str:
    """`bind` with a real port that could be bound just now; raises Taken, naming `setting`."""
    host, _, port = bind.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as error:
            raise Taken(f"{setting}: {bind} can't be used: {error.strerror}") from None
        return f"{host}:{probe.getsockname()[1]}"
