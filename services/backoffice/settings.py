"""What the back office's commands and pages read beside the settings of the services."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, SecretStr, model_validator

from shared.settings import (
    Address,
    BrokerSettings,
    SellingSettings,
    ShopSettings,
    StripeSettings,
    checked_address,
)

_ORIGIN: Final = re.compile(
    r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?", re.ASCII
)
_USUAL_PORT: Final = {"http": ":80", "https": ":443"}
"""Ports that browsers leave out."""
OFF: Final = "off"
_PRIVATE: Final = re.compile(r"https://|http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?$", re.ASCII)
_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")


def _origin(text: str) -> str:
    if text and not _ORIGIN.fullmatch(text):
        raise ValueError("must be what the browser's address begins with, such as https://stock.example.com")
    return text.removesuffix(_USUAL_PORT.get(text.partition(":")[0], ""))


def _bind(text: str) -> str:
    return text if text == OFF else checked_address(text)


def _origins(text: str) -> str:
    given = [one for one in text.split(",") if one]
    if any(one != "*" and not _ORIGIN.fullmatch(one) for one in given):
        raise ValueError("must be origins such as https://shop.example.com, separated by commas, or *")
    return ",".join(one if one == "*" else _origin(one) for one in given)


class MachineSettings(BrokerSettings, StripeSettings, ShopSettings, SellingSettings):
    """Where the services of one machine are, and what they share."""

    ingest_bind: Address = "127.0.0.1:8000"
    simulator_bind: Address = "127.0.0.1:12111"
    simulator_account: str | None = None
    """The file in which its account outlives it, or `off`; unset: a file of `up` under STOCKSYNC_HOME."""
    stripe_webhook_secret: SecretStr | None = None
    smtp_url: SecretStr | None = None


class PagesSettings(BrokerSettings, StripeSettings, ShopSettings):
    """The web pages: reached at this machine's own address, or through a proxy that speaks TLS."""

    backoffice_bind: Annotated[str, AfterValidator(_bind)] = "127.0.0.1:8080"
    """`HOST:PORT`; port 0 takes a free one, `off` is no pages."""
    backoffice_origin: Annotated[str, AfterValidator(_origin)] = ""
    """What people's browsers call the pages; unset means `http://` and BACKOFFICE_BIND."""
    backoffice_password: SecretStr | None = None
    """The password of the operator `shop`, who is made with it."""

    storefront_origins: Annotated[str, AfterValidator(_origins)] = ""
    """The shop's own pages that may ask what there is: origins separated by commas, or `*`; unset means none."""
    storefront_shows: Literal["levels", "units"] = "levels"
    """What they are told: in, low or out, or also how many."""

    @model_validator(mode="after")
    def _passwords_stay_private(self) -> Self:
        """No other address than BACKOFFICE_ORIGIN is answered: one of loopback keeps passwords on their machine."""
        within = self.backoffice_bind.rpartition(":")[0] in {*_LOOPBACK, ""}
        if not (_PRIVATE.match(self.backoffice_origin) or (within and not self.backoffice_origin)):
            raise ValueError(
                "BACKOFFICE_BIND and BACKOFFICE_ORIGIN let other machines in: passwords need TLS then. Put a proxy"
                " before the pages, and set BACKOFFICE_ORIGIN to the https:// address that people use"
            )
        return self

    @property
    def origin(self) -> str:
        """What the browser's address begins with, without a slash at its end."""
        return self.backoffice_origin or _origin(f"http://{self.backoffice_bind}")


class UpSettings(PagesSettings, MachineSettings):
    """One machine: what is set is used, what is unset is started here."""

    @model_validator(mode="after")
    def _account_needs_its_secret(self) -> Self:
        if not self.uses_simulator and self.stripe_webhook_secret is None:
            raise ValueError("STRIPE_WEBHOOK_SECRET must be set where STRIPE_API_KEY is")
        return self
