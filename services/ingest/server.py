"""The processes around the application: granian with workers that die with their parent."""

from __future__ import annotations

import functools
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import Pipe, Semaphore
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Semaphore as SemaphoreType
from multiprocessing.util import Finalize
from threading import Event, Thread
from typing import Any, Final

from granian import Granian
from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.http import HTTP1Settings
from granian.log import LogLevels

from services.ingest import stalled
from services.ingest.app import Application
from shared import clock, logs, own_pages
from shared.settings import WRONG_SETTING

HEADERS_WITHIN: Final = 8_000  # milliseconds, also how long a connection may idle
STOP_WITHIN: Final = 7  # seconds, more than a publish may take
_ADDRESS_FREE_WITHIN: Final = 9.0  # seconds, more than a predecessor needs to stop
_BACKLOG: Final = 1024
_READ_AHEAD: Final = 64 * 1024  # bytes of a connection, its headers among them

log = logs.get(__name__)
Start = Callable[[], Application]
"""Makes the application inside a worker; must be picklable."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many processes answer, and how many requests each handles at once."""

    workers: int
    requests: int


@dataclass(frozen=True, slots=True)
class Parent:
    """What the workers share with the process that made them."""

    lifeline: Connection
    """Reaches its end when that process is gone."""
    held: Connection
    """The lifeline's other end, which the workers let go of."""
    announcement: SemaphoreType
    """Taken by the worker that says where to find us."""


def serve(start: Start, address: tuple[str, int], size: Size) -> None:
    """Serve until SIGTERM or SIGINT, finishing requests in hand; exit code 2 where `address` is taken."""
    host = address[0]
    with _claim(*address) as claim:
        port: int = claim.getsockname()[1]
        lifeline, held = Pipe(duplex=False)
        server = Granian(
            "stocksync.ingest",
            address=host,
            port=port,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=HEADERS_WITHIN, max_buffer_size=_READ_AHEAD),
            workers=size.workers,
            backpressure=size.requests,
            runtime_mode=RuntimeModes.st,
            backlog=_BACKLOG,
            respawn_failed_workers=True,
            respawn_interval=0.1,
            workers_kill_timeout=STOP_WITHIN,
            log_level=LogLevels.critical,
        )
        parent = Parent(lifeline, held, Semaphore(1))
        loader: Any = functools.partial(_load, start, (host, port), parent)
        server.serve(target_loader=loader, wrap_loader=False)


def _claim(host: str, port: int) -> socket.socket:
    """A bound socket that keeps `host:port` for the worker; waits a moment for a predecessor to leave."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = clock.monotonic() + _ADDRESS_FREE_WITHIN
    pause = Event()
    while True:
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
                probe.listen()
                port = probe.getsockname()[1]
        except OSError as error:
            if port == 0 or clock.monotonic() > deadline:
                sys.stderr.write(f"stocksync: INGEST_BIND: {host}:{port}: {error.strerror}\n")
                raise SystemExit(WRONG_SETTING) from None
            pause.wait(0.2)
        else:
            break
    claim = socket.socket(family)
    claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    claim.bind((host, port))
    return claim


def _load(start: Start, address: tuple[str, int], parent: Parent) -> Application:
    """Inside a worker: the application, with what watches over the process beside it."""
    parent.held.close()
    app = start()
    stop = Event()
    Finalize(None, stop.set, exitpriority=10)
    for name, target, arguments in (
        ("lifeline", _die_with_parent, (parent.lifeline,)),
        ("stalled", stalled.watch, (address[1], stop)),
        ("announce", _announce, (address, parent.announcement, stop)),
    ):
        Thread(target=target, args=arguments, name=name, daemon=True).start()
    return app


def _die_with_parent(lifeline: Connection) -> None:
    """Stop the worker when the process that started it is gone, however it went."""
    try:
        lifeline.recv_bytes()
    except EOFError:
        os.kill(os.getpid(), signal.SIGTERM)
    Event().wait(STOP_WITHIN)
    os._exit(1)


def _announce(address: tuple[str, int], announcement: SemaphoreType, stop: Event) -> None:
    """Log the address once a webhook would be accepted there; the first worker to know it does."""
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    url = f"http://{host}:{address[1]}"
    while not stop.wait(0.05):
        if own_pages.ready(f"{url}/readyz", within=6):
            if announcement.acquire(block=False):
                log.info("ingest_ready", address=url)
            return
