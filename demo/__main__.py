"""`make demo`: play a shopping day on the whole pipeline and print whether all numbers agree."""

from __future__ import annotations

import email
import email.policy
import shutil
import sys
import threading
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from demo.day import Day, play
from demo.shop import GOODS, open_shop
from demo.stack import NotStarted, Stack, running
from shared import clock

HOME = Path("var/demo")
SETTLE_SECONDS = 60.0
MAILS_WANTED = ("Wool jumper",)  # the good that sells out: people must have been told
LOOK_EVERY = threading.Event()  # never set: a wait with a deadline between two looks

console = Console()


def main() -> int:
    """The exit code: 0 where Stripe, the oracle and the day's book agree and the mails came."""
    started = clock.monotonic()
    shutil.rmtree(HOME / "mail", ignore_errors=True)
    console.rule("[bold]stocksync: a shopping day")
    try:
        with running(HOME) as stack:
            console.print(
                f"pipeline up in {clock.monotonic() - started:.1f} s, webhooks at {stack.webhooks}, "
                f"Stripe played by {stack.simulator}\n"
            )
            agreed = _day(stack)
    except NotStarted as error:
        console.print(f"[bold red]{error}")
        return 1
    console.print(f"\nmails are in {HOME / 'mail'}, the log is {HOME / 'up.log'}")
    console.print(f"the whole day took {clock.monotonic() - started:.1f} s\n")
    return 0 if agreed else 1


def _day(stack: Stack) -> bool:
    shop = open_shop(stack.simulator)
    before = shop.shown()
    day = Day(shop)
    for chapter in play(day):
        console.print(f"[cyan]•[/] {chapter}")
    console.print(f"[cyan]•[/] {day.sessions} paid sessions; waiting until all of it is in Stripe …\n")
    _wait_for_rest(day, before, stack)
    agreed = _print_stock(day, before)
    told = _print_mails(stack)
    console.print(
        "[bold green]everything agrees" if agreed and told else "[bold red]something does not agree"
    )
    return agreed and told


def _expected(day: Day, before: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    return {key: before[key] - day.sold[key] + day.restocked[key] for key in before}


def _wait_for_rest(day: Day, before: dict[tuple[str, str], int], stack: Stack) -> None:
    """Until Stripe shows what is expected and the mails came, or the time is over."""
    deadline = clock.monotonic() + SETTLE_SECONDS
    while clock.monotonic() < deadline:
        if day.shop.shown() == _expected(day, before) and _told(stack):
            return
        LOOK_EVERY.wait(0.2)


def _print_stock(day: Day, before: dict[tuple[str, str], int]) -> bool:
    table = Table(title="Stock in Stripe", title_style="bold")
    table.add_column("product")
    table.add_column("size")
    for column in ("before", "sold", "restocked", "after", "oracle"):
        table.add_column(column, justify="right")
    table.add_column("")
    shown, intended, expected = day.shop.shown(), day.shop.intended(), _expected(day, before)
    for good in GOODS:
        for size in good.stock:
            key = (good.name, size)
            agree = shown[key] == intended[key] == expected[key]
            numbers = (before[key], -day.sold[key], day.restocked[key], shown[key], intended[key])
            table.add_row(good.name, size or "—", *map(_number, numbers), "[green]✓" if agree else "[red]✗")
        table.add_section()
    console.print(table)
    return shown == intended == expected


def _number(units: int) -> str:
    return str(units) if units else "[dim]0"


def _print_mails(stack: Stack) -> bool:
    table = Table(title="Mails", title_style="bold")
    table.add_column("subject")
    for subject in _subjects(stack):
        table.add_row(escape(subject))
    console.print(table)
    return _told(stack)


def _told(stack: Stack) -> bool:
    """Whether a mail tells of every good that sold out."""
    texts = [path.read_bytes() for path in sorted(stack.mails.glob("*.eml"))]
    return all(any(name.encode() in text for text in texts) for name in MAILS_WANTED)


def _subjects(stack: Stack) -> list[str]:
    mails = sorted(stack.mails.glob("*.eml"))
    return [
        str(email.message_from_bytes(m.read_bytes(), policy=email.policy.default)["subject"]) for m in mails
    ]


if __name__ == "__main__":
    sys.exit(main())
