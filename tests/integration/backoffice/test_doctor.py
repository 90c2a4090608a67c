"""The doctor beside a pipeline that really runs: ingest and stock worker as processes, PostgreSQL, the simulator."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import requests

from services.backoffice.operations.doctor import round_trip
from services.backoffice.operations.doctor.context import Context
from services.backoffice.operations.doctor.finding import Verdict
from services.backoffice.settings import MachineSettings
from shared import clock
from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Outgoing
from shared.settings import load
from shared.topology import PIPELINE, SALES
from tests.integration.backoffice.doctor_pipeline import Pipeline, piped
from tests.support.command import stocksync
from tests.support.ports import free_port
from tests.support.waiting import until

OTHER_SECRET = "whsec_" + "fedcba9876543210" * 2


@pytest.fixture(scope="module")
def pipeline(postgres: str) -> Iterator[Pipeline]:
    """Ingest and a stock worker on a database of this module's own, and a simulator that posts to ingest."""
    with piped(postgres) as made:
        yield made


@pytest.fixture(autouse=True)
def no_faults(pipeline: Pipeline) -> Iterator[None]:
    """What one test breaks is whole again for the next."""
    yield
    requests.delete(f"{pipeline.simulator.url}/_faults", timeout=5).raise_for_status()


def test_a_healthy_pipeline_ends_with_0_and_leaves_one_line_in_the_delivery_log(pipeline: Pipeline) -> None:
    """Every check is well, a signed event arrives, and no product, sale or write was made for it."""
    before = pipeline.rows()
    code, findings = pipeline.doctor()
    assert {name: f["text"] for name, f in findings.items() if f["verdict"] != "ok"} == {}
    assert code == 0
    assert pipeline.rows() == before | {"delivery": before["delivery"] + 1}


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal(pipeline: Pipeline, width: int) -> None:
    """No line is wider than the terminal, and each check begins one."""
    shown = stocksync("doctor", **pipeline.settings, COLUMNS=str(width))
    assert shown.returncode == 0, shown.stdout + shown.stderr
    lines = shown.stdout.splitlines()
    assert max(map(len, lines)) <= width
    assert lines[-1] == "13 ok"
    assert sum(line.startswith("ok ") for line in lines) == 13


def test_another_webhook_secret_at_ingest_is_found(pipeline: Pipeline) -> None:
    """An ingest that refuses what is signed with our secret fails the round trip, and nothing else."""
    code, findings = pipeline.doctor(STRIPE_WEBHOOK_SECRET=OTHER_SECRET)
    assert code == 1
    assert [name for name, f in findings.items() if f["verdict"] != "ok"] == ["round trip"]
    assert "STRIPE_WEBHOOK_SECRET" in findings["round trip"]["text"]


def test_an_ingest_that_does_not_run_is_found(pipeline: Pipeline) -> None:
    """Nobody at the address is said in so many words, and how to start it."""
    code, findings = pipeline.doctor("--ingest", f"http://127.0.0.1:{free_port()}")
    assert (code, findings["round trip"]["verdict"]) == (1, "failed")
    assert "stocksync up" in findings["round trip"]["text"]


def test_a_stock_worker_that_does_not_work_is_found(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that ingest took and nobody handled in time fails, and says what to start."""
    monkeypatch.setattr(round_trip, "ARRIVES_WITHIN", 1.0)
    given: dict[str, Any] = {name.lower(): value for name, value in pipeline.settings.items()}
    context = Context(load(MachineSettings, **given))
    pipeline.worker.send_signal(signal.SIGSTOP)
    try:
        opinion = round_trip.drive(context)
    finally:
        pipeline.worker.send_signal(signal.SIGCONT)
        context.close()
    assert opinion.verdict is Verdict.FAILED
    assert "no stock worker" in opinion.text
    assert "services.stock_worker" in opinion.text


def test_a_machine_without_the_webhook_secret_is_looked_at_all_the_same(pipeline: Pipeline) -> None:
    """A key without the secret is a warning, the round trip is skipped, the rest is asked."""
    code, findings = pipeline.doctor(STRIPE_API_KEY="rk_test_doctor", STRIPE_WEBHOOK_SECRET="")
    verdicts = {name: f["verdict"] for name, f in findings.items() if f["verdict"] != "ok"}
    assert (code, verdicts) == (0, {"settings": "warning", "round trip": "skipped"})


def test_a_missing_event_type_is_found(pipeline: Pipeline) -> None:
    """An endpoint that is not sent one of the types fails, and the type is named."""
    (endpoint,) = pipeline.shop.v1.webhook_endpoints.list().data
    every = list(endpoint.enabled_events)
    chosen: Any = [kind for kind in every if kind != "checkout.session.async_payment_succeeded"]
    pipeline.shop.v1.webhook_endpoints.update(endpoint.id, {"enabled_events": chosen})
    try:
        code, findings = pipeline.doctor()
    finally:
        restored: Any = every
        pipeline.shop.v1.webhook_endpoints.update(endpoint.id, {"enabled_events": restored})
    assert (code, findings["webhook endpoint"]["verdict"]) == (1, "failed")
    assert "checkout.session.async_payment_succeeded" in findings["webhook endpoint"]["text"]


def test_fault_72_a_database_that_was_not_migrated_is_found(
    pipeline: Pipeline, empty_database_url: str
) -> None:
    """The command to run is named, and what needs the tables is skipped."""
    code, findings = pipeline.doctor(DATABASE_URL=empty_database_url)
    assert (code, findings["schema"]["verdict"]) == (1, "failed")
    assert "stocksync migrate" in findings["schema"]["text"]
    skipped = {name for name, f in findings.items() if f["verdict"] == "skipped"}
    assert skipped == {"markers", "backlog", "alerts", "allowance", "round trip"}


def test_fault_63_a_database_that_is_away_is_found(pipeline: Pipeline) -> None:
    """The setting is named, the password is not."""
    away = f"postgresql://stocksync:hidden@127.0.0.1:{free_port()}/stocksync"
    code, findings = pipeline.doctor(DATABASE_URL=away)
    assert (code, findings["database"]["verdict"]) == (1, "failed")
    assert "DATABASE_URL" in findings["database"]["text"]
    assert "hidden" not in json.dumps(findings)


def test_fault_113_another_installations_mark_is_found(pipeline: Pipeline) -> None:
    """A product that carries a foreign marker fails the check, and both are named."""
    metadata = {"stock": "4", "stock_rev": "1:elsewhere:7:00000000"}
    product = pipeline.shop.v1.products.create({"name": "Shirt", "metadata": metadata}).id
    try:
        code, findings = pipeline.doctor()
    finally:
        pipeline.shop.v1.products.delete(product)
    assert (code, findings["markers"]["verdict"]) == (1, "failed")
    assert product in findings["markers"]["text"]
    assert "elsewhere" in findings["markers"]["text"]


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ({"status": 403, "method": "POST", "path": "/v1/products/"}, "Products: write"),
        ({"status": 403, "method": "GET", "path": "/v1/events"}, "Events: read"),
        ({"status": 403, "method": "GET", "path": "/v1/disputes"}, "Disputes: read"),
        ({"status": 401}, "401"),
    ],
)
def test_fault_87_a_key_that_is_refused_is_found(
    pipeline: Pipeline, rule: dict[str, object], word: str
) -> None:
    """401 and 403 fail the check of the key, and the missing permission is named."""
    pipeline.fault(kind="status", count=None, **rule)
    code, findings = pipeline.doctor()
    assert (code, findings["API key"]["verdict"]) == (1, "failed")
    assert word in findings["API key"]["text"]


@pytest.mark.parametrize(
    ("setting", "path", "permission"),
    [
        ({"STOP_SELLING": "links"}, "^/v1/payment_links/", "Payment Links: write"),
        ({"EXPIRE_SESSIONS": "true"}, "/expire$", "Checkout Sessions: write"),
    ],
)
def test_what_taking_off_sale_needs_is_asked_for_where_it_is_wanted(
    pipeline: Pipeline, setting: dict[str, str], path: str, permission: str
) -> None:
    """A key without the permission fails the check of who set it, and of nobody else."""
    assert pipeline.doctor(**setting)[1]["API key"]["verdict"] == "ok"
    pipeline.fault(kind="status", status=403, method="POST", path=path, count=None)
    assert pipeline.doctor()[1]["API key"]["verdict"] == "ok"
    code, findings = pipeline.doctor(**setting)
    assert (code, findings["API key"]["verdict"]) == (1, "failed")
    assert permission in findings["API key"]["text"]


def test_endpoints_that_may_not_be_listed_are_a_warning(pipeline: Pipeline) -> None:
    """A key that may not list webhook endpoints is no failure."""
    pipeline.fault(kind="status", status=403, path="webhook_endpoints", count=None)
    code, findings = pipeline.doctor()
    assert (code, findings["webhook endpoint"]["verdict"]) == (0, "warning")


def test_a_wrong_setting_of_any_service_ends_with_2(pipeline: Pipeline) -> None:
    """A setting that only the notifier reads is named, its value is not, and nothing else is looked at."""
    code, findings = pipeline.doctor(MAIL_TO="nobody at all")
    assert (code, findings["settings"]["verdict"]) == (2, "failed")
    assert "MAIL_TO" in findings["settings"]["text"]
    assert "nobody at all" not in findings["settings"]["text"]
    assert {f["verdict"] for name, f in findings.items() if name != "settings"} == {"skipped"}


def test_a_parked_message_is_a_warning(pipeline: Pipeline) -> None:
    """The number and the queue of the dead letters are told; what works goes on to end with 0."""
    address = pipeline.settings["DATABASE_URL"]
    broker = EmbeddedBroker(address, PIPELINE)
    broker.publish(Outgoing("session.paid", b"{}", "not-a-message"))
    until("the message to be parked", lambda: bool(broker.depth(SALES).dead))
    broker.close()
    try:
        code, findings = pipeline.doctor()
    finally:
        with psycopg.connect(address) as connection:
            connection.execute("delete from pgmq.q_stocksync_sales_dead")
    assert (code, findings["queue"]["verdict"]) == (0, "warning")
    assert "1 in sales" in findings["queue"]["text"]


def test_late_products_and_untold_alerts_are_warnings(pipeline: Pipeline) -> None:
    """What waits is counted; a pipeline that works but is behind still ends with 0."""
    began = clock.now()
    with psycopg.connect(pipeline.settings["DATABASE_URL"]) as connection:
        connection.execute(
            "insert into product (account, id, dirty_since)"
            " values ('self:test', 'prod_late', now() - interval '1 hour')"
        )
        connection.execute(
            "insert into alert (account, kind, subject, facts, raised_at)"
            " values ('self:test', 'low_stock', 'prod_late', '{}', now() - interval '1 hour')"
        )
    try:
        code, findings = pipeline.doctor()
    finally:
        with psycopg.connect(pipeline.settings["DATABASE_URL"]) as connection:
            connection.execute("delete from alert where raised_at < %s", (began,))
            connection.execute("delete from product where id = 'prod_late'")
    assert code == 0
    assert "1 product waiting" in findings["backlog"]["text"]
    assert "1 alert not mailed" in findings["alerts"]["text"]
    assert {findings[name]["verdict"] for name in ("backlog", "alerts")} == {"warning"}
