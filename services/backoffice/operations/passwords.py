"""Which passwords are good enough for the web pages, and how they are kept."""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import Final

from werkzeug.security import check_password_hash, generate_password_hash

from shared.refusal import Refused

LEAST: Final = 12
MOST: Final = 256
_LEAST_DISTINCT: Final = 6
_KNOWN: Final = (
    "batterystaple",
    "administrator",
    "123456789012",
    "abcdefghijkl",
    "correcthorse",
    "1234567890",
    "qwertyuiop",
    "operator",
    "changeme",
    "changeit",
    "iloveyou",
    "password",
    "passwort",
    "passw0rd",
    "12345678",
    "asdfghjk",
    "stocksync",
    "welcome",
    "default",
    "letmein",
    "123456",
    "qwerty",
    "secret",
    "viewer",
    "abc123",
    "12345",
    "admin",
    "login",
    "stock",
    "guest",
    "root",
    "test",
    "shop",
    "1234",
    "pass",
)
"""What makes most of a password that somebody tries first, longest first where one holds another."""
_SPELT: Final = str.maketrans("@430157$!", "aaeoistsi")
"""Digits and signs that stand for letters."""
AT_ONCE: Final = 2
"""Passwords that are looked at together: each takes 32 MiB and a tenth of a second of a processor."""
IN_LINE: Final = 4
"""Passwords in hand, with those that wait to be looked at; a flood leaves threads for those who are in."""
_NOBODY: Final = generate_password_hash("nobody has this password")


_LINE: Final = BoundedSemaphore(IN_LINE)
_LOOKING: Final = BoundedSemaphore(AT_ONCE)


class TooMany(Exception):
    """So many passwords are being looked at that this one was not."""


class WeakPassword(Refused):
    """It would be guessed; the text says why, never what it is."""


def refuse_weak(password: str, name: str) -> None:
    """Raise WeakPassword for one that is short, of a few characters only, or little more than a well-known one."""
    if len(password) < LEAST:
        problem = f"has fewer than {LEAST} characters"
    elif len(password) > MOST:
        problem = f"has more than {MOST} characters"
    elif len(set(password.casefold())) < _LEAST_DISTINCT:
        problem = f"is made of fewer than {_LEAST_DISTINCT} different characters"
    elif _left(password.casefold(), name) < LEAST // 2:
        problem = "is little more than a word that is tried first, or the name"
    else:
        return
    raise WeakPassword(
        f"the password of {name} {problem}; four words that have nothing to do with each other will do"
    )


def _left(plain: str, name: str) -> int:
    """How many characters are none of well-known words and the name, however they are spelt."""
    rests: list[str] = []
    for spelt in (plain, plain.translate(_SPELT)):
        rest = spelt
        for known in (name, *_KNOWN):
            rest = rest.replace(known, "")
        rests.append(rest)
    return min(map(len, rests))


def kept(password: str) -> str:
    """What is kept of a password: scrypt with a salt of its own."""
    return generate_password_hash(password)


def fits(kept_as: str | None, password: str) -> bool:
    """Whether it is the password; takes as long where there is nobody (None) to have one. Raises TooMany."""
    if not _LINE.acquire(blocking=False):
        raise TooMany
    try:
        with _LOOKING:
            return check_password_hash(kept_as or _NOBODY, password[:MOST]) and kept_as is not None
    finally:
        _LINE.release()
