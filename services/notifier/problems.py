"""Problems that are past: what has no fact that ends it, such as refused webhooks, ends when nobody notices it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from services.notifier.mailing import Desk
from shared import logs
from shared.store import problems
from shared.vocabulary import AlertKind

PAST_AFTER: Final[Mapping[AlertKind, timedelta]] = {
    AlertKind.BROKER_REFUSED: timedelta(hours=1),
    AlertKind.LOGINS_BLOCKED: timedelta(hours=1),
    AlertKind.LIVEMODE_MISMATCH: timedelta(days=1),
    AlertKind.UNKNOWN_ACCOUNT: timedelta(days=1),
}
"""Nobody noticing it for so long is its end: refused webhooks are urgent whenever they begin again, while a wrong
endpoint sends whenever somebody buys there, which is no news each time.
"""

log = logs.get(__name__)


def end_past(desk: Desk) -> float:
    """End the problems that are past; seconds until it is worth looking again."""
    ended = desk.database.run(lambda connection: problems.end_past(connection, PAST_AFTER))
    if ended:
        log.info("problems_past", problems=ended)
    return desk.policy.sweep
