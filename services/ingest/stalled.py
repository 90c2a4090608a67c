"""Cuts off clients whose request's body does not come, so that they can't hold the door's threads."""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Final

from shared import logs

PATIENCE: Final = 20.0  # seconds a connection may stay without an answer
_EVERY: Final = 1.0  # seconds
_ESTABLISHED: Final = 1
_TCP_INFO: Final = struct.Struct("@8B13I")  # Linux' tcp_info up to tcpi_last_ack_recv
_STATE: Final = 0  # position in it
_LAST_DATA_SENT: Final = 17  # position in it; milliseconds

log = logs.get(__name__)


def watch(port: int, stop: Event, patience: float = PATIENCE) -> None:
    """Until `stop`: end every connection to `port` on which nothing was answered for `patience` seconds.

    The server closes idle connections and slow headers sooner than that, and a publish has its own deadline;
    what is left is a body that does not come. Its reader then sees the end of the stream and answers 408.
    Works where the kernel tells (Linux); elsewhere a reverse proxy has to bound bodies.
    """
    if sys.platform != "linux":
        log.warning("slow_bodies_unbounded", platform=sys.platform)
        return
    while not stop.wait(_EVERY):
        cut = sum(_cut(descriptor, port, patience) for descriptor in _descriptors())
        if cut:
            log.info("stalled_connections_cut", count=cut)


def _descriptors() -> Iterator[int]:
    return map(int, os.listdir("/proc/self/fd"))  # noqa: PTH208 - numbers, not paths


def _cut(descriptor: int, port: int, patience: float) -> bool:
    """Stop reading from the connection behind `descriptor` if it is one of `port`'s and stalled."""
    try:
        with _socket(descriptor) as connection:
            if connection.getsockname()[1:2] != (port,) or not _stalled(connection, patience):
                return False
            connection.shutdown(socket.SHUT_RD)
    except OSError:
        return False  # closed meanwhile, or no socket
    return True


@contextmanager
def _socket(descriptor: int) -> Generator[socket.socket]:
    """The socket behind `descriptor`, which stays open; raises OSError where it is none."""
    copy = os.dup(descriptor)
    try:
        connection = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise
    with connection:
        yield connection


def _stalled(connection: socket.socket, patience: float) -> bool:
    raw = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
    info = _TCP_INFO.unpack(raw)
    return info[_STATE] == _ESTABLISHED and info[_LAST_DATA_SENT] > patience * 1000
