from __future__ import annotations

from dataclasses import replace

from services.backoffice.supervisor import plan

MACHINE = plan.Machine(
    ingest_bind="0.0.0.0:8123",
    livemode=False,
    simulator_bind="127.0.0.1:9123",
    simulator_account="var/account.json",
    webhook_secret="whsec_1",
    pages_bind="127.0.0.1:8124",
)
ACCOUNT = plan.Machine(ingest_bind="127.0.0.1:8123", livemode=True)


def _told(machine: plan.Machine, name: str) -> dict[str, str | None]:
    return next(dict(spec.environment) for spec in plan.services(machine) if spec.name == name)


def test_all_services_run_and_the_simulator_only_without_an_account() -> None:
    """The four services always run; simulator and pages join them where there is no account, and an address."""
    workers = ["stock_worker", "reconciler", "notifier"]
    assert [spec.name for spec in plan.services(ACCOUNT)] == [*workers, "ingest"]
    assert [spec.name for spec in plan.services(MACHINE)] == [*workers, "pages", "ingest", "stripe_simulator"]


def test_ingest_has_no_key_but_is_told_the_mode() -> None:
    """The process that faces the internet does not get the API key, only whether it is a live one."""
    told = _told(ACCOUNT, "ingest")
    assert told["STRIPE_API_KEY"] is None
    assert told["STRIPE_LIVEMODE"] == "true"


def test_workers_find_the_simulator_on_its_real_port() -> None:
    """Every worker talks to the address the simulator was given."""
    assert [_told(MACHINE, name)["STRIPE_API_BASE"] for name in plan.WORKERS] == ["http://127.0.0.1:9123"] * 3
    assert all("STRIPE_API_BASE" not in _told(ACCOUNT, name) for name in plan.WORKERS)


def test_the_simulator_posts_to_ingest_with_its_secret() -> None:
    """Simulator and ingest agree on address and secret, also where ingest listens on all interfaces."""
    told = _told(MACHINE, "stripe_simulator")
    assert told["SIMULATOR_ACCOUNT"] == "var/account.json"
    assert told["SIMULATOR_WEBHOOK_URL"] == "http://127.0.0.1:8123/webhooks/stripe"
    assert told["STRIPE_WEBHOOK_SECRET"] == _told(MACHINE, "ingest")["STRIPE_WEBHOOK_SECRET"] == "whsec_1"


def test_secrets_stay_out_of_what_is_printed() -> None:
    """Neither a machine nor a child shows a secret when it is printed."""
    shown = repr((MACHINE, plan.services(MACHINE)))
    assert "whsec_1" not in shown


def test_the_ready_line_names_every_address() -> None:
    """The line that scripts wait for begins with `ready` and holds `name=value` addresses."""
    assert plan.ready_line(MACHINE, "var/our mail").split() == [
        "ready",
        "webhooks=http://127.0.0.1:8123/webhooks/stripe",
        "simulator=http://127.0.0.1:9123",
        "pages=http://127.0.0.1:8124",
        "mails=var/our%20mail",
    ]
    assert "stripe=account" in plan.ready_line(ACCOUNT, "smtp")
    assert "pages=" not in plan.ready_line(ACCOUNT, "smtp")


def test_pages_behind_a_proxy_are_named_as_people_call_them() -> None:
    """Where browsers use another address than the process has, the `ready` line says theirs and the probe ours."""
    machine = replace(MACHINE, pages_origin="https://stock.example.com")
    assert "pages=https://stock.example.com" in plan.ready_line(machine, "smtp")
    assert "http://127.0.0.1:8124/readyz" in plan.ready_urls(machine)
