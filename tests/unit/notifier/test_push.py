from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from services.notifier.policy import Policy
from services.notifier.push import Push, brief
from services.notifier.pusher_apprise import connect, parse
from shared.alerts import product_facts
from shared.vocabulary import AlertKind
from tests.unit.notifier.claimed import TEST, alert

SECRET = "hunter2"


@dataclass(frozen=True)
class Answer:
    """Stands for `apprise.AppriseResult`, which is no bool but counts as one."""

    good: bool

    def __bool__(self) -> bool:
        return self.good


@dataclass
class Chats:
    """Stands for `apprise.Apprise` 2.3: it takes addresses of `known` schemes and keeps what it is told.

    What it answers is what `apprise` does: yes where every address took it, of which those of `dead` take nothing.
    """

    known: Sequence[str] = ("json",)
    dead: Sequence[str] = ()
    refuses: Answer | None = Answer(good=False)
    breaks: bool = False
    servers: list[str] = field(default_factory=list[str])
    told: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])

    def add(self, servers: str) -> bool:
        """Take in one address."""
        known = servers.partition("://")[0] in self.known
        self.servers += [servers] if known else []
        return known

    def notify(self, body: str, title: str) -> Answer | None:
        """Keep what is told."""
        if self.breaks:
            raise ConnectionError(f"json://user:{SECRET}@host refused")
        self.told += [(server, title, body) for server in self.servers if server not in self.dead]
        return self.refuses if set(self.dead) & set(self.servers) else Answer(good=True)


def made(chats: Chats) -> tuple[list[Chats], Callable[[], Chats]]:
    """What makes an `Apprise` as `chats` is, and what it made."""
    all_made: list[Chats] = []

    def make() -> Chats:
        all_made.append(replace(chats, servers=[], told=[]))
        return all_made[-1]

    return all_made, make


def test_a_push_is_a_few_lines() -> None:
    """It names what happened, gravest words first, and leaves the rest to the mail."""
    refused = alert(AlertKind.STRIPE_REFUSED, str(TEST), product_facts("", ""), account=TEST)
    others = [
        alert(AlertKind.DEAD_LETTER, queue, {"queue": queue, "count": 3}, account=TEST) for queue in "abcdef"
    ]
    push = brief((refused, *others), Policy())
    assert push.title == "[stocksync test] Stripe refuses the key, dead letters"
    assert push.text.splitlines() == [
        "Stripe refuses the API key: your Stripe account, test mode",
        *(f"Messages that could not be handled: {queue}, 3 messages" for queue in "abcd"),
        "and 2 more",
        "The mail has the details.",
    ]


def test_a_push_reaches_every_address() -> None:
    """Each address is told once, with title and text."""
    chats, make = made(Chats())
    urls = (f"json://user:{SECRET}@host/", "json://other/")
    assert connect(parse(", ".join(urls)), make).push(Push("title", "text"))
    assert [told for one in chats for told in one.told] == [(url, "title", "text") for url in urls]


def test_one_dead_address_does_not_have_the_others_told_again(capsys: pytest.CaptureFixture[str]) -> None:
    """What one address took is taken; the one that did not is in the log by its number."""
    dead = f"json://user:{SECRET}@gone/"
    chats, make = made(Chats(dead=(dead,)))
    assert connect(["json://phone/", dead], make).push(Push("title", "text")) is True
    assert [told for one in chats for told in one.told] == [("json://phone/", "title", "text")]
    shown = capsys.readouterr()
    assert "push_refused" in shown.out + shown.err
    assert SECRET not in shown.out + shown.err


@pytest.mark.parametrize(
    "chats", [Chats(dead=("json://x",)), Chats(dead=("json://x",), refuses=None), Chats(breaks=True)]
)
def test_fault_104_a_push_that_fails_says_so_and_shows_no_secret(
    chats: Chats, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether a service refuses, none is there, or apprise itself breaks: the answer is no, and no log quotes it."""
    assert connect(["json://x"], made(chats)[1]).push(Push("title", "text")) is False
    shown = capsys.readouterr()
    assert SECRET not in shown.out + shown.err


@pytest.mark.parametrize("urls", ["", " , ", f"{SECRET}", f"json://ok,{SECRET}"])
def test_fault_104_what_is_no_address_is_refused_without_repeating_it(urls: str) -> None:
    """A list without an address, or with something else in it, is refused."""
    with pytest.raises(ValueError, match="addresses") as refused:
        parse(urls)
    assert SECRET not in str(refused.value)


def test_an_address_that_apprise_does_not_know_is_named_by_its_number() -> None:
    """The complaint says which of the addresses it is, and not what it is."""
    with pytest.raises(ValueError, match="number 2") as refused:
        connect([f"json://user:{SECRET}@x", f"smoke://{SECRET}"], Chats)
    assert SECRET not in str(refused.value)
