"""The one door to the environment: settings that several services share, and how they are loaded."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from shared.addresses import HIGHEST_PORT, amqp_problem, postgresql_problem

SECRETS_DIRECTORY = Path("/run/secrets")
WRONG_SETTING = 2  # exit code
S = TypeVar("S", bound=BaseSettings)


def checked_address(text: str) -> str:
    """`text` where it is `HOST:PORT`; raises ValueError."""
    host, separator, port = text.rpartition(":")
    if not (separator and host and port.isascii() and port.isdigit() and int(port) <= HIGHEST_PORT):
        raise ValueError("must be HOST:PORT, like 127.0.0.1:8000")
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone such as Europe/Berlin") from None
    return name


def secret(pattern: str, hint: str) -> AfterValidator:
    """A check of a secret's form that never repeats the secret; `hint` says what it must look like."""

    def check(value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(pattern, value.get_secret_value(), re.ASCII):
            raise ValueError(f"must look like {hint}")
        return value

    return AfterValidator(check)


def _secret_address(problem: Callable[[str], str | None]) -> AfterValidator:
    """A check of an address that may hold a password; `problem` says what is wrong with it and never what it holds."""

    def check(value: SecretStr | None) -> SecretStr | None:
        if value is not None and (wrong := problem(value.get_secret_value())):
            raise ValueError(wrong)
        return value

    return AfterValidator(check)


Address = Annotated[str, AfterValidator(checked_address)]
"""`HOST:PORT`; port 0 takes a free one."""


class Common(BaseSettings):
    """What every process reads: environment first, then files named like the setting, then `.env`."""

    model_config = SettingsConfigDict(
        env_file=".env",
        secrets_dir=SECRETS_DIRECTORY if SECRETS_DIRECTORY.is_dir() else None,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        env_ignore_empty=True,
    )

    stocksync_home: Path = Path("var")
    """Folder for what the one-machine way keeps: database, mails, logs."""
    log_level: Annotated[str, Field(pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"

    @classmethod
    def settings_customise_sources(  # noqa: PLR0917 - pydantic's signature
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Whoever mounts a secret means it, whatever an old `.env` says."""
        del settings_cls
        return init_settings, env_settings, file_secret_settings, dotenv_settings

    @model_validator(mode="before")
    @classmethod
    def _empty_means_unset(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in given.items() if value != ""}


class ZoneSettings(Common):
    """The shop's own time."""

    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self.time_zone)


class DatabaseSettings(Common):
    """Where PostgreSQL is; unset means the embedded one under STOCKSYNC_HOME."""

    database_url: Annotated[SecretStr | None, _secret_address(postgresql_problem)] = None


class BrokerSettings(DatabaseSettings):
    """Where RabbitMQ is; unset means the embedded queue in the database."""

    amqp_url: Annotated[SecretStr | None, _secret_address(amqp_problem)] = None


class ShopSettings(ZoneSettings):
    """The shop's own clock, and when its stock counts as low."""

    low_stock_threshold: Annotated[int, Field(ge=0, le=999_999)] = 5
    """Units at which a size is low, where neither it nor its product has a threshold of its own."""


class SellingSettings(Common):
    """What is taken off sale while it is gone."""

    stop_selling: Literal["off", "links", "product"] = "off"
    """What is deactivated: payment links, products, or nothing."""
    expire_sessions: bool = False
    """Expire open Checkout Sessions that hold what is gone."""


class StripeSettings(Common):
    """The way to Stripe's API; an unset key means the simulator."""

    stripe_api_key: Annotated[
        SecretStr | None,
        secret(r"(sk|rk)_(test|live)_[A-Za-z0-9_]+", "sk_test_…, sk_live_…, rk_test_… or rk_live_…"),
    ] = None
    stripe_api_base: Annotated[str | None, Field(pattern=r"^https?://[^/]+$")] = None
    stripe_livemode: bool | None = None
    stripe_calls_per_endpoint: Annotated[float, Field(gt=0, le=1000)] = 20
    """Calls a second to one endpoint, of all processes together; Stripe allows 25."""
    stripe_calls: Annotated[float, Field(gt=0, le=1000)] = 80
    """Calls a second in all, of all processes together; Stripe allows 100 live, 25 in a sandbox."""

    @model_validator(mode="after")
    def _mode_matches_key(self) -> Self:
        if self.stripe_livemode is not None and self.stripe_livemode != self.livemode:
            raise ValueError("STRIPE_LIVEMODE contradicts the mode of STRIPE_API_KEY")
        return self

    @property
    def livemode(self) -> bool:
        """Whether the key is a live one."""
        key = self.stripe_api_key
        return key is not None and "_live_" in key.get_secret_value()[:8]

    @property
    def uses_simulator(self) -> bool:
        """Whether there is no Stripe account to talk to."""
        return self.stripe_api_key is None


def load(settings: type[S], **overrides: object) -> S:
    """`settings` from the environment; a wrong one is a line on stderr that names it, and exit code 2."""
    try:
        return settings(**overrides)  # pyright: ignore[reportArgumentType] - pydantic checks them
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"][:1]).upper() or "settings"
            sys.stderr.write(f"stocksync: {name}: {problem['msg'].removeprefix('Value error, ')}\n")
        raise SystemExit(WRONG_SETTING) from None


def child_environment(**changes: str | None) -> dict[str, str]:
    """This process's environment with `changes` (None removes), for starting another of our processes."""
    merged = {**os.environ, **{name: value for name, value in changes.items() if value is not None}}
    return {name: value for name, value in merged.items() if changes.get(name, "") is not None}
