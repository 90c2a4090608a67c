from __future__ import annotations

import dataclasses

import pytest

from services.stock_worker.protocol.digest import FORGOTTEN, Replaced, digest, openings
from services.stock_worker.protocol.facts import Facts, Owner, SizeState, observe
from services.stock_worker.protocol.judge import Believe, judge
from services.stock_worker.protocol.plan import Base, Plan, idempotency_key, plan
from services.stock_worker.protocol.settle import Step, after_fencing, after_sending, step
from shared import marker
from shared.stripe_api.answers import WriteResult
from shared.vocabulary import EventId, MovementKind, ProductId, Size
from shared.writes import Write, WriteState
from tests.unit.stock_worker.shirt import ACCOUNT, SHIRT, M, S, facts, metadata


def made(known: Facts, shown: dict[str, str], base: dict[Size, int] | None) -> Plan:
    """The plan for `known` when Stripe shows `shown`."""
    return plan(known, observe(shown), Base("", base))


def moved(of: Plan) -> list[tuple[str, str, int]]:
    """(kind, size, delta) of every movement."""
    return [(m.kind.value, m.size, m.delta) for m in of.movements]


def test_first_sight_adopts_stripes_numbers() -> None:
    """A product never seen opens with what Stripe shows, and nothing is written."""
    new = Facts(ACCOUNT, SHIRT, "abc", 0, {}, Owner.NOBODY)
    found = made(new, metadata(10, 5), None)
    assert moved(found) == [("opening", "S", 10), ("opening", "M", 5)]
    assert found.write is None
    assert found.known == {S: 10, M: 5}


def test_a_sale_is_written_with_all_sizes_and_the_marker() -> None:
    """What the ledger has less than Stripe shows becomes the next write of all managed sizes."""
    write = made(facts(s=8), metadata(10, 5), {S: 10, M: 5}).write
    assert write is not None
    assert dict(write.body) == {"stock_S": "8", "stock_M": "5", "stock_rev": write.marker}
    assert marker.parse(write.marker) == marker.stamp("abc", 1, SHIRT, {S: 8, M: 5})
    assert (write.rev, write.base_values) == (1, {S: 10, M: 5})


def test_an_edit_in_the_dashboard_survives_a_sale() -> None:
    """A restock typed in meanwhile is a movement, and the value written has both."""
    found = made(facts(s=8), metadata(30, 5), {S: 10, M: 5})
    assert moved(found) == [("external", "S", 20)]
    assert found.write is not None
    assert found.write.target[S] == 28


def test_an_edit_can_be_put_back() -> None:
    """Where people want it so, an edit is booked, taken out again in the same look, and the old number written."""
    strict = dataclasses.replace(facts(owner=Owner.OURS, rev=3), restore_edits=True)
    found = made(strict, metadata(30, 5), {S: 10, M: 5})
    assert moved(found) == [("external", "S", 20), ("adjustment", "S", -20)]
    assert len({m.source_key for m in found.movements}) == 2
    assert found.write is not None
    assert found.write.target == {S: 10, M: 5}
    assert moved(made(strict, metadata(30, 5), {S: 30, M: 5})) == []


def test_a_trampled_edit_can_stay_trampled() -> None:
    """The same of an edit that our write replaced: both movements, and no unit comes back."""
    found = digest(pending(), EVENT, Replaced("", {S: 10, M: 25}), None, restore=True)
    assert [(m.kind, m.size, m.delta) for m in found.movements] == [
        (MovementKind.OVERWRITTEN, "M", 20),
        (MovementKind.ADJUSTMENT, "M", -20),
    ]


def test_agreement_writes_nothing() -> None:
    """Where Stripe shows the balance under the current marker there is nothing to do."""
    found = made(facts(owner=Owner.OURS, rev=3), metadata(10, 5), {S: 10, M: 5})
    assert (found.movements, found.write, found.learned) == ((), None, False)


def test_below_zero_publishes_zero_and_books_oversold() -> None:
    """A negative balance is published as 0 and booked, so that ledger and metadata agree."""
    found = made(facts(s=-2), metadata(1, 5), {S: 1, M: 5})
    assert moved(found) == [("oversold", "S", 2)]
    assert found.balances[S] == 0
    assert found.oversold == {S: 2}


@pytest.mark.parametrize("text", ["3 pcs", "", " 3", "3.0", "٣", "1_0", "-2", "1" + "0" * 30, "007"])
def test_fault_93_a_value_that_is_no_canonical_number_is_never_overwritten(text: str) -> None:
    """An unreadable size keeps its text: it is neither moved nor part of a write."""
    found = made(facts(s=8, m=4), metadata(text, 5), {S: 10, M: 5})
    assert found.write is not None
    assert "stock_S" not in found.write.body
    assert found.states[S] is SizeState.UNREADABLE


def test_a_removed_size_is_never_recreated() -> None:
    """A size whose key was deleted is missing, not written."""
    found = made(facts(s=8, m=4), {"sizes": "S,M", "stock_M": "5"}, {S: 10, M: 5})
    assert found.write is not None
    assert "stock_S" not in found.write.body
    assert found.states[S] is SizeState.MISSING


def test_an_idempotency_key_names_installation_product_and_rev() -> None:
    """Keys differ with each of the three and never grow over Stripe's limit."""
    keys = {idempotency_key(i, ProductId(p), r) for i in ("a", "b") for p in ("x", "y" * 255) for r in (1, 2)}
    assert len(keys) == 8
    assert max(map(len, keys)) <= 255


def pending() -> Write:
    """A committed write of 8 and 5 over 10 and 5."""
    write = made(facts(s=8), metadata(10, 5), {S: 10, M: 5}).write
    assert write is not None
    return write


@pytest.mark.parametrize(
    ("shown", "expired", "expected"),
    [
        (metadata(8, 5, stock_rev=pending().marker), False, Step.LANDED),
        (metadata(8, 5, stock_rev=pending().marker), True, Step.LANDED),
        (metadata(10, 5), False, Step.RESEND),
        (metadata(10, 5), True, Step.GIVE_UP),
        (metadata(11, 5), False, Step.FENCE),
        (metadata(10, 5, stock_rev="1:abc:9:00000000"), False, Step.FENCE),
    ],
)
def test_settling_resends_only_what_nobody_touched(
    shown: dict[str, str], *, expired: bool, expected: Step
) -> None:
    """A pending write is resent on its own base, fenced on any other, and never sent once it is old."""
    assert step(dataclasses.replace(pending(), expired=expired), observe(shown)) is expected


@pytest.mark.parametrize(
    ("result", "sent", "fenced"),
    [
        (WriteResult.APPLIED, WriteState.APPLIED, WriteState.CANCELLED),
        (WriteResult.UNKNOWN, WriteState.PENDING, WriteState.PENDING),
        (WriteResult.IN_FLIGHT, WriteState.PENDING, WriteState.PENDING),
        (WriteResult.NOT_NOW, WriteState.PENDING, WriteState.PENDING),
        (WriteResult.REFUSED, WriteState.PENDING, WriteState.PENDING),
        (WriteResult.STORED_ERROR, WriteState.SETTLED, WriteState.SETTLED),
        (WriteResult.KEY_MISMATCH, WriteState.SETTLED, WriteState.SETTLED),
        (WriteResult.INVALID, WriteState.REJECTED, WriteState.PENDING),
        (WriteResult.GONE, WriteState.SETTLED, WriteState.SETTLED),
    ],
)
def test_answers_lead_to_the_states_of_the_table(
    result: WriteResult, sent: WriteState, fenced: WriteState
) -> None:
    """Every answer to a write and to a fence has its state."""
    assert (after_sending(result), after_fencing(result)) == (sent, fenced)


EVENT = EventId("evt_1")


def test_a_write_over_its_own_base_trampled_nothing() -> None:
    """Where the event shows the base as replaced there is nothing to restore."""
    found = digest(pending(), EVENT, Replaced("", {S: 10, M: 5}), None)
    assert found.movements == ()
    assert found.units == {S: 10, M: 5}


def test_a_trampled_edit_comes_back_as_a_movement() -> None:
    """An edit between look and write is told by the event and booked under the write's rev."""
    found = digest(pending(), EVENT, Replaced("", {S: 10, M: 25}), None)
    assert [(m.kind, m.size, m.delta) for m in found.movements] == [(MovementKind.OVERWRITTEN, "M", 20)]
    assert found.movements[0].source_key == "ovw:self:test:prod_shirt:1:M"


def test_a_write_over_another_marker_is_compared_with_that_markers_state() -> None:
    """Where another marker stood there, its last known state is the base."""
    found = digest(pending(), EVENT, Replaced("1:abc:4:00000000", {S: 9, M: 5}), {S: 6, M: 5})
    assert [(m.size, m.delta) for m in found.movements] == [("S", 3)]
    assert found.marker == "1:abc:4:00000000"


def test_a_number_that_was_mended_before_the_write_landed_is_counted_once() -> None:
    """An edit of a size that the write did not send counts here, unless a look under its marker was sooner."""
    half = dataclasses.replace(pending(), target={M: 4}, base_values={M: 5})
    replaced, known = Replaced("", {S: 9, M: 5}), {S: 10, M: 5}
    found = digest(half, EVENT, replaced, known)
    assert [(m.kind, m.size, m.delta) for m in found.movements] == [(MovementKind.EXTERNAL, "S", -1)]
    assert digest(half, EVENT, replaced, known, seen={S, M}).movements == ()
    assert found.units == {S: 9, M: 5}


def test_only_what_a_write_sends_is_known_under_its_marker() -> None:
    """A size that can't be read keeps what is known of it under the markers before."""
    found = made(facts(s=8, m=4), metadata("3 pcs", 5), {S: 10, M: 5})
    assert found.write is not None
    assert found.known == {S: 10, M: 5}
    assert found.known_after_write == {M: 4}


def test_only_a_forgotten_write_opens_sizes() -> None:
    """What stood there before the first write that a restored backup forgot is the opening balance."""
    replaced = Replaced("", {S: 10, M: 5})
    forgotten = dataclasses.replace(pending(), base_marker=FORGOTTEN, base_values={})
    opened = openings(forgotten, replaced, {S})
    assert [(m.kind, m.size, m.delta) for m in opened] == [(MovementKind.OPENING, "M", 5)]
    assert openings(pending(), replaced, ()) == ()
    assert digest(forgotten, EVENT, replaced, None).movements == ()


def test_a_copied_marker_on_a_new_product_is_no_marker() -> None:
    """A product duplicated with its metadata starts anew."""
    assert judge(facts(owner=Owner.COPIED), "m", None) == Believe("")
