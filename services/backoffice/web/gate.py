"""Who is let in, and what they may do: checked before any page, for every route alike.

Reading needs a login, changing anything an operator. A change comes from a form of ours: from our own origin, as
a form, with the token of the visit.
"""

from __future__ import annotations

import hmac
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from services.backoffice.operations import people
from services.backoffice.web.office import Office, office
from shared.store.people import Visit

PUBLIC: Final = frozenset(
    {"login.form", "login.enter", "files.script", "files.static", "ready.page", "storefront.stock"}
)
"""Endpoints that nobody needs a login for."""
ANYWHERE: Final = frozenset({"ready.page", "storefront.stock"})
"""Endpoints that answer by whatever address: they know no visits."""
LARGEST_LOGIN: Final = 16_384
"""Bytes that are read of somebody who is not logged in."""
EVERYBODY: Final = frozenset({"login.leave"})
"""Endpoints that change something and need no operator."""
LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
_READING: Final = frozenset({"GET", "HEAD"})
_FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_HSTS: Final = "max-age=31536000"


def guard(app: Flask, desk: Office) -> None:
    """Put the gate before every route of `app`, and the headers on every answer."""

    @app.before_request
    def check() -> AnyResponse | None:
        changing = request.method not in _READING
        if request.endpoint not in ANYWHERE and request.host != urlsplit(desk.origin).netloc:
            return _to_our_address(desk.origin, changing=changing)
        if changing:
            _refuse_foreign(desk.origin)
        _refuse_unreadable(request.path, *request.args.values())
        if request.endpoint in PUBLIC:
            request.max_content_length = LARGEST_LOGIN
            return None
        found = people.visit(desk.ledger.database, token(), whole=changing or not is_part())
        if found is None:
            return _to_login(changing=changing)
        g.visit = found
        if changing:
            _refuse_forged(found)
        return None

    _harden(app, desk)


def _harden(app: Flask, desk: Office) -> None:
    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if desk.speaks_tls:
            response.headers["Strict-Transport-Security"] = _HSTS
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def is_part() -> bool:
    """Whether a script asks for a part of a page it shows already."""
    whole = "HX-Boosted" in request.headers or "HX-History-Restore-Request" in request.headers
    return "HX-Request" in request.headers and not whole


def token() -> str:
    """What the browser holds of its visit, empty where it holds nothing."""
    return request.cookies.get(_cookie(office()), "")


def let_in(response: AnyResponse, entry: people.Entry) -> None:
    """Give the browser its cookie."""
    response.set_cookie(
        _cookie(office()),
        entry.token,
        max_age=int(people.LONGEST),
        secure=office().speaks_tls,
        httponly=True,
        samesite="Lax",
    )


def let_out(response: AnyResponse) -> None:
    """Take the cookie away."""
    response.delete_cookie(_cookie(office()), secure=office().speaks_tls, httponly=True, samesite="Lax")


def address() -> str:
    """Where the visitor is: a proxy that speaks TLS for us is the last to say for whom it asks."""
    told = request.headers.get("X-Forwarded-For", "") if office().speaks_tls else ""
    return told.rpartition(",")[2].strip() or request.remote_addr or ""


def _cookie(desk: Office) -> str:
    """With TLS a name that no neighbour below the same domain can set."""
    return "__Host-stocksync" if desk.speaks_tls else "stocksync"


def _to_login(*, changing: bool) -> AnyResponse:
    if changing:
        abort(401, "you are not logged in any more; nothing was changed")
    path = _shown(request.headers.get("HX-Current-URL", "") if is_part() else request.full_path)
    where = url_for("login.form", back=path if path != "/" else None)
    if is_part():  # the whole page goes to the login, and comes back to what it is
        return Response(status=401, headers={"HX-Redirect": where})
    return redirect(where, 303)


def _shown(address: str) -> str:
    """Path and query of an address, `/` where it is none: anybody may send anything."""
    try:
        shown = urlsplit(address)
    except ValueError:
        return "/"
    return shown.path + (f"?{shown.query}" if shown.query else "")


def _to_our_address(origin: str, *, changing: bool) -> AnyResponse:
    """Who reads on this machine by its other name is sent on; whoever else calls us so may be up to something."""
    ours = urlsplit(origin)
    names = [f"{name}:{ours.port}" if ours.port else name for name in LOOPBACK]
    if changing or ours.netloc not in names or request.host not in names:
        # As text: where the name is no name, not even the address of a style sheet can be made.
        return Response("This is not the address of these pages.\n", 400, mimetype="text/plain")
    return redirect(origin + "/", 303)


def _refuse_foreign(origin: str) -> None:
    """Only a form of our own pages: browsers name the origin with every POST."""
    if request.headers.get("Origin") != origin:
        abort(400, "this form is not one of these pages")
    if request.mimetype not in _FORMS:
        abort(400, "this is not a form")


def _refuse_unreadable(*texts: str) -> None:
    """No database keeps this character, and nobody types it."""
    if any("\0" in text for text in texts):
        abort(400, "a text holds a character that nobody can type")


def _refuse_forged(found: Visit) -> None:
    if not hmac.compare_digest(request.form.get("csrf", "").encode(), found.csrf.encode()):
        abort(400, "the form is of another login; load the page again")
    _refuse_unreadable(*(text for texts in request.form.listvalues() for text in texts))
    if found.role != "operator" and request.endpoint not in EVERYBODY:
        abort(403, "you may look at everything here; changing something needs an operator")
