"""The pages there are, by their addresses: what a bench measures and a test looks at."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import Rule

from services.backoffice.web.app import PAGES


def rules() -> list[Rule]:
    """Every route of the application."""
    app = Flask("addresses", static_folder=None)
    for pages in PAGES:
        app.register_blueprint(pages)
    return list(app.url_map.iter_rules())


def plain_pages() -> list[str]:
    """The addresses of all pages that need no name of anything."""
    return sorted({rule.rule for rule in rules() if "GET" in (rule.methods or ()) and "<" not in rule.rule})
