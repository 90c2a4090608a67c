"""What is sent, and the four ways a sending can end."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who the mails are from (`Name <a@b>` or `a@b`) and whom they go to."""

    sender: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mail:
    """One rendered mail; `message_id` is the same whenever the same alerts are told of."""

    subject: str
    text: str
    html: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The server took it, `refused` recipients (reply codes) excepted."""

    refused: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Later:
    """It was not sent, and may be another time."""

    reason: str


@dataclass(frozen=True, slots=True)
class Never:
    """The server refused it for ever."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unsure:
    """No answer came to a mail that was handed over whole: it may or may not have been taken."""

    reason: str


Delivery = Sent | Later | Never | Unsure


class Mailer(Protocol):
    """A way out for mails; no exception leaves it, and no answer holds a secret."""

    def send(self, message: EmailMessage, *, patient: bool) -> Delivery:
        """Send to all in `To`; while `patient`, one recipient refused for now holds up all."""
        ...

    def describe(self) -> dict[str, str]:
        """What a log may say of it, without credentials."""
        ...
