from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from werkzeug.serving import make_server

from services.ingest.__main__ import build
from services.ingest.metrics import Board, Metrics
from shared import clock
from shared.messages import ProductChanged, SessionPaid
from tests.contract.stripe_cli.shop import PATIENCE, Shop
from tests.support.stripe_cli import StripeCli
from tests.unit.ingest.support import OTHER_SECRET, PATH, MemoryBroker, settings

_LOOK = threading.Event()  # never set: a wait with a deadline between two looks


@contextmanager
def door(broker: MemoryBroker, home: Path, secret: str) -> Generator[str]:
    """The address of our webhook door, which knows this secret."""
    app = build(settings(home, stripe_webhook_secret=secret), broker, Metrics(Board(), 0))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{PATH}"
    finally:
        server.shutdown()
        server.server_close()


def until(holds: Callable[[], bool], act: Callable[[], object] | None = None) -> None:
    """Wait until a condition holds; `act` is repeated meanwhile, for a listener may just have arrived."""
    deadline = clock.monotonic() + PATIENCE
    while not holds():
        assert clock.monotonic() < deadline, "it never came true"
        if act:
            act()
        _LOOK.wait(0.2)


def test_what_the_tool_triggers_and_forwards_is_taken_in(cli: StripeCli, shop: Shop, tmp_path: Path) -> None:
    """A session paid by `stripe trigger`, forwarded by `stripe listen`, becomes the message of a paid session."""
    broker = MemoryBroker()
    with (
        door(broker, tmp_path, cli.run("listen", "--print-secret").strip()) as address,
        cli.listening(address, "--all-snapshot"),
    ):
        until(lambda: any(isinstance(one, ProductChanged) for one in broker.messages), shop.product)
        cli.run("trigger", "checkout.session.completed")
        until(lambda: any(isinstance(one, SessionPaid) for one in broker.messages))
    [event] = shop.events("checkout.session.completed")
    [paid] = [one for one in broker.messages if isinstance(one, SessionPaid)]
    assert paid.session == event["data"]["object"]["id"]
    assert paid.event == event["id"]


def test_what_the_tool_forwards_under_another_secret_is_refused(
    cli: StripeCli, shop: Shop, tmp_path: Path
) -> None:
    """Negative control: a door that knows another secret answers 400, and nothing is taken in."""
    broker = MemoryBroker()
    with door(broker, tmp_path, OTHER_SECRET) as address, cli.listening(address, "--all-snapshot"):
        until(lambda: "[400]" in (tmp_path / "listen.txt").read_text(), shop.product)
    assert broker.messages == []
