"""Alerts in a real database, and a notifier's desk in front of a real mail server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage

from services.notifier import decide
from services.notifier.audience import Audience, MailingList, mailing_lists
from services.notifier.mailer import SmtpMailer
from services.notifier.mailing import Desk, mail_what_waits
from services.notifier.policy import Policy
from services.notifier.smtp_url import parse
from shared import clock
from shared.alerts import Due, NewAlert, OversoldSale, oversold_facts, stock_facts
from shared.database.pool import Database
from shared.store import mails
from shared.store.alerts import Alerts
from shared.vocabulary import AccountKey, AlertKind, ProductId, SessionId, Size, Variant
from tests.integration.notifier.post_office import PostOffice

ACCOUNT = AccountKey("self:test")
AT_ONCE = Policy(gather=0, gather_over=0, pause=0, backoff=(0,))
SHOP = ("shop@example.com",)
ALL_TO_SHOP = mailing_lists("bot@example.com", dict.fromkeys(Audience, SHOP))
(EVERYTHING,) = ALL_TO_SHOP


def desk(
    database: Database,
    port: int,
    policy: Policy = AT_ONCE,
    *,
    lists: tuple[MailingList, ...] = ALL_TO_SHOP,
    now: Callable[[], datetime] = clock.now,
) -> Desk:
    """A desk that mails by the server on `port`."""
    mailer = SmtpMailer(parse(f"smtp://127.0.0.1:{port}"), timeout=5, patience=20)
    return Desk(database, mailer, lists, policy, now)


def all_due() -> Due:
    """Everything may be told now."""
    return decide.due(EVERYTHING, AT_ONCE, clock.now())


def resolved(database: Database, *over: NewAlert) -> None:
    """The facts of `over` are past."""
    with database.transaction() as connection:
        Alerts(connection, ACCOUNT).resolve([one.key for one in over])


def told(database: Database, kind: AlertKind, subject: str, **facts: str) -> NewAlert:
    """An alert of `kind`, committed."""
    one = NewAlert(ACCOUNT, kind, subject, facts)
    raised(database, one)
    return one


def text_of(mail: EmailMessage) -> str:
    """The plain part of `mail`."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def low(number: int, kind: AlertKind = AlertKind.LOW_STOCK) -> NewAlert:
    """Low stock of a product named after `number`."""
    variant = Variant(ProductId(f"prod_{number}"), Size("M"))
    facts = stock_facts(variant, f"Mug {number:05}", on_hand=3, threshold=5)
    return NewAlert(ACCOUNT, kind, str(variant), facts)


def oversold(*sessions: str) -> NewAlert:
    """One unit oversold to each of `sessions`, always of the same variant."""
    variant = Variant(ProductId("prod_1"), Size("M"))
    sales = [OversoldSale(SessionId(session), 1) for session in sessions]
    return NewAlert(ACCOUNT, AlertKind.OVERSOLD, str(variant), oversold_facts(variant, "Mug", sales))


def raised(database: Database, *news: NewAlert) -> list[int]:
    """The ids of `news`, committed."""
    return database.run(lambda connection: Alerts(connection, ACCOUNT).raise_(news))


def let_claims_lapse(database: Database) -> None:
    """Make every claim in hand as old as a crash makes it."""
    with database.transaction() as connection:
        connection.execute("update alert set claimed_at = claimed_at - interval '1 hour'")
        connection.execute("update report set claimed_at = claimed_at - interval '1 hour'")


def drop_claims(database: Database) -> None:
    """Take the protection out: what somebody has in hand looks free."""
    with database.transaction() as connection:
        connection.execute("update alert set claimed_at = null where mailed_at is null")


def message_ids(mails: list[EmailMessage]) -> list[str]:
    """The Message-IDs of `mails`."""
    return [str(mail["Message-ID"]) for mail in mails]


def pending(database: Database) -> int:
    """How many alerts wait for a mail."""
    return database.run(mails.pending_count)


def everything_mailed(database: Database, office: PostOffice) -> list[str]:
    """The subjects of all mails, once nothing waits any more."""
    while pending(database):
        mail_what_waits(desk(database, office.port))
    return [str(mail["Subject"]).removeprefix("[stocksync test] ") for mail in office.mails()]
