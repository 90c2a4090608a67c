"""How a page answers a change: on with the next page and a notice, or what was wrong beside the form."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from flask import Flask, Response, g, redirect, render_template, request
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response as AnyResponse

from services.backoffice.operations import people
from services.backoffice.web import badges
from services.backoffice.web.gate import is_part, token
from services.backoffice.web.office import office
from shared import logs
from shared.outcomes import Outage
from shared.refusal import Refused
from shared.stripe_api.answers import StripeFailed

LATER: Final = " The queue does not answer; Stripe follows within a minute or so."

log = logs.get(__name__)


def done(notice: str, where: str) -> AnyResponse:
    """On to `where`, which shows the notice once."""
    try:
        people.leave_notice(office().ledger.database, token(), notice)
    except Outage:
        log.warning("notice_lost")  # what it tells of is done
    if is_part():
        return Response(headers={"HX-Redirect": where})
    return redirect(where, 303)


def explain(app: Flask) -> None:
    """Have every error of `app` end as words for people; what nobody foresaw is logged and named by a number."""

    @app.errorhandler(Refused)
    def refused(error: Refused) -> tuple[str, int]:
        return _problem(str(error), 422)

    @app.errorhandler(Outage)
    @app.errorhandler(StripeFailed)
    def away(error: Exception) -> tuple[str, int]:
        what = error if "visit" in g else "the database is away"  # a stranger hears no more than that
        sure = (
            "Nothing was changed"
            if request.method == "GET"
            else "Look whether anything was changed before you"
        )
        again = "; try again in a moment." if request.method == "GET" else " try again."
        return _problem(f"{what}. {sure}{again}", 503)

    @app.errorhandler(HTTPException)
    def refused_by_http(error: HTTPException) -> AnyResponse | tuple[str, int]:
        if error.code is None or error.code < HTTPStatus.BAD_REQUEST:
            return error.get_response()  # pyright: ignore[reportReturnType] - the wsgi wrapper's own class
        unsaid = isinstance(error, NotFound) and error.description == NotFound.description
        return _problem("there is no such page" if unsaid else error.description or error.name, error.code)

    @app.errorhandler(Exception)
    def unforeseen(error: Exception) -> tuple[str, int]:
        log.error("page_failed", path=request.path, error=type(error).__name__, exc_info=error)
        return _problem("Something went wrong here; the log says what.", 500)


def _problem(text: str, code: int) -> tuple[str, int]:
    badges.keep(None)
    page = "problem_part.html" if is_part() else "problem.html"
    return render_template(page, problem=text[:1].upper() + text[1:], code=code), code
