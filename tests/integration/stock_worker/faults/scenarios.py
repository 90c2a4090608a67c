"""Small stories that together lead the driver past every I/O point; each starts with an empty shop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from services.stock_worker.protocol.plan import idempotency_key
from shared import marker
from shared.stock_metadata import MARKER_KEY
from shared.stripe_api.answers import WriteAnswer, WriteResult
from shared.vocabulary import PLAIN, ProductId
from tests.integration.stock_worker.faults.stage import Stage
from tests.integration.stock_worker.faults.wires import Post, unknown


def first_sale(stage: Stage) -> None:
    """A product nobody has seen before is sold; a check-up goes by."""
    product = stage.product(stock="10")
    stage.sell(product)
    stage.check_up()
    stage.tell_events(product)


def second_sale(stage: Stage) -> None:
    """A product that is known already is sold."""
    product = _mug(stage)
    stage.sell(product, 2)
    stage.tell_events(product)


def several_lines(stage: Stage) -> None:
    """One session takes two sizes of one product and another product; then a size appears and is sold."""
    shirt = stage.product(sizes="S,M", stock_S="5", stock_M="6")
    mug = stage.product(stock="10")
    shop = stage.shop
    stage.tell_sale(shop.sold(shop.line(shirt, "S", 2), shop.line(shirt, "M", 1), shop.line(mug, "", 3)))
    shop.dashboard(shirt, sizes="S,M,L", stock_L="4")
    stage.sell(shirt, 1, "L")


def restock(stage: Stage) -> None:
    """A person types a new number, and its event comes."""
    product = _mug(stage)
    stage.shop.dashboard(product, stock="30")
    stage.tell_events(product)
    stage.sell(product, 2)


def answer_lost(stage: Stage) -> None:
    """A write arrives, its answer does not."""
    product = _mug(stage)
    stage.accident(_answer_lost)
    stage.sell(product, 2)


def request_lost(stage: Stage) -> None:
    """A write does not arrive, and is sent again."""
    product = _mug(stage)
    stage.accident(_request_lost)
    stage.sell(product, 2)


def request_lost_and_edited(stage: Stage) -> None:
    """A write does not arrive, a person edits: its key is spent by a fence."""
    product = _mug(stage)
    stage.accident(_then(_request_lost, lambda: stage.shop.dashboard(product, stock="20")))
    stage.sell(product, 2)


def answer_lost_and_edited(stage: Stage) -> None:
    """A write arrives, its answer does not, a person edits what it wrote and takes the marker away."""
    product = _mug(stage)
    stage.accident(_then(_answer_lost, lambda: stage.shop.dashboard(product, stock="20", **{MARKER_KEY: ""})))
    stage.sell(product, 2)


def trampled(stage: Stage) -> None:
    """A person edits between our look and our write; the write's own event tells."""
    product = _mug(stage)
    stage.tell_events(product)
    stage.accident(_after(lambda: stage.shop.dashboard(product, stock="30")))
    stage.sell(product, 2)
    stage.tell_events(product)


def out_of_order(stage: Stage) -> None:
    """The events of two writes, one of which trampled an edit, come newest first."""
    product = _mug(stage)
    stage.accident(_after(lambda: stage.shop.dashboard(product, stock="30")))
    stage.sell(product, 2)
    stage.tell_events(product, newest_first=True)


def marker_deleted(stage: Stage) -> None:
    """A person deletes our marker and types a number."""
    product = _mug(stage)
    stage.shop.dashboard(product, stock="20", **{MARKER_KEY: ""})
    stage.sell(product)


def oversold(stage: Stage) -> None:
    """More is sold than is there."""
    product = stage.product(stock="3")
    stage.sell(product, 2)
    stage.sell(product, 4)
    stage.tell_events(product)


def deleted(stage: Stage) -> None:
    """A product is deleted; what was sold of it later waits for a person."""
    product = _mug(stage)
    late = stage.buy(product)
    stage.delete(product)
    stage.tell_deletion(product)
    stage.tell_sale(late)


def deleted_while_pending(stage: Stage) -> None:
    """A write does not arrive, and the product is deleted."""
    product = _mug(stage)
    stage.accident(_then(_request_lost, lambda: stage.delete(product)))
    stage.sell(product, 2)


def taken_over(stage: Stage) -> None:
    """Somebody else's marker stops all writes until a person says that Stripe is right."""
    product = _mug(stage)
    stage.shop.dashboard(product, **{MARKER_KEY: "1:other:3:00000000"})
    stage.tell_events(product)
    stage.admin.execute("update product set take_over = true where id = %s", (product,))
    stage.tell_sync(product)
    stage.sell(product, 2)


def rejected(stage: Stage) -> None:
    """The metadata is full, so Stripe rejects our marker until a person makes room."""
    product = stage.product(stock="10", **{f"key_{n}": "x" for n in range(49)})
    stage.sell(product)
    stage.shop.dashboard(product, key_0="")
    stage.tell_events(product)


def refused(stage: Stage) -> None:
    """Stripe refuses our key once."""
    product = _mug(stage)
    stage.accident(lambda _: WriteAnswer(WriteResult.REFUSED, detail="401"))
    stage.sell(product, 2)


def restored_backup(stage: Stage) -> None:
    """The database forgot a sale and the write that followed from it; the log tells of the write."""
    product = _mug(stage)
    session = stage.buy(product, 2)
    values = {PLAIN: 7}
    stamp = str(marker.stamp(stage.installation, 2, product, values))
    body = {"stock": "7", MARKER_KEY: stamp}
    stage.stripe.write_metadata(product, body, idempotency_key(stage.installation, product, 2))
    stage.restore_backup("again")
    stage.tell_sync(product)
    stage.tell_sale(session)


SCENARIOS: Final[dict[str, Callable[[Stage], None]]] = {
    play.__name__: play
    for play in (
        first_sale,
        second_sale,
        several_lines,
        restock,
        answer_lost,
        request_lost,
        request_lost_and_edited,
        answer_lost_and_edited,
        trampled,
        out_of_order,
        marker_deleted,
        oversold,
        deleted,
        deleted_while_pending,
        taken_over,
        rejected,
        refused,
        restored_backup,
    )
}


def _mug(stage: Stage) -> ProductId:
    """A mug that was sold once, so that our marker stands in Stripe: 9 left."""
    product = stage.product(stock="10")
    stage.sell(product)
    stage.turn = len(stage.wire.passed)
    return product


def _request_lost(post: Post) -> WriteAnswer:
    del post
    return unknown()


def _answer_lost(post: Post) -> WriteAnswer:
    post()
    return unknown()


def _then(happens: Callable[[Post], WriteAnswer], also: Callable[[], None]) -> Callable[[Post], WriteAnswer]:
    def both(post: Post) -> WriteAnswer:
        answer = happens(post)
        also()
        return answer

    return both


def _after(first: Callable[[], None]) -> Callable[[Post], WriteAnswer]:
    def both(post: Post) -> WriteAnswer:
        first()
        return post()

    return both
