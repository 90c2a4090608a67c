"""A shop at a Stripe that lives on while the pipeline is off, and the folder of that pipeline."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.sync.shop import Shop
from bench.webhooks.processes import running
from shared.settings import child_environment
from shared.webhook_events import PATH
from tests.support.ports import free_port

SECRET: Final = "whsec_" + "0123456789abcdef" * 2


@dataclass(frozen=True, slots=True)
class Site:
    """The folder of the pipeline, what it is told of Stripe, and the shop there."""

    home: Path
    settings: Mapping[str, str]
    shop: Shop

    @property
    def mails(self) -> set[Path]:
        """All mails that were sent."""
        return set((self.home / "mail").glob("*.eml"))


@contextmanager
def built() -> Generator[Site]:
    """The simulator as a process of its own; the pipeline is to be started with the settings."""
    with tempfile.TemporaryDirectory(prefix="stocksync-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the database runs as another account where we are root
        stripe, ingest = free_port(), free_port()
        environment = child_environment(
            SIMULATOR_BIND=f"127.0.0.1:{stripe}",
            SIMULATOR_WEBHOOK_URL=f"http://127.0.0.1:{ingest}{PATH}",
            STRIPE_WEBHOOK_SECRET=SECRET,
            STRIPE_API_KEY=None,
            LOG_LEVEL="ERROR",  # every webhook that is given up is a warning
        )
        command = [sys.executable, "-m", "services.stripe_simulator"]
        address = f"http://127.0.0.1:{stripe}"
        settings = {
            "STRIPE_API_KEY": "sk_test_bench",
            "STRIPE_API_BASE": address,
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "INGEST_BIND": f"127.0.0.1:{ingest}",
        }
        with running(command, environment, stripe, folder / "stripe_simulator.log"):
            yield Site(folder / "var", settings, Shop(address))
