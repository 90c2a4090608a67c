"""A simulator of its own for each test, the real SDK to talk to it, and an endpoint that hears webhooks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, TypeAlias

import pytest
import requests
from stripe import StripeClient, WebhookSignature

from services.stripe_simulator.simulator import Simulator
from tests.support.webserver import EndpointServer

SECRET = "whsec_test"
Control: TypeAlias = Callable[..., Any]
check: Callable[[str, str, str, int], bool] = WebhookSignature.verify_header  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - half typed by the SDK


@dataclass
class Receiver:
    """An endpoint: every correctly signed event it heard, and the statuses it will answer with first."""

    url: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    statuses: list[int] = field(default_factory=list[int])
    secret: str = SECRET

    def kinds(self) -> list[str]:
        """The types of the events, in order of arrival."""
        return [event["type"] for event in self.heard]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook endpoint that checks signatures with the real SDK."""
    state = Receiver()

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            signed = self.headers["Stripe-Signature"]
            assert check(body.decode(), signed, state.secret, 60)
            state.heard.append(json.loads(body))
            self.send_response(state.statuses.pop(0) if state.statuses else 200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            del format, args

    server = EndpointServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def simulator(receiver: Receiver) -> Iterator[Simulator]:
    """A simulator whose webhooks the receiver hears, with short retries."""
    with Simulator.start(
        webhook_url=receiver.url, webhook_secret=SECRET, webhook_events=("*",), retry_delays=(0.05, 0.05)
    ) as running:
        yield running


@pytest.fixture
def stripe_client(simulator: Simulator) -> StripeClient:
    """The real SDK, its own retries off."""
    return StripeClient("sk_test_1", base_addresses={"api": simulator.url}, max_network_retries=0)


@pytest.fixture
def control(simulator: Simulator) -> Control:
    """A call of the control API: `control("POST", "/_faults", kind="late")`."""

    def call(verb: str, address: str, /, **body: object) -> Any:  # noqa: ANN401 - any JSON
        answer = requests.request(
            verb, simulator.url + address, json=body if verb == "POST" else None, timeout=10
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    return call
