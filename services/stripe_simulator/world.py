"""Everything a simulated account holds, in memory; whoever touches it holds `World.lock`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from services.stripe_simulator import errors, ids
from services.stripe_simulator.faults import Faults
from services.stripe_simulator.oracle import Oracle
from services.stripe_simulator.params import Params

Obj: TypeAlias = dict[str, Any]
Table: TypeAlias = dict[str, Obj]

NOUNS = {
    "products": "product",
    "prices": "price",
    "sessions": "checkout.session",
    "links": "payment_link",
    "intents": "payment_intent",
    "methods": "PaymentMethod",
    "charges": "charge",
    "refunds": "refund",
    "disputes": "dispute",
    "events": "event",
    "endpoints": "webhook endpoint",
}
LISTENERS = ""
"""Where `resend` sends to whoever listens with the command line tool."""

PREFIXES = {
    "prod": "products",
    "price": "prices",
    "cs": "sessions",
    "plink": "links",
    "pi": "intents",
    "pm": "methods",
    "ch": "charges",
    "re": "refunds",
    "du": "disputes",
    "evt": "events",
    "we": "endpoints",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One API request after routing: its parameters, the ids in its path, who will be named as its cause."""

    params: Params
    args: tuple[str, ...] = ()
    request_id: str | None = None
    key: str | None = None
    api_version: str | None = None


def _nowhere(_event: dict[str, Any], _endpoint: str) -> None:
    """Deliveries before anybody delivers."""


@dataclass(slots=True)
class World:
    """The tables by id, in order of creation, and who hears of new events."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    products: Table = field(default_factory=dict[str, Obj])
    prices: Table = field(default_factory=dict[str, Obj])
    sessions: Table = field(default_factory=dict[str, Obj])
    line_items: dict[str, list[Obj]] = field(default_factory=dict[str, list[Obj]])
    links: Table = field(default_factory=dict[str, Obj])
    intents: Table = field(default_factory=dict[str, Obj])
    methods: Table = field(default_factory=dict[str, Obj])
    charges: Table = field(default_factory=dict[str, Obj])
    refunds: Table = field(default_factory=dict[str, Obj])
    disputes: Table = field(default_factory=dict[str, Obj])
    events: Table = field(default_factory=dict[str, Obj])
    endpoints: Table = field(default_factory=dict[str, Obj])
    secrets: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    deleted: set[str] = field(default_factory=set[str])
    owed: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    visible_from: dict[str, float] = field(default_factory=dict[str, float])
    oracle: Oracle = field(default_factory=Oracle)
    faults: Faults = field(default_factory=Faults)
    outlets: list[Callable[[Obj], None]] = field(default_factory=list[Callable[[Obj], None]])
    resend: Callable[[Obj, str], None] = _nowhere
    own_endpoint: str = ""
    """The webhook endpoint that the settings ask for."""
    listen_url: str = ""
    listen_secret: str = field(default_factory=lambda: ids.new("whsec"))

    def table(self, name: str) -> Table:
        """The table called `name`."""
        found: Table = getattr(self, name)
        return found

    def get(self, name: str, identity: str) -> Obj:
        """The object with this id in table `name`; 404 where there is none."""
        found = self.table(name).get(identity)
        if found is None:
            raise errors.no_such(NOUNS[name], identity)
        return found

    def named(self, name: str, identity: str, param: str) -> Obj:
        """Like `get` for an id that came as parameter `param`: 400 where there is none."""
        found = self.table(name).get(identity)
        if found is None:
            raise errors.no_such(NOUNS[name], identity, param, 400)
        return found

    def find(self, identity: str) -> Obj | None:
        """Whatever object has this id, a tombstone for a deleted product, None for nothing."""
        if identity in self.deleted:
            return {"id": identity, "object": "product", "deleted": True}
        table = PREFIXES.get(identity.partition("_")[0], "products")
        return self.table(table).get(identity) or self.products.get(identity)

    def saved(self) -> Obj:
        """What the account holds as JSON values, for `restore`; planned faults are no part of it."""
        return {
            "tables": {name: self.table(name) for name in NOUNS},
            "line_items": self.line_items,
            "secrets": self.secrets,
            "deleted": sorted(self.deleted),
            "owed": {event: sorted(endpoints) for event, endpoints in self.owed.items()},
            "oracle": self.oracle.saved(),
            "own_endpoint": self.own_endpoint,
        }

    def restore(self, saved: Obj) -> None:
        """Hold what was `saved`; raises LookupError, TypeError or ValueError where it is something else."""
        for name in NOUNS:
            self.table(name).update(saved["tables"][name])
        self.line_items.update(saved["line_items"])
        for line in (line for lines in self.line_items.values() for line in lines):
            price = line["price"]
            line["price"] = self.prices.get(price["id"], price)  # the same one, wherever it is seen
        self.secrets.update(saved["secrets"])
        self.deleted.update(saved["deleted"])
        self.owed.update({event: set(endpoints) for event, endpoints in saved["owed"].items()})
        self.oracle.restore(saved["oracle"])
        self.own_endpoint = saved["own_endpoint"]

    def clear(self, *, endpoints: bool = False) -> None:
        """Forget everything; the webhook endpoints only where `endpoints` says so."""
        for name in NOUNS.keys() - (set() if endpoints else {"endpoints"}):
            self.table(name).clear()
        self.faults.clear()
        self.line_items.clear()
        self.deleted.clear()
        self.visible_from.clear()
        self.owed.clear()
        self.oracle.clear()
