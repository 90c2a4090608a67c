from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from services.notifier.audience import Audience, mailing_lists
from services.notifier.mailing import mail_what_waits
from services.notifier.quiet import QuietHours
from services.notifier.refused import LATELY
from shared.database.pool import Database
from shared.store import mails
from shared.vocabulary import AlertKind
from tests.integration.notifier.desk import (
    ACCOUNT,
    AT_ONCE,
    desk,
    let_claims_lapse,
    low,
    message_ids,
    oversold,
    raised,
    resolved,
    text_of,
    told,
)
from tests.integration.notifier.post_office import PostOffice
from tests.support.waiting import until

OUT = AlertKind.OUT_OF_STOCK
THREE = mailing_lists("bot@example.com", {one: (f"{one}@example.com",) for one in Audience})
NIGHT = replace(AT_ONCE, quiet=QuietHours(time(22), time(7), ZoneInfo("Europe/Berlin")))


def one_for_each(database: Database) -> None:
    """An alert for each audience."""
    raised(database, low(1), oversold("cs_1"))
    told(database, AlertKind.JOB_FAILED, "recover", job="recover", reason="it broke")


def received(office: PostOffice) -> Counter[str]:
    """How many mails went to whom."""
    return Counter(str(mail["To"]) for mail in office.mails())


def test_each_audience_gets_one_digest_of_its_kinds(database: Database, office: PostOffice) -> None:
    """Three circles of people get a mail each, with a Message-ID of its own and nothing of the others'."""
    one_for_each(database)
    raised(database, low(2))
    for _ in range(3):
        mail_what_waits(desk(database, office.port, lists=THREE))
    assert {str(mail["To"]): str(mail["Subject"]) for mail in office.mails()} == {
        "stock@example.com": "[stocksync test] 2 low stock",
        "sales@example.com": "[stocksync test] Sold more than there was: Mug, M, 1 short",
        "operations@example.com": "[stocksync test] A scheduled job failed: recover",
    }
    assert len(set(message_ids(office.mails()))) == len(office.taken) == 3
    assert database.run(mails.pending_count) == 0


def test_s12_a_crash_costs_each_audience_at_most_one_duplicate(
    database: Database, office: PostOffice
) -> None:
    """Where every record is lost after its mail was taken, each audience gets its mail twice under one id, no more."""
    one_for_each(database)
    three = desk(database, office.port, lists=THREE)
    office.hang_up_after_taking = True
    mail_what_waits(three)
    assert sum(received(office).values()) == 3
    office.hang_up_after_taking = False
    let_claims_lapse(database)
    raised(database, low(2), low(3, OUT))
    while database.run(mails.pending_count):
        mail_what_waits(three)
    assert received(office) == {
        "stock@example.com": 3,
        "sales@example.com": 2,
        "operations@example.com": 2,
    }
    assert sorted(Counter(message_ids(office.mails())).values()) == [1, 2, 2, 2]


def test_two_notifiers_tell_each_audience_once(database: Database, office: PostOffice) -> None:
    """With two notifiers at work no audience gets a mail twice."""
    one_for_each(database)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(mail_what_waits, desk(database, office.port, lists=THREE)) for _ in range(2)]
        for one in both:
            one.result(30)
    assert received(office) == {f"{one}@example.com": 1 for one in Audience}


def test_the_pause_holds_for_each_audience_by_itself(database: Database, office: PostOffice) -> None:
    """A flood to one circle of people is a few mails to them, and does not hold up the others'."""
    pacing = desk(database, office.port, replace(AT_ONCE, pause=60), lists=THREE)
    for number in range(10):
        raised(database, low(number))
        mail_what_waits(pacing)
    assert received(office) == {"stock@example.com": 1}
    raised(database, oversold("cs_1"))
    mail_what_waits(pacing)
    assert received(office) == {"stock@example.com": 1, "sales@example.com": 1}
    with database.transaction() as connection:
        connection.execute("update mail set sent_at = sent_at - interval '61 seconds'")
    mail_what_waits(pacing)
    assert office.mails()[-1]["Subject"] == "[stocksync test] 9 low stock"


def test_recipients_that_are_refused_hold_up_only_their_own_digest(
    database: Database, office: PostOffice
) -> None:
    """Where the server refuses one circle's address for ever, the other circles are told."""
    office.rcpt_replies["sales@example.com"] = "550 5.1.1 no such user"
    one_for_each(database)
    for _ in range(3):
        mail_what_waits(desk(database, office.port, lists=THREE))
    assert received(office) == {"stock@example.com": 1, "operations@example.com": 1}
    assert database.run(mails.pending_count) == 0
    assert database.run(lambda connection: mails.rearm_failed(connection, LATELY)) == 1


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_in_quiet_hours_most_waits_for_one_digest_in_the_morning(
    database: Database, office: PostOffice
) -> None:
    """At 23:00 in Berlin only what can't wait is mailed; at 7:00 one mail tells the rest, ends too."""
    evening = desk(database, office.port, NIGHT, now=lambda: at("2026-06-10T19:30"))
    night = desk(database, office.port, NIGHT, now=lambda: at("2026-06-10T21:00"))
    before_morning = desk(database, office.port, NIGHT, now=lambda: at("2026-06-11T04:59"))
    morning = desk(database, office.port, NIGHT, now=lambda: at("2026-06-11T05:00"))
    raised(database, low(1))
    mail_what_waits(evening)
    resolved(database, low(1))
    raised(database, low(2), low(3, OUT))
    refused = told(database, AlertKind.STRIPE_REFUSED, str(ACCOUNT))
    for _ in range(2):
        mail_what_waits(night)
    resolved(database, refused)
    raised(database, low(4), low(5))
    resolved(database, low(5))
    mail_what_waits(before_morning)
    assert [mail["Subject"].strip().removeprefix("[stocksync test] ") for mail in office.mails()] == [
        "Low stock: Mug 00001, M, 3 left",
        "Stripe refuses the API key: your Stripe account, test mode",
    ]
    for _ in range(2):
        mail_what_waits(morning)
    _, _, digest = office.mails()
    assert digest["Subject"] == "[stocksync test] 1 out of stock, 2 low stock, 2 over now"
    assert "Stripe accepts the API key again" in text_of(digest)
    assert digest["Date"].datetime == at("2026-06-11T05:00")


def test_without_quiet_hours_the_night_is_like_the_day(database: Database, office: PostOffice) -> None:
    """Negative control: the same alert goes out at night where no quiet hours are set."""
    raised(database, low(1))
    mail_what_waits(desk(database, office.port, now=lambda: at("2026-06-10T21:00")))
    assert len(office.taken) == 1


def test_a_mail_that_a_crash_left_is_finished_in_quiet_hours(database: Database, office: PostOffice) -> None:
    """What was being sent when the notifier died goes out whole and under its id, though quiet hours began."""
    raised(database, low(1))
    told(database, AlertKind.STRIPE_REFUSED, str(ACCOUNT))
    office.hang_up_after_taking = True
    mail_what_waits(desk(database, office.port, NIGHT, now=lambda: at("2026-06-10T19:59")))
    office.hang_up_after_taking = False
    let_claims_lapse(database)
    mail_what_waits(desk(database, office.port, NIGHT, now=lambda: at("2026-06-10T20:00")))
    first, again = message_ids(office.mails())
    assert first == again
    until("nothing to wait", lambda: database.run(mails.pending_count) == 0)
