"""Messages that could not be handled and lie aside: why, handling them again, throwing them away."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, abort, render_template, request, url_for
from werkzeug.wrappers import Response

from services.backoffice.operations import dead_letters as operations
from services.backoffice.operations import overview
from services.backoffice.web import answers
from services.backoffice.web.office import office
from shared.broker.port import Broker, BrokerDown, Parked, PublishError
from shared.messages import UndecodableMessage, decode
from shared.storable import storable_text

pages = Blueprint("dead_letters", __name__)
AWAY: Final = (
    "The queue does not answer, so nobody can say what lies aside in it. Try again in a moment;"
    " on the machine where stocksync runs, stocksync doctor says what is wrong."
)
WORDS: Final = {
    "sales": "paid sessions",
    "products": "changes of products",
    "refunds": "refunds and disputes",
    "alerts": "alerts and reports to mail",
    "jobs": "jobs that are to run",
}


@pages.errorhandler(BrokerDown)
@pages.errorhandler(PublishError)
def away(_: Exception) -> tuple[str, int]:
    """Words where the queue is not there."""
    page = "problem_part.html" if answers.is_part() else "problem.html"
    return render_template(page, problem=AWAY, code=503), 503


@pages.get("/dead-letters")
def listing() -> str:
    """All queues with the oldest of what lies aside."""
    broker = office().broker
    depths = overview.queues(broker)
    if depths is None:
        raise BrokerDown
    queues = [
        (name, WORDS.get(name, ""), depths[name].dead, _oldest(broker, name, depths[name].dead))
        for name in operations.QUEUES
    ]
    return render_template("dead_letters.html", queues=queues)


@pages.get("/dead-letters/<queue>")
def one(queue: str) -> str:
    """One message, by its id."""
    return render_template("dead_letter.html", **_shown(queue))


@pages.get("/dead-letters/<queue>/drop")
def ask(queue: str) -> str:
    """Whether to throw one away."""
    return render_template("dead_letter_drop.html", **_shown(queue))


@pages.post("/dead-letters/<queue>/drop")
def drop(queue: str) -> Response:
    """Throw one away."""
    gone = operations.drop_one(office().broker, _known(queue), _id(request.form.get("id", "")))
    return answers.done(f"Thrown away: {_messages(gone)}.", url_for("dead_letters.listing"))


@pages.post("/dead-letters/<queue>/replay")
def replay(queue: str) -> Response:
    """Have one handled again, or all of a queue."""
    broker, message = office().broker, request.form.get("id")
    if message is None:
        moved = operations.replay_all(broker, [_known(queue)])
    else:
        moved = operations.replay_one(broker, _known(queue), _id(message))
    return answers.done(f"To be handled again: {_messages(moved)}.", url_for("dead_letters.listing"))


def _shown(queue: str) -> dict[str, object]:
    letter = operations.one(office().broker, _known(queue), _id(request.args.get("id", "")))
    return {"letter": letter, "says": _says(letter), "bytes": len(letter.body)}


def _says(letter: Parked) -> dict[str, object] | None:
    """What a message of ours holds, field by field: ids and moments. None: it is none, and may hold anything."""
    try:
        return decode(letter.body).model_dump(mode="json", exclude_none=True)
    except UndecodableMessage:
        return None


def _oldest(broker: Broker, queue: str, dead: int) -> list[Parked]:
    return broker.dead_letters(queue, operations.LISTED) if dead else []


def _known(queue: str) -> str:
    if queue not in operations.QUEUES:
        abort(404, "there is no such queue")
    return queue


def _id(text: str) -> str:
    return storable_text(text)[:255]


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count:,} messages"
