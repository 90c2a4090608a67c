"""The pass of a verification: every listed product against the ledger, and what no page showed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from services.reconciler.anomalies import EXAMINED
from services.reconciler.comparison import Suspicion, altered, listed, suspicion
from services.reconciler.jobs import Tools
from shared.findings import NewFinding
from shared.store.findings import Findings
from shared.store.verifications import Verifications
from shared.stripe_api.objects import Product
from shared.vocabulary import ProductId

AT_ONCE: Final = 1000
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)


@dataclass(slots=True)
class Candidates:
    """What a pass has come to so far; `since` is when the run began, by the database's clock."""

    tools: Tools
    since: datetime
    products: int = 0
    sizes: int = 0
    suspects: dict[ProductId, Suspicion] = field(default_factory=dict[ProductId, Suspicion])
    altered: list[NewFinding] = field(default_factory=list[NewFinding])
    _seen: set[ProductId] = field(default_factory=set[ProductId])

    def begin(self) -> None:
        """Start from nothing."""
        self.products = self.sizes = 0
        self.suspects.clear()
        self.altered.clear()
        self._seen.clear()

    def take(self, page: Sequence[Product]) -> None:
        """Compare one page, in one round trip to the database."""
        shown = [listed(product) for product in page]
        with self.tools.database.transaction() as connection:
            known = Verifications(connection, self.tools.account).known(shown, self.since)
        for one in shown:
            self._seen.add(one.product)
            self.products += one.sheet.tracked
            self.sizes += len(one.sheet.sizes)
            wrong = altered(one, known[one.product])
            self.altered += wrong
            why = suspicion(one, known[one.product])
            # Where the ledger itself is wrong nothing may be written, so nothing else is asked.
            if why is not None and not wrong:
                self.suspects[one.product] = why

    def close(self) -> None:
        """After the last page: products of ours that none has shown. Only a 404 tells that one is missing."""
        last = ProductId("")
        while True:
            with self.tools.database.transaction() as connection:
                some = Verifications(connection, self.tools.account).others(last, AT_ONCE)
            for product in some:
                if product not in self._seen:
                    self.suspects[product] = Suspicion.NOT_LISTED
            if len(some) < AT_ONCE:
                return
            last = some[-1]

    def chosen(self, most: int, most_new: int) -> list[ProductId]:
        """The suspects to look at: `most` of those that the ledger knows, `most_new` that it has never seen.

        Those that a finding is open about come last, the one seen longest ago first: so each has its turn.
        """
        seen = self.tools.database.run(lambda c: _last_seen(Findings(c, self.tools.account)))
        ordered = sorted(self.suspects, key=lambda product: (seen.get(product, _LONG_AGO), product))
        new = [product for product in ordered if self.suspects[product] is Suspicion.NEVER_SEEN]
        others = [product for product in ordered if self.suspects[product] is not Suspicion.NEVER_SEEN]
        return [product for product in (*others[:most], *new[:most_new]) if _ID.fullmatch(product)]


def _last_seen(findings: Findings) -> dict[ProductId, datetime]:
    """When the product of each open finding was last seen to be wrong; of several the one seen longest ago."""
    found: dict[ProductId, datetime] = {}
    for one in findings.unresolved(EXAMINED):
        product = ProductId(one.product)
        found[product] = min(one.last_seen_at, found.get(product, one.last_seen_at))
    return found
