"""Which processes one machine needs, and what each is told; decisions only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

WORKERS: Final = ("stock_worker", "reconciler", "notifier")
DATABASE: Final = "database"
INGEST: Final = "ingest"
SIMULATOR: Final = "stripe_simulator"


@dataclass(frozen=True, slots=True)
class Machine:
    """What is decided before the first process starts; addresses are `HOST:PORT` with a real port.

    `simulator_bind` is None where a Stripe account is used, `database_url` where it came from the environment.
    """

    ingest_bind: str
    livemode: bool
    simulator_bind: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)
    database_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One process to run: `python -m <module>` with changes to the environment (None removes).

    The others stand on a `foundation`: it stops after them.
    """

    name: str
    module: str
    environment: Mapping[str, str | None] = field(default_factory=dict[str, str | None], repr=False)
    foundation: bool = False


def database_keeper() -> ChildSpec:
    """The process that keeps the embedded PostgreSQL up, and stops it when it is stopped itself."""
    return ChildSpec(DATABASE, "services.backoffice.supervisor.database", foundation=True)


def services(machine: Machine) -> tuple[ChildSpec, ...]:
    """The services in the order they start: those that hear Stripe last, so that work finds its workers."""
    common = _given(DATABASE_URL=machine.database_url)
    stripe = _given(STRIPE_API_BASE=_url(machine.simulator_bind))
    workers = (ChildSpec(name, f"services.{name}", {**common, **stripe}) for name in WORKERS)
    ingest = ChildSpec(INGEST, "services.ingest", {**common, **_ingest(machine)})
    return (*workers, ingest, *_simulator(machine))


def webhook_url(machine: Machine) -> str:
    """Where Stripe, or what stands in for it, posts its events."""
    return f"{_url(machine.ingest_bind)}/webhooks/stripe"


def ready_url(machine: Machine) -> str:
    """What answers 200 once a webhook would be accepted."""
    return f"{_url(machine.ingest_bind)}/readyz"


def ready_line(machine: Machine, mails: str) -> str:
    """What people and scripts wait for: one line, addresses as `name=value`."""
    parts = [f"webhooks={webhook_url(machine)}"]
    parts += [f"simulator={_url(machine.simulator_bind)}"] if machine.simulator_bind else ["stripe=account"]
    return " ".join(["ready", *parts, f"mails={mails}"])


def _ingest(machine: Machine) -> dict[str, str | None]:
    return {
        "STRIPE_API_KEY": None,  # the process that faces the internet has no key to lose
        "STRIPE_LIVEMODE": str(machine.livemode).lower(),
        "INGEST_BIND": machine.ingest_bind,
        **_given(STRIPE_WEBHOOK_SECRET=machine.webhook_secret),
    }


def _simulator(machine: Machine) -> tuple[ChildSpec, ...]:
    if machine.simulator_bind is None:
        return ()
    told = _given(
        SIMULATOR_BIND=machine.simulator_bind,
        SIMULATOR_WEBHOOK_URL=webhook_url(machine),
        STRIPE_WEBHOOK_SECRET=machine.webhook_secret,
    )
    return (ChildSpec(SIMULATOR, f"services.{SIMULATOR}", told),)


def _given(**settings: str | None) -> dict[str, str | None]:
    return {name: value for name, value in settings.items() if value is not None}


def _url(bind: str | None) -> str | None:
    if bind is None:
        return None
    host, _, port = bind.rpartition(":")
    return f"http://{'127.0.0.1' if host in {'0.0.0.0', '*'} else host}:{port}"  # noqa: S104 - read, not bound
