"""What is pushed to a chat or phone beside mail, and the Protocol of the way there; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from services.notifier.decide import Digest, rank
from services.notifier.facts import first
from services.notifier.items import is_test, item
from services.notifier.policy import Policy
from services.notifier.render import headline
from services.notifier.words import WORDS
from shared.alerts import ClaimedAlert

SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Push:
    """A short message; plain text."""

    title: str
    text: str


class Pusher(Protocol):
    """A way to a chat or phone; no exception leaves it, and no answer holds a secret."""

    def push(self, message: Push) -> bool:
        """Hand `message` to every address; whether one of them took it."""
        ...


def brief(alerts: tuple[ClaimedAlert, ...], policy: Policy) -> Push:
    """`alerts` (at least one) in a few lines; the mail tells the rest."""
    mark = "[stocksync test]" if all(is_test(alert) for alert in alerts) else "[stocksync]"
    gravest = tuple(sorted(alerts, key=rank))
    lines = first([_line(alert, policy) for alert in gravest], SHOWN, "more")
    return Push(
        f"{mark} {headline(Digest(gravest, (), ()))}", "\n".join([*lines, "The mail has the details."])
    )


def _line(alert: ClaimedAlert, policy: Policy) -> str:
    shown = item(alert, policy)
    what = ", ".join(filter(None, (shown.title, shown.size, shown.figure)))
    return f"{WORDS[alert.kind].heading}: {what}"
