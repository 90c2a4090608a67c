"""Questions about metadata: what an update keeps, unsets and shows."""

from __future__ import annotations

from typing import Final

from services.backoffice.operations.probe.question import (
    Bench,
    Question,
    Seen,
    metadata,
    noted,
    patiently,
    seen,
)
from shared import clock

ROUNDS: Final = 5


def _merged(bench: Bench) -> Seen:
    bench.write("merge-1", probe_left="1", probe_right="1")
    bench.write("merge-2", probe_right="2")
    shown = bench.shown()
    values = shown.get("probe_left"), shown.get("probe_right")
    return seen(f"the values are {values[0]} and {values[1]}", expected=values == ("1", "2"))


def _unset(bench: Bench) -> Seen:
    bench.write("unset-1", probe_gone="1")
    bench.write("unset-2", probe_gone="")
    there = "probe_gone" in bench.shown()
    return seen(f"the key is {'still there' if there else 'gone'}", expected=not there)


def _verbatim(bench: Bench) -> Seen:
    sent = {"probe_rev": "1:probe:7:0badcafe", "probe_zero": "0", "probe_big": "999999999"}
    bench.write("verbatim", **sent)
    shown = bench.shown()
    changed = [key for key, value in sent.items() if shown.get(key) != value]
    return seen(f"changed: {', '.join(changed) or 'none'}", expected=not changed)


def _read_after_write(bench: Bench) -> Seen:
    late = 0
    for number in range(ROUNDS):
        bench.write(f"read-{number}", probe_read=str(number))
        late += bench.shown().get("probe_read") != str(number)
    return seen(f"{late} of {ROUNDS} reads were behind", expected=not late)


def _list_after_write(bench: Bench) -> Seen:
    bench.write("list", probe_list=bench.run)
    begun = clock.monotonic()
    found = patiently(lambda: _listed(bench))
    took = clock.monotonic() - begun
    return (
        noted(f"the list showed the write after {took:.1f} s") if found else noted("the list never showed it")
    )


def _listed(bench: Bench) -> bool | None:
    asked: dict[str, str | int] = {"created[gte]": bench.since, "limit": 100}
    rows = {row["id"]: metadata(row) for row in bench.api.get("products", **asked).rows}
    return rows.get(bench.product, {}).get("probe_list") == bench.run or None


QUESTIONS: Final = (
    Question(
        "an update of one key",
        "the others stay",
        "a write sends the managed sizes and the marker alone",
        _merged,
    ),
    Question("an empty value", "the key is gone", "a deleted size key is told from an empty one", _unset),
    Question(
        "a marker and numbers",
        "they come back as they were sent",
        "the marker is compared as text, numbers must be canonical",
        _verbatim,
    ),
    Question(
        "a read by id right after a write",
        "it shows the write",
        "a sync decides by the read; a stale one would look like an edit",
        _read_after_write,
    ),
    Question(
        "a list right after a write",
        "nothing is promised",
        "lists only nominate products, a read by id decides",
        _list_after_write,
    ),
)
