"""A simulator, the real Stripe command line tool in front of it, and somebody who hears webhooks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.stripe_simulator.simulator import Simulator
from tests.contract.stripe_cli.shop import Receiver, Shop
from tests.support.stripe_cli import StripeCli, stripe_cli


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A simulator of its own for each test."""
    with Simulator.start(port=0) as running:
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Shop:
    """The account as Stripe's SDK sees it."""
    return Shop(simulator.url)


@pytest.fixture
def cli(simulator: Simulator, tmp_path: Path) -> StripeCli:
    """The real tool, pointed at the simulator."""
    return stripe_cli(simulator.url, tmp_path)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A tiny HTTP server that keeps the webhooks it was sent."""
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()
