"""SMTP_URL as a value: where the mail server is, how it is spoken to, who logs in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

HINT: Final = "must look like smtp://user:password@host:587 or smtps://user:password@host:465"
SUBMISSION, SUBMISSIONS = 587, 465


class Tls(StrEnum):
    """How the connection is encrypted."""

    IMPLICIT = "implicit"  # from the first byte: smtps://
    OFFERED = "offered"  # by STARTTLS where the server offers it
    REQUIRED = "required"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """One mail server; without `user` nobody logs in. Its repr shows no password."""

    host: str
    port: int
    tls: Tls
    user: str = ""
    password: str = field(default="", repr=False)


def parse(url: str) -> SmtpServer:
    """The server `url` names; raises ValueError with a text that never repeats the URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(HINT) from None
    if parts.scheme not in {"smtp", "smtps"} or not host or parts.path not in {"", "/"} or parts.fragment:
        raise ValueError(HINT)
    tls = _tls(parts.scheme, parts.query)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii() or not (user + password).isprintable():
        raise ValueError("user and password must be printable ASCII, percent-encoded where needed")
    if bool(user) != bool(password):
        raise ValueError("user and password come together or not at all")
    default = SUBMISSIONS if tls is Tls.IMPLICIT else SUBMISSION
    return SmtpServer(host, port or default, tls, user, password)


def _tls(scheme: str, query: str) -> Tls:
    options = parse_qs(query, keep_blank_values=True)
    if scheme == "smtps":
        if options:
            raise ValueError("smtps:// takes no options")
        return Tls.IMPLICIT
    match options:
        case {"starttls": ["required" | "off" as wish]} if len(options) == 1:
            return Tls(wish)
        case {} if not options:
            return Tls.OFFERED
        case _:
            raise ValueError("the only option is ?starttls=required or ?starttls=off")
