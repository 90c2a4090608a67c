from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Event

import pytest

from services.notifier.mailing import mail_what_waits
from services.notifier.postman import Postman
from shared.database.pool import Database
from shared.store.alerts import Alerts
from shared.vocabulary import AlertKind
from tests.integration.notifier.desk import (
    ACCOUNT,
    AT_ONCE,
    desk,
    let_claims_lapse,
    low,
    pending,
    raised,
    text_of,
)
from tests.integration.notifier.post_office import PostOffice, opened
from tests.support.ports import free_port
from tests.support.waiting import until

OUT = AlertKind.OUT_OF_STOCK


@contextmanager
def started(database: Database, office: PostOffice) -> Generator[None]:
    """A postman at work."""
    stop = Event()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(Postman(desk(database, office.port)).run, stop)
        try:
            yield
        finally:
            stop.set()
        running.result(30)


def test_an_alert_is_mailed_once(database: Database, office: PostOffice) -> None:
    """A committed alert goes out in one mail, and in no second one."""
    raised(database, low(1))
    for _ in range(3):
        mail_what_waits(desk(database, office.port))
    assert [mail["Subject"] for mail in office.mails()] == [
        "[stocksync test] Low stock: Mug 00001, M, 3 left"
    ]
    assert pending(database) == 0


def test_fault_98_after_an_outage_the_newest_state_is_one_mail(database: Database) -> None:
    """Alerts wait while the server is away; on its return one mail tells what is still true."""
    port = free_port()
    away = desk(database, port)
    raised(database, low(1), low(2))
    mail_what_waits(away)
    with database.transaction() as connection:
        Alerts(connection, ACCOUNT).resolve([low(1).key])
    raised(database, low(2, OUT), low(3))
    mail_what_waits(away)
    assert pending(database) == 4
    with opened() as office:
        here = desk(database, office.port)
        while pending(database):
            mail_what_waits(here)
        (mail,) = office.mails()
    assert mail["Subject"] == "[stocksync test] 1 out of stock, 1 low stock"
    assert "2 more were over, or overtaken" in text_of(mail)


def test_fault_98_while_the_server_is_away_it_is_asked_ever_less(database: Database) -> None:
    """New alerts are no reason to knock again before the back-off is over."""
    away = desk(database, free_port(), replace(AT_ONCE, backoff=(60,)))
    raised(database, low(1))
    assert mail_what_waits(away) == 0
    raised(database, low(2))
    assert 25 < mail_what_waits(away) <= 30
    with database.transaction() as connection:
        assert connection.execute("select max(attempts), min(attempts) from alert").fetchone() == (1, 0)


@pytest.mark.parametrize("reply", ["", "451 4.7.1 greylisted", "554 5.7.1 spam"])
def test_fault_66_a_record_that_loses_a_deadlock_is_made_again(
    database: Database, office: PostOffice, reply: str
) -> None:
    """What became of a mail is recorded on a further attempt, and the mail goes out once."""
    office.data_reply = reply
    raised(database, low(1))
    with database.transaction() as connection:
        connection.execute(
            """
            create sequence records;
            create function lose_once() returns trigger language plpgsql as $$ begin
                if nextval('records') = 1 then raise exception 'lost' using errcode = 'deadlock_detected'; end if;
                return new;
            end $$;
            create trigger lose before update on alert for each row
                when (new.claimed_at is null or new.failed_at is not null) execute function lose_once();
            """
        )
    mail_what_waits(desk(database, office.port))
    with database.transaction() as connection:
        row = connection.execute(
            "select last_value, claimed_at is null or failed_at is not null from records, alert"
        )
        assert row.fetchone() == (2, True)
    assert office.offered == 1


def test_fault_99_greylisting_is_outlasted(database: Database, office: PostOffice) -> None:
    """A mail refused for now is sent again later, the same one."""
    office.data_reply = "451 4.7.1 greylisted"
    raised(database, low(1))
    mail_what_waits(desk(database, office.port))
    assert (office.taken, pending(database)) == ([], 1)
    office.data_reply = ""
    mail_what_waits(desk(database, office.port))
    assert len(office.taken) == 1


def test_fault_99_refused_for_ever_is_kept_and_can_be_brought_back(
    database: Database, office: PostOffice, capsys: pytest.CaptureFixture[str]
) -> None:
    """A 5xx ends the tries with a loud line; a notifier that starts tries once more what was refused lately."""
    office.data_reply = "554 5.7.1 spam"
    raised(database, low(1))
    for _ in range(2):
        mail_what_waits(desk(database, office.port))
    with database.transaction() as connection:
        connection.execute("update alert set failed_at = failed_at - interval '8 days'")
    raised(database, low(2))
    for _ in range(2):
        mail_what_waits(desk(database, office.port))
    assert (office.offered, pending(database)) == (2, 0)
    shown = capsys.readouterr()
    assert "mail_refused" in shown.out + shown.err
    office.data_reply = ""
    with started(database, office):
        until("the mail", lambda: bool(office.taken))
    assert [mail["Subject"] for mail in office.mails()] == [
        "[stocksync test] Low stock: Mug 00002, M, 3 left"
    ]


def test_fault_102_ten_thousand_alerts_are_one_mail(database: Database, office: PostOffice) -> None:
    """A flood is told in one mail."""
    raised(database, *(low(number) for number in range(10_000)))
    while pending(database):
        mail_what_waits(desk(database, office.port))
    assert [mail["Subject"] for mail in office.mails()] == ["[stocksync test] 10,000 low stock"]


def test_a_stream_of_alerts_is_a_few_mails(database: Database, office: PostOffice) -> None:
    """After a mail the next one waits, and takes along what came meanwhile."""
    pacing = desk(database, office.port, replace(AT_ONCE, pause=60))
    raised(database, low(1))
    mail_what_waits(pacing)
    for number in range(2, 12):
        raised(database, low(number))
        assert mail_what_waits(pacing) > 0
    assert len(office.taken) == 1
    with database.transaction() as connection:
        connection.execute("update mail set sent_at = sent_at - interval '61 seconds'")
    mail_what_waits(pacing)
    assert office.mails()[1]["Subject"] == "[stocksync test] 10 low stock"


def test_a_postman_survives_the_unforeseen(
    database: Database, office: PostOffice, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row that no code understands delays the mails until it is gone, it does not end the mailing."""
    raised(database, low(1))
    with database.transaction() as connection:
        connection.execute("update alert set facts = '[]'")
    stop = Event()
    postman = Postman(desk(database, office.port, replace(AT_ONCE, backoff=(0.05,))))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(postman.run, stop)
        until("the trouble", lambda: "mailing_broken" in "".join(capsys.readouterr()))
        with database.transaction() as connection:
            connection.execute("update alert set facts = '{}'")
        let_claims_lapse(database)
        until("the mail", lambda: bool(office.taken))
        stop.set()
        running.result(30)


def test_a_kind_from_the_future_holds_up_nothing(database: Database, office: PostOffice) -> None:
    """An alert of a kind that this version does not know waits for one that does; the others are told."""
    raised(database, low(1), low(2))
    with database.transaction() as connection:
        connection.execute("update alert set kind = 'from the future' where subject = 'prod_1/M'")
    mail_what_waits(desk(database, office.port))
    assert [mail["Subject"] for mail in office.mails()] == [
        "[stocksync test] Low stock: Mug 00002, M, 3 left"
    ]
    assert pending(database) == 1
