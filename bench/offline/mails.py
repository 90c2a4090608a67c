"""What people read in the mails that were sent: the kinds of alerts, and what each is about, from the text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Final

from services.notifier.words import WORDS
from shared.vocabulary import AlertKind

_RULE: Final = re.compile(r"-{4,}|={4,}")
"""The line below a heading."""
_ITEM: Final = re.compile(r"\* (?P<title>[^:]+)(: .+)?")
"""`* Product 3, S: 2 left`."""


@dataclass(frozen=True, slots=True)
class Mails:
    """Their subjects, and the plain text of each."""

    subjects: tuple[str, ...]
    texts: tuple[str, ...]

    def told(self, *kinds: AlertKind) -> set[tuple[AlertKind, str]]:
        """What stands below the headings of these kinds, as (kind, title and size)."""
        headings = {WORDS[kind].heading: kind for kind in kinds}
        return {
            (headings[heading], title)
            for text in self.texts
            for heading, title in _items(text)
            if heading in headings
        }


def read(mails: Iterable[Path]) -> Mails:
    """The mails in these files, by name."""
    messages = [message_from_bytes(mail.read_bytes(), policy=default) for mail in sorted(mails)]
    texts = (message.get_body(("plain",)) for message in messages)
    return Mails(
        tuple(str(message["Subject"]).strip() for message in messages),
        tuple("" if text is None else str(text.get_content()) for text in texts),
    )


def _items(text: str) -> Iterable[tuple[str, str]]:
    """Each title with the heading that it stands below."""
    heading, before = "", ""
    for line in text.splitlines():
        if _RULE.fullmatch(line):
            heading = before
        elif found := _ITEM.fullmatch(line):
            yield heading, found["title"]
        before = line
