"""A shop at the simulator: its products, its customers, the person at the Dashboard, and what Stripe noted."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import requests
import stripe

from bench.sync.requests_log import Call, RequestsLog
from bench.sync.waiting import wait_for
from shared import clock
from shared.vocabulary import ProductId, Size, Variant, parse_units

SIZES: Final = ("S", "M", "L")
UNITS: Final = 20_000
"""Of every size at the beginning: more than anybody buys."""

NAME: Final = "Product"
AT_ONCE: Final = 500
TIMEOUT: Final = 60  # seconds
LOG: Final = 50_000
Numbers = Mapping[Variant, int]


@dataclass(frozen=True, slots=True)
class Form:
    """A product's page in the Dashboard as it was loaded."""

    product: ProductId
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What Stripe shows at the end, what it ought to show by the simulator's oracle, and the calls it took."""

    shown: Numbers
    intended: Numbers
    log: RequestsLog


@dataclass(frozen=True, slots=True)
class Counts:
    """API requests by endpoint, those that were refused with 429, and the most in a second (`*`: in all)."""

    by_endpoint: Mapping[str, int]
    refused: int
    peaks: Mapping[str, int]


class Shop:
    """One shop; all but `create` goes through the control API, which is neither limited nor logged."""

    def __init__(self, simulator: str) -> None:
        self.simulator = simulator
        self._http = requests.Session()
        self._stripe = stripe.StripeClient("sk_test_bench", base_addresses={"api": simulator})
        self.products: list[ProductId] = []

    @property
    def variants(self) -> list[Variant]:
        """Everything there is to buy."""
        return [Variant(product, Size(size)) for product in self.products for size in SIZES]

    def open(self, products: int, few: Sequence[int] = ()) -> None:
        """Create the products, and wait until the keeper knows them.

        Each has UNITS of each size; of the first size of the first products there are as `few` as that says.
        """
        units = [*few[:products], *[UNITS] * (products - len(few))]
        self.products = [self.create(f"{NAME} {n}", first=count) for n, count in enumerate(units)]
        self.rest(60 + products)

    def title(self, variant: Variant) -> str:
        """What people call a size of a product that `open` made."""
        return f"{NAME} {self.products.index(variant.product)}, {variant.size}"

    def create(self, name: str, first: int = UNITS) -> ProductId:
        """A new product with UNITS of each size, but `first` of the first."""
        units = {**dict.fromkeys(SIZES, UNITS), SIZES[0]: first}
        metadata = {
            "sizes": ",".join(SIZES),
            **{f"stock_{size}": str(count) for size, count in units.items()},
        }
        return ProductId(self._stripe.v1.products.create({"name": name, "metadata": metadata}).id)

    def another(self) -> Shop:
        """The same shop, for another thread."""
        shop = Shop(self.simulator)
        shop.products = list(self.products)
        return shop

    def live(self, latency_ms: int, per_endpoint: int, overall: int) -> None:
        """Have the simulator answer as slowly and as rarely as Stripe does, with an empty log."""
        self.control("/_limits", {"per_endpoint": per_endpoint, "overall": overall})
        self.control("/_latency", {"ms": latency_ms})
        self._delete("/_requests")

    def sell(self, variant: Variant, count: int = 1) -> None:
        """So many customers buy one unit each."""
        for done in range(0, count, AT_ONCE):
            some = min(AT_ONCE, count - done)
            body = {"product": variant.product, "size": variant.size, "count": some}
            self.control("/_checkout/paid", body)

    def load(self, product: ProductId) -> Form:
        """A person opens the product's page."""
        return Form(product, self._get(f"/_dashboard/products/{product}")["metadata"])

    def edit(self, variant: Variant, units: int, form: Form | None = None) -> None:
        """A person adds `units` to what the page shows now, or saves a whole form that was loaded before."""
        body: dict[str, Any] = {"relative": {f"stock_{variant.size}": units}}
        if form is not None:
            body["form"] = form.metadata
        self.control(f"/_dashboard/products/{variant.product}", body)

    def type(self, product: ProductId, **absolute: str) -> None:
        """A person types values into the page; an empty one takes the field away."""
        self.control(f"/_dashboard/products/{product}", {"absolute": absolute})

    def save(self, form: Form) -> None:
        """A person saves a page as it was loaded."""
        self.control(f"/_dashboard/products/{form.product}", {"form": form.metadata})

    def delete(self, product: ProductId) -> None:
        """A person deletes the product."""
        self._delete(f"/_dashboard/products/{product}")

    @contextmanager
    def webhooks_of_products(self, kind: str, **rule: float) -> Generator[None]:
        """Meanwhile they go wrong by this rule of the simulator, again and again."""
        self.control("/_faults", {"kind": kind, "type": "^product", "count": None, **rule})
        try:
            yield
        finally:
            self._delete("/_faults")

    def hold(self, *, held: bool) -> None:
        """Let webhooks wait, or go."""
        self.control("/_deliveries", {"held": held})

    def number(self, variant: Variant) -> int:
        """What Stripe shows of one size."""
        return int(self.load(variant.product).metadata[f"stock_{variant.size}"])

    def shown(self) -> Numbers:
        """What Stripe shows of all, where it is a number."""
        listed = self._get("/_dashboard/products")["products"]
        return {
            Variant(ProductId(one["id"]), Size(size)): units
            for one in listed
            for size in SIZES
            if (units := parse_units(one["metadata"].get(f"stock_{size}", ""))) is not None
        }

    def intended(self) -> Numbers:
        """What Stripe ought to show, by the simulator's oracle."""
        stock: dict[str, dict[str, int]] = self._get("/_oracle")["stock"]
        return {
            Variant(ProductId(product), Size(size)): units
            for product, sizes in stock.items()
            for size, units in sizes.items()
        }

    def outcome(self) -> Outcome:
        """How it stands now."""
        return Outcome(self.shown(), self.intended(), self.log())

    def log(self) -> RequestsLog:
        """The API requests since `live`."""
        noted = self._get(f"/_requests?limit={LOG}")["requests"]
        return RequestsLog(
            tuple(
                Call(datetime.fromisoformat(one["at"]).timestamp(), one["endpoint"], one["status"])
                for one in noted
            )
        )

    def counts(self) -> Counts:
        """All API requests since `live`, however many."""
        noted = self._get("/_requests?limit=0")
        return Counts(noted["by_endpoint"], noted["by_status"].get("429", 0), noted["peaks"])

    def rest(self, seconds: float, quiet: float = 2.0) -> bool:
        """Wait until all webhooks are delivered and nobody has called for `quiet` seconds; whether that came."""
        last, since = -1, clock.monotonic()

        def resting() -> bool:
            nonlocal last, since
            waiting = self._get("/_health")["deliveries_waiting"]
            total = self._get("/_requests?limit=0")["total"]
            if waiting or total != last:
                last, since = total, clock.monotonic()
            return clock.monotonic() - since >= quiet

        return wait_for(seconds, resting, look=0.1)

    def control(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A call to the simulator's control API."""
        answer = self._http.post(self.simulator + path, json=body, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer.json()

    def _delete(self, path: str) -> None:
        self._http.delete(self.simulator + path, timeout=TIMEOUT).raise_for_status()

    def _get(self, path: str) -> dict[str, Any]:
        answer = self._http.get(self.simulator + path, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer.json()
