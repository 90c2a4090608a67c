"""Stripe's events beside what became of them here, and telling the stock worker of one once more."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from services.backoffice.operations import event_replay
from services.backoffice.operations import events as operations
from services.backoffice.operations.event_standing import Word
from services.backoffice.operations.events import Asking, Desk
from services.backoffice.web import answers, asked
from services.backoffice.web.office import office, visit
from shared import clock
from shared.refusal import Refused

pages = Blueprint("events", __name__)
SHOWN: Final = 50
"""The newest; a list in Stripe is read anew for every page."""
DAYS: Final = (1, 7, 30)
MARKS: Final = {
    Word.DONE: "good",
    Word.RECOVERED: "good",
    Word.UNHEARD: "bad",
    Word.ASIDE: "bad",
    Word.ODD: "bad",
    Word.TRIED: "warn",
    Word.WAITS: "warn",
}
"""Colours; what needs nobody has none."""


class NotSent(Refused):
    """The event can't be replayed; the text says why."""


@pages.get("/events")
def listing() -> str:
    """The newest of a group, or of all; only those that Stripe could not get rid of where that is asked."""
    group = asked.argument("group") or None
    days = request.args.get("days", DAYS[0], type=int)
    back = timedelta(days=days if days in DAYS else DAYS[0])
    owed = "owed" in request.args
    found = operations.listed(
        _desk(), Asking(operations.types(group), clock.now() - back, undelivered=owed, limit=SHOWN)
    )
    return render_template(
        "events.html",
        found=found,
        group=group,
        groups=operations.GROUPS,
        days=back.days,
        spans=DAYS,
        owed=owed,
    )


@pages.get("/events/<event>")
def one(event: str) -> str:
    """One event, and which sale or movements it led to; nothing of who bought."""
    return render_template("event.html", shown=operations.show(_desk(), event))


@pages.post("/events/<event>/replay")
def replay(event: str) -> Response:
    """Tell the stock worker of it once more."""
    (done,) = event_replay.replay(_desk(), office().broker, [event], by=visit().person)
    if not done.sent:
        raise NotSent(f"{event} was not sent: {done.what}")
    return answers.done(f"{event}: sent: {done.what}.", url_for("events.one", event=event))


@pages.app_template_filter("event_mark")
def mark(word: Word) -> str:
    """The colour of what became of an event."""
    return MARKS.get(word, "odd")


def _desk() -> Desk:
    desk = office()
    return Desk(desk.ledger.account, desk.ledger.database, desk.stripe)
