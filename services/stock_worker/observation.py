"""Taking in what Stripe shows: one transaction that makes movements and the next write of a look."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from services.stock_worker import alerting
from services.stock_worker.books import Sitting, Tx
from services.stock_worker.deps import Deps
from services.stock_worker.ending import reopen
from services.stock_worker.known import known_under, note_seen
from services.stock_worker.protocol.facts import Facts, Level, Observation, Owner
from services.stock_worker.protocol.history import AskTheLog, Extent, History
from services.stock_worker.protocol.judge import Believe, Distrust, LogNeeded, judge
from services.stock_worker.protocol.plan import BY_A_PERSON, CAME_BACK, Base, Plan, plan
from shared import logs, marker
from shared.store.products import ProductRow
from shared.stripe_api.objects import Product
from shared.writes import Write

log = logs.get(__name__)


class Turn(Enum):
    """What to do next where there is no write to send."""

    SETTLED = auto()  # Stripe and ledger agree, or a person must act
    LOOK_AGAIN = auto()  # something changed meanwhile


@dataclass(frozen=True, slots=True)
class Look:
    """One GET of a product: the version it was made under, and the event log if it was read for it."""

    version: int
    product: Product
    seen: Observation
    history: History | None


def take_in(sitting: Sitting, look: Look, deps: Deps) -> Write | Turn | AskTheLog:
    """Commit what the look leads to; the write that is to be sent now, or what to do instead."""
    product = look.product.id
    with sitting.transaction() as tx:
        tx.writes.hold_installation(deps.installation)
        tx.products.create(product, look.product.name)
        row = tx.products.lock(product)
        pending = tx.writes.pending(product)
        if row is None or row.version != look.version or pending is not None:
            return Turn.LOOK_AGAIN
        back = row.state == "closed"
        if look.history is not None and not back and not look.history.reaches(look.product.metadata):
            return _again(look, look.history)
        facts = facts_of(tx, look, deps, unread=row.recover)
        if back and (turn := _go_on(tx, look, facts, deps)) is not None:
            return turn
        if not look.seen.sheet.tracked and not facts.levels:
            tx.products.set_state(product, "untracked")
            tx.products.mark_clean(product, name=look.product.name)
            return Turn.SETTLED
        right = row.take_over or back
        base = _taken_over(look, back=back) if right else _base(tx, look, facts, row, deps=deps)
        if isinstance(base, Turn | AskTheLog):
            return base
        made = plan(facts, look.seen, base)
        return _commit(tx, look, base, made, deps=deps)


def _again(look: Look, history: History) -> AskTheLog:
    """The log does not end in what the look showed; where its tail holds nothing, it may reach further back."""
    if history.extent is Extent.TAIL and not history.updates:
        return AskTheLog(Extent.RECENT)
    return AskTheLog(history.extent, look.product.updated if look.seen.marker else None)


def _go_on(tx: Tx, look: Look, facts: Facts, deps: Deps) -> Turn | AskTheLog | None:
    """Go on with the ledger of a product that was gone; None where another product is in its place.

    Without the marker of our writes it is another one, unless its log ends with what it shows: somebody deleted it.
    """
    if facts.owner is Owner.NOBODY and facts.highest_landed:
        if look.history is None or look.history.extent is not Extent.WHOLE:
            return AskTheLog(Extent.WHOLE)
        if not look.history.updates or not look.history.reaches(look.product.metadata):
            return None
    reopen(tx, look.product.id, look.version, deps)
    return Turn.LOOK_AGAIN


def _taken_over(look: Look, *, back: bool) -> Base | AskTheLog:
    """A person said that Stripe is right, or the product was gone and another is `back` in its place.

    Edits that our writes trampled are digested first: they are over then.
    """
    if look.history is None:
        return AskTheLog(Extent.RECENT)
    return Base(look.seen.marker, None, taken_over=CAME_BACK if back else BY_A_PERSON)


def _base(tx: Tx, look: Look, facts: Facts, row: ProductRow, *, deps: Deps) -> Base | Turn | AskTheLog:
    """What the observation is to be compared with, or why it can't be yet."""
    judgement = judge(facts, look.seen.marker, look.history)
    if isinstance(judgement, LogNeeded):
        if facts.owner is Owner.FORMER:
            tx.products.set_recover(look.product.id, recover=True)
        return _how_far(look, facts)
    if isinstance(judgement, Distrust):
        whole = look.history is None or look.history.extent is Extent.WHOLE
        if not whole and row.reason != judgement.reason:
            return AskTheLog(Extent.WHOLE)
        _quarantine(tx, look, deps, why=judgement)
        return Turn.SETTLED
    return base_of(tx, look, judgement)


def _how_far(look: Look, facts: Facts) -> AskTheLog:
    """A marker of ours is explained by the log's end, one that was deleted by what came after our last write."""
    if facts.owner is Owner.OURS and look.product.updated is not None:
        return AskTheLog(Extent.TAIL, look.product.updated)
    if facts.owner is Owner.NOBODY and facts.highest_landed and look.history is None:
        return AskTheLog(Extent.TAIL)
    return AskTheLog(Extent.RECENT)


def base_of(tx: Tx, look: Look, judgement: Believe) -> Base:
    """What is known under the marker that is believed."""
    if judgement.units is not None:
        return Base(judgement.marker, judgement.units)
    return known_under(tx, look.product.id, judgement.marker, look.seen.sheet.units)


def facts_of(tx: Tx, look: Look, deps: Deps, *, unread: bool) -> Facts:
    """What the decision about the look stands on; notes that the write whose marker is shown has landed."""
    product = look.product.id
    owner, observed = _owner(tx, look, deps)
    if owner is Owner.OURS and observed is not None and not observed.landed:
        tx.writes.mark_landed(observed)
    revs = tx.writes.revs(product)
    rows = tx.products.variants([product])
    return Facts(
        account=deps.account,
        product=product,
        installation=deps.installation,
        version=look.version,
        levels={row.size: Level(row.on_hand, row.opened) for row in rows},
        owner=owner,
        observed_rev=observed.rev if owner is Owner.OURS and observed is not None else 0,
        highest_rev=revs.highest,
        highest_landed=revs.landed,
        unexplained=revs.unexplained or unread,
        restore_edits=deps.restore_edits,
    )


def _owner(tx: Tx, look: Look, deps: Deps) -> tuple[Owner, Write | None]:
    text = look.seen.marker
    if not text:
        return Owner.NOBODY, None
    parsed = marker.parse(text)
    if parsed is None:
        return Owner.GARBAGE, None
    write = tx.writes.by_marker(text)
    if write is not None:
        return (Owner.OURS if write.product == look.product.id else Owner.COPIED), write
    if parsed.installation in deps.former:
        return Owner.FORMER, None
    return (Owner.LOST if parsed.installation == deps.installation else Owner.FOREIGN), None


def _commit(tx: Tx, look: Look, base: Base, made: Plan, *, deps: Deps) -> Write | Turn:
    product = look.product.id
    tx.products.set_state(product, "tracked")
    states = {size: state.value for size, state in made.states.items()}
    tx.products.save_sizes(product, states, opened=made.opened)
    tx.movements.append(made.movements)
    if made.learned:
        tx.writes.append_known(product, base.marker, units=made.known)
        note_seen(tx, product, base, look.seen.sheet.units)
    if made.write is not None:
        tx.writes.insert(made.write)
        tx.writes.append_known(product, made.write.marker, units=made.known_after_write)
        if made.write.base_marker != base.marker:
            # The marker was removed. What the write does not send is looked up under what it replaces, later on.
            below = known_under(tx, product, base.marker, made.states).units or {}
            tx.writes.append_known(product, made.write.base_marker, units={**below, **made.known})
    if made.write is not None or made.movements or made.learned:
        tx.products.next_version(product)
    if base.taken_over:
        tx.products.taken_over(product)
    alerting.after_look(tx, look.product, base, made, deps=deps)
    if made.write is None:
        tx.products.mark_clean(product, name=look.product.name)
    for m in made.movements:
        log.info("stock_observed", product=product, size=m.size, delta=m.delta, kind=m.kind)
    return made.write or Turn.SETTLED


def _quarantine(tx: Tx, look: Look, deps: Deps, *, why: Distrust) -> None:
    product = look.product.id
    tx.products.set_state(product, "quarantined", reason=why.reason)
    states = dict.fromkeys(look.seen.sheet.sizes, "managed")
    tx.products.save_sizes(product, states, opened=())
    tx.products.mark_clean(product, name=look.product.name)
    alerting.quarantined(tx, look.product, why, deps)
    log.warning("product_quarantined", product=product, reason=why.reason)
