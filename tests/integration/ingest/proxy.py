"""A TCP proxy in front of a server that can hold back its answers, cut connections and go away."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self


class Proxy:
    """Forwards 127.0.0.1:`port` to `target`; every change holds for old connections and new ones."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._flowing = threading.Event()
        self._flowing.set()
        self._pairs: list[socket.socket] = []
        self.requested = 0  # bytes that came for the server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.go_away()

    def hold_answers(self) -> None:
        """Let requests through, but no answers: a confirm never comes."""
        self._flowing.clear()

    def let_go(self) -> None:
        """Let held answers through, and all later ones."""
        self._flowing.set()

    def cut(self) -> None:
        """Drop every connection."""
        pairs, self._pairs = self._pairs, []
        for end in pairs:
            with suppress(OSError):  # gone by itself
                end.shutdown(socket.SHUT_RDWR)

    def go_away(self) -> None:
        """Refuse connections from now on, and drop those that are open."""
        with suppress(OSError):  # not listening
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def come_back(self) -> None:
        """Take connections on the same port again."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection(self._target)
            except OSError:
                return
            self._pairs += [client, server]
            threading.Thread(target=self._pump, args=(client, server, None), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, self._flowing), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, gate: threading.Event | None) -> None:
        with suppress(OSError):  # a cut connection ends the pump
            while data := source.recv(65536):
                if gate is None:
                    self.requested += len(data)
                else:
                    gate.wait()
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):  # the other pump was first
                end.shutdown(socket.SHUT_RDWR)
