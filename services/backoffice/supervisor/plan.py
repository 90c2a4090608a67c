"""Which processes one machine needs, and what each is told; decisions only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from shared.webhook_events import PATH

WORKERS: Final = ("stock_worker", "reconciler", "notifier")
INGEST: Final = "ingest"
PAGES: Final = "pages"
SIMULATOR: Final = "stripe_simulator"


@dataclass(frozen=True, slots=True)
class Machine:
    """What is decided before the first process starts; addresses are `HOST:PORT` with a real port.

    `simulator_bind` is None where a Stripe account is used, `webhook_secret` where it is set, `pages_bind` where there
    are to be no pages; `pages_origin` is what people call them, empty for their address.
    """

    ingest_bind: str
    livemode: bool
    simulator_bind: str | None = None
    simulator_account: str | None = None
    """The file in which the simulator keeps its account, or `off`."""
    webhook_secret: str | None = field(default=None, repr=False)
    pages_bind: str | None = None
    pages_origin: str = ""


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One process to run: `python -m <module>` with changes to the environment (None removes)."""

    name: str
    module: str
    environment: Mapping[str, str | None] = field(default_factory=dict[str, str | None], repr=False)


def services(machine: Machine) -> tuple[ChildSpec, ...]:
    """The services in the order they start: those that hear Stripe last, so that work finds its workers."""
    stripe = _given(STRIPE_API_BASE=url(machine.simulator_bind))
    workers = (ChildSpec(name, f"services.{name}", stripe) for name in WORKERS)
    ingest = ChildSpec(INGEST, "services.ingest", _ingest(machine))
    return (*workers, *_pages(machine, stripe), ingest, *_simulator(machine))


def webhook_url(machine: Machine) -> str:
    """Where Stripe, or what stands in for it, posts its events."""
    return f"{url(machine.ingest_bind)}{PATH}"


def ready_urls(machine: Machine) -> tuple[str, ...]:
    """What answers once a webhook would be accepted, the pages are there, and there is somebody to send webhooks."""
    simulator = (f"{url(machine.simulator_bind)}/_health",) if machine.simulator_bind else ()
    pages = (f"{url(machine.pages_bind)}/readyz",) if machine.pages_bind else ()
    return (f"{url(machine.ingest_bind)}/readyz", *pages, *simulator)


def ready_line(machine: Machine, mails: str) -> str:
    """What people and scripts wait for: one line, addresses as `name=value` without spaces."""
    parts = [f"webhooks={webhook_url(machine)}"]
    parts += [f"simulator={url(machine.simulator_bind)}"] if machine.simulator_bind else ["stripe=account"]
    parts += [f"pages={machine.pages_origin or url(machine.pages_bind)}"] if machine.pages_bind else []
    return " ".join(["ready", *parts, f"mails={quote(mails)}"])


def _ingest(machine: Machine) -> dict[str, str | None]:
    return {
        "STRIPE_API_KEY": None,  # the process that faces the internet does without the key
        "STRIPE_LIVEMODE": str(machine.livemode).lower(),
        "INGEST_BIND": machine.ingest_bind,
        **_given(STRIPE_WEBHOOK_SECRET=machine.webhook_secret),
    }


def _pages(machine: Machine, stripe: Mapping[str, str | None]) -> tuple[ChildSpec, ...]:
    if machine.pages_bind is None:
        return ()
    return (ChildSpec(PAGES, "services.backoffice", {**stripe, "BACKOFFICE_BIND": machine.pages_bind}),)


def _simulator(machine: Machine) -> tuple[ChildSpec, ...]:
    if machine.simulator_bind is None:
        return ()
    told = _given(
        SIMULATOR_BIND=machine.simulator_bind,
        SIMULATOR_ACCOUNT=machine.simulator_account,
        SIMULATOR_WEBHOOK_URL=webhook_url(machine),
        STRIPE_WEBHOOK_SECRET=machine.webhook_secret,
    )
    return (ChildSpec(SIMULATOR, f"services.{SIMULATOR}", told),)


def _given(**settings: str | None) -> dict[str, str | None]:
    return {name: value for name, value in settings.items() if value is not None}


def url(bind: str | None) -> str | None:
    """Where what listens at `bind` is reached from this machine; None for None."""
    if bind is None:
        return None
    host, _, port = bind.rpartition(":")
    return f"http://{'127.0.0.1' if host in {'0.0.0.0', '*'} else host}:{port}"  # noqa: S104 - read, not bound
