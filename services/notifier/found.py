"""What is said of findings: how many there are of each cause, and what to do about the first of them."""

from __future__ import annotations

from collections.abc import Mapping

from services.notifier.facts import LINE_LENGTH, clean
from shared.alerts import JSON, Facts
from shared.findings import MENDS


def finding_lines(facts: Facts) -> list[str]:
    """How many findings there are of each cause, then the first of them with what to do about each."""
    counts, listed = facts.get("counts"), facts.get("findings")
    counted = [one for one in (counts if isinstance(counts, list) else []) if isinstance(one, dict)]
    shown = [one for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict)]
    return [
        *(f"{clean(one.get('findings'), 20)} × {clean(one.get('cause'), LINE_LENGTH)}" for one in counted),
        *(_finding(one) for one in shown),
    ]


def _finding(one: Mapping[str, JSON]) -> str:
    said = {
        key: clean(one.get(key), LINE_LENGTH)
        for key in ("product", "name", "size", "cause", "detail", "first", "purpose", "command")
    }
    what = ", ".join(filter(None, (said["name"] or said["product"], said["size"])))
    why = "; ".join(filter(None, (said["cause"], said["detail"])))
    command = f"{said['purpose'] or MENDS}: `{said['command']}`" if said["command"] else ""
    return " ".join(filter(None, (f"{what}: {why}.", said["first"], command)))
