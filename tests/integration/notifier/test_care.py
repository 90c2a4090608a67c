from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.notifier.mailing import mail_what_waits
from shared.alerts import NewAlert
from shared.database.pool import Database
from shared.store import mails
from shared.store.alerts import Alerts
from shared.store.products import Products
from shared.vocabulary import AlertKind, MovementKind, ProductId, Size
from tests.integration.notifier.desk import (
    ACCOUNT,
    AT_ONCE,
    all_due,
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
from tests.integration.notifier.post_office import PostOffice, opened
from tests.integration.reports.ledger import Entry, append, create
from tests.support.ports import free_port

OUT = AlertKind.OUT_OF_STOCK


def everything_mailed(database: Database, office: PostOffice) -> list[str]:
    """The subjects of all mails, once nothing waits any more."""
    while database.run(mails.pending_count):
        mail_what_waits(desk(database, office.port))
    return [str(mail["Subject"]).removeprefix("[stocksync test] ") for mail in office.mails()]


def care(database: Database) -> tuple[list[int], list[int]]:
    """The ids of what is open, and of those that are acknowledged."""
    found = database.run(lambda connection: Alerts(connection, ACCOUNT).still_open(100))
    return [one.id for one in found], [one.id for one in found if one.acknowledged_at]


def acknowledge(database: Database, ids: list[int]) -> list[int]:
    return database.run(lambda connection: Alerts(connection, ACCOUNT).acknowledge(ids, by="ada"))


def snooze(database: Database, ids: list[int]) -> list[int]:
    until = datetime.now(UTC) + timedelta(hours=1)
    return database.run(lambda connection: Alerts(connection, ACCOUNT).snooze(ids, until))


def let_snoozes_end(database: Database) -> None:
    """The hour has passed."""
    with database.transaction() as connection:
        connection.execute("update alert set snoozed_until = now() - interval '1 second'")


def test_what_people_were_told_of_is_told_to_be_over_once(database: Database, office: PostOffice) -> None:
    """After a restock and an accepted key one mail says so, and no second one does."""
    raised(database, low(1), low(2))
    refused = told(database, AlertKind.STRIPE_REFUSED, str(ACCOUNT))
    assert everything_mailed(database, office) == ["Stripe refuses the key, 2 low stock"]
    resolved(database, refused, low(1))
    assert everything_mailed(database, office)[1:] == ["2 over now"]
    text = text_of(office.mails()[1])
    assert "Stripe accepts the API key again" in text
    assert "* Restocked: Mug 00001, M" in text
    assert "Mug 00002" not in text


@pytest.mark.parametrize(("state", "mails"), [("missing", 1), ("managed", 2)])
def test_a_size_that_is_gone_is_not_told_as_restocked(
    database: Database, office: PostOffice, state: str, mails: int
) -> None:
    """Where an alert ended because Stripe has no such size any more, nobody restocked anything."""
    mug, medium = ProductId("prod_1"), Size("M")
    create(database, {mug: "Mug"}, (medium,))
    append(database, [Entry(mug, medium, 3, MovementKind.OPENING, datetime.now(UTC))])
    raised(database, low(1))
    everything_mailed(database, office)
    with database.transaction() as connection:
        Products(connection, ACCOUNT).save_sizes(mug, {medium: state}, opened=[])
    resolved(database, low(1))
    assert len(everything_mailed(database, office)) == mails


def test_what_nobody_was_told_of_ends_in_silence(database: Database, office: PostOffice) -> None:
    """An alert that was over before its mail makes no mail, neither of its beginning nor of its end."""
    raised(database, low(1))
    resolved(database, low(1))
    assert everything_mailed(database, office) == []


def test_an_end_rides_with_the_next_news(database: Database, office: PostOffice) -> None:
    """Where something new is told anyway, what is over stands in the same mail."""
    patient = desk(database, office.port, replace(AT_ONCE, gather_over=60, gather_over_at_most=600))
    raised(database, low(1))
    mail_what_waits(patient)
    resolved(database, low(1))
    assert mail_what_waits(patient) > 0
    raised(database, low(2, OUT))
    mail_what_waits(patient)
    assert [mail["Subject"] for mail in office.mails()][1:] == ["[stocksync test] 1 out of stock, 1 over now"]
    assert database.run(mails.pending_count) == 0


def test_what_began_again_is_not_over(database: Database, office: PostOffice) -> None:
    """A size that was restocked and fell again before the mail is told as low, not as restocked."""
    raised(database, low(1))
    everything_mailed(database, office)
    resolved(database, low(1))
    raised(database, low(1))
    assert everything_mailed(database, office)[1:] == ["Low stock: Mug 00001, M, 3 left"]


def test_a_big_restock_is_one_mail(database: Database, office: PostOffice) -> None:
    """Two thousand sizes that are restocked are one mail, as their fall was."""
    sizes = [low(number) for number in range(2000)]
    raised(database, *sizes)
    everything_mailed(database, office)
    resolved(database, *sizes)
    assert everything_mailed(database, office) == ["2,000 low stock", "2,000 over now"]


def test_a_flapping_alert_is_a_bounded_number_of_mails(database: Database, office: PostOffice) -> None:
    """A key that is refused and accepted a hundred times within a minute makes two mails, not two hundred."""
    pacing = desk(database, office.port, replace(AT_ONCE, pause=60))
    for _ in range(100):
        refused = told(database, AlertKind.STRIPE_REFUSED, str(ACCOUNT))
        mail_what_waits(pacing)
        resolved(database, refused)
        mail_what_waits(pacing)
    assert len(office.taken) == 1
    with database.transaction() as connection:
        connection.execute("update mail set sent_at = sent_at - interval '10 minutes'")
    mail_what_waits(pacing)
    (_, end) = office.mails()
    assert end["Subject"].startswith("[stocksync test] Stripe accepts the API key again")


def test_recovery_mails_off_leaves_no_backlog(database: Database, office: PostOffice) -> None:
    """With RECOVERY_MAILS=off an end is dropped, and turning them on later does not bring it back."""
    silent = desk(database, office.port, replace(AT_ONCE, recoveries=False))
    raised(database, low(1))
    mail_what_waits(silent)
    resolved(database, low(1))
    mail_what_waits(silent)
    assert everything_mailed(database, office) == ["Low stock: Mug 00001, M, 3 left"]


def test_fault_98_a_day_without_a_mail_server_ends_in_one_digest(database: Database) -> None:
    """What began, ended and ended unheard while the server was away is one mail on its return."""
    with opened() as office:
        raised(database, low(1), low(2))
        everything_mailed(database, office)
    away = desk(database, free_port())
    resolved(database, low(1))
    raised(database, low(3), low(4))
    for _ in range(3):
        mail_what_waits(away)
    resolved(database, low(3))
    with opened() as office:
        assert everything_mailed(database, office) == ["1 low stock, 1 over now"]
        assert "Mug 00003" not in text_of(office.mails()[0])


def test_an_end_that_may_have_been_told_is_told_again_under_the_same_id(
    database: Database, office: PostOffice
) -> None:
    """A connection that breaks before the answer costs one duplicate of the end, recognizably."""
    raised(database, low(1))
    everything_mailed(database, office)
    resolved(database, low(1))
    office.hang_up_after_taking = True
    mail_what_waits(desk(database, office.port))
    office.hang_up_after_taking = False
    let_claims_lapse(database)
    everything_mailed(database, office)
    begun, first, again = message_ids(office.mails())
    assert begun != first == again


def test_the_end_of_what_may_have_been_told_is_told(database: Database, office: PostOffice) -> None:
    """What is over before a mail of unknown fate is sent again is told to be over, in another mail than the first."""
    raised(database, low(1), low(2))
    office.hang_up_after_taking = True
    mail_what_waits(desk(database, office.port))
    office.hang_up_after_taking = False
    resolved(database, low(1))
    let_claims_lapse(database)
    assert everything_mailed(database, office) == ["2 low stock", "1 low stock, 1 over now"]
    assert "* Restocked: Mug 00001, M" in text_of(office.mails()[1])
    first, again = message_ids(office.mails())
    assert first != again


def test_what_is_acknowledged_is_not_told(database: Database, office: PostOffice) -> None:
    """An alert that somebody sees to goes into no mail, whether it was told before or not."""
    ids = raised(database, low(1), low(2))
    assert acknowledge(database, [ids[0], 999]) == [ids[0]]
    assert everything_mailed(database, office) == ["Low stock: Mug 00002, M, 3 left"]
    assert care(database) == ([ids[1], ids[0]], [ids[0]])


def test_what_joins_an_acknowledged_alert_is_not_told(database: Database, office: PostOffice) -> None:
    """Further oversold sales are kept with the alert and stay out of the mails while it is open."""
    ids = raised(database, oversold("cs_1"))
    everything_mailed(database, office)
    acknowledge(database, ids)
    raised(database, oversold("cs_2"))
    assert len(everything_mailed(database, office)) == 1
    (kept,) = database.run(lambda connection: Alerts(connection, ACCOUNT).still_open(10))
    assert kept.facts["sales"] == [{"session": f"cs_{n}", "units": 1} for n in (1, 2)]
    resolved(database, oversold("cs_1"))
    raised(database, oversold("cs_3"))
    assert len(everything_mailed(database, office)) == 2


def test_what_joins_without_acknowledgement_is_told(database: Database, office: PostOffice) -> None:
    """Negative control: the same sale is told again where nobody acknowledged the alert."""
    raised(database, oversold("cs_1"))
    everything_mailed(database, office)
    raised(database, oversold("cs_2"))
    assert len(everything_mailed(database, office)) == 2


def test_the_end_of_an_acknowledged_alert_is_told(database: Database, office: PostOffice) -> None:
    """Who heard of it hears that it is over, whoever saw to it."""
    ids = raised(database, low(1))
    everything_mailed(database, office)
    acknowledge(database, ids)
    resolved(database, low(1))
    assert everything_mailed(database, office)[1:] == ["Restocked: Mug 00001, M"]


def test_what_is_snoozed_waits_and_is_told_as_a_reminder(database: Database, office: PostOffice) -> None:
    """A snoozed alert that still lasts is told then, as a mail of its own that no client folds away."""
    ids = raised(database, low(1))
    everything_mailed(database, office)
    assert snooze(database, ids) == ids
    assert len(everything_mailed(database, office)) == 1
    let_snoozes_end(database)
    assert len(everything_mailed(database, office)) == 2
    first, again = message_ids(office.mails())
    assert first != again
    assert "and it still lasts" in text_of(office.mails()[1])


def test_what_ends_while_it_is_snoozed_is_told_to_be_over_only(
    database: Database, office: PostOffice
) -> None:
    """No reminder comes of an alert that is over; who was told of it hears its end, who was not hears nothing."""
    heard = raised(database, low(1))
    everything_mailed(database, office)
    unheard = raised(database, low(2))
    snooze(database, heard + unheard)
    resolved(database, low(1), low(2))
    let_snoozes_end(database)
    assert everything_mailed(database, office)[1:] == ["Restocked: Mug 00001, M"]


def test_a_snooze_while_the_mail_is_under_way_is_kept(database: Database, office: PostOffice) -> None:
    """Snoozing what a notifier has in hand is not undone by its record."""
    ids = raised(database, low(1))
    with database.transaction() as connection:
        claim = mails.claim(connection, all_due(), abandoned_after=180, limit=10)
    assert claim is not None
    snooze(database, ids)
    with database.transaction() as connection:
        mails.mark_mailed(connection, claim, mails.Letter("<x@y>", "all", ids))
    let_snoozes_end(database)
    assert len(everything_mailed(database, office)) == 1


def test_the_last_word_counts(database: Database) -> None:
    """Snoozing an acknowledged alert takes the acknowledgement back, and the reverse; what is over takes neither."""
    ids = raised(database, low(1))
    acknowledge(database, ids)
    snooze(database, ids)
    assert care(database) == (ids, [])
    acknowledge(database, ids)
    (one,) = database.run(lambda connection: Alerts(connection, ACCOUNT).still_open(10))
    assert (one.snoozed_until, one.acknowledged_by) == (None, "ada")
    resolved(database, low(1))
    assert acknowledge(database, ids) == snooze(database, ids) == []


def test_fault_102_ten_thousand_findings_are_one_mail(database: Database, office: PostOffice) -> None:
    """A verification that finds ten thousand differences is one short mail, and so is their end."""
    findings = [
        NewAlert(
            ACCOUNT, AlertKind.FINDING, f"prod_{n}/M", {"name": f"Mug {n}", "reason": "3 here, 5 in Stripe"}
        )
        for n in range(10_000)
    ]
    raised(database, *findings)
    assert everything_mailed(database, office) == ["10,000 findings"]
    assert len(office.mails()[0].as_bytes()) < 100_000
    resolved(database, *findings)
    assert everything_mailed(database, office)[1:] == ["10,000 over now"]


def test_a_crash_keeps_news_and_ends_together(database: Database, office: PostOffice) -> None:
    """What a crashed notifier had in hand goes out as the same mail, ends too, though more waits now."""
    raised(database, low(1))
    everything_mailed(database, office)
    resolved(database, low(1))
    raised(database, low(2))
    office.hang_up_after_taking = True
    mail_what_waits(desk(database, office.port))
    office.hang_up_after_taking = False
    let_claims_lapse(database)
    raised(database, low(3))
    everything_mailed(database, office)
    _, first, again, other = message_ids(office.mails())
    assert first == again != other
