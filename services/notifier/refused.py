"""What the mail server refused for ever is tried once more at every start: somebody may have mended it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from services.notifier.mailing import Desk
from shared import logs
from shared.database.pool import Connection
from shared.store import mails, reports

LATELY: Final = timedelta(days=7)
"""What was refused longer ago is no news any more."""

log = logs.get(__name__)


def bring_back(desk: Desk) -> None:
    """Let alerts and reports that were refused lately wait again; raises Outage."""

    def rearm(connection: Connection) -> tuple[int, int]:
        return mails.rearm_failed(connection, LATELY), reports.rearm_failed(connection, LATELY)

    alerts, weekly = desk.database.run(rearm)
    if alerts or weekly:
        log.info("refused_brought_back", alerts=alerts, reports=weekly)
