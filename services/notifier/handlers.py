"""What the notifier does with each message of its queue: it notes what must be told, and wakes the postman."""

from __future__ import annotations

from services.notifier.postman import Postman
from shared.alerts import NewAlert, product_facts
from shared.database.pool import Database
from shared.messages import AlertOpened, Message, ProblemNoticed, ReportMade
from shared.outcomes import Done, Outcome, Reject
from shared.store import problems


def on_alert(message: Message, database: Database, postman: Postman) -> Outcome:
    """An alert or a report was committed, or a process without a database noticed a problem."""
    if isinstance(message, ProblemNoticed):
        problem = NewAlert(message.account, message.kind, message.subject, product_facts("", ""))
        database.run(lambda connection: problems.notice(connection, problem))
    elif not isinstance(message, AlertOpened | ReportMade):
        return Reject(f"{message.type} does not belong in this queue")
    postman.wake()
    return Done()
