"""Everything that came and went, newest first."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template, request

from services.backoffice.operations.reports import journal_pages as operations
from services.backoffice.operations.reports.products import Unclear
from services.backoffice.web import marks
from services.backoffice.web.office import office
from shared.storable import storable_text
from shared.vocabulary import MovementKind

pages = Blueprint("movements", __name__)
LONGEST: Final = 100
KINDS: Final = {
    MovementKind.SALE: "sold",
    MovementKind.RESTOCK: "goods came in",
    MovementKind.ADJUSTMENT: "corrected",
    MovementKind.RETURNED: "came back",
    MovementKind.EXTERNAL: "edited in Stripe",
    MovementKind.OVERWRITTEN: "edit put back",
    MovementKind.OVERSOLD: "sold, not there",
    MovementKind.OPENING: "first seen",
    MovementKind.CLOSED: "product deleted",
}


@pages.app_template_filter("happened")
def happened(kind: str) -> str:
    """A kind of movement in words."""
    return KINDS[MovementKind(kind)] if kind in set(MovementKind) else kind


@pages.get("/movements")
def listing() -> str | tuple[str, int]:
    """A page of movements."""
    asked = request.args.get("kind", "")
    kind = MovementKind(asked) if asked in set(MovementKind) else None
    product, size = _typed("product"), _typed("size")
    before = marks.read(request.args.get("before"), numbered=True)
    wanted = {"product": product, "size": size, "kind": kind.value if kind else ""}
    shown = {"wanted": wanted, "kinds": KINDS, "first": before is None}
    try:
        found = operations.movements(office().ledger, product, size or None, kind, before=before)
    except (Unclear, operations.SizeAlone) as problem:
        return render_template("movements.html", **shown, problem=str(problem), found=None, older=None), 422
    older = marks.written(found.older) if found.older else None
    return render_template("movements.html", **shown, problem="", found=found, older=older)


def _typed(name: str) -> str:
    return storable_text(request.args.get(name, "").strip())[:LONGEST]
