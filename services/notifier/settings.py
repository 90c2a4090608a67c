"""What the notifier reads from the environment."""

from __future__ import annotations

import ssl
from email.errors import MessageError
from email.headerregistry import Address
from email.policy import SMTP
from pathlib import Path
from typing import Annotated, Literal, Protocol, Self, cast

from pydantic import AfterValidator, Field, FilePath, SecretStr, model_validator

from services.notifier import pusher_apprise, quiet, smtp_url
from services.notifier.audience import Audience, MailingList, mailing_lists
from services.notifier.policy import Policy
from services.notifier.push import Pusher
from services.notifier.quiet import QuietHours
from shared.settings import BrokerSettings, ZoneSettings


class _Addressed(Protocol):
    addresses: tuple[Address, ...]
    defects: tuple[MessageError, ...]


def parse_addresses(text: str) -> tuple[str, ...]:
    """The addresses in `text`, `Name <a@b>` kept as written; raises ValueError."""
    if not text.isascii() or not text.isprintable():
        raise ValueError("must be printable ASCII, like shop@example.com")
    try:
        header = cast("_Addressed", SMTP.header_factory("To", text))
    except (ValueError, IndexError, MessageError):
        raise ValueError("must be mail addresses, like shop@example.com") from None
    whole = header.addresses and all(a.username and a.domain for a in header.addresses)
    if header.defects or not whole:
        raise ValueError("must be mail addresses, like shop@example.com")
    return tuple(str(address) for address in header.addresses)


def _smtp_url(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        smtp_url.parse(value.get_secret_value())
    return value


def _sender(text: str | None) -> str | None:
    if text is not None and len(parse_addresses(text)) != 1:
        raise ValueError("must be one mail address, like stocksync@example.com")
    return text


def _recipients(text: str | None) -> str | None:
    if text is not None:
        parse_addresses(text)
    return text


def _ca_file(path: Path | None) -> Path | None:
    if path is not None:
        try:
            ssl.create_default_context(cafile=path)
        except (ssl.SSLError, OSError):
            raise ValueError("must be a readable file of PEM certificates") from None
    return path


def _quiet_hours(text: str | None) -> str | None:
    if text is not None:
        quiet.parse(text)
    return text


def _apprise_urls(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        pusher_apprise.connect(pusher_apprise.parse(value.get_secret_value()))
    return value


Recipients = Annotated[str | None, AfterValidator(_recipients)]
"""Mail addresses, comma-separated."""


class NotifierSettings(BrokerSettings, ZoneSettings):
    """Where mails go; an unset SMTP_URL means files under STOCKSYNC_HOME/mail."""

    smtp_url: Annotated[SecretStr | None, AfterValidator(_smtp_url)] = None
    smtp_ca_file: Annotated[FilePath | None, AfterValidator(_ca_file)] = None
    """PEM certificates to trust instead of the system's."""
    mail_from: Annotated[str | None, AfterValidator(_sender)] = None
    mail_to: Recipients = None
    mail_to_stock: Recipients = None
    mail_to_sales: Recipients = None
    mail_to_operations: Recipients = None
    mail_pause_seconds: Annotated[float, Field(ge=0, le=3600)] = 5
    """Least time between two mails to the same people; it doubles with every mail within an hour, up to 15 minutes."""
    quiet_hours: Annotated[str | None, AfterValidator(_quiet_hours)] = None
    """`22:00-07:00` in the shop's time zone."""
    recovery_mails: Literal["on", "off"] = "on"
    apprise_urls: Annotated[SecretStr | None, AfterValidator(_apprise_urls)] = None
    """Comma-separated."""

    @model_validator(mode="after")
    def _somebody_to_write_to(self) -> Self:
        missing = [
            name for name, value in (("MAIL_FROM", self.mail_from), ("MAIL_TO", self.mail_to)) if not value
        ]
        if self.smtp_url is not None and missing:
            raise ValueError(f"{' and '.join(missing)} must be set where SMTP_URL is")
        return self

    @property
    def smtp_server(self) -> smtp_url.SmtpServer | None:
        """The mail server, None where mails are files."""
        return None if self.smtp_url is None else smtp_url.parse(self.smtp_url.get_secret_value())

    @property
    def mailing_lists(self) -> tuple[MailingList, ...]:
        """Who writes to whom of what; made-up names where mails are files and nobody is named."""
        own = {
            Audience.STOCK: self.mail_to_stock,
            Audience.SALES: self.mail_to_sales,
            Audience.OPERATIONS: self.mail_to_operations,
        }
        everybody = self.mail_to or "shop@localhost"
        recipients = {audience: parse_addresses(to or everybody) for audience, to in own.items()}
        return mailing_lists(self.mail_from or "stocksync <stocksync@localhost>", recipients)

    @property
    def policy(self) -> Policy:
        """How patient to be, when to be quiet, what to tell."""
        hours = None if self.quiet_hours is None else QuietHours(*quiet.parse(self.quiet_hours), self.zone)
        return Policy(
            pause=self.mail_pause_seconds,
            recoveries=self.recovery_mails == "on",
            quiet=hours,
            zone=self.zone,
        )

    @property
    def pusher(self) -> Pusher | None:
        """The way to chats and phones, None where there is none."""
        if self.apprise_urls is None:
            return None
        return pusher_apprise.connect(pusher_apprise.parse(self.apprise_urls.get_secret_value()))
