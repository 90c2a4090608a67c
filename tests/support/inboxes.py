"""What waits for somebody in a shop: lines without a size, findings, alerts, refunds, and messages set aside."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from threading import Event, Thread
from typing import Final

from shared import clock
from shared.alerts import NewAlert, unplaced_facts
from shared.broker.port import Ack, Broker, DeadLetter, Delivery, Outgoing, Subscription, Verdict
from shared.broker.runtime import outgoing
from shared.database.pool import Database
from shared.findings import Cause, NewFinding
from shared.messages import SessionPaid
from shared.store import returns
from shared.store.alerts import Alerts
from shared.store.findings import Findings, retell
from shared.store.movements import Movements
from shared.store.refunds import Refund, Refunds
from shared.store.sales import Sales
from shared.vocabulary import (
    AlertKind,
    LineItemId,
    Movement,
    MovementKind,
    ProductId,
    RefundId,
    SessionId,
    Size,
    UnplacedSale,
)
from tests.support.pages import ACCOUNT
from tests.support.waiting import until

_NUMBERS: Final = itertools.count(1)


def held(
    database: Database, product: ProductId | None, hint: str | None = None, quantity: int = 2
) -> tuple[int, str]:
    """A line that waits for its size, with its alert; its number and session."""
    session, line = SessionId(f"cs_{next(_NUMBERS)}"), LineItemId("li_1")
    key, reason = f"sale:{session}:{line}", "the sale does not say which size was sold"
    facts = unplaced_facts(session, line, quantity=quantity, reason=reason)
    with database.transaction() as connection:
        Sales(connection, ACCOUNT).hold(
            [UnplacedSale(ACCOUNT, session, line, key, product, hint, quantity, reason)]
        )
        Alerts(connection, ACCOUNT).raise_(
            [NewAlert(ACCOUNT, AlertKind.UNPLACED_SALE, f"{session}/{line}", facts)]
        )
        ((number,),) = connection.execute(
            "select id from unplaced_sale where source_key = %s", (key,)
        ).fetchall()
    return int(number), session


def finding(
    database: Database, product: ProductId, name: str = "Mug", detail: str = "it shows “3 pcs”"
) -> int:
    """A number that can't be read, and the alert that tells of it."""
    with database.transaction() as connection:
        found = NewFinding(Cause.NOT_A_NUMBER, product, name=name, detail=detail)
        (number,) = Findings(connection, ACCOUNT).see([found])
        retell(connection, ACCOUNT, news=True)
    return number


def alert(database: Database, kind: AlertKind, subject: str, **facts: str | int) -> int:
    """An open alert."""
    with database.transaction() as connection:
        (number,) = Alerts(connection, ACCOUNT).raise_([NewAlert(ACCOUNT, kind, subject, facts)])
    return number


def open_alerts(database: Database, subject: str) -> int:
    """How many are open about it."""
    with database.transaction() as connection:
        ((count,),) = connection.execute(
            "select count(*) from alert where subject = %s and resolved_at is null", (subject,)
        ).fetchall()
    return int(count)


def refund(database: Database, product: ProductId, size: str, *, likeness: str, proposed: int) -> RefundId:
    """Three units were sold in one line, and money of one went back."""
    number = next(_NUMBERS)
    session, made, line = SessionId(f"cs_{number}"), RefundId(f"re_{number}"), f"li_{number}"
    sale = Movement(
        ACCOUNT, product, Size(size), -3, MovementKind.SALE, f"sale:{session}:{line}", session=session
    )
    with database.transaction() as connection:
        Movements(connection, ACCOUNT).append([sale])
        refunds = Refunds(connection, ACCOUNT)
        refunds.propose(
            Refund(made, session, "partial", likeness, 490, "jpy", "open", clock.now()),
            refunds.booked(session),
            [proposed],
        )
        Alerts(connection, ACCOUNT).raise_(
            [NewAlert(ACCOUNT, AlertKind.REFUND_PROPOSED, made, {"reason": "490 JPY went back"})]
        )
    return made


def money_back(database: Database, session: str) -> None:
    """490 yen of a sale that took nothing off any stock went back."""
    made = RefundId(f"re_{next(_NUMBERS)}")
    with database.transaction() as connection:
        refunds = Refunds(connection, ACCOUNT)
        refunds.propose(
            Refund(made, SessionId(session), "full", "all", 490, "jpy", "open", clock.now()), [], []
        )
        refunds.decide(made, "dismissed", by=returns.BY_ITSELF, reason=returns.NOTHING_PLACED)


def paid(session: str, reason: str = "") -> Outgoing:
    """The message that a session was paid."""
    return outgoing(SessionPaid(account=ACCOUNT, session=SessionId(session), at=clock.now(), reason=reason))


def park(
    broker: Broker,
    messages: Sequence[Outgoing],
    queues: Sequence[str],
    reason: str = "nobody <knows> it",
) -> None:
    """Have these messages refused by whoever handles their queues; whatever else is in those is handled."""
    before, mine = _dead(broker, queues), {one.message_id for one in messages}
    broker.publish(*messages)
    stop = Event()

    def refuse(deliveries: Sequence[Delivery]) -> Sequence[Verdict]:
        return [DeadLetter(reason) if one.message_id in mine else Ack() for one in deliveries]

    subscriptions = [Subscription(queue, refuse) for queue in queues]
    consumer = Thread(target=broker.consume, args=(subscriptions, stop))
    consumer.start()
    until("all to lie aside", lambda: _dead(broker, queues) == before + len(messages))
    stop.set()
    consumer.join(30)


def _dead(broker: Broker, queues: Sequence[str]) -> int:
    return sum(broker.depth(queue).dead for queue in queues)
