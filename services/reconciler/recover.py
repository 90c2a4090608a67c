"""The job `recover`: finds what no webhook told of, tells the stock worker, and tells people once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from services.reconciler import doubts, silence, telling
from services.reconciler.jobs import Figures, JobFailed, Tools
from services.reconciler.silence import Signs, Webhooks
from shared import logs
from shared.alerts import AlertKey, NewAlert
from shared.database.pool import Connection
from shared.recovery.feed import Crowded, Feed, hand_on
from shared.recovery.plan import Window
from shared.recovery.search import Found, Places, Search
from shared.recovery.tally import Tally
from shared.store.alerts import Alerts
from shared.store.jobs import JobRun, Jobs
from shared.store.recoveries import Recoveries
from shared.stripe_api.objects import SurprisingAnswer
from shared.vocabulary import AlertKind, JobName

WORKED_OFF_WITHIN: Final = 60.0
"""Seconds without progress after which the sales that still wait are told of by the next run."""

log = logs.get(__name__)


def recover(started: JobRun, tools: Tools, *, patience: float = WORKED_OFF_WITHIN) -> Figures:
    """Have everything missed told to the stock worker, wait until it is booked, and tell people of it."""
    del started
    tally = Tally()
    search = Search(_places(tools))
    window = search.window(resume=True)
    if window is None:
        return tally.figures
    try:
        backlog = _heal(search, window, tally, tools, patience=patience)
    except (SurprisingAnswer, Crowded) as trouble:
        raise JobFailed(str(trouble)) from None
    if tally.sales or tally.products or tally.refunds:
        log.warning("missed_found", reasons=dict(tally.reasons), **tally.figures)
        Feed(tools.broker, tools.stop, patience=patience).worked_off()
    doubts.settle(tools)
    recovered = _tell(tally, tools)
    _listen(window, tally, tools, unread=backlog)
    return {**tally.figures, **({"recovered": recovered} if recovered else {})}


def _places(tools: Tools) -> Places:
    return Places(tools.account, tools.database, tools.broker, tools.stripe, tools.stop)


def _heal(search: Search, window: Window, tally: Tally, tools: Tools, *, patience: float) -> bool:
    """Publish what is missed, events first: the next run begins behind them; whether sales wait unread."""
    feed = Feed(tools.broker, tools.stop)

    def publish(pages: Iterator[Found]) -> None:
        for found in pages:
            hand_on(feed, found.missed, _places(tools))
            doubts.note(found, tools)
            if found.unlisted:
                log.warning("booked_but_not_paid", sessions=list(found.unlisted))
            tally.add(found)

    publish(search.events(window))
    tools.database.run(lambda c: Recoveries(c, tools.account).looked_through(window.events_until))
    # What waits unread is not missed; sessions are compared once it is booked.
    backlog = not Feed(tools.broker, tools.stop, patience=patience).worked_off()
    publish(search.sessions(window, backlog=backlog))
    tools.database.run(lambda c: Recoveries(c, tools.account).compared(window.cut_off))
    return backlog


def _tell(tally: Tally, tools: Tools) -> int:
    """Have one alert tell of all sales recovered by now; how many. Nothing missed, nothing recovered: it is over."""

    def tell(connection: Connection) -> tuple[int, int | None]:
        recoveries = Recoveries(connection, tools.account)
        recovered, alert = recoveries.tell()
        if not (recovered or tally.sales):
            recoveries.over()
        return recovered, alert

    recovered, alert = tools.database.run(tell)
    telling.hint(tools.broker, [alert] if alert is not None else [])
    return recovered


def _listen(window: Window, tally: Tally, tools: Tools, *, unread: bool) -> None:
    """Tell people where webhooks have stopped, and end that where they come again."""
    key = AlertKey(AlertKind.WEBHOOK_SILENCE, tools.account)

    def listen(connection: Connection) -> list[int]:
        alerts = Alerts(connection, tools.account)
        heard = Recoveries(connection, tools.account).last_arrival()
        awake = Jobs(connection, tools.account).awake_since(JobName.RECOVER, tools.silence / 2)
        found = silence.judge(Signs(window.now, heard, tally.settled, awake, unread), tools.silence)
        if not tools.silence or found is Webhooks.COME:
            alerts.resolve([key])
            return []
        if found is Webhooks.NOT_KNOWN:
            return []
        last = f"the last came {heard:%Y-%m-%d %H:%M} UTC" if heard else "none ever came"
        reason = f"Stripe shows a sale of {tally.settled:%Y-%m-%d %H:%M} UTC; of webhooks {last}"
        return alerts.raise_([NewAlert(tools.account, key.kind, key.subject, {"reason": reason})])

    raised = tools.database.run(listen)
    if raised:
        log.warning("webhooks_silent", hours=tools.silence.total_seconds() / 3600)
        telling.hint(tools.broker, raised)
