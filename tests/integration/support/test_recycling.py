from __future__ import annotations

from typing import LiteralString

import psycopg
import pytest

from shared.broker.embedded import EmbeddedBroker
from shared.topology import PIPELINE
from tests.support.postgres import named
from tests.support.recycling import Pristine

USED = """
    insert into product (account, id, name) values ('self:test', 'prod_mug', 'Mug');
    insert into variant (account, product_id, size, state) values ('self:test', 'prod_mug', '', 'managed');
    insert into movement (account, product_id, size, delta, kind, source_key, actor)
    values ('self:test', 'prod_mug', '', 3, 'restock', 'key', 'ada') returning id;
"""


def ids(address: str) -> list[int]:
    """Use the database as a test does; the ids of its movements."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(USED)
        return [int(row[0]) for row in connection.execute("select id from movement")]


def test_a_used_database_is_as_if_nobody_had(database_url: str) -> None:
    """Its rows are gone, the append-only ones too, its queues, and whoever is still connected; ids begin anew."""
    pristine = Pristine.of(database_url)
    EmbeddedBroker(database_url, PIPELINE).declare()
    left = psycopg.connect(database_url)
    for _ in range(2):
        assert ids(database_url) == [1]
        assert pristine.restore(database_url)
        assert Pristine.of(database_url) == pristine
    with pytest.raises(psycopg.OperationalError):
        left.execute("select 1")
    left.close()


@pytest.mark.parametrize(
    "change",
    [
        "create table odd (n integer)",
        "create index odd on product (name)",
        "alter table movement disable trigger user",
        "alter table product add odd integer",
        "delete from schema_migration",
        "create function odd() returns integer language sql as 'select 1'",
    ],
)
def test_one_that_was_altered_is_not_given_out_again(database_url: str, change: LiteralString) -> None:
    """What is more than rows, or are rows that belong there, would be met by the next test."""
    pristine = Pristine.of(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(change)
    assert not pristine.restore(database_url)


def test_one_that_is_gone_is_not_given_out_again(database_url: str) -> None:
    """Some tests drop theirs."""
    assert not Pristine.of(database_url).restore(named(database_url, "nowhere"))
