"""What a shop's own page may ask: what there is of a product. Read only, without a login, off unless it is set up."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from flask import Blueprint, Response, request

from services.backoffice.operations.catalogue import NoSuchProduct, levels
from services.backoffice.web.office import Storefront, office
from shared.stock_levels import Level
from shared.vocabulary import ProductId, StockStatus

pages = Blueprint("storefront", __name__)
SECONDS: Final = 15
"""How long an answer may be kept; stock is a hint until it is paid for."""
WORDS: Final = {StockStatus.IN: "in", StockStatus.LOW: "low", StockStatus.OUT: "out"}


@pages.get("/api/v1/stock/<product>")
def stock(product: str) -> Response:
    """The sizes of a product, as docs/storefront.md describes it; 404 where it keeps no stock."""
    shown = office().storefront
    if shown is None:
        return _answer({"error": "the storefront's API is off: set STOREFRONT_ORIGINS"}, 404, None)
    try:
        found = levels(office().ledger, ProductId(product))[1]
    except NoSuchProduct:
        found = []
    if not found:
        return _answer({"error": "no stock is kept of this product"}, 404, shown)
    return _answer({"product": product, "sizes": [_size(level, shown) for level in found]}, 200, shown)


def _size(level: Level, shown: Storefront) -> dict[str, object]:
    """What cannot be read is shown as unknown, so that a page lets people try."""
    size: dict[str, object] = {"size": level.size, "status": WORDS.get(level.status, "unknown")}
    if shown.units:
        size["units"] = None if level.units is None else max(0, level.units)
    return size


def _answer(document: object, code: int, shown: Storefront | None) -> Response:
    body = json.dumps(document, separators=(",", ":"))
    response = Response(body, code, mimetype="application/json")
    response.headers["Cache-Control"] = f"public, max-age={SECONDS}"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Vary"] = "Origin"
    response.set_etag(hashlib.sha256(body.encode()).hexdigest()[:32])
    origin = request.headers.get("Origin", "")
    if shown is not None and (origin in shown.origins or "*" in shown.origins):
        response.headers["Access-Control-Allow-Origin"] = origin or "*"
    response.make_conditional(request.environ)
    return response
