"""The three-way merge: known state, Stripe and ledger in; movements and, where needed, the next write out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from services.stock_worker.protocol.facts import Facts, Level, Observation, Owner, SizeState
from shared import marker
from shared.stock_metadata import MARKER_KEY, stock_key
from shared.vocabulary import AccountKey, Movement, MovementKind, ProductId, Size
from shared.writes import Units, Write

_PREFIX = {
    MovementKind.EXTERNAL: "ext",
    MovementKind.ADJUSTMENT: "takeover",
    MovementKind.OVERSOLD: "oversold",
}
_KEY = re.compile(r"stocksync:([a-z0-9]{1,32}):([0-9]{1,18}):([0-9a-f]{24})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Authority:
    """Who or what says that Stripe's numbers are right: the actor and reason of the movements that follow."""

    actor: str
    reason: str


BY_A_PERSON: Final = Authority("operator", "")
CAME_BACK: Final = Authority("stripe", "it was gone from Stripe, and another is there")


@dataclass(frozen=True, slots=True)
class Base:
    """The known state that the observation is compared with; `units` is None at first sight."""

    marker: str
    units: Units | None
    passed: Mapping[str, Collection[Size]] = field(default_factory=dict[str, "Collection[Size]"])
    """Sizes of which nothing was known yet under these markers, this one and some before."""
    taken_over: Authority | None = None
    """Why Stripe's numbers are right, whatever was known before: the ledger follows them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one look at Stripe leads to; `write` is None where metadata and ledger agree."""

    movements: tuple[Movement, ...]
    states: Mapping[Size, SizeState]
    opened: frozenset[Size]
    known: Units  # K(base marker).last after this look
    learned: bool  # whether that is news
    balances: Units
    oversold: Units
    write: Write | None

    @property
    def known_after_write(self) -> Units:
        """What will be known under the write's marker: what it sends. Other sizes are known under markers before it."""
        return self.balances


def plan(facts: Facts, seen: Observation, base: Base) -> Plan:
    """The plan for one product: changes in Stripe make movements, and the write is always the balance."""
    shown = seen.sheet.units
    arrived = [m for size in shown if (m := _arrival(facts, size, shown[size], base))]
    arrived += [put_back(m) for m in arrived if facts.restore_edits and m.kind is MovementKind.EXTERNAL]
    # A size that can't be read now keeps the number it was last known with, for when it can be read again.
    known = {**(_on_hand(facts) if base.taken_over else base.units or {}), **shown}
    raw = {size: _balance(facts, size, arrived) for size in shown}
    oversold = {size: -units for size, units in raw.items() if units < 0}
    target = {size: max(0, units) for size, units in raw.items()}
    edited = base.taken_over is not None or any(m.kind is MovementKind.EXTERNAL for m in arrived)
    current = facts.owner is Owner.OURS and facts.observed_rev == facts.highest_landed
    untouched = not facts.highest_landed and facts.owner is Owner.NOBODY
    agreed = target == dict(shown) and (current or untouched) and not edited
    return Plan(
        movements=(
            *arrived,
            *(_movement(facts, size, units, MovementKind.OVERSOLD) for size, units in oversold.items()),
        ),
        states=_states(facts, seen),
        opened=frozenset(m.size for m in arrived if m.kind is MovementKind.OPENING),
        known=known,
        learned=base.units is None or bool(base.passed) or known != dict(base.units),
        balances=target,
        oversold=oversold,
        write=None if agreed or not shown else _write(facts, seen, target),
    )


def _on_hand(facts: Facts) -> Units:
    """What a size that can't be read is known with from a takeover on: all that was sold until then is off it."""
    return {size: level.on_hand for size, level in facts.levels.items() if level.opened}


def _arrival(facts: Facts, size: Size, shown: int, base: Base) -> Movement | None:
    """What Stripe's number adds to the ledger: all of it at first sight, then what people changed."""
    level = facts.levels.get(size, Level())
    if not level.opened:
        # Taken over, what was sold before counts as taken off already.
        units = shown - level.on_hand if base.taken_over else shown
        return opening(facts.account, facts.product, size, units)
    if base.taken_over:
        left = shown - level.on_hand
        return _adjusted(facts, size, left, base.taken_over) if left else None
    expected = base.units.get(size, level.on_hand) if base.units is not None else level.on_hand
    changed = shown - expected
    return _movement(facts, size, changed, MovementKind.EXTERNAL) if changed else None


def opening(account: AccountKey, product: ProductId, size: Size, units: int) -> Movement:
    """The opening balance of a size, which it has only once."""
    return Movement(account, product, size, units, MovementKind.OPENING, f"open:{account}:{product}:{size}")


def put_back(edit: Movement) -> Movement:
    """What takes an edit out of the ledger again, where people want the ledger's number restored."""
    return replace(
        edit,
        delta=-edit.delta,
        kind=MovementKind.ADJUSTMENT,
        source_key=f"restore:{edit.source_key}",
        event=None,
        actor="stocksync",
        reason="EXTERNAL_EDITS=restore",
    )


def _balance(facts: Facts, size: Size, arrived: list[Movement]) -> int:
    on_hand = facts.levels.get(size, Level()).on_hand
    return on_hand + sum(m.delta for m in arrived if m.size == size)


def _movement(facts: Facts, size: Size, delta: int, kind: MovementKind) -> Movement:
    """A movement that this look leads to, once in a version."""
    source_key = f"{_PREFIX[kind]}:{facts.account}:{facts.product}:{facts.version}:{size}"
    return Movement(facts.account, facts.product, size, delta, kind, source_key)


def _adjusted(facts: Facts, size: Size, delta: int, authority: Authority) -> Movement:
    adjustment = _movement(facts, size, delta, MovementKind.ADJUSTMENT)
    return replace(adjustment, actor=authority.actor, reason=authority.reason)


def _states(facts: Facts, seen: Observation) -> dict[Size, SizeState]:
    sheet = seen.sheet
    return {
        **dict.fromkeys([*facts.levels, *sheet.missing], SizeState.MISSING),
        **dict.fromkeys(sheet.unreadable, SizeState.UNREADABLE),
        **dict.fromkeys(sheet.units, SizeState.MANAGED),
    }


def _write(facts: Facts, seen: Observation, target: Units) -> Write:
    rev = max(facts.highest_rev, facts.observed_rev) + 1
    stamp = str(marker.stamp(facts.installation, rev, facts.product, target))
    body = {stock_key(size): str(units) for size, units in target.items()}
    return Write(
        account=facts.account,
        product=facts.product,
        rev=rev,
        installation=facts.installation,
        key=idempotency_key(facts.installation, facts.product, rev),
        body={**body, MARKER_KEY: stamp},
        marker=stamp,
        target=target,
        base_marker=seen.marker,
        base_values=dict(seen.sheet.units),
    )


def idempotency_key(installation: str, product: ProductId, rev: int) -> str:
    """Write `rev`'s key (at most 255 characters): the same whoever computes it, of no other write."""
    return f"stocksync:{installation}:{rev}:{_digest(product)}"


def written_by(key: str | None, product: ProductId) -> tuple[str, int] | None:
    """The installation and rev that made the idempotency `key` of a write of `product`; None where none did."""
    match = _KEY.fullmatch(key or "")
    return (match[1], int(match[2])) if match and match[3] == _digest(product) else None


def _digest(product: ProductId) -> str:
    return hashlib.sha256(product.encode()).hexdigest()[:24]
