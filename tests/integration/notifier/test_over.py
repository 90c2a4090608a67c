from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.notifier.mailing import mail_what_waits
from shared.database.pool import Database
from shared.store import mails
from shared.store.products import Products
from shared.vocabulary import AlertKind, MovementKind, ProductId, Size
from tests.integration.notifier.desk import (
    ACCOUNT,
    AT_ONCE,
    desk,
    everything_mailed,
    let_claims_lapse,
    low,
    message_ids,
    raised,
    resolved,
    text_of,
    told,
)
from tests.integration.notifier.post_office import PostOffice, opened
from tests.integration.reports.ledger import Entry, append, create
from tests.support.ports import free_port

OUT = AlertKind.OUT_OF_STOCK


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
