"""Questions about the `product.updated` events of our own writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from services.backoffice.operations.probe.question import Bench, Question, Seen, seen
from shared import clock
from shared.stripe_api.objects import part


def _own(bench: Bench) -> Seen:
    bench.write("own-1", probe_old="1")
    bench.write("own-2", probe_old="2", probe_new="1")
    begun = clock.monotonic()
    event = bench.event("own-2")
    if event is None:
        return seen("no event with the key came", expected=False)
    before = _previous(event)
    return seen(
        f"after {clock.monotonic() - begun:.1f} s, previous: changed key {_shown(before, 'probe_old')}, "
        f"added key {_shown(before, 'probe_new')}",
        expected=before == {"probe_old": "1", "probe_new": None},
    )


def _removed(bench: Bench) -> Seen:
    bench.write("removed-1", probe_away="1")
    bench.write("removed-2", probe_away="")
    event = bench.event("removed-2")
    if event is None:
        return seen("no event with the key came", expected=False)
    before, after = _previous(event), part(part(part(dict(event), "data"), "object"), "metadata")
    return seen(
        f"previous: {_shown(before, 'probe_away')}, now: {_shown(after, 'probe_away')}",
        expected=before == {"probe_away": "1"} and "probe_away" not in after,
    )


def _once(bench: Bench) -> Seen:
    """A replay, an empty update and a write of what is there already are followed by one that must show up."""
    for _ in range(2):
        bench.write("once", probe_once="1")
    bench.write("idle")
    bench.write("idle-too", probe_once="1")
    bench.write("once-last", probe_once="2")
    last = bench.event("once-last")
    counts = {name: len(bench.events(name)) for name in ("once", "idle", "idle-too")}
    return seen(
        f"{counts['once']} for write and replay, {counts['idle']} for the empty one, {counts['idle-too']} for no change"
        + ("" if last else "; the last write's own event never came"),
        expected=last is not None and counts == {"once": 1, "idle": 0, "idle-too": 0},
    )


def _shown(metadata: Mapping[str, str | None], key: str) -> str:
    return json.dumps(metadata[key]) if key in metadata else "absent"


def _previous(event: Mapping[str, Any]) -> dict[str, str | None]:
    return part(part(part(dict(event), "data"), "previous_attributes"), "metadata")


QUESTIONS: Final = (
    Question(
        "the event of our own write",
        "it carries the idempotency key; previous_attributes.metadata has the old value, null for an added key",
        "edits that one of our writes trampled are found in it (DIGEST); without it they would be lost",
        _own,
    ),
    Question(
        "the event of a removed key",
        "previous_attributes.metadata has the old value, the object lacks the key",
        "a deleted marker is told from it",
        _removed,
    ),
    Question(
        "events of replays and of updates that change nothing",
        "one for a write and its replay, none for an update without a change",
        "a fence must not look like the write whose key it spent",
        _once,
    ),
)
