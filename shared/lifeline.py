"""A process that was started by another one of ours stops when that one is gone, even after its kill -9."""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from shared import logs
from shared.settings import Common, load

GRACE_SECONDS: Final = 10.0
log = logs.get(__name__)


class LifelineSettings(Common):
    """Set by the supervisor for its children, never by people."""

    stocksync_lifeline: int | None = None
    """Descriptor of a pipe's reading end; its end of file is the supervisor's death."""


def hold() -> None:
    """Stop this process (SIGTERM, after GRACE_SECONDS for good) once its supervisor or parent is gone.

    A worker made by `multiprocessing` watches the process that made it; any other watches the pipe its
    supervisor left it. A process that was started by hand has neither, and nothing happens.
    """
    descriptor = _descriptor()
    if descriptor is not None:
        threading.Thread(target=_watch, args=(descriptor, _stop), name="lifeline", daemon=True).start()


def _descriptor() -> int | None:
    parent = multiprocessing.parent_process()
    return parent.sentinel if parent is not None else load(LifelineSettings).stocksync_lifeline


def _watch(descriptor: int, gone: Callable[[], None]) -> None:
    select.select([descriptor], [], [])  # nobody ever writes: readable means end of file
    gone()


def _stop() -> None:
    with suppress(OSError):  # whoever read the log may be gone as well
        log.warning("supervisor_gone")
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE_SECONDS)
    os._exit(1)
