from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from shared.findings import Cause, NewFinding
from shared.store import repairs
from shared.store.findings import Findings
from shared.vocabulary import ProductId, Size
from tests.integration.reconciler.stage import Stage
from tests.integration.stock_worker.shop import ACCOUNT


def _old_form(stage: Stage, product: ProductId) -> None:
    form = stage.shop.metadata(product)
    stage.shop.book(stage.shop.sold(stage.shop.line(product, "M", 2)))
    stage.shop.dashboard(product, **form)


def _copied(stage: Stage, product: ProductId) -> None:
    (other,) = stage.shirts(1)
    stage.shop.dashboard(product, stock_rev=stage.shop.metadata(other)["stock_rev"])


def _lost_write(stage: Stage, product: ProductId) -> None:
    stage.execute(
        "insert into movement (account, product_id, size, delta, kind, source_key, actor)"
        " values ('self:test', %s, 'S', -4, 'adjustment', 'by hand', 'eve')",
        product,
    )


def _stuck(stage: Stage, product: ProductId) -> None:
    stage.shop.changed(product)
    stage.execute(
        "update write set state = 'PENDING', planned_at = now() - interval '1 hour' where product_id = %s",
        product,
    )


def _altered(stage: Stage, product: ProductId) -> None:
    stage.execute("update variant set on_hand = on_hand + 3 where product_id = %s and size = 'S'", product)


Corrupt = Callable[[Stage, ProductId], None]


def typed(**absolute: str) -> Corrupt:
    """Somebody types this into the Dashboard, and no webhook comes."""
    return lambda stage, product: stage.shop.dashboard(product, **absolute)


CORRUPTIONS: dict[str, tuple[Corrupt, Cause, str]] = {
    "a number": (typed(stock_S="77"), Cause.EDITED, "resolved"),
    "a size more": (typed(sizes="S,M,L", stock_L="9"), Cause.EDITED, "resolved"),
    "a size less": (typed(sizes="S", stock_M=""), Cause.SIZE_REMOVED, "open"),
    "a word": (typed(stock_S="3 pcs"), Cause.NOT_A_NUMBER, "open"),
    "no marker": (typed(stock_rev=""), Cause.MARKER_MISSING, "resolved"),
    "another marker": (typed(stock_rev="mine"), Cause.MARKER_CHANGED, "open"),
    "a copied marker": (_copied, Cause.MARKER_CHANGED, "open"),
    "a foreign marker": (typed(stock_rev="1:elsewhere:3:00000000"), Cause.MARKER_FOREIGN, "open"),
    "an old form": (_old_form, Cause.OLD_FORM, "resolved"),
    "no product": (lambda stage, product: stage.delete(product), Cause.PRODUCT_DELETED, "resolved"),
    "a lost write": (_lost_write, Cause.WRITE_LOST, "resolved"),
    "a stuck write": (_stuck, Cause.WRITE_LOST, "resolved"),
    "a ledger by hand": (_altered, Cause.LEDGER_ALTERED, "open"),
}


def test_every_kind_of_corruption_is_found_once_with_its_cause(stage: Stage) -> None:
    """Each is found in the first run, what a sync mends is mended, and a second run doubles nothing."""
    sound = stage.shirts(5)
    victims = dict(zip(CORRUPTIONS, stage.shirts(len(CORRUPTIONS)), strict=True))
    for kind, product in victims.items():
        CORRUPTIONS[kind][0](stage, product)
    strange = stage.shop.product(sizes="S", stock_S="4")  # and nobody was told
    first = stage.job("verify")
    found = {(one.product, one.cause): one.state for one in stage.findings()}
    expected = {(victims[kind], cause.value): state for kind, (_, cause, state) in CORRUPTIONS.items()}
    assert found == {**expected, (strange, "never_seen"): "resolved"}
    assert (first.figures["confirmed"], first.figures["new"]) == (len(found), len(found))
    assert first.figures["healed"] == Counter(found.values())["resolved"]
    assert not {one.product for one in stage.findings()} & set(sound)
    second = stage.job("verify")
    assert Counter((one.product, one.cause) for one in stage.findings()) == Counter(found.keys())
    assert (second.figures["new"], second.figures["over"]) == (0, 0)
    assert second.figures["confirmed"] == Counter(found.values())["open"]
    assert stage.shop.alerts().count(("finding", "self:test")) == 1


def test_an_edit_whose_webhook_never_came_is_taken_over(stage: Stage) -> None:
    """It is found, the sync that the verification asks for adopts it, and the finding names the movement."""
    (shirt,) = stage.shirts(1)
    stage.shop.dashboard(shirt, stock_M="33")
    stage.job("verify")
    (found,) = stage.findings()
    number = stage.shop.movements(shirt).index(("external", "M", 13))
    assert number > 0
    assert (found.cause, found.size, found.state) == ("edited", "M", "resolved")
    assert found.detail == "it shows 33, 20 was expected"
    assert found.resolution.startswith("the ledger followed: external +13 of size M (movement ")
    assert stage.shop.stock(shirt) == {"S": "49", "M": "33"}
    assert ("finding", "self:test") not in stage.shop.alerts()


def test_what_another_installation_left_can_be_taken_over_after_a_verification(stage: Stage) -> None:
    """A new ledger that never saw a product has nothing to take over; one run puts it in quarantine, untouched."""
    cup = stage.shop.product(stock="4", stock_rev="1:elsewhere:3:00000000")
    with stage.tools.database.transaction() as connection:
        assert repairs.quarantined(connection, ACCOUNT) == []
    stage.job("verify")
    with stage.tools.database.transaction() as connection:
        (found,) = repairs.quarantined(connection, ACCOUNT)
        assert repairs.take_over(connection, ACCOUNT, [found.id]) == {cup}
    assert found.reason == "another installation of stocksync, elsewhere, keeps this product"
    assert stage.shop.stock(cup) == {"": "4"}
    stage.shop.sync(cup)
    assert stage.shop.metadata(cup)["stock_rev"].startswith("1:testing:")


def test_what_is_mended_by_hand_is_over_with_the_next_run(stage: Stage) -> None:
    """A finding that a run no longer sees is resolved and says so, and the alert ends with the last one."""
    (shirt,) = stage.shirts(1)
    stage.shop.dashboard(shirt, stock_S="3 pcs")
    assert stage.job("verify").figures["open"] == 1
    assert ("finding", "self:test") in stage.shop.alerts()
    stage.shop.dashboard(shirt, stock_S="30")
    stage.shop.sync(shirt)
    stage.execute("update product set dirty_since = now()")
    stage.shop.sync(shirt)
    done = stage.job("verify")
    assert (done.figures["open"], done.figures["over"]) == (0, 1)
    assert done.figures["oldest_unexplained_seconds"] == 0
    assert [one.state for one in stage.findings()] == ["resolved"]
    assert ("finding", "self:test") not in stage.shop.alerts()


@pytest.mark.parametrize("told", [True, False], ids=["and a webhook told of it", "and no webhook told of it"])
def test_a_size_that_was_taken_away_is_found_after_a_sale_of_another(stage: Stage, told: bool) -> None:
    """Its field is gone before the newest write, which does not send it; what a person knows of stays so."""
    early, late = stage.shirts(2)
    stage.shop.dashboard(early, stock_M="")
    if told:
        stage.shop.changed(early)
        stage.shop.sync(early)
    stage.shop.book(stage.shop.sold(stage.shop.line(early, "S")))
    stage.shop.dashboard(late, stock_M="")
    stage.job("verify")
    assert [(one.product, one.cause, one.size) for one in stage.findings("open")] == sorted(
        (product, "size_removed", "M") for product in (early, late)
    )
    with stage.tools.database.transaction() as connection:
        Findings(connection, ACCOUNT).acknowledge([one.id for one in stage.findings()], "ada")
    stage.shop.book(stage.shop.sold(stage.shop.line(late, "S")))
    assert stage.job("verify").figures["over"] == 0
    assert [one.state for one in stage.findings()] == ["acknowledged"] * 2


def test_findings_of_a_run_that_failed_later_are_told_by_the_next(stage: Stage) -> None:
    """What was kept before the run came to its end is news to people though it is not new: told once, as it is."""
    first, second = stage.shirts(2)
    stage.shop.dashboard(first, stock_S="3 pcs")
    stage.job("verify")
    stage.shop.dashboard(second, stock_S="4 pcs")
    with stage.tools.database.transaction() as connection:
        Findings(connection, ACCOUNT).see([NewFinding(Cause.NOT_A_NUMBER, second, Size("S"))])
    for _ in range(2):
        assert stage.job("verify").figures["new"] == 0
        with stage.tools.database.transaction() as connection:
            assert connection.execute("select revision from alert where kind = 'finding'").fetchall() == [
                (2,)
            ]


def test_a_ledger_that_was_altered_is_not_written_to_stripe(stage: Stage) -> None:
    """Where the balance is not the sum of its movements no sync is asked for: it would publish the wrong number."""
    (shirt,) = stage.shirts(1)
    _altered(stage, shirt)
    stage.job("verify")
    assert stage.shop.stock(shirt) == {"S": "49", "M": "20"}
    (found,) = stage.findings("open")
    assert found.detail == "the balance is 52, the movements make 49"
