"""Mails as `.eml` files in a folder, for where there is no mail server."""

from __future__ import annotations

import hashlib
import os
from email.message import EmailMessage
from pathlib import Path

from services.notifier.mail import Delivery, Later, Sent
from services.notifier.message import WIRE
from shared import clock


class FolderMailer:
    """Writes each mail as one file whose name sorts by time; half a file is never seen."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made when the first mail is written."""
        self._folder = folder

    def describe(self) -> dict[str, str]:
        """Where the files are."""
        return {"folder": str(self._folder)}

    def send(self, message: EmailMessage, *, patient: bool) -> Delivery:  # noqa: ARG002 - no recipient refuses a file
        """Write the mail, once: one that is there already is not written again."""
        digest = hashlib.sha256(str(message["Message-ID"]).encode()).hexdigest()[:12]
        name = f"{clock.now():%Y%m%dT%H%M%S.%fZ}-{digest}.eml"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not any(self._folder.glob(f"*-{digest}.eml")):
                _write(self._folder / name, message.as_bytes(policy=WIRE))
        except OSError as error:
            return Later(f"{type(error).__name__}: {error.strerror}")
        return Sent()


def _write(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".part")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
