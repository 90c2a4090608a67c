from __future__ import annotations

import dataclasses

import pytest

from services.stock_worker.handlers import on_product
from shared.messages import SyncRequested
from shared.outcomes import Ignored, RetryLater
from shared.stripe_api.client import StripeApi
from shared.stripe_api.objects import Product
from shared.vocabulary import ProductId
from tests.integration.stock_worker.shop import (
    ACCOUNT,
    LONG_AGO,
    STALLED,
    Shop,
    edit_before_write,
    webhook_of,
)


def unanswered(shop: Shop, product: ProductId, kind: str) -> None:
    """Two are sold; the write that follows gets no answer, before or after it took effect."""
    shop.fault(kind, method="POST", path=f"/products/{product}", seconds=STALLED)
    shop.book(shop.sold(shop.line(product, "", 2)))
    assert shop.write_states(product)[-1] == "PENDING"


def test_a_restock_in_the_dashboard_survives(shop: Shop, mug: ProductId) -> None:
    """A number typed by a person becomes a movement, and later sales come off it."""
    shop.dashboard(mug, stock="50")
    shop.book(shop.sold(shop.line(mug, "", 3)))
    assert shop.stock(mug) == {"": "47"}
    assert ("external", "", 41) in shop.movements(mug)


def test_agreement_costs_no_write(shop: Shop, mug: ProductId) -> None:
    """Looking again at a product that agrees writes nothing."""
    shop.touch(mug)
    shop.sync(mug)
    assert shop.write_states(mug) == ["APPLIED"]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (76, "lock_timeout"),
        (78, "error_before"),
        (78, "error_after"),
        (80, "timeout_after"),
        (81, "timeout_before"),
        (82, "late"),
        (83, "duplicate"),
        (84, "reset"),
        (85, "truncated"),
    ],
)
def test_faults_of_a_write_end_in_the_right_number(
    shop: Shop, mug: ProductId, number: int, kind: str
) -> None:
    """Whatever happens to one write, the next look leaves Stripe with every sale, once."""
    shop.fault(kind, method="POST", path=f"/products/{mug}", seconds=STALLED)
    shop.book(shop.sold(shop.line(mug, "", 2)))
    for _ in range(4):
        shop.touch(mug)
        shop.sync(mug)
    shop.control("/_latency", {"ms": 0})
    assert shop.stock(mug) == {"": "7"}, number
    assert "PENDING" not in shop.write_states(mug)


def test_fault_82_a_late_write_cannot_undo_an_edit(shop: Shop, mug: ProductId) -> None:
    """A write whose fate is unknown is fenced once somebody edits, so its late arrival changes nothing."""
    unanswered(shop, mug, "timeout_before")
    shop.dashboard(mug, stock="100")
    shop.sync(mug)
    assert shop.write_states(mug)[1] in {"CANCELLED", "SETTLED"}
    shop.touch(mug)
    shop.sync(mug)
    assert shop.stock(mug) == {"": "98"}


def test_fault_91_an_edit_between_look_and_write_is_put_back(
    shop: Shop, mug: ProductId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit that our write tramples comes back when the write's own event is digested."""
    shop.changed(mug)
    session = shop.sold(shop.line(mug, "", 2))
    edit_before_write(shop, mug, monkeypatch, lambda: shop.dashboard(mug, stock="30"))
    shop.book(session)
    assert shop.stock(mug) == {"": "7"}
    shop.changed(mug)
    assert shop.stock(mug) == {"": "28"}
    assert ("overwritten", "", 21) in shop.movements(mug)


def test_fault_91_without_digest_the_edit_would_be_lost(
    shop: Shop, mug: ProductId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: with no event digested the number stays wrong, though ledger and Stripe agree."""
    session = shop.sold(shop.line(mug, "", 2))
    edit_before_write(shop, mug, monkeypatch, lambda: shop.dashboard(mug, stock="30"))
    shop.book(session)
    shop.touch(mug)
    shop.sync(mug)
    assert shop.stock(mug) == {"": "7"}


def test_fault_93_an_unreadable_number_is_kept_and_told(shop: Shop, mug: ProductId) -> None:
    """`12 pcs` stays as it is; once it is a number again, it counts from what was known."""
    shop.dashboard(mug, stock="12 pcs")
    shop.book(shop.sold(shop.line(mug, "", 1)))
    assert shop.stock(mug) == {"": "12 pcs"}
    assert shop.alerts() == [("quarantine", mug)]
    assert "Type a plain number such as 12 into the metadata field stock." in str(
        shop.facts("quarantine")["first"]
    )
    shop.dashboard(mug, stock="12")
    shop.changed(mug)
    assert shop.stock(mug) == {"": "11"}
    assert shop.alerts() == []


def test_fault_94_a_full_metadata_is_told_and_sales_go_on(shop: Shop) -> None:
    """At 50 keys the marker does not fit: Stripe rejects, a person is told, the ledger keeps counting."""
    full = shop.product(stock="10", **{f"key_{n}": "x" for n in range(49)})
    for _ in range(2):
        shop.book(shop.sold(shop.line(full, "", 1)))
    assert shop.stock(full) == {"": "10"}
    assert shop.write_states(full)[0] == "REJECTED"
    assert [kind for kind, _ in shop.alerts()] == ["quarantine"]
    assert sum(delta for _, _, delta in shop.movements(full)) == 8
    with shop.database.transaction() as connection:
        told = connection.execute("select count(*) from alert where kind = 'quarantine'").fetchone()
    assert told == (1,)  # not one for each sale
    assert "command" not in shop.facts("quarantine")


def test_fault_94_a_rejected_write_goes_on_once_its_cause_is_mended(shop: Shop) -> None:
    """Fields taken away in the Dashboard let the next number in, sales so far taken off: no takeover is needed."""
    full = shop.product(stock="10", **{f"key_{n}": "x" for n in range(49)})
    shop.book(shop.sold(shop.line(full, "", 1)))
    shop.dashboard(full, key_0="", key_1="")
    shop.changed(full)
    assert shop.stock(full) == {"": "9"}
    assert shop.alerts() == []


def test_an_edit_is_seen_before_a_lost_answer_is_settled_for_good(shop: Shop, mug: ProductId) -> None:
    """The write landed unheard of, a person typed a number over it: the look that finds the write finds that, too."""
    unanswered(shop, mug, "timeout_after")
    shop.dashboard(mug, stock="30")
    shop.sync(mug)
    assert shop.stock(mug) == {"": "30"}
    assert sum(delta for _, _, delta in shop.movements(mug)) == 30


def test_an_edit_that_is_told_of_while_a_worker_looks_is_not_called_clean(shop: Shop, mug: ProductId) -> None:
    """The event comes between another worker's look and its end; that worker looks once more."""

    class Late(StripeApi):
        def product(self, product: ProductId) -> Product | None:
            found = super().product(product)
            if shop.stock(product) == {"": "9"}:
                shop.dashboard(product, stock="30")
                tell_of_the_edit()
            return found

    def tell_of_the_edit() -> None:
        update = list(shop.deps.stripe.product_updates(mug, LONG_AGO))[-1]
        assert isinstance(on_product(webhook_of(update), shop.deps), Ignored)

    late = dataclasses.replace(shop.deps, stripe=Late("sk_test_shop", shop.url))
    shop.touch(mug)
    on_product(SyncRequested(account=ACCOUNT, product=mug), late)
    assert sum(delta for _, _, delta in shop.movements(mug)) == 30


def test_fault_89_a_write_that_is_too_old_is_never_sent_again(shop: Shop, mug: ProductId) -> None:
    """A pending write older than Stripe keeps keys is given up, and a new one is made."""
    shop.fault("timeout_before", method="POST", path=f"/products/{mug}", seconds=STALLED)
    shop.book(shop.sold(shop.line(mug, "", 2)))
    with shop.database.transaction() as connection:
        connection.execute("update write set planned_at = planned_at - interval '21 hours'")
    shop.sync(mug)
    assert shop.write_states(mug) == ["APPLIED", "SETTLED", "APPLIED"]
    assert shop.stock(mug) == {"": "7"}


def test_a_write_without_answer_is_retried_later(shop: Shop, mug: ProductId) -> None:
    """A timeout leaves the write pending and asks for another try."""
    shop.fault("timeout_before", method="POST", path=f"/products/{mug}", seconds=STALLED)
    session = shop.sold(shop.line(mug, "", 2))
    shop.book(session)
    shop.touch(mug)
    shop.fault("timeout_before", method="POST", path=f"/products/{mug}", seconds=STALLED)
    assert isinstance(shop.sync(mug), RetryLater)
