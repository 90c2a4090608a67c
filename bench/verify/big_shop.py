"""`python -m bench.verify.big_shop PRODUCTS`: a simulated Stripe with so many products; prints its address, serves."""

from __future__ import annotations

import sys
from typing import Any, Final

from services.stripe_simulator.limiter import Limits
from services.stripe_simulator.simulator import Simulator
from shared import logs
from shared.process import stop_event

SIZES: Final = ("S", "M", "L")
UNITS: Final = (40, 3, 0)
LATENCY_MS: Final = 100
PER_ENDPOINT, OVERALL = 25, 100  # calls a second, as Stripe allows a live account
CREATED: Final = 1_600_000_000
APART: Final = 90  # seconds between two products


def name(number: int) -> str:
    """The id of product `number`."""
    return f"prod_bench{number:07}"


def _product(number: int) -> dict[str, Any]:
    stock = {f"stock_{size}": str(units) for size, units in zip(SIZES, UNITS, strict=True)}
    return {
        "id": name(number),
        "object": "product",
        "active": number % 10 != 0,
        "created": CREATED + APART * number,
        "description": "A shirt of the bench, as a shop would describe it in a sentence or two.",
        "images": ["https://shop.example/shirt.png"],
        "livemode": False,
        "metadata": {"sizes": ",".join(SIZES), "category": "shirts", **stock},
        "name": f"Shirt {number}",
        "updated": CREATED + APART * number,
    }


def main() -> None:
    """Serve until SIGTERM."""
    logs.configure("bench", "ERROR")
    stop = stop_event()
    with Simulator.start(port=0, latency_ms=LATENCY_MS) as simulator:
        simulator.world.products.update((name(n), _product(n)) for n in range(int(sys.argv[1])))
        simulator.gateway.limiter.limits = Limits(PER_ENDPOINT, OVERALL)
        print(simulator.url, flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
