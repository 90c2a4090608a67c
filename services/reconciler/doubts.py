"""Findings about sales: booked where Stripe shows none, or paid where the ledger has none."""

from __future__ import annotations

from collections.abc import Iterable

from services.reconciler import telling
from services.reconciler.jobs import Tools
from shared.database.pool import Connection
from shared.findings import Cause, NewFinding
from shared.recovery.search import Found
from shared.store.findings import Findings, retell
from shared.store.recoveries import Recoveries
from shared.store.sales import Sales
from shared.vocabulary import JobName, ProductId, SessionId

SALES_DOUBTED = (Cause.SALE_UNKNOWN, Cause.SALE_NOT_BOOKED)


def note(found: Found, tools: Tools) -> None:
    """Keep what one page of paid sessions leaves in doubt; people are told once all is `settled`, by whichever run."""
    seen = [
        *_about(found.unlisted, Cause.SALE_UNKNOWN, "no paid session of this id is listed"),
        *_about(found.parked, Cause.SALE_NOT_BOOKED, "its message lies in the dead letters"),
    ]
    if not (seen or found.listed):
        return

    def keep(connection: Connection) -> None:
        if found.unlisted or found.listed:
            recoveries = Recoveries(connection, tools.account)
            recoveries.note_listing(unlisted=found.unlisted, listed=found.listed)
        if seen:
            Findings(connection, tools.account).see(seen)

    tools.database.run(keep)


def settle(tools: Tools) -> None:
    """End what is in doubt no more, and have the one alert say what is left, and what is news."""

    def end(connection: Connection) -> list[int]:
        findings = Findings(connection, tools.account)
        doubted = findings.unresolved(SALES_DOUBTED)
        sessions = [SessionId(one.subject) for one in doubted]
        booked = Sales(connection, tools.account).booked(sessions)
        unlisted = Recoveries(connection, tools.account).unlisted(sessions)
        over = {
            one.id: "it is booked now" if one.cause == Cause.SALE_NOT_BOOKED else "Stripe lists it again"
            for one in doubted
            if (one.subject in booked if one.cause == Cause.SALE_NOT_BOOKED else one.subject not in unlisted)
        }
        ended = findings.resolve(over, JobName.RECOVER) if over else []
        news = findings.note_told(SALES_DOUBTED)
        return retell(connection, tools.account, news=news) if news or ended else []

    raised = tools.database.run(end)
    telling.hint(tools.broker, raised)


def _about(sessions: Iterable[SessionId], cause: Cause, detail: str) -> list[NewFinding]:
    return [NewFinding(cause, ProductId(""), name=one, detail=detail, subject=one) for one in sessions]
