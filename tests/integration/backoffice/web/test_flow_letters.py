from __future__ import annotations

import dataclasses
import re
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Broker, Outgoing
from shared.broker.rabbitmq import RabbitBroker
from shared.topology import PIPELINE, PRODUCTS, SALES
from tests.support.inboxes import paid, park
from tests.support.pages import Pages, add_people, served
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
def site(database_url: str, broker: Broker) -> Iterator[Pages]:
    """The pages, with two sales and something strange set aside."""
    strange = Outgoing("product.sync", b'{"customer": "Zoe <zoe@example.com>"}', "evt/<odd> id")
    park(broker, [paid("cs_0", "<late>"), paid("cs_1", "<late>"), strange], QUEUES)
    with pages(database_url, broker) as made:
        yield made


@contextmanager
def pages(database_url: str, broker: Broker) -> Generator[Pages]:
    """The pages on that queue."""
    with served(database_url, broker=broker) as made:
        add_people(made.database, olga="operator", viola="viewer")
        yield made


def dead(site: Pages) -> list[int]:
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


def test_messages_are_looked_at_and_handled_again(site: Pages) -> None:
    """Each says why it lies aside and what it holds, one or all of a queue go back, none is lost."""
    olga = site.browser("olga")
    page = olga.see("/dead-letters")
    assert page.count("nobody &lt;knows&gt; it") == 3
    assert "Zoe" not in page
    sale, other, strange = letters(page)
    shown = olga.see(sale)
    assert re.search(r"<td>cs_\d</td>", shown)
    assert "&lt;late&gt;" in shown
    odd = olga.see(strange)
    assert "It is no message of this version" in odd
    assert "zoe" not in odd.lower()
    done = olga.done("/dead-letters/sales/replay", id=named(shown))
    assert "To be handled again: 1 message." in done
    assert (dead(site), site.broker.depth(SALES).ready) == ([1, 1], 1)
    assert olga.get(sale).status_code == 422
    assert olga.get(other).status_code == 200
    assert "does not lie aside any more" in olga.refused("/dead-letters/sales/replay", id="evt_none")
    olga.done("/dead-letters/products/replay")
    assert (dead(site), site.broker.depth(PRODUCTS).ready) == ([1, 0], 1)


def test_a_message_is_thrown_away_once_somebody_said_so(site: Pages) -> None:
    """A page asks first, without scripts; then it is gone, and its neighbours are not."""
    olga = site.browser("olga")
    strange = letters(olga.see("/dead-letters"))[2]
    ask = re.search(r'href="(/dead-letters/products/drop\?id=[^"]+)"', olga.see(strange))
    assert ask is not None
    sure = olga.see(ask[1].replace("&amp;", "&"))
    assert "Throw this message away?" in sure
    assert dead(site) == [2, 1]
    assert "Thrown away: 1 message." in olga.done("/dead-letters/products/drop", id=named(sure))
    assert dead(site) == [2, 0]
    olga.refused("/dead-letters/products/drop", id=named(sure))


def test_viewers_look_and_change_nothing(site: Pages) -> None:
    """They see why, and get no form."""
    viola = site.browser("viola")
    sale = letters(viola.see("/dead-letters"))[0]
    for path in ("/dead-letters", sale, sale.replace("?", "/drop?")):
        assert re.findall(r'<form[^>]*action="([^"]+)"', viola.see(path)) == ["/logout"]
    for what in ("replay", "drop"):
        assert viola.send(f"/dead-letters/sales/{what}", id=sale.partition("=")[2]).status_code == 403
    assert dead(site) == [2, 1]
    assert viola.get("/dead-letters/letters?id=x").status_code == 404


def test_nothing_set_aside_is_said(database_url: str, queue: EmbeddedBroker) -> None:
    """An empty page says that there is nothing to do."""
    with pages(database_url, queue) as site:
        assert "There is nothing to do" in site.browser("viola").see("/dead-letters")


def test_a_queue_that_is_away_is_said_in_words(database_url: str) -> None:
    """Whether RabbitMQ is gone or the queue in the database was never made: 503, and what to do."""
    gone = RabbitBroker(f"amqp://guest:guest@127.0.0.1:{free_port()}/", PIPELINE)
    for broker in (gone, EmbeddedBroker(database_url, PIPELINE)):
        with pages(database_url, broker) as site:
            olga = site.browser("olga")
            answers = [
                olga.get("/dead-letters"),
                olga.get("/dead-letters/sales?id=evt_1"),
                olga.send("/dead-letters/sales/replay"),
                olga.send("/dead-letters/sales/drop", id="evt_1"),
            ]
            assert [one.status_code for one in answers] == [503] * 4
            for one in answers:
                assert "The queue does not answer" in one.text
                assert "Traceback" not in one.text
            assert "it begins within a minute or so" in olga.done("/jobs/recover/run")
        broker.close()
