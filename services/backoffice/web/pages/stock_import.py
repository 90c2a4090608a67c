"""Setting the whole stock to what a table says: what it would change first, then doing it, and taking it back."""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import Final

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from services.backoffice.operations.whole_stock import compare, importing, undoing
from services.backoffice.operations.whole_stock import sheet as sheets
from services.backoffice.operations.whole_stock.importing import NotImported
from services.backoffice.operations.whole_stock.sheet import Sheet
from services.backoffice.web import answers, asked
from services.backoffice.web.office import author, office
from shared import spreadsheet
from shared.refusal import Refused
from shared.stock_levels import HEADER

pages = Blueprint("stock_import", __name__)
MOST: Final = 500
"""Products of one table: the stock worker looks at each while the browser waits."""
SHOWN: Final = 100
"""Problems of one page: a file that is no stock list has one in each of its lines."""
_ALONE: Final = BoundedSemaphore(1)


class NotByPage(Refused):
    """The table is for the command; the text is fit for people."""


class Busy(Refused):
    """Another import keeps this process waiting; the text is fit for people."""


@pages.errorhandler(NotImported)
def refused(error: NotImported) -> tuple[str, int]:
    """What is wrong, each with its line where it is of a file; of very much the beginning."""
    undo = request.endpoint == "stock_import.undo"
    shown, more = error.problems[:SHOWN], max(0, len(error.problems) - SHOWN)
    return render_template("import.html", problems=shown, more=more, batch="", undo=undo), 422


@pages.get("/import")
def form() -> str:
    """Where to give the file, and what was imported last by whoever asks."""
    return render_template("import.html", problems=(), more=0, batch=asked.argument("batch"), undo=False)


@pages.post("/import")
def preview() -> str:
    """What the file would change now; nothing is changed."""
    given = request.files.get("file")
    content = given.read() if given else b""
    found = importing.preview(office().shop, _sheet(content), create_sizes=False)
    rows = ((one.product, one.name, one.size, one.after, "") for one in found.changes)
    text = "".join(spreadsheet.lines(HEADER, rows))  # what is shown as it is stays out of it
    return render_template(
        "import_preview.html", found=found, text=text, name=given.filename if given else ""
    )


@pages.post("/import/apply")
def apply() -> Response:
    """Do what was shown; each number is a count of this moment. One import at a time: it keeps a thread waiting."""
    shop, who = office().shop, author(asked.field("reason") or f"import {asked.field('name')}")
    if not _ALONE.acquire(blocking=False):
        raise Busy("an import runs just now: wait until it is done, and look whether it was yours")
    try:
        sheet = _sheet(request.form.get("text", "").encode())
        done = importing.apply(shop, sheet, who, create_sizes=False)
    finally:
        _ALONE.release()
    changed = importing.booked(shop, done.batch)  # by this form, now or when it was sent before
    later = "" if done.told else answers.LATER
    told = f"Sizes changed: {changed:,}.{later}"
    return answers.done(told, url_for("stock_import.form", batch=done.batch if changed else None))


@pages.post("/import/undo")
def undo() -> Response:
    """Take a batch back, all of it or nothing."""
    batch = asked.needed("batch", "say which import: `stocksync movements` names the batch")
    done = undoing.undo(office().shop, batch, author(asked.field("reason") or f"undo of import {batch}"))
    later = "" if done.told else answers.LATER
    return answers.done(f"Sizes taken back: {len(done.changes):,}.{later}", url_for("stock_import.form"))


def _sheet(content: bytes) -> Sheet:
    found = sheets.read(content)
    if len(compare.products(found.rows)) > MOST:
        raise NotByPage(
            f"the file has more than {MOST} products, and the stock worker looks at each first: where stocksync runs,"
            " `stocksync import` takes any number"
        )
    return found
