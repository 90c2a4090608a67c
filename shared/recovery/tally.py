"""What one look found, added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.messages import RefundChanged
from shared.recovery.search import Found


@dataclass(slots=True)
class Tally:
    """Counts of one look; `reasons` are of the missed sales."""

    sales: int = 0
    products: int = 0
    refunds: int = 0
    in_transit: int = 0
    parked: int = 0
    surprising: int = 0
    unlisted: int = 0
    reasons: Counter[str] = field(default_factory=Counter[str])
    settled: datetime | None = None

    def add(self, found: Found) -> None:
        """Count what one page showed."""
        reasons = [one.why.value for one in found.missed if one.sale]
        self.sales += len(reasons)
        self.reasons.update(reasons)
        refunds = sum(isinstance(one.message, RefundChanged) for one in found.missed)
        self.refunds += refunds
        self.products += len(found.missed) - len(reasons) - refunds
        self.in_transit += found.in_transit
        self.parked += len(found.parked)
        self.surprising += found.surprising
        self.unlisted += len(found.unlisted)
        self.settled = max(filter(None, (self.settled, found.settled)), default=None)

    @property
    def figures(self) -> Mapping[str, int]:
        """The counts for people, by name; after the first two only what there is."""
        more = {
            "missed_refunds": self.refunds,
            "in_transit": self.in_transit,
            "in_dead_letters": self.parked,
            "not_understood": self.surprising,
            "booked_but_not_paid": self.unlisted,
        }
        return {
            "missed_sales": self.sales,
            "missed_product_changes": self.products,
            **{name: count for name, count in more.items() if count},
        }
