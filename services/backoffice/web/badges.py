"""How much waits on which page, for the navigation: counted once for each page that is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import g

from services.backoffice.operations import overview
from services.backoffice.web.office import office
from shared.store.overview import Waiting


def counted() -> Mapping[str, Any]:
    """How much waits, by the name of its pages."""
    if "badges" not in g:
        keep(overview.waiting(office().ledger))
    return g.badges


def keep(found: Waiting | None) -> None:
    """Show what was `found` already; None shows none, where the database may be away."""
    g.badges = asdict(found) if found else {}
