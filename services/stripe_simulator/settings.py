"""The simulator's settings, as frozen values and from the environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, SecretStr

from shared.settings import Address, Common, secret

SUBSCRIBED: Final = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "product.created",
    "product.updated",
    "product.deleted",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)
"""Event types of the webhook endpoint that exists from the start."""

RETRY_DELAYS: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0, 60.0)
"""Seconds between the attempts at one delivery; when they are used up Stripe gives up."""

FORGETS: Final = "off"


@dataclass(frozen=True, slots=True)
class Options:
    """How one simulator behaves; port 0 takes a free one, `latency_ms` is slept by every API call."""

    host: str = "127.0.0.1"
    port: int = 0
    listen_port: int = 0
    webhook_url: str | None = None
    webhook_secret: str | None = None
    webhook_events: tuple[str, ...] = SUBSCRIBED
    retry_delays: tuple[float, ...] = RETRY_DELAYS
    delivery_threads: int = 32
    latency_ms: int = 0
    api_key: str | None = None
    account: Path | None = None
    """Where the account is kept; None: it is gone with the process."""


def _secrets(text: SecretStr | None) -> SecretStr | None:
    names = text.get_secret_value().split(",") if text else []
    if not all(re.fullmatch(r"whsec_[A-Za-z0-9_+/=-]+", name, re.ASCII) for name in names):
        raise ValueError("must be comma-separated secrets like whsec_…")
    return text


class SimulatorSettings(Common):
    """What `python -m services.stripe_simulator` reads."""

    simulator_bind: Address = "127.0.0.1:12111"
    simulator_listen_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Port of the websocket that `stripe listen` connects to."""
    simulator_webhook_url: Annotated[str | None, Field(pattern=r"^https?://.+")] = None
    stripe_webhook_secret: Annotated[SecretStr | None, AfterValidator(_secrets)] = None
    simulator_latency_ms: Annotated[int, Field(ge=0, le=60_000)] = 0
    simulator_api_key: Annotated[SecretStr | None, secret(r"(sk|rk)_test_\w+", "sk_test_…")] = None
    """The only API key that is let in; unset lets in every sk_test_… and rk_test_…."""
    simulator_account: str = FORGETS
    """The file in which the account outlives the process, or `off`."""

    def options(self) -> Options:
        """These settings as the values a simulator is started with."""
        host, _, port = self.simulator_bind.rpartition(":")
        secrets, key = self.stripe_webhook_secret, self.simulator_api_key
        return Options(
            host=host,
            port=int(port),
            listen_port=self.simulator_listen_port,
            webhook_url=self.simulator_webhook_url,
            webhook_secret=secrets.get_secret_value().split(",")[0] if secrets else None,
            latency_ms=self.simulator_latency_ms,
            api_key=key.get_secret_value() if key else None,
            account=None if self.simulator_account == FORGETS else Path(self.simulator_account),
        )
