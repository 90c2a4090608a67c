"""What the webhook door reads from its surroundings, and what it refuses to start with."""

from __future__ import annotations

import re
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from shared.settings import Address, BrokerSettings, secret
from shared.simulator_secret import webhook_secret

_SECRET: Final = re.compile(r"whsec_[A-Za-z0-9+/=]{16,200}", re.ASCII)
_PLACEHOLDER: Final = re.compile(r"changeme|placeholder|yoursecret|replaceme", re.IGNORECASE)
_LEAST_DISTINCT: Final = 6  # characters; `whsec_xxxxxxxxxxxxxxxx` is no secret


def _webhook_secrets(value: SecretStr | None) -> SecretStr | None:
    for part in value.get_secret_value().split(",") if value else ():
        if not _SECRET.fullmatch(part):
            raise ValueError("must be whsec_…, several separated by commas, without spaces or line breaks")
        if _PLACEHOLDER.search(part) or len(set(part[6:])) < _LEAST_DISTINCT:
            raise ValueError(
                "holds a placeholder; take the signing secret from the endpoint's page in Stripe"
            )
    return value


def _accounts(text: str) -> str:
    if not re.fullmatch(r"(acct_[A-Za-z0-9]+(,acct_[A-Za-z0-9]+)*)?", text, re.ASCII):
        raise ValueError("must be acct_…, several separated by commas")
    return text


class IngestSettings(BrokerSettings):
    """Ingest needs no Stripe API key; where one is set, it only tells the mode and that Stripe is meant."""

    ingest_bind: Address = "127.0.0.1:8000"
    ingest_workers: Annotated[int, Field(ge=1, le=32)] = 2
    """Processes that answer."""
    ingest_requests: Annotated[int, Field(ge=1, le=4096)] = 128
    """Requests that each of them handles at once."""
    stripe_api_key: Annotated[
        SecretStr | None,
        secret(r"(sk|rk)_(test|live)_[A-Za-z0-9_]+", "sk_test_…, sk_live_…, rk_test_… or rk_live_…"),
    ] = None
    stripe_webhook_secret: Annotated[SecretStr | None, AfterValidator(_webhook_secrets)] = None
    stripe_livemode: bool | None = None
    """The mode of the events that are taken; unset means the API key's mode, test without a key."""
    stripe_accounts: Annotated[str, AfterValidator(_accounts)] = ""
    """Connected accounts (`acct_…`, commas) whose events are taken besides our own account's."""
    webhook_tolerance: Annotated[int, Field(ge=1, le=3600)] = 300
    """Seconds a signature's time may be off, in either direction."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.stripe_api_key and not self.stripe_webhook_secret:
            raise ValueError("STRIPE_WEBHOOK_SECRET is missing, although STRIPE_API_KEY is set")
        if (
            self.stripe_livemode is not None
            and self.stripe_api_key
            and self.stripe_livemode != self._live_key
        ):
            raise ValueError("STRIPE_LIVEMODE contradicts the mode of STRIPE_API_KEY")
        if self.stripe_livemode and self.uses_simulator:
            raise ValueError(
                "STRIPE_LIVEMODE needs STRIPE_WEBHOOK_SECRET; the simulator only has a test mode"
            )
        return self

    @property
    def _live_key(self) -> bool:
        key = self.stripe_api_key
        return key is not None and "_live_" in key.get_secret_value()[:8]

    @property
    def uses_simulator(self) -> bool:
        """Whether neither a key nor a secret names a Stripe account."""
        return self.stripe_api_key is None and self.stripe_webhook_secret is None

    @property
    def livemode(self) -> bool:
        """The mode that an event must have."""
        return self._live_key if self.stripe_livemode is None else self.stripe_livemode

    @property
    def accounts(self) -> frozenset[str]:
        """The connected accounts that are let in."""
        return frozenset(filter(None, self.stripe_accounts.split(",")))

    @property
    def host_and_port(self) -> tuple[str, int]:
        """Where to listen; port 0 means a free one."""
        host, _, port = self.ingest_bind.rpartition(":")
        return host.strip("[]"), int(port)

    def secrets(self) -> tuple[bytes, ...]:
        """The webhook secrets; the simulator's own (made if need be) where no Stripe account is named."""
        if self.stripe_webhook_secret is None:
            return (webhook_secret(self.stocksync_home).encode(),)
        return tuple(part.encode() for part in self.stripe_webhook_secret.get_secret_value().split(","))
