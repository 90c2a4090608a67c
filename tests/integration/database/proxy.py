"""A TCP proxy between a client and PostgreSQL whose traffic a test can cut."""

from __future__ import annotations

import selectors
import socket
import threading
from types import TracebackType
from typing import Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Proxy:
    """Passes bytes on between its own port and the server of `address`."""

    def __init__(self, address: str) -> None:
        parts = conninfo_to_dict(address)
        self._server = (str(parts["host"]), int(str(parts["port"])))
        self._door = socket.create_server(("127.0.0.1", 0))
        self.address = make_conninfo(address, host="127.0.0.1", port=self._door.getsockname()[1])
        self.cut_answer_to: bytes | None = None
        """The connection whose client sends this gets no answer: the server's first bytes after it cut it."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._door.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return  # closed: the test is over
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        doomed = False
        with client, socket.create_connection(self._server) as server, selectors.DefaultSelector() as both:
            both.register(client, selectors.EVENT_READ, server)
            both.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in both.select():
                    source = client if key.fileobj is client else server
                    data = source.recv(65_536)
                    if not data or (source is server and doomed):
                        return
                    doomed = doomed or (self.cut_answer_to is not None and self.cut_answer_to in data)
                    (server if source is client else client).sendall(data)
