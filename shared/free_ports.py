"""TCP ports of this machine that a server may take and take again after a crash.

They lie below the range that systems give to outgoing connections (Linux 32768, IANA 49152): there a client that
tries again while the server is away can be given the server's own port, meet itself, and keep the server out.
"""

from __future__ import annotations

import errno
import secrets
import socket
from typing import Final

LOWEST: Final = 12_000
HIGHEST: Final = 31_999
_TRIES: Final = 100


def free_port(host: str = "127.0.0.1") -> int:
    """A port of `host`, an address without brackets, that nobody uses now, chosen at random; raises OSError."""
    for _ in range(_TRIES):
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST + 1)
        try:
            claim(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return port
    raise OSError(errno.EADDRINUSE, f"no free port found between {LOWEST} and {HIGHEST}")


def is_free(host: str, port: int) -> bool:
    """Whether `host` and `port` can be bound now."""
    try:
        claim(host, port)
    except OSError:
        return False
    return True


def claim(host: str, port: int) -> None:
    """Bind `host` and `port` once, as a server would, and let go; raises OSError."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
