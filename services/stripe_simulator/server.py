"""The HTTP server: one thread per connection, keep-alive, and sockets that can be cut on purpose."""

from __future__ import annotations

import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote

from services.stripe_simulator.http import Answer, Request, Wire
from shared import logs

log = logs.get(__name__)

MAX_BODY = 1 << 20  # bytes
IDLE = 75.0  # seconds a connection may rest
_LINGER_NOT = struct.pack("ii", 1, 0)


class Server(socketserver.ThreadingTCPServer):
    """Accepts connections; `close_all` ends those that are still open."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], answer: Callable[[Request], Answer]) -> None:
        self.answer = answer
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Connection)

    def process_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Remember the connection and serve it on a thread of its own."""
        if isinstance(request, socket.socket):
            with self._lock:
                self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Forget a connection that is done."""
        if isinstance(request, socket.socket):
            with self._lock:
                known = request in self._open
                self._open.discard(request)
            if not known:
                self.close_request(request)
                return
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news; anything else is."""
        del request, client_address
        log.debug("connection_failed", error=repr(sys.exception()))

    def close_all(self) -> None:
        """Cut every open connection."""
        with self._lock:
            left = list(self._open)
        for connection in left:
            with suppress(OSError):  # it may have gone by itself
                connection.shutdown(socket.SHUT_RDWR)

    def abort(self, connection: socket.socket) -> None:
        """Have this connection reset instead of closed."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        with self._lock:
            self._open.discard(connection)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "nginx"
    sys_version = ""
    timeout = IDLE
    wbufsize = -1  # one packet for head and body
    disable_nagle_algorithm = True
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride] - made by no other server

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            self.close_connection = True
            return
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, unquote(path), query, headers, self.rfile.read(length))
        self._reply(self.server.answer(request))

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _serve  # noqa: N815 - http.server looks for these names

    def _reply(self, answer: Answer) -> None:
        if answer.wire is Wire.HANGUP:
            self._cut()
            return
        half = answer.body[: len(answer.body) // 2]
        body = half if answer.wire is Wire.TRUNCATED else answer.body
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(half if answer.wire is Wire.RESET else body)
        self.wfile.flush()
        if answer.wire is Wire.RESET:
            self._cut()

    def _cut(self) -> None:
        self.server.abort(self.connection)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """The journal keeps what was requested."""
        del format, args
