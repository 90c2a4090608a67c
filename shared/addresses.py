"""Addresses with a password in them: what is wrong with one, without a word of what it holds."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, urlsplit

HIGHEST_PORT: Final = 65535
ENCODE: Final = "write / # ? @ and % in user and password as %2F %23 %3F %40 %25"
_NUMBER, _SECONDS = r"[0-9]{1,6}", r"[0-9]{1,6}(\.[0-9]+)?"
_AMQP_PARAMETERS: Final = {
    "blocked_connection_timeout": _SECONDS,
    "channel_max": _NUMBER,
    "connection_attempts": _NUMBER,
    "frame_max": _NUMBER,
    "heartbeat": _NUMBER,
    "retry_delay": _SECONDS,
    "socket_timeout": _SECONDS,
    "ssl_options": r"\{.*\}",
    "stack_timeout": _SECONDS,
}
_AMQP: Final = re.compile(r"amqps?://[^/?#\s]*(/[^/?#@\s]*)?(\?[^#@\s]*)?", re.ASCII)
_POSTGRESQL: Final = re.compile(
    r"""
    postgres(ql)?://
    ([^@/\s]*@)?                            # user and password
    (?P<hosts>[^@/?\s]*)                    # with ports, several separated by commas
    (/[^@/?\s]*)?                           # database
    (\?[a-z_]+=[^&\s]*(&[a-z_]+=[^&\s]*)*)? # parameters
    """,
    re.ASCII | re.VERBOSE,
)
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(:(?P<port>[0-9]{1,5})?)?", re.ASCII)
_STRAY_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def amqp_problem(url: str) -> str | None:
    """What is wrong with the RabbitMQ address `url`; None where a client can work with it."""
    form = f"must look like amqp:// or amqps://user:password@host:port/vhost; {ENCODE}"
    try:
        parts = urlsplit(url)
        name, password, host, port = parts.username, parts.password, parts.hostname, parts.port
        given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        return form
    whole = bool(host) and port != 0 and (name is None or password is not None)
    if not whole or not _AMQP.fullmatch(url) or _STRAY_PERCENT.search(url):
        return form
    if len(dict(given)) < len(given) or not all(_known(*parameter) for parameter in given):
        return (
            f"has a parameter twice, an unknown one or a wrong value; known are {', '.join(_AMQP_PARAMETERS)}"
        )
    return None


def postgresql_problem(url: str) -> str | None:
    """What is wrong with the PostgreSQL address `url`; None where a client can work with it."""
    form = f"must look like postgresql://user:password@host:port/database; {ENCODE}"
    parts = _POSTGRESQL.fullmatch(url)
    if parts is None or _STRAY_PERCENT.search(url):
        return form
    hosts = [_HOST.fullmatch(host) for host in parts["hosts"].split(",")]
    fine = all(host and 0 < int(host["port"] or 1) <= HIGHEST_PORT for host in hosts)
    return None if fine else form


def _known(name: str, value: str) -> bool:
    form = _AMQP_PARAMETERS.get(name)
    return form is not None and re.fullmatch(form, value, re.ASCII) is not None
