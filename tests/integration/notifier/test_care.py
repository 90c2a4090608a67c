from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.alerts import NewAlert
from shared.database.pool import Database
from shared.store import mails
from shared.store.alerts import Alerts
from shared.vocabulary import AlertKind
from tests.integration.notifier.desk import (
    ACCOUNT,
    all_due,
    everything_mailed,
    low,
    message_ids,
    oversold,
    raised,
    resolved,
    text_of,
)
from tests.integration.notifier.post_office import PostOffice


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
