from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest

from services.notifier.mailing import mail_what_waits
from services.notifier.postman import Postman
from shared.database.pool import Database
from tests.integration.notifier.desk import (
    AT_ONCE,
    desk,
    drop_claims,
    let_claims_lapse,
    low,
    message_ids,
    oversold,
    pending,
    raised,
    resolved,
    text_of,
)
from tests.integration.notifier.post_office import PostOffice
from tests.support.waiting import until


def test_a_mail_of_unknown_fate_is_told_again_under_the_same_id(
    database: Database, office: PostOffice
) -> None:
    """Where the connection breaks before the answer the mail may come twice, recognizably, and is never lost."""
    office.hang_up_after_taking = True
    raised(database, low(1), low(2))
    mail_what_waits(desk(database, office.port))
    office.hang_up_after_taking = False
    raised(database, low(3))
    let_claims_lapse(database)
    while pending(database):
        mail_what_waits(desk(database, office.port))
    first, again, other = message_ids(office.mails())
    assert first == again != other


def test_a_mail_that_is_never_confirmed_goes_out_twice_at_most(
    database: Database, office: PostOffice, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that takes every mail and then hangs up is given each twice; a line names it, and it counts as sent."""
    office.hang_up_after_taking = True
    raised(database, low(1), low(2))
    for _ in range(4):
        mail_what_waits(desk(database, office.port))
        let_claims_lapse(database)
    assert len(office.taken) == 2
    assert pending(database) == 0
    shown = "".join(capsys.readouterr())
    assert ("mail_unconfirmed" in shown, "2 low stock" in shown) == (True, True)
    resolved(database, low(1))
    for _ in range(4):
        mail_what_waits(desk(database, office.port))
        let_claims_lapse(database)
    assert len(office.taken) == 4
    assert pending(database) == 0


def test_what_is_news_since_an_unconfirmed_mail_goes_out_twice_too(
    database: Database, office: PostOffice
) -> None:
    """What joins an alert after a mail of unknown fate makes another mail of it, which is tried twice as well."""
    office.hang_up_after_taking = True
    raised(database, oversold("cs_1"))
    mail_what_waits(desk(database, office.port))
    raised(database, oversold("cs_2"))
    for _ in range(4):
        mail_what_waits(desk(database, office.port))
        let_claims_lapse(database)
    first, second, third = message_ids(office.mails())
    assert first != second == third
    assert pending(database) == 0


def test_what_joins_an_alert_while_its_mail_is_under_way_is_told_too(
    database: Database, office: PostOffice
) -> None:
    """An oversold session that comes while the mail of an earlier one is being sent is in the next mail."""
    raised(database, oversold("cs_1"))
    office.before_reply.clear()
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(mail_what_waits, desk(database, office.port))
        until("the mail to be taken", lambda: bool(office.taken))
        raised(database, oversold("cs_2"))
        office.before_reply.set()
        sending.result(30)
    assert pending(database) == 1
    mail_what_waits(desk(database, office.port))
    assert "cs_2" in text_of(office.mails()[1])
    assert len(set(message_ids(office.mails()))) == 2


def _told_by_two(database: Database, office: PostOffice, *, claims_hold: bool) -> Counter[str]:
    """How often each of 40 alerts was told by two notifiers while alerts came in."""
    stop = Event()
    office.before_reply.clear()
    postmen = [Postman(desk(database, office.port, replace(AT_ONCE, sweep=0.05))) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(postman.run, stop) for postman in postmen]
        raised(database, *(low(number) for number in range(20)))
        until("the first mail", lambda: bool(office.taken))
        if not claims_hold:
            drop_claims(database)
            until("the second notifier", lambda: len(office.taken) > 1)
        office.before_reply.set()
        for number in range(20, 40):
            raised(database, low(number))
        until("all to be told", lambda: pending(database) == 0)
        stop.set()
        for run in running:
            run.result(30)
    texts = [text_of(mail) for mail in office.mails()]
    return Counter(name for text in texts for name in re.findall(r"^\* (Mug \d+)", text, re.MULTILINE))


def test_two_notifiers_tell_each_alert_once(database: Database, office: PostOffice) -> None:
    """With two notifiers at work every alert is in exactly one mail."""
    told = _told_by_two(database, office, claims_hold=True)
    assert told == {f"Mug {number:05}": 1 for number in range(40)}


def test_two_notifiers_without_claims_tell_twice(database: Database, office: PostOffice) -> None:
    """Negative control: where claims are dropped, two notifiers tell the same alert twice."""
    told = _told_by_two(database, office, claims_hold=False)
    assert max(told.values()) > 1
