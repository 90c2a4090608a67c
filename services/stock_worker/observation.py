"""Taking in what Stripe shows: one transaction that makes movements and the next write of a look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from services.stock_worker import alerting
from services.stock_worker.deps import Deps
from services.stock_worker.protocol.facts import Facts, Level, Observation, Owner
from services.stock_worker.protocol.judge import AskTheLog, Distrust, judge
from services.stock_worker.protocol.plan import Base, Plan, plan
from shared import logs, marker
from shared.database.pool import Connection
from shared.store import movements, products, writes
from shared.stripe_api.objects import Product, ProductUpdate
from shared.vocabulary import Movement, MovementKind, ProductId
from shared.writes import Write

log = logs.get(__name__)


class Turn(Enum):
    """What to do next where there is no write to send."""

    SETTLED = auto()  # Stripe and ledger agree, or a person must act
    LOOK_AGAIN = auto()  # something changed meanwhile
    ASK_THE_LOG = auto()


@dataclass(frozen=True, slots=True)
class Look:
    """One GET of a product: the version it was made under, and the event log if it was read for it."""

    version: int
    product: Product
    seen: Observation
    log: Sequence[ProductUpdate] | None


def take_in(connection: Connection, look: Look, deps: Deps) -> Write | Turn:
    """Commit what the look leads to; the write that is to be sent now, or what to do instead."""
    account, product = deps.account, look.product.id
    with connection.transaction():
        products.create(connection, account, product, look.product.name)
        row = products.lock(connection, account, product)
        pending = writes.pending(connection, account, product)
        if row is None or row.version != look.version or pending is not None:
            return Turn.LOOK_AGAIN
        facts = _facts(connection, look, deps)
        if not look.seen.sheet.tracked and not facts.levels:
            products.set_state(connection, account, product, "untracked")
            products.mark_clean(connection, account, product, name=look.product.name)
            return Turn.SETTLED
        judgement = judge(facts, look.seen.marker, look.log)
        if isinstance(judgement, AskTheLog):
            return Turn.ASK_THE_LOG
        if isinstance(judgement, Distrust):
            _quarantine(connection, look, deps, reason=judgement.reason)
            return Turn.SETTLED
        known = writes.last_known(connection, account, product, judgement.marker)
        base = Base(judgement.marker, known)
        made = plan(facts, look.seen, base)
        return _commit(connection, look, base, made, deps=deps)


def close(connection: Connection, product: ProductId, deps: Deps) -> None:
    """The product is gone from Stripe: its ledger ends at 0, later sales wait for a person."""
    with connection.transaction():
        products.create(connection, deps.account, product, "")
        products.lock(connection, deps.account, product)
        left = products.variants(connection, deps.account, [product])
        ends = [
            Movement(
                deps.account,
                product,
                variant.size,
                -variant.on_hand,
                MovementKind.CLOSED,
                f"closed:{deps.account}:{product}:{variant.size}",
            )
            for variant in left
            if variant.on_hand
        ]
        movements.append(connection, ends)
        products.set_state(connection, deps.account, product, "closed", reason="deleted in Stripe")
        products.next_version(connection, deps.account, product)
        products.mark_clean(connection, deps.account, product)
    log.info("product_closed", product=product)


def _facts(connection: Connection, look: Look, deps: Deps) -> Facts:
    account, product = deps.account, look.product.id
    owner, observed = _owner(connection, look, deps)
    if owner is Owner.OURS and observed is not None and not observed.landed:
        writes.mark_landed(connection, observed)
    revs = writes.revs(connection, account, product)
    rows = products.variants(connection, account, [product])
    return Facts(
        account=account,
        product=product,
        installation=deps.installation,
        version=look.version,
        levels={row.size: Level(row.on_hand, row.opened) for row in rows},
        owner=owner,
        observed_rev=observed.rev if owner is Owner.OURS and observed is not None else 0,
        highest_rev=revs.highest,
        highest_landed=revs.landed,
        unexplained=revs.unexplained,
    )


def _owner(connection: Connection, look: Look, deps: Deps) -> tuple[Owner, Write | None]:
    text = look.seen.marker
    if not text:
        return Owner.NOBODY, None
    parsed = marker.parse(text)
    if parsed is None:
        return Owner.GARBAGE, None
    write = writes.by_marker(connection, deps.account, text)
    if write is not None:
        return (Owner.OURS if write.product == look.product.id else Owner.COPIED), write
    return (Owner.LOST if parsed.installation == deps.installation else Owner.FOREIGN), None


def _commit(connection: Connection, look: Look, base: Base, made: Plan, *, deps: Deps) -> Write | Turn:
    account, product = deps.account, look.product.id
    products.set_state(connection, account, product, "tracked")
    states = {size: state.value for size, state in made.states.items()}
    products.save_sizes(connection, account, product, states, opened=made.opened)
    movements.append(connection, made.movements)
    if made.learned:
        writes.append_known(connection, account, product, base.marker, units=made.known)
    if made.write is not None:
        writes.insert(connection, made.write)
        writes.append_known(connection, account, product, made.write.marker, units=made.known_after_write)
    if made.write is not None or made.movements or made.learned:
        products.next_version(connection, account, product)
    alerting.after_look(connection, look.product, base, made, deps=deps)
    if made.write is None:
        products.mark_clean(connection, account, product, name=look.product.name)
    for m in made.movements:
        log.info("stock_observed", product=product, size=m.size, delta=m.delta, kind=m.kind)
    return made.write or Turn.SETTLED


def _quarantine(connection: Connection, look: Look, deps: Deps, *, reason: str) -> None:
    account, product = deps.account, look.product.id
    products.set_state(connection, account, product, "quarantined", reason=reason)
    states = dict.fromkeys(look.seen.sheet.sizes, "managed")
    products.save_sizes(connection, account, product, states, opened=())
    products.mark_clean(connection, account, product, name=look.product.name)
    alerting.quarantined(connection, product, look.product.name, reason=reason, deps=deps)
    log.warning("product_quarantined", product=product, reason=reason)
