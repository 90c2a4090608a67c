"""What the command line says about the measurements to make."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """`rounds` of `seconds` for `webhooks`; `products` for all others; the parts of `sync` scale with `sales`.

    `runs` are of `accuracy`.
    """

    rounds: int = 3
    seconds: int = 6
    sales: int = 10_000
    products: int = 200
    runs: int = 200
    parts: tuple[str, ...] = ()
    rabbitmq: bool = False
    seed: int = 1
