from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from shared.broker.port import BrokerDown, Outgoing, Refused, Unconfirmed, Unroutable
from shared.messages import ProblemNoticed, SessionPaid
from shared.vocabulary import AlertKind
from tests.unit.ingest.sending import counted, send
from tests.unit.ingest.support import PATH, Client, MemoryBroker, door, event, raw, signed


def test_a_signed_event_is_published_and_answered(client: Client, broker: MemoryBroker) -> None:
    """A paid session's webhook becomes one message under its own route, and 200."""
    answer = send(client, raw(event()))
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert [type(message) for message in broker.messages] == [SessionPaid]
    assert [(out.route, out.message_id) for out in broker.published] == [("session.paid", "evt_1")]
    assert counted(client, "accepted")


def test_fault_1_without_a_signature_nothing_is_published(client: Client, broker: MemoryBroker) -> None:
    """The refusal is counted on its own."""
    assert client.post(PATH, data=raw(event())).status_code == 400
    assert not broker.published
    assert counted(client, "sig_missing")


def test_faults_1_2_9_every_failed_signature_gets_the_same_answer(client: Client) -> None:
    """A forger can't tell a missing signature from a wrong or a stale one."""
    body = raw(event())
    tries = [{}, {"Stripe-Signature": "t=1,v1=00"}, signed(body, at=1), signed(b"{}")]
    answers = {(a.status_code, a.data) for a in (client.post(PATH, data=body, headers=h) for h in tries)}
    assert answers == {(400, b"no valid signature\n")}


def test_fault_11_a_replay_within_tolerance_is_accepted_each_time(
    client: Client, broker: MemoryBroker
) -> None:
    """Doubles are the ledger's business; their message id is the same."""
    body = raw(event())
    headers = signed(body)
    answers = [client.post(PATH, data=body, headers=headers).status_code for _ in range(1000)]
    assert set(answers) == {200}
    assert {out.message_id for out in broker.published} == {"evt_1"}


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH"])
def test_fault_21_only_post_reaches_the_webhook(method: str, client: Client) -> None:
    """Other methods are 405 and say which one is allowed."""
    answer = client.open(PATH, method=method, headers={"X-HTTP-Method-Override": "POST"})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/<script>", "/webhooks", "/webhooks/stripe/", "/static/x", "/healthz//"])
def test_fault_21_an_unknown_path_is_not_reflected(path: str, client: Client) -> None:
    """Nothing of the request comes back."""
    answer = client.post(path)
    assert (answer.status_code, answer.text) == (404, "not found\n")


def test_fault_24_a_forwarded_address_changes_nothing(client: Client) -> None:
    """No header but the signature is believed."""
    answer = send(client, raw(event()), X_Forwarded_For="127.0.0.1", X_Forwarded_Proto="https")
    assert answer.status_code == 200


def test_fault_27_a_surprising_event_is_left_with_stripe(client: Client, broker: MemoryBroker) -> None:
    """400 makes Stripe keep it and try again; nothing half-understood is queued."""
    assert send(client, raw(event(created="soon"))).status_code == 400
    assert not broker.published
    assert counted(client, "surprising")


def test_fault_28_a_thin_event_is_counted_and_ignored(client: Client, broker: MemoryBroker) -> None:
    """200, so that Stripe does not send it again."""
    assert send(client, raw({"object": "v2.core.event", "id": "evt_1", "type": "v2.x"})).status_code == 200
    assert not broker.published
    assert counted(client, "thin_event")


def test_fault_35_the_other_mode_is_refused_and_told(client: Client, broker: MemoryBroker) -> None:
    """Only the problem is published."""
    assert send(client, raw(event(livemode=True))).status_code == 400
    assert [type(message) for message in broker.messages] == [ProblemNoticed]


def test_fault_36_an_unknown_account_is_ignored_and_told(client: Client, broker: MemoryBroker) -> None:
    """200 to Stripe, an alert to people."""
    assert send(client, raw(event(account="acct_9"))).status_code == 200
    assert [type(message) for message in broker.messages] == [ProblemNoticed]


@pytest.mark.parametrize("kind", ["charge.refunded", "checkout.session.expired"])
def test_fault_27_what_asks_nothing_is_answered_without_the_broker(
    kind: str, client: Client, broker: MemoryBroker
) -> None:
    """An ignored event needs no queue, not even a working one."""
    broker.trouble = BrokerDown("gone")
    assert send(client, raw(event(kind))).status_code == 200
    assert counted(client, "ignored")


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (BrokerDown("gone"), "broker_down"),
        (Unconfirmed("late"), "publish_unconfirmed"),
        (Unroutable("nowhere"), "publish_unroutable"),
        (Refused("full"), "publish_refused"),
    ],
)
def test_faults_43_to_49_without_a_confirm_stripe_must_come_again(
    trouble: Exception, outcome: str, client: Client, broker: MemoryBroker
) -> None:
    """Every way a publish can fail is 503, counted by its name."""
    broker.trouble = trouble
    assert send(client, raw(event())).status_code == 503
    assert counted(client, outcome)
    assert client.get("/readyz").status_code == 503
    broker.trouble = None
    assert send(client, raw(event())).status_code == 200


class HalfBroker(MemoryBroker):
    """A broker where only alerts have a queue."""

    def refusal(self, messages: Sequence[Outgoing]) -> Exception | None:
        """Refuse sales, take problems."""
        sales = any(message.route != "problem.noticed" for message in messages)
        return Unroutable("session.paid") if sales else None


def test_fault_47_a_missing_route_is_told_to_people_once(tmp_path: Path) -> None:
    """A storm of refused webhooks is one alert, through the queue that still works."""
    broker = HalfBroker()
    with door(broker, tmp_path) as client:
        assert {send(client, raw(event())).status_code for _ in range(5)} == {503}
    (problem,) = broker.messages
    assert isinstance(problem, ProblemNoticed)
    assert problem.kind is AlertKind.BROKER_REFUSED


def test_the_unforeseen_is_an_error_that_stripe_retries(client: Client, broker: MemoryBroker) -> None:
    """An exception nobody thought of is 500, never 200."""
    broker.trouble = RuntimeError("evt_1 of Ada")
    answer = send(client, raw(event()))
    assert (answer.status_code, answer.text) == (500, "internal error\n")


def test_health_and_readiness(client: Client, broker: MemoryBroker) -> None:
    """Alive without a broker; ready only with one."""
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200
    broker.trouble = BrokerDown("gone")
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503


def test_neither_secret_nor_body_is_logged(
    client: Client, broker: MemoryBroker, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever goes wrong, the log holds no customer's data."""
    shopper = event(data={"object": {"id": "cs_1", "payment_status": 7, "email": "ada@example.com"}})
    send(client, raw(shopper))
    client.post(PATH, data=b'{"email": "ada@example.com"}')
    broker.trouble = RuntimeError("ada@example.com")
    send(client, raw(event()))
    out, err = capfd.readouterr()
    assert "ada@" not in out + err
    assert "webhook_surprising" in out + err
