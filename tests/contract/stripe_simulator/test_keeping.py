from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from stripe import StripeClient

from services.stripe_simulator.keeping import UnusableAccount
from services.stripe_simulator.simulator import Simulator
from shared.settings import child_environment
from tests.contract.stripe_simulator.conftest import SECRET, Receiver
from tests.contract.stripe_simulator.test_process import MODULE, ROOT
from tests.support.waiting import until

HEADERS: Final = {"Authorization": "Bearer sk_test_1"}


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """Where a simulator is to keep its account."""
    return tmp_path / "new folder" / "account.json"


def client(simulator: Simulator) -> StripeClient:
    """The real SDK, its own retries off."""
    return StripeClient("sk_test_1", base_addresses={"api": simulator.url}, max_network_retries=0)


def life(account: Path, receiver: Receiver) -> Simulator:
    """A simulator that keeps `account`; the receiver hears its webhooks."""
    return Simulator.start(
        account=account,
        webhook_url=receiver.url,
        webhook_secret=SECRET,
        webhook_events=("*",),
        retry_delays=(60,),
    )


def control(simulator: Simulator, path: str, **body: object) -> Any:  # noqa: ANN401 - any JSON
    """A call of the control API; GET where there is no body."""
    answer = requests.request("POST" if body else "GET", simulator.url + path, json=body, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def everything(simulator: Simulator) -> dict[str, Any]:
    """What the API and the oracle tell of an account."""
    paths = (
        "products",
        "prices",
        "checkout/sessions",
        "payment_links",
        "payment_intents",
        "refunds",
        "events",
    )
    lists = {
        path: requests.get(f"{simulator.url}/v1/{path}?limit=100", headers=HEADERS, timeout=10).json()["data"]
        for path in (*paths, "webhook_endpoints")
    }
    return {**lists, "oracle": control(simulator, "/_oracle")}


def stock(simulator: Simulator) -> tuple[str, str]:
    """A product with a price, sold, refunded, edited by a person, and oversold; a gone one; a declared cart."""
    api = client(simulator)
    product = api.v1.products.create(
        {"name": "Shirt", "metadata": {"sizes": "S,M", "stock_S": "1", "stock_M": "5"}}
    )
    price = api.v1.prices.create(
        {"product": product.id, "currency": "eur", "unit_amount": 100, "metadata": {"size": "S"}}
    )
    gone = api.v1.products.create({"name": "Gone"})
    api.v1.products.delete(gone.id)
    api.v1.payment_links.create({"line_items": [{"price": price.id, "quantity": 1}]})
    sessions = control(simulator, "/_checkout/paid", product=product.id, size="S", quantity=1, count=3)[
        "sessions"
    ]
    control(simulator, "/_checkout/paid", product=product.id, size="XXL", quantity=1, count=1)
    control(simulator, f"/_oracle/sessions/{sessions[0]}", lines=[None])
    control(simulator, f"/_dashboard/products/{product.id}", absolute={"stock_S": "0", "stock_M": "7"})
    paid = api.v1.checkout.sessions.retrieve(sessions[1])
    api.v1.refunds.create({"payment_intent": str(paid.payment_intent)})
    return product.id, price.id


def test_an_account_outlives_its_process(account: Path, receiver: Receiver) -> None:
    """All that the API and the oracle tell is the same in the next life, and the file is for its owner only."""
    with life(account, receiver) as before:
        stock(before)
        until("every webhook", lambda: control(before, "/_health")["deliveries_waiting"] == 0)
        told = everything(before)
    assert stat.S_IMODE(account.stat().st_mode) == 0o600
    with life(account, receiver) as after:
        assert everything(after) == told
    assert told["oracle"]["unplaced"]
    assert told["oracle"]["sold"]


def test_it_goes_on_where_it_was(account: Path, receiver: Receiver) -> None:
    """A price that changes in the next life changes in the carts of the first one; sales come off the same numbers."""
    with life(account, receiver) as before:
        product, price = stock(before)
        link = client(before).v1.payment_links.list().data[0].id
        numbers = control(before, "/_oracle")["stock"][product]
    with life(account, receiver) as after:
        client(after).v1.prices.update(price, {"metadata": {"size": "M"}})
        lines = client(after).v1.payment_links.line_items.list(link).data
        assert [line.to_dict()["price"]["metadata"] for line in lines] == [{"size": "M"}]
        control(after, "/_checkout/paid", product=product, size="M", quantity=2, count=1)
        assert control(after, "/_oracle")["stock"][product] == {**numbers, "M": numbers["M"] - 2}


def test_what_was_on_its_way_is_delivered_in_the_next_life(account: Path, receiver: Receiver) -> None:
    """A webhook that nobody took before the end is tried anew, at the endpoint's new address."""
    receiver.statuses = [503]
    with life(account, receiver) as before:
        made = client(before).v1.products.create({"name": "A"})
        until("the first attempt", lambda: len(receiver.heard) == 1)
        assert client(before).v1.events.list({"delivery_success": False}).data
        receiver.url = receiver.url.replace("/hook", "/elsewhere")
    with life(account, receiver) as after:
        until("the second attempt", lambda: len(receiver.heard) == 2)
        assert receiver.heard[0] == receiver.heard[1]
        assert receiver.heard[1]["data"]["object"]["id"] == made.id
        endpoints = client(after).v1.webhook_endpoints.list().data
        assert [endpoint.url for endpoint in endpoints] == [receiver.url]


def test_an_answered_key_is_answered_again(account: Path, receiver: Receiver) -> None:
    """A request that is sent again with its idempotency key after a restart is not executed again."""
    with life(account, receiver) as before:
        first = client(before).v1.products.create({"name": "A"}, {"idempotency_key": "key-1"})
    with life(account, receiver) as after:
        again = client(after).v1.products.create({"name": "A"}, {"idempotency_key": "key-1"})
        assert again.id == first.id
        assert len(client(after).v1.products.list().data) == 1


def test_after_a_kill_it_is_a_moment_old(account: Path) -> None:
    """What was changed before is in the file within seconds, so that a kill loses no more than a moment."""
    environment = child_environment(SIMULATOR_BIND="127.0.0.1:0", SIMULATOR_ACCOUNT=str(account))
    with subprocess.Popen(MODULE, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = json.loads(process.stderr.readline())["url"]
        StripeClient("sk_test_1", base_addresses={"api": address}).v1.products.create({"name": "A"})
        until("the change in the file", lambda: '"name": "A"' in account.read_text(), 20)
        os.kill(process.pid, signal.SIGKILL)
    with Simulator.start(account=account) as after:
        assert [product.name for product in client(after).v1.products.list().data] == ["A"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 0, "world": {}}'])
def test_what_holds_no_account_is_named_and_left_alone(account: Path, text: str) -> None:
    """A file of something else is one line that names it, exit code 2, and as it was."""
    account.parent.mkdir()
    account.write_text(text)
    with pytest.raises(UnusableAccount, match="move it away"):
        Simulator.start(account=account)
    assert account.read_text() == text


def test_an_unreadable_account_ends_the_process(tmp_path: Path) -> None:
    """A folder in its place is one line on stderr that names the setting, and exit code 2."""
    environment = child_environment(SIMULATOR_BIND="127.0.0.1:0", SIMULATOR_ACCOUNT=str(tmp_path))
    ended = subprocess.run(MODULE, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"stocksync: SIMULATOR_ACCOUNT: {tmp_path}")
    assert len(ended.stderr.splitlines()) == 1
