"""A simulated account that outlives its process: one JSON file, written after changes and at the end."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Final

from services.stripe_simulator.control import Desk
from shared import clock, logs

log = logs.get(__name__)

FORMAT: Final = 1
PAUSE: Final = 2.0
"""Seconds from a change until it is written."""
SPARING: Final = 20
"""Writing a large account takes no more than one part of so many of the time."""


class UnusableAccount(Exception):
    """The file holds no account, or can't be written; the message says what to do."""


class Keeping:
    """Keeps what `desk` works on in `path`.

    After a kill the file is a moment old: what Stripe never does, so this is for trying things out. Whoever reads the
    file reads the webhook secrets, so only its owner may.
    """

    def __init__(self, path: Path, desk: Desk) -> None:
        self._path, self._desk = path, desk
        self._changed, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="keeping", daemon=True)

    def restore(self) -> None:
        """Hold what the file holds, nothing where there is none yet; raises UnusableAccount."""
        try:
            saved = json.loads(self._path.read_bytes())
            if saved["format"] != FORMAT:
                raise ValueError("another format")  # noqa: TRY301 - the same advice as for any other file
            self._desk.world.restore(saved["world"])
            self._desk.gateway.keys.restore(saved["keys"])
            self._desk.deliveries.restore(saved["deliveries"])
        except FileNotFoundError:
            return
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise UnusableAccount(
                f"SIMULATOR_ACCOUNT: {self._path} holds no account of this simulator ({type(error).__name__}); "
                "move it away and an empty one is begun"
            ) from error
        log.info("simulator_account_restored", products=len(self._desk.world.products))

    def start(self) -> None:
        """Write changes from now on; raises UnusableAccount where the file can't be written."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._write()
        except OSError as error:
            raise UnusableAccount(
                f"SIMULATOR_ACCOUNT: {self._path} can't be written: {error.strerror}"
            ) from error
        self._thread.start()

    def changed(self) -> None:
        """Something may be different from what the file says."""
        self._changed.set()

    def stop(self) -> None:
        """Write the account a last time."""
        self._stopped.set()
        self._changed.set()
        self._thread.join()
        self._write_or_say()

    def _watch(self) -> None:
        pause = PAUSE
        while self._changed.wait() and not self._stopped.wait(pause):
            self._changed.clear()
            started = clock.monotonic()
            self._write_or_say()
            pause = max(PAUSE, SPARING * (clock.monotonic() - started))

    def _write_or_say(self) -> None:
        try:
            self._write()
        except OSError as error:
            log.warning("simulator_account_not_written", path=str(self._path), error=error.strerror)

    def _write(self) -> None:
        with self._desk.world.lock:
            account = {
                "format": FORMAT,
                "world": self._desk.world.saved(),
                "keys": self._desk.gateway.keys.saved(),
                "deliveries": self._desk.deliveries.saved(),
            }
            text = json.dumps(account)
        draft = self._path.with_name(f"{self._path.name}.new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
