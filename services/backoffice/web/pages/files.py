"""Style and scripts: our own, and those that come in packages; every name is fixed."""

from __future__ import annotations

from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, abort, send_file, send_from_directory

pages = Blueprint("files", __name__)
OWN: Final = Path(__file__).parents[1] / "static"
PACKAGED: Final = {
    "htmx.js": ("django-htmx", "django_htmx/static/django_htmx/htmx-2.min.js"),
    "chart.js": ("cone-charts", "cone/charts/browser/static/chartjs/chart.umd.min.js"),
}
"""By name: the package that brings a script, and where it lies in it."""
_DAY: Final = 86_400


@pages.get("/scripts/<name>")
def script(name: str) -> Response:
    """A script of somebody else's."""
    if name not in PACKAGED:
        abort(404)
    return _kept(send_file(_located(name), mimetype="text/javascript", conditional=True))


@pages.get("/static/<name>")
def static(name: str) -> Response:
    """A file of our own."""
    return _kept(send_from_directory(OWN, name))


@cache
def _located(name: str) -> Path:
    package, path = PACKAGED[name]
    return Path(str(distribution(package).locate_file(path))).resolve()


def _kept(response: Response) -> Response:
    response.headers["Cache-Control"] = f"public, max-age={_DAY}"
    return response
