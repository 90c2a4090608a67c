"""What the Stripe command line tool asks for besides the public API, and the websocket it listens on."""

from __future__ import annotations

import json
import queue
import threading
from contextlib import suppress

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

from services.stripe_simulator import ids, shapes
from services.stripe_simulator.delivery import signature
from services.stripe_simulator.events import API_VERSION
from services.stripe_simulator.world import Call, Obj, World
from shared import clock, logs

log = logs.get(__name__)

SUBPROTOCOL = Subprotocol("stripecli-devproxy-v1")


def session(world: World, call: Call) -> Obj:
    """Where the tool's websocket is, and the secret its forwarded webhooks are signed with."""
    del call
    return {
        "websocket_id": ids.new("cliws"),
        "websocket_url": world.listen_url,
        "websocket_authorized_feature": "webhooks",
        "default_version": API_VERSION,
        "latest_version": API_VERSION,
        "reconnect_delay": 3600,
        "secret": world.listen_secret,
        "display_connect_filter_warning": False,
    }


def account(world: World, call: Call) -> Obj:
    """The account the API key belongs to."""
    del world, call
    return {
        "id": "acct_1StocksyncTest001",
        "object": "account",
        "charges_enabled": True,
        "country": "US",
        "default_currency": "usd",
        "details_submitted": True,
        "settings": {
            "branding": shapes.nulls("icon logo primary_color secondary_color"),
            "card_payments": shapes.nulls("statement_descriptor_prefix"),
            "dashboard": {"display_name": "Simulated shop", "timezone": "Etc/UTC"},
            "payments": shapes.nulls("statement_descriptor statement_descriptor_kana"),
        },
        "type": "standard",
    }


class Listeners:
    """The connected `stripe listen` processes; each hears every event."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._connections: set[ServerConnection] = set()
        self._lock = threading.Lock()
        self._server: Server | None = None
        self._outgoing: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def start(self, host: str, port: int) -> int:
        """Accept connections; the port they are accepted on."""
        self._server = serve(self._serve, host, port, subprotocols=[SUBPROTOCOL])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        threading.Thread(target=self._send, daemon=True).start()
        bound: int = self._server.socket.getsockname()[1]
        return bound

    def stop(self) -> None:
        """Accept no more and end every connection."""
        self._outgoing.put(None)
        if self._server:
            self._server.shutdown()
        with self._lock:
            open_ones = list(self._connections)
        for connection in open_ones:
            connection.close()

    def _serve(self, connection: ServerConnection) -> None:
        with self._lock:
            self._connections.add(connection)
        log.info("listener_connected")
        try:
            with suppress(ConnectionClosed):  # a killed listener says no goodbye
                for _ in connection:
                    continue  # what the forwarded endpoint answered is of no consequence here
        finally:
            with self._lock:
                self._connections.discard(connection)

    def publish(self, event: Obj) -> None:
        """Send an event to every listener; one that is gone misses it, as with Stripe."""
        if self._connections:
            self._outgoing.put(self._frame(event))

    def _send(self) -> None:
        while frame := self._outgoing.get():
            with self._lock:
                open_ones = list(self._connections)
            for connection in open_ones:
                try:
                    connection.send(frame)
                except ConnectionClosed:
                    log.info("listener_gone")

    def _frame(self, event: Obj) -> str:
        payload = json.dumps(event)
        signed = signature([self._world.listen_secret], payload.encode(), clock.epoch())
        return json.dumps(
            {
                "type": "webhook_event",
                "webhook_id": ids.new("wh"),
                "webhook_conversation_id": ids.new("wc"),
                "event_payload": payload,
                "http_headers": {
                    "Content-Type": "application/json; charset=utf-8",
                    "Stripe-Signature": signed,
                    "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                },
                "endpoint": {"api_version": None, "connect": False},
            }
        )
