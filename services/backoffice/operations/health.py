"""Whether what a process stands on answers, asked from beside it."""

from __future__ import annotations

from shared.broker.connect import connect
from shared.database.connect import dsn
from shared.database.pool import Database
from shared.outcomes import Outage
from shared.settings import BrokerSettings

ANSWER_SECONDS = 5.0


def problems(settings: BrokerSettings) -> list[str]:
    """What is wrong with the database and the queue that `settings` name, a line each; empty if nothing."""
    found: list[str] = []
    broker = connect(settings)
    database = Database(dsn(settings), name="stocksync health", size=1, timeout=ANSWER_SECONDS)
    try:
        for name, ping in (("database", database.ping), ("queue", broker.ping)):
            try:
                ping()
            except Outage as outage:
                found.append(f"{name}: {outage}")
    finally:
        broker.close()
        database.close()
    return found
