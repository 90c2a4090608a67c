"""What the back office's commands read beside the settings of the services."""

from __future__ import annotations

from typing import Self

from pydantic import SecretStr, model_validator

from shared.settings import Address, BrokerSettings, ShopSettings, StripeSettings


class MachineSettings(BrokerSettings, StripeSettings, ShopSettings):
    """Where the services of one machine are, and what they share."""

    ingest_bind: Address = "127.0.0.1:8000"
    simulator_bind: Address = "127.0.0.1:12111"
    stripe_webhook_secret: SecretStr | None = None
    smtp_url: SecretStr | None = None


class UpSettings(MachineSettings):
    """One machine: what is set is used, what is unset is started here."""

    @model_validator(mode="after")
    def _account_needs_its_secret(self) -> Self:
        if not self.uses_simulator and self.stripe_webhook_secret is None:
            raise ValueError("STRIPE_WEBHOOK_SECRET must be set where STRIPE_API_KEY is")
        return self
