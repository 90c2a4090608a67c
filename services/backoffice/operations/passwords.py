"""Which passwords are good enough for the web pages, and how they are kept."""

from __future__ import annotations

from typing import Final

from werkzeug.security import check_password_hash, generate_password_hash

from shared.refusal import Refused

LEAST: Final = 12
MOST: Final = 256
_LEAST_DISTINCT: Final = 6
_KNOWN: Final = (
    "123456789012",
    "abcdefghijkl",
    "administrator",
    "changeme",
    "correcthorse",
    "iloveyou",
    "letmein",
    "password",
    "qwertyuiop",
    "stocksync",
    "welcome",
)
"""What makes most of a password that somebody tries first."""
_NOBODY: Final = generate_password_hash("nobody has this password")


class WeakPassword(Refused):
    """It would be guessed; the text says why, never what it is."""


def refuse_weak(password: str, name: str) -> None:
    """Raise WeakPassword for one that is short, of a few characters only, or little more than a well-known one."""
    plain = password.casefold()
    rest = min((len(plain.replace(known, "")) for known in (*_KNOWN, name) if known in plain), default=LEAST)
    if len(password) < LEAST:
        problem = f"has fewer than {LEAST} characters"
    elif len(password) > MOST:
        problem = f"has more than {MOST} characters"
    elif len(set(plain)) < _LEAST_DISTINCT:
        problem = f"is made of fewer than {_LEAST_DISTINCT} different characters"
    elif rest < LEAST // 2:
        problem = "is little more than a word that is tried first, or the name"
    else:
        return
    raise WeakPassword(
        f"the password of {name} {problem}; four words that have nothing to do with each other will do"
    )


def kept(password: str) -> str:
    """What is kept of a password: scrypt with a salt of its own."""
    return generate_password_hash(password)


def fits(kept_as: str | None, password: str) -> bool:
    """Whether it is the password; takes as long where there is nobody (None) to have one."""
    return check_password_hash(kept_as or _NOBODY, password[:MOST]) and kept_as is not None
