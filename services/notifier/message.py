"""A rendered mail as a MIME message; pure."""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final, Protocol, cast

from services.notifier.mail import Letterhead, Mail

WIRE: Final = SMTP.clone(cte_type="7bit")
"""CRLF, and nothing a server without 8BITMIME could refuse."""


class _Addressed(Protocol):
    addresses: tuple[Address, ...]


def compose(mail: Mail, letterhead: Letterhead, at: datetime) -> EmailMessage:
    """The MIME message: text first, HTML as the better alternative, marked as written by a machine."""
    message = EmailMessage(policy=WIRE)
    message["From"] = letterhead.sender
    message["To"] = ", ".join(letterhead.recipients)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    return message


def addresses(message: EmailMessage, header: str) -> tuple[str, ...]:
    """The bare addresses in `From` or `To`."""
    return tuple(address.addr_spec for address in cast("_Addressed", message[header]).addresses)
