"""The ledger, sales and alerts of the books in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from shared.alerts import AlertKey, NewAlert, OversoldSale
from shared.aliases import Alias, Told
from shared.store.alerts import ACCUMULATING
from shared.store.sales import Handled, Sale
from shared.vocabulary import AlertKind, Movement, MovementKind, ProductId, SessionId, Size, UnplacedSale
from tests.simulation.carts import MEANT
from tests.simulation.memory_tables import Alert, Part, changed


class Ledger(Part):
    """Movements, booked sessions, and what people are told."""

    def append(self, movements: Sequence[Movement]) -> frozenset[str]:
        new: list[str] = []
        for movement in movements:
            key = movement.source_key
            if key in self._tables.movements:
                if self._books.unique_keys:
                    continue
                key = f"{key}#{len(self._tables.movements)}"
            at = (movement.product, movement.size)
            row = self._tables.variants[at]  # the foreign key
            self._put(self._tables.movements, key, movement)
            left = row.on_hand + movement.delta
            self._put(self._tables.variants, at, changed(row, on_hand=left))
            self._books.watch.moved(movement, left)
            new.append(movement.source_key)
        return frozenset(new)

    def newest_sales(self, product: ProductId, size: Size, *, units: int) -> list[OversoldSale]:
        sales: list[OversoldSale] = []
        for movement in reversed(self._tables.movements.values()):
            if (movement.product, movement.size, movement.kind) != (product, size, MovementKind.SALE):
                continue
            left = units - sum(sale.units for sale in sales)
            if left <= 0:
                break
            sales.append(OversoldSale(movement.session or SessionId(""), min(-movement.delta, left)))
        return sales

    def booked(self, sessions: Collection[SessionId]) -> set[SessionId]:
        if not self._books.unique_keys:
            return set()
        return {session for session in sessions if session in self._tables.booked}

    def record(self, sales: Sequence[Sale]) -> None:
        for sale in sales:
            if sale.session not in self._tables.booked:
                self._put(self._tables.booked, sale.session, sale)

    def hold(self, lines: Sequence[UnplacedSale]) -> set[str]:
        fresh = {line.source_key: line for line in lines if line.source_key not in self._tables.held}
        for key, line in fresh.items():
            self._put(self._tables.held, key, line)
        return set(fresh)

    def telling(self, products: Collection[str], names: Collection[str]) -> Mapping[Told, Alias]:
        del names  # every line names a product
        return {
            Told(product, "", said): Alias(1, ProductId(product), size, "somebody")
            for product in products
            for said, size in MEANT.items()
        }

    def log_deliveries(self, handled: Sequence[Handled]) -> None:
        del handled

    def open_alerts(self, subjects: Collection[str]) -> set[tuple[AlertKind, str]]:
        return {key for key in self._tables.alerts if key[1] in subjects}

    def raise_(self, alerts: Collection[NewAlert]) -> list[int]:
        raised: list[int] = []
        for alert in alerts:
            key = (alert.kind, alert.subject)
            opened = self._tables.alerts.get(key)
            if opened is None:
                self._books.alerts_raised += 1
                opened = Alert(self._books.alerts_raised, alert.facts.get("product"))
                self._put(self._tables.alerts, key, opened)
            elif alert.kind not in ACCUMULATING:
                continue
            raised.append(opened.number)
        return list(dict.fromkeys(raised))

    def resolve(self, keys: Collection[AlertKey]) -> int:
        over = {key for one in keys if (key := (one.kind, one.subject)) in self._tables.alerts}
        for key in over:
            self._drop(self._tables.alerts, key)
        return len(over)

    def resolve_refused(self) -> None:
        for key in [key for key in self._tables.alerts if key[0] is AlertKind.STRIPE_REFUSED]:
            self._drop(self._tables.alerts, key)

    def untold(self, product: ProductId) -> list[int]:
        return [alert.number for alert in self._tables.alerts.values() if alert.product == product]
