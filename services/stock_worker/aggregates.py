"""The parts of the account's books: what is asked of each aggregate inside one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.alerts import AlertKey, NewAlert, OversoldSale
from shared.aliases import Alias, Told
from shared.store.own_events import Tail
from shared.store.products import ProductRow, VariantRow
from shared.store.sales import Handled, Sale
from shared.store.writes import Revs
from shared.vocabulary import AlertKind, Movement, ProductId, SessionId, Size, UnplacedSale
from shared.writes import Units, Write, WriteState


class Products(Protocol):
    """Products and their sizes."""

    def lock(self, product: ProductId) -> ProductRow | None:
        """The product, its row locked until the transaction ends; None where it was never seen."""
        ...

    def lock_all(self, products: Collection[ProductId]) -> None:
        """Lock several, in one order for all."""
        ...

    def states(self, products: Collection[ProductId]) -> dict[ProductId, str]:
        """The state of each that was seen before."""
        ...

    def variants(self, products: Collection[ProductId]) -> list[VariantRow]:
        """Every size that was ever seen, by product and size."""
        ...

    def create(self, product: ProductId, name: str) -> None:
        """Make the product's row, dirty, unless it is there."""
        ...

    def save_sizes(self, product: ProductId, states: Mapping[Size, str], *, opened: Iterable[Size]) -> None:
        """Note how each size stands in Stripe, and which ones are adopted now."""
        ...

    def set_state(self, product: ProductId, state: str, *, reason: str = "") -> None:
        """Put the product into `state` (tracked, untracked, quarantined, closed)."""
        ...

    def next_version(self, product: ProductId) -> None:
        """Whoever looked before must look again."""
        ...

    def mark_dirty(self, products: Collection[ProductId]) -> None:
        """Their metadata may differ from the ledger."""
        ...

    def set_recover(self, product: ProductId, *, recover: bool) -> None:
        """Note whether the event log has to be read for writes that a restored backup forgot."""
        ...

    def taken_over(self, product: ProductId) -> None:
        """Stripe's numbers were taken over, as a person wanted."""
        ...

    def mark_clean(self, product: ProductId, *, name: str | None = None) -> None:
        """Metadata and ledger agreed, in the transaction that saw it."""
        ...

    def is_dirty(self, product: ProductId) -> bool:
        """Whether it waits for a sync; one that was never seen does."""
        ...


class Writes(Protocol):
    """Writes to Stripe, and the states known under their markers."""

    def hold_installation(self, installation: str) -> None:
        """Keep the books' id from changing until the transaction ends; raises Superseded where it is another."""
        ...

    def pending(self, product: ProductId) -> Write | None:
        """The write that may still execute."""
        ...

    def since_last(self, product: ProductId) -> float | None:
        """Seconds since the last write was planned."""
        ...

    def by_key(self, key: str) -> Write | None:
        """The write with this idempotency key."""
        ...

    def by_marker(self, marker: str) -> Write | None:
        """The write with this marker, of whatever product."""
        ...

    def insert(self, write: Write) -> None:
        """Commit to a PENDING write; fails where another is pending."""
        ...

    def leave_pending(self, write: Write, state: WriteState, answer: str) -> bool:
        """Move a PENDING write on; whether it still was PENDING."""
        ...

    def mark_landed(self, write: Write) -> None:
        """Its marker was seen in Stripe."""
        ...

    def revs(self, product: ProductId) -> Revs:
        """Where the product's revs stand."""
        ...

    def last_known(self, product: ProductId, marker: str) -> Units | None:
        """K(marker).last; None where the marker is unknown."""
        ...

    def append_known(self, product: ProductId, marker: str, *, units: Units) -> None:
        """K(marker).append(units)."""
        ...

    def reconstruct(self, write: Write) -> None:
        """Keep an executed write that this database forgot."""
        ...


class OwnEvents(Protocol):
    """What the event log tells of our own writes."""

    def mark_digested(self, write: Write, executed_at: datetime) -> None:
        """Its own event was seen, which Stripe made at `executed_at`."""
        ...

    def mark_looked_up(self, product: ProductId) -> None:
        """What the event log might explain was looked up there, found or not."""
        ...

    def undigested_before(self, write: Write) -> bool:
        """Whether an earlier write landed and its own event was not digested yet."""
        ...

    def tail(self, product: ProductId) -> Tail:
        """How much of the event log holds the own events not seen yet."""
        ...

    def log_since(self, product: ProductId, *, restored: bool = False) -> datetime:
        """From when on the event log may tell something new."""
        ...


class Movements(Protocol):
    """The append-only ledger."""

    def append(self, movements: Sequence[Movement]) -> frozenset[str]:
        """Append what is not there yet; the source keys that were new."""
        ...

    def newest_sales(self, product: ProductId, size: Size, *, units: int) -> list[OversoldSale]:
        """The newest sales that together took at least `units`."""
        ...


class Sales(Protocol):
    """Sessions as they were booked."""

    def booked(self, sessions: Collection[SessionId]) -> set[SessionId]:
        """Those that are booked already."""
        ...

    def record(self, sales: Sequence[Sale]) -> None:
        """Note that sessions are booked; harmless to repeat."""
        ...

    def hold(self, lines: Sequence[UnplacedSale]) -> set[str]:
        """Keep lines for a person; the source keys of those that are new."""
        ...

    def log_deliveries(self, handled: Sequence[Handled]) -> None:
        """Count events in the delivery log."""
        ...


class Aliases(Protocol):
    """What people taught that sold lines mean."""

    def telling(self, products: Collection[str], names: Collection[str]) -> Mapping[Told, Alias]:
        """The aliases of lines that name one of `products`, or none and are called one of `names` (normalized)."""
        ...


class Alerts(Protocol):
    """What people are to be told."""

    def open_alerts(self, subjects: Collection[str]) -> set[tuple[AlertKind, str]]:
        """(kind, subject) of what is open on `subjects`."""
        ...

    def raise_(self, alerts: Collection[NewAlert]) -> list[int]:
        """Open alerts; ids of those that people must now be told of."""
        ...

    def resolve(self, keys: Collection[AlertKey]) -> int:
        """Close what is open under `keys`; how many were."""
        ...

    def resolve_refused(self) -> None:
        """Stripe took a call: the alert of a refused key is over, unless other calls are still refused."""
        ...

    def untold(self, product: ProductId) -> list[int]:
        """Ids of open alerts on a product that nobody has been told of."""
        ...
