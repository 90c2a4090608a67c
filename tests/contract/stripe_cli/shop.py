"""The account that the tool works on, and the program that hears of its events."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, Final, TypeAlias

import requests
from stripe import WebhookSignature

from shared import clock
from tests.support.webserver import EndpointServer

Json: TypeAlias = dict[str, Any]

PATIENCE: Final = 20.0  # seconds
_verify: Callable[[str, str, str, int], bool] = WebhookSignature.verify_header  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - half typed by the SDK


@dataclass(frozen=True, slots=True)
class Shop:
    """Reads and changes the account over HTTP."""

    url: str

    def call(self, method: str, path: str, form: dict[str, str] | None = None) -> Json:
        """The JSON that a request is answered with."""
        response = requests.request(
            method, self.url + path, data=form, headers={"Authorization": "Bearer sk_test_shop"}, timeout=10
        )
        response.raise_for_status()
        answer: Json = response.json()
        return answer

    def get(self, path: str) -> Json:
        """The JSON at `path`."""
        return self.call("GET", path)

    def product(self, **metadata: str) -> str:
        """A new product's id."""
        form = {f"metadata[{key}]": value for key, value in metadata.items()}
        return str(self.call("POST", "/v1/products", {"name": "Tee", **form})["id"])

    def events(self, kind: str) -> list[Json]:
        """The recorded events of a type, newest first."""
        found: list[Json] = self.get(f"/v1/events?type={kind}")["data"]
        return found


@dataclass(frozen=True, slots=True)
class Webhook:
    """A request as it came."""

    body: bytes
    signature: str

    @property
    def event(self) -> Json:
        """The event it tells of."""
        told: Json = json.loads(self.body)
        return told

    def signed_with(self, secret: str) -> bool:
        """Whether Stripe's own code accepts the signature; raises where it does not."""
        return _verify(self.body.decode(), self.signature, secret, 300)


class Receiver(EndpointServer):
    """Answers 200 to every webhook and keeps it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Endpoint)
        self.heard: queue.Queue[Webhook] = queue.Queue()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/hook"

    def hears(self, seconds: float = PATIENCE) -> Webhook | None:
        """The next webhook; None where none comes in time."""
        try:
            return self.heard.get(timeout=seconds)
        except queue.Empty:
            return None

    def hears_of(self, act: Callable[[], object]) -> Webhook:
        """The first webhook after `act`, repeated until somebody hears: a listener may just have arrived."""
        deadline = clock.monotonic() + PATIENCE
        while clock.monotonic() < deadline:
            act()
            if heard := self.hears(1.0):
                return heard
        raise TimeoutError("no webhook came")


class _Endpoint(BaseHTTPRequestHandler):
    server: Receiver  # pyright: ignore[reportIncompatibleVariableOverride] - made by no other server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.put(Webhook(body, self.headers["Stripe-Signature"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        del format, args
