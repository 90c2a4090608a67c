"""Whether what a process stands on answers, asked from beside it."""

from __future__ import annotations

from shared import own_pages
from shared.broker.connect import connect
from shared.database.connect import dsn
from shared.database.pool import Database
from shared.outcomes import Outage
from shared.settings import BrokerSettings

ANSWER_SECONDS = 5.0


def stores(settings: BrokerSettings) -> list[str]:
    """What is wrong with the database and the queue that `settings` name, a line each; empty if nothing."""
    problems: list[str] = []
    broker = connect(settings)
    database = Database(dsn(settings), name="stocksync health", size=1, timeout=ANSWER_SECONDS)
    try:
        for name, ping in (("database", database.ping), ("queue", broker.ping)):
            try:
                ping()
            except Outage as outage:
                problems.append(f"{name}: {outage}")
    finally:
        broker.close()
        database.close()
    return problems


def page(url: str) -> list[str]:
    """What is wrong with the process that answers at `url`; empty where that is 2xx."""
    try:
        status = own_pages.status(url, within=ANSWER_SECONDS)
    except own_pages.NoAnswer as error:
        return [f"{url}: {type(error).__name__}"]
    return [] if own_pages.well(status) else [f"{url}: {status}"]
