from __future__ import annotations

import dataclasses
import re
import uuid
from collections.abc import Iterator

import pytest

from shared import clock
from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Broker, Outgoing
from shared.broker.rabbitmq import RabbitBroker
from shared.broker.runtime import outgoing
from shared.database.pool import Database
from shared.messages import SessionPaid
from shared.topology import PIPELINE, PRODUCTS, SALES
from shared.vocabulary import SessionId
from tests.integration.backoffice.web.flow_site import ACCOUNT, Site, park, served
from tests.support.ports import free_port

QUEUES = (SALES, PRODUCTS)


@pytest.fixture(params=["embedded", "rabbitmq"])
def broker(request: pytest.FixtureRequest, database_url: str) -> Iterator[Broker]:
    """A queue of the test's own, of each kind."""
    made: EmbeddedBroker | RabbitBroker
    if request.param == "embedded":
        made = EmbeddedBroker(database_url, PIPELINE)
    else:
        address = request.getfixturevalue("rabbitmq").url
        made = RabbitBroker(address, dataclasses.replace(PIPELINE, prefix=f"pages-{uuid.uuid4().hex[:8]}"))
    made.declare()
    yield made
    made.close()


@pytest.fixture
def site(database: Database, broker: Broker) -> Iterator[Site]:
    """The pages, with two sales and something strange set aside."""
    paid = [
        SessionPaid(account=ACCOUNT, session=SessionId(f"cs_{n}"), at=clock.now(), reason="<late>")
        for n in range(2)
    ]
    strange = Outgoing("product.sync", b'{"customer": "Zoe <zoe@example.com>"}', "evt/<odd> id")
    park(broker, [*map(outgoing, paid), strange], QUEUES)
    with served(database, broker) as made:
        yield made


def dead(site: Site) -> list[int]:
    """How many lie aside in each queue."""
    return [site.broker.depth(name).dead for name in QUEUES]


def letters(page: str) -> list[str]:
    """The addresses of the messages on a page."""
    return [
        found.replace("&amp;", "&") for found in re.findall(r'href="(/dead-letters/\w+\?id=[^"]+)"', page)
    ]


def named(page: str) -> str:
    """The id in a page's form."""
    found = re.search(r'name="id" value="([^"]*)"', page)
    assert found is not None
    return found[1].replace("&lt;", "<").replace("&gt;", ">")


def test_messages_are_looked_at_and_handled_again(site: Site) -> None:
    """Each says why it lies aside and what it holds, one or all of a queue go back, none is lost."""
    operator = site.visitor()
    page = operator.text("/dead-letters")
    assert page.count("nobody &lt;knows&gt; it") == 3
    assert "Zoe" not in page
    sale, other, strange = letters(page)
    shown = operator.text(sale)
    assert re.search(r"<td>cs_\d</td>", shown)
    assert "&lt;late&gt;" in shown
    odd = operator.text(strange)
    assert "It is no message of this version" in odd
    assert "zoe" not in odd.lower()
    done = operator.post("/dead-letters/sales/replay", id=named(shown))
    assert "To be handled again: 1 message." in done.text
    assert (dead(site), site.broker.depth(SALES).ready) == ([1, 1], 1)
    assert operator.get(sale).status_code == 422
    assert operator.get(other).status_code == 200
    assert "does not lie aside any more" in operator.post("/dead-letters/sales/replay", id="evt_none").text
    operator.post("/dead-letters/products/replay")
    assert (dead(site), site.broker.depth(PRODUCTS).ready) == ([1, 0], 1)


def test_a_message_is_thrown_away_once_somebody_said_so(site: Site) -> None:
    """A page asks first, without scripts; then it is gone, and its neighbours are not."""
    operator = site.visitor()
    strange = letters(operator.text("/dead-letters"))[2]
    ask = re.search(r'href="(/dead-letters/products/drop\?id=[^"]+)"', operator.text(strange))
    assert ask is not None
    sure = operator.text(ask[1].replace("&amp;", "&"))
    assert "Throw this message away?" in sure
    assert dead(site) == [2, 1]
    assert "Thrown away: 1 message." in operator.post("/dead-letters/products/drop", id=named(sure)).text
    assert dead(site) == [2, 0]
    assert operator.post("/dead-letters/products/drop", id=named(sure)).status_code == 422


def test_viewers_look_and_change_nothing(site: Site) -> None:
    """They see why, and get no form."""
    viewer = site.visitor("viewer")
    sale = letters(viewer.text("/dead-letters"))[0]
    for path in ("/dead-letters", sale, sale.replace("?", "/drop?")):
        assert re.findall(r'<form[^>]*action="([^"]+)"', viewer.text(path)) == ["/logout"]
    for what in ("replay", "drop"):
        assert viewer.post(f"/dead-letters/sales/{what}", id=sale.partition("=")[2]).status_code == 403
    assert dead(site) == [2, 1]
    assert viewer.get("/dead-letters/letters", id="x").status_code == 404


def test_nothing_set_aside_is_said(database: Database, queue: EmbeddedBroker) -> None:
    """An empty page says that there is nothing to do."""
    with served(database, queue) as site:
        assert "There is nothing to do" in site.visitor("viewer").text("/dead-letters")


def test_a_queue_that_is_away_is_said_in_words(database: Database, database_url: str) -> None:
    """Whether RabbitMQ is gone or the queue in the database was never made: 503, and what to do."""
    gone = RabbitBroker(f"amqp://guest:guest@127.0.0.1:{free_port()}/", PIPELINE)
    for broker in (gone, EmbeddedBroker(database_url, PIPELINE)):
        with served(database, broker) as site:
            operator = site.visitor()
            answers = [
                operator.get("/dead-letters"),
                operator.get("/dead-letters/sales", id="evt_1"),
                operator.post("/dead-letters/sales/replay"),
                operator.post("/dead-letters/sales/drop", id="evt_1"),
            ]
            assert [one.status_code for one in answers] == [503] * 4
            for one in answers:
                assert "The queue does not answer" in one.text
                assert "Traceback" not in one.text
            run = operator.post("/jobs/recover/run")
            assert "it begins within a minute or so" in run.text
        broker.close()
