"""Paid lines that no size could be found for: looking at them, and saying what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from services.backoffice.operations import catalogue, stocktaking
from services.backoffice.operations import unplaced as operations
from services.backoffice.web import answers, asked
from services.backoffice.web.office import author, office, visit
from shared.stock_levels import Level
from shared.store.levels import Named
from shared.store.product_pages import ProductLine
from shared.store.unplaced import Held
from shared.vocabulary import ProductId

pages = Blueprint("unplaced", __name__)
TABS: Final = {"open": operations.OPEN, "all": operations.EVERY}
MATCHES: Final = 10  # products that a search shows


@dataclass(frozen=True, slots=True)
class Choices:
    """Products that a search found, or the one that is `chosen` with its sizes."""

    search: str
    lines: list[ProductLine]
    chosen: Named | None
    levels: list[Level]


@pages.get("/unplaced")
def listing() -> str:
    """What waits, oldest first; with what was decided, newest first."""
    desk, tab = office().ledger, asked.tab(TABS)
    found = operations.paged(desk.database, desk.account, TABS[tab], asked.page_number(), newest=tab == "all")
    return render_template("unplaced.html", found=found, tab=tab)


@pages.get(f"/unplaced/{asked.NUMBER}")
def one(number: int) -> str:
    """One line, and what it may be; for a script the choices alone."""
    desk = office().ledger
    held = operations.one(desk.database, desk.account, number)
    part = "unplaced_choices.html" if answers.is_part() else "unplaced_one.html"
    return render_template(part, held=held, choices=_choices(held), swapped=answers.is_part())


@pages.post(f"/unplaced/{asked.NUMBER}/place")
def place(number: int) -> Response:
    """Take it off a stock."""
    shop = office().shop
    product = asked.needed("product", "say which product was sold")
    where = stocktaking.place(shop, product, _size())
    always = "always" in request.form
    done = operations.place(shop, number, where, author(asked.field("reason")), always=always)
    later = "" if done.told else answers.LATER
    told = f"{where}: {done.before:,} → {done.after:,}, sold in {done.held.session}.{later}"
    return answers.done(told + _learned(done), url_for("unplaced.listing"))


@pages.post(f"/unplaced/{asked.NUMBER}/dismiss")
def dismiss(number: int) -> Response:
    """Have it take no stock."""
    desk = office().ledger
    held = operations.dismiss(desk.database, desk.account, number, by=visit().person)
    return answers.done(f"{held.session} takes no stock for it.", url_for("unplaced.listing"))


def _learned(done: operations.Placed) -> str:
    """What was taught with it, and what that does not place by itself."""
    if done.lesson is None:
        return ""
    alike = f" {len(done.lesson.alike):,} of those that wait say the same." if done.lesson.alike else ""
    return f" The next sale that says the same is placed by itself.{alike}"


def _size() -> str | None:
    """The size that was chosen or typed; None for the only one there is."""
    return asked.field("size") if "size" in request.form else asked.field("typed") or None


def _choices(held: Held) -> Choices:
    """What is searched for, else the product that was chosen, else the one that the sale names."""
    desk, search = office().ledger, asked.argument("q")
    if search:
        return Choices(search, catalogue.listing(desk, search, "all", 1).lines[:MATCHES], None, [])
    try:
        named, levels = catalogue.levels(desk, ProductId(asked.argument("product") or held.product or ""))
    except catalogue.NoSuchProduct:
        return Choices("", [], None, [])
    return Choices("", [], named, levels)
