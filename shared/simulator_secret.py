"""The webhook secret that the simulator signs with, and ingest checks where there is no Stripe account."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_PREFIX = "whsec_"


def webhook_secret(home: Path) -> str:
    """The secret in `<home>/simulator/webhook_secret`, made there (mode 0600) by whoever asks first.

    Safe to call from several processes at once: all of them get the same secret. Raises OSError where the
    folder can't be written, ValueError where the file holds something else.
    """
    path = home / "simulator" / "webhook_secret"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _create(path)
    secret = path.read_text(encoding="ascii").strip()
    if not secret.startswith(_PREFIX):
        raise ValueError(f"{path} holds no webhook secret; delete it to have a new one made")
    return secret


def _create(path: Path) -> None:
    """Write a secret beside `path`, link it into place: the first one wins, nobody reads half a file."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{_PREFIX}{secrets.token_hex(32)}\n")
        os.link(draft, path)
    except FileExistsError:
        return  # somebody else was first; theirs is read
    finally:
        draft.unlink()
