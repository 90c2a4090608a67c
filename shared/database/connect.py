"""From settings to an address: the database that is named, or the embedded one, started."""

from __future__ import annotations

import atexit
from pathlib import Path

from shared.database.embedded import EmbeddedPostgres
from shared.settings import DatabaseSettings

_started: dict[Path, EmbeddedPostgres] = {}


def dsn(settings: DatabaseSettings) -> str:
    """DATABASE_URL, or the embedded server's address, which then runs at least until this process ends.

    Raises EmbeddedFailed, WrongDatabase.
    """
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    home = settings.stocksync_home.resolve()
    if home not in _started:
        server = EmbeddedPostgres(home)
        address = server.start()
        _started[home] = server
        atexit.register(server.release)
        return address
    return _started[home].start()


def exists(settings: DatabaseSettings) -> bool:
    """Whether a database is named, or an embedded one was started here before."""
    return settings.database_url is not None or (settings.stocksync_home / "postgres").is_dir()
