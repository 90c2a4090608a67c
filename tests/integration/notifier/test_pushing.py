from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Event

from services.notifier.mailing import mail_what_waits
from services.notifier.push import Push
from services.notifier.pushing import Pushing
from shared.database.pool import Database
from shared.store import mails
from shared.store.alerts import Alerts
from shared.vocabulary import AlertKind
from tests.integration.notifier.desk import ACCOUNT, AT_ONCE, desk, low, oversold, raised, resolved, told
from tests.integration.notifier.post_office import PostOffice
from tests.support.ports import free_port
from tests.support.waiting import until

REFUSED = AlertKind.STRIPE_REFUSED
QUICK = replace(AT_ONCE, push_every=0.02, push_pause=0.02, backoff=(0.02,))


@dataclass
class Phone:
    """A pusher that keeps what it is told, while it `takes` it."""

    takes: bool = True
    told: list[Push] = field(default_factory=list[Push])

    def push(self, message: Push) -> bool:
        """Keep it."""
        self.told.append(message)
        return self.takes


def test_only_what_cannot_wait_is_pushed_once(database: Database) -> None:
    """Urgent alerts are one push, however often they are added to; low stock is none."""
    phone = Phone()
    pushing = Pushing(database, phone, QUICK)
    raised(database, low(1))
    assert pushing.once() is None
    raised(database, oversold("cs_1"))
    told(database, REFUSED, str(ACCOUNT))
    assert pushing.once() is True
    raised(database, oversold("cs_2"))
    assert pushing.once() is None
    assert [push.title for push in phone.told] == ["[stocksync test] Stripe refuses the key, 1 oversold"]


def test_mail_and_push_do_not_wait_for_each_other(database: Database, office: PostOffice) -> None:
    """A push goes out while the mail server is away, and a mail while the phones are."""
    phone = Phone()
    told(database, REFUSED, str(ACCOUNT))
    mail_what_waits(desk(database, free_port()))
    assert Pushing(database, phone, QUICK).once() is True
    mail_what_waits(desk(database, office.port))
    assert len(office.taken) == 1
    phone.takes = False
    told(database, AlertKind.BROKER_REFUSED, "session.paid")
    assert Pushing(database, phone, QUICK).once() is False
    mail_what_waits(desk(database, office.port))
    assert len(office.taken) == 2
    assert database.run(mails.pending_count) == 0


def test_what_is_over_or_seen_to_is_not_pushed(database: Database) -> None:
    """An alert that ended, was acknowledged or snoozed before the push is left out."""
    over = told(database, REFUSED, str(ACCOUNT))
    resolved(database, over)
    ids = raised(database, oversold("cs_1"))
    database.run(lambda connection: Alerts(connection, ACCOUNT).acknowledge(ids, by="ada"))
    assert Pushing(database, Phone(), QUICK).once() is None


def test_the_loop_tries_again_until_it_is_taken(database: Database) -> None:
    """A push that was not taken comes again, and not once it was."""
    phone, stop = Phone(takes=False), Event()
    told(database, REFUSED, str(ACCOUNT))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(Pushing(database, phone, QUICK).run, stop)
        until("two tries", lambda: len(phone.told) > 1)
        phone.takes = True
        until("it to be taken", lambda: Pushing(database, Phone(), QUICK).once() is None)
        stop.set()
        running.result(30)
    assert {push.title for push in phone.told} == {
        "[stocksync test] Stripe refuses the API key: your Stripe account, test mode"
    }
