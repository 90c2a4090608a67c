"""The products, and one of them: what there is, how it went, what came and went, and changing it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, cast, get_args

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from services.backoffice.operations import catalogue, stocktaking, thresholds
from services.backoffice.operations.reports import journal, journal_pages, stock
from services.backoffice.operations.stocktaking import Changed, NotChangeable
from services.backoffice.web import answers
from services.backoffice.web.office import author, office
from shared import clock
from shared.storable import storable_text
from shared.store.product_pages import Standing
from shared.vocabulary import MovementKind, ProductId, Size, parse_units

pages = Blueprint("products", __name__)
DAYS: Final = 30
MOVEMENTS: Final = 50
MOST_LOW: Final = 999_999  # units
SINCE: Final = timedelta(days=366)
WHOLE: Final = "all"
_SIZE: Final = "size:"
_SIGNS: Final = {"restock": "+", "adjust": "+-−"}
"""What may stand before a number, by what happened."""
_KINDS: Final = {"restock": MovementKind.RESTOCK, "adjust": MovementKind.ADJUSTMENT}


@pages.get("/products")
def listing() -> str:
    """All that match what is searched for, a page at a time."""
    search = request.args.get("q", "").strip()[:100]
    asked = request.args.get("show", "all")
    standing = cast("Standing", asked if asked in get_args(Standing) else "all")
    number = min(request.args.get("page", 1, type=int) or 1, 100_000)
    found = catalogue.listing(office().ledger, search, standing, max(1, number))
    desk = office()
    courses = catalogue.courses(desk.ledger, found, clock.now(), desk.zone)
    part = "products_list.html" if answers.is_part() else "products.html"
    return render_template(
        part, found=found, search=search, standing=standing, courses=courses, days=catalogue.DAYS
    )


@pages.get("/products/<product>")
def one(product: str) -> str:
    """A product's page."""
    desk, now = office(), clock.now()
    shelves = catalogue.shelves(desk.ledger, ProductId(product))
    named = shelves.product
    trend = stock.course(desk.ledger, named, DAYS, now=now, zone=desk.zone)
    moved = journal.movements_of(desk.ledger, named.id, None, since=now - SINCE, limit=MOVEMENTS)
    return render_template(
        "product.html",
        product=named,
        shelves=shelves,
        trend=trend,
        movements=moved,
        course=[{"size": line.size, "points": line.points} for line in trend.lines],
        buyers=journal_pages.buyers(desk.ledger, [one.session for one in moved]),
    )


@pages.post("/products/<product>/change")
def change(product: str) -> Response:
    """Restock, adjust or count one size."""
    shop = office().shop
    named, _ = catalogue.levels(office().ledger, ProductId(product))
    where = stocktaking.place_of(shop, named, request.form.get("size", ""))
    how, number, who = request.form.get("how", ""), _number(), author(request.form.get("reason", ""))
    if how == "count":
        done = stocktaking.count(shop, where, number, author=who)
    elif how in _KINDS:
        done = stocktaking.change(shop, where, number, kind=_KINDS[how], author=who)
    else:
        raise NotChangeable("say whether goods came in, something was wrong, or somebody counted")
    return answers.done(_told(done), url_for("products.one", product=product))


@pages.post("/products/<product>/threshold")
def threshold(product: str) -> Response:
    """Say from which number on the product, or one size of it, counts as low."""
    ledger, text = office().ledger, request.form.get("units", "").strip()
    units = parse_units(text) if text else None
    if text and (units is None or units > MOST_LOW):
        raise NotChangeable("the number must be a whole one, such as 5; empty for what applies above it")
    chosen = _chosen()
    thresholds.set_threshold(ledger.database, ledger.account, ProductId(product), units, size=chosen)
    what = f"Size {chosen}" if chosen else "The product"
    low = "counts as low as what applies above it says" if units is None else f"is low at {units:,} or below"
    return answers.done(f"{what} {low}.", url_for("products.one", product=product))


def _chosen() -> Size | None:
    """The size of the form, None for the whole product; raises NotChangeable where it says neither."""
    of = request.form.get("of", "")
    size = storable_text(of.removeprefix(_SIZE))
    if of != WHOLE and (not of.startswith(_SIZE) or not size):
        raise NotChangeable("say whether it is for the whole product, or for which size")
    return None if of == WHOLE else Size(size)


def _number() -> int:
    """The units of the form, as the kind of change wants them; raises NotChangeable."""
    text, how = request.form.get("units", "").strip(), request.form.get("how", "")
    sign = text[:1] if text[:1] in _SIGNS["adjust"] else ""
    units = parse_units(text.removeprefix(sign))
    if units is None or (how != "count" and units == 0):
        raise NotChangeable("the units must be a whole number, such as 20")
    if sign and sign not in _SIGNS.get(how, ""):
        raise NotChangeable(
            f"{text} is a difference: choose that something was wrong, or give the number alone"
        )
    if how != "restock" and not request.form.get("reason", "").strip():
        raise NotChangeable("say why: it is kept with the change")
    return -units if sign in {"-", "−"} else units


def _told(done: Changed) -> str:
    later = "" if done.told else answers.LATER
    if done.before == done.after and request.form.get("how") in _KINDS:
        return f"{done.place}: {done.after:,}. This form had been sent before, and counts once."
    return f"{done.place}: {done.before:,} → {done.after:,}.{later}"
