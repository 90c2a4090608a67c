from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from services.stock_worker.protocol.facts import Owner
from services.stock_worker.protocol.history import Extent, History
from services.stock_worker.protocol.judge import Believe, Distrust, LogNeeded, judge
from shared.stripe_api.objects import ProductUpdate
from shared.vocabulary import EventId
from tests.unit.stock_worker.shirt import SHIRT, M, S, facts, metadata


def log(*updates: tuple[str | None, str | None]) -> History:
    """Events that put (first) a marker in place of (second) another; None for no marker."""
    told = [
        ProductUpdate(
            event=EventId(f"evt_{n}"),
            product=SHIRT,
            created=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=n),
            metadata={"stock_rev": after} if after else {},
            previous_metadata={"stock_rev": before},
        )
        for n, (after, before) in enumerate(updates)
    ]
    return History(told, frozenset({"m2", "m3"}))


def test_the_newest_marker_is_believed() -> None:
    """The marker of the highest landed write needs no log."""
    assert judge(facts(owner=Owner.OURS, rev=3), "m3", None) == Believe("m3")


def test_a_marker_that_went_backwards_needs_an_event_that_says_so() -> None:
    """An older marker is believed only if the log's last event put it there."""
    older = dataclasses.replace(facts(owner=Owner.OURS, rev=3), observed_rev=2)
    assert judge(older, "m2", None) == LogNeeded()
    assert judge(older, "m2", log(("m3", "m2"), ("m2", "m3"))) == Believe("m2")
    assert isinstance(judge(older, "m2", log(("m3", "m2"))), Distrust)


def test_the_end_of_the_log_is_enough_where_nobody_typed_a_marker() -> None:
    """Older and deleted markers are explained by it; what was typed over one may lie further back, as a former life."""
    end = dataclasses.replace(log(("m2", "m3")), extent=Extent.TAIL)
    older = dataclasses.replace(facts(owner=Owner.OURS, rev=3), observed_rev=2)
    assert judge(older, "m2", end) == Believe("m2")
    bare = dataclasses.replace(facts(), highest_rev=3, highest_landed=3)
    for events, found in (
        (log((None, "m3")), Believe("m3")),
        (log((None, "x")), LogNeeded()),
        (log(("x", "m3"), (None, "x")), LogNeeded()),
        (log(), LogNeeded()),
    ):
        assert judge(bare, "", dataclasses.replace(events, extent=Extent.TAIL)) == found
    assert judge(facts(owner=Owner.FORMER), "1:old:9:00000000", end) == LogNeeded()


def test_an_empty_end_of_the_log_reaches_nothing() -> None:
    """A product that shows a change has an event of it; all of its log may be empty."""
    assert not dataclasses.replace(log(), extent=Extent.TAIL).reaches({})
    assert log().reaches({})


def test_a_deleted_marker_is_looked_up_in_the_log() -> None:
    """No marker after a landed write is compared with the one that the log says was removed."""
    bare = dataclasses.replace(facts(), highest_rev=3, highest_landed=3)
    assert judge(bare, "", None) == LogNeeded()
    assert judge(bare, "", log(("m3", "m2"), (None, "m3"))) == Believe("m3")
    assert isinstance(judge(bare, "", log()), Distrust)


def test_what_was_typed_into_the_marker_hides_the_one_before_it() -> None:
    """A spoiled marker that was deleted leads back to ours; one that came back alone is for people to judge."""
    bare = dataclasses.replace(facts(), highest_rev=3, highest_landed=3)
    assert judge(bare, "", log(("x", "m3"), (None, "x"))) == Believe("m3")
    assert isinstance(judge(bare, "", log(("x", "m2"), ("m3", "x"), ("x", "m3"), (None, "x"))), Distrust)


@pytest.mark.parametrize(
    ("events", "stood"),
    [
        ((("x", "m2"), ("m3", "x"), ("x", "m3")), "m3"),
        ((("x", "m2"),), "m2"),
        (((None, "m3"), ("x", None)), "m3"),
        ((("y", "x"),), ""),
        ((), ""),
    ],
    ids=["spoiled again", "spoiled", "deleted, then spoiled", "never ours", "no event"],
)
def test_a_forgotten_write_was_planned_on_the_last_marker_of_ours(
    events: tuple[tuple[str | None, str | None], ...], stood: str
) -> None:
    """Whatever was typed over it since, and however often: nothing is planned on what people typed there."""
    history = log(*events)
    assert history.last_of_ours(len(events)) == stood


def test_an_old_form_that_brings_a_spoiled_marker_back_brings_its_numbers_too() -> None:
    """They are compared with what stood there when our write had replaced that marker."""
    history = log(("x", "m2"), ("m3", "x"), ("x", "m3"), (None, "x"))
    told = list(history.updates)
    told[1] = told[1].model_copy(update={"previous_metadata": {"stock_rev": "x", **metadata(10, 5)}})
    told[2] = told[2].model_copy(update={"previous_metadata": {"stock_rev": "m3", "stock_S": "8"}})
    bare = dataclasses.replace(facts(), highest_rev=3, highest_landed=3)
    assert judge(bare, "", History(told, history.ours)) == Believe("x", {S: 10, M: 5})


def test_after_a_restored_backup_the_log_is_asked_first() -> None:
    """A marker of a former life is distrusted only where the log does not tell of its write."""
    former = facts(owner=Owner.FORMER)
    assert judge(former, "1:old:9:00000000", None) == LogNeeded()
    assert isinstance(judge(former, "1:old:9:00000000", log()), Distrust)


@pytest.mark.parametrize("owner", [Owner.FOREIGN, Owner.GARBAGE, Owner.LOST])
def test_a_marker_that_nothing_explains_is_distrusted(owner: Owner) -> None:
    """Foreign, lost and typed markers quarantine the product."""
    assert isinstance(judge(facts(owner=owner), "?", log()), Distrust)
