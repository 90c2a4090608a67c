from __future__ import annotations

import pytest

from shared.database.pool import Database
from shared.findings import Cause, NewFinding
from shared.store.alerts import Alerts
from shared.store.findings import Findings, retell
from shared.vocabulary import AccountKey, ProductId, Size

ACCOUNT = AccountKey("self:test")


def found(database: Database, *products: str) -> list[int]:
    """A run finds something odd about `products`; the alerts that people are to be told of."""
    odd = [NewFinding(Cause.EDITED, ProductId(product), Size("S")) for product in products]
    with database.transaction() as connection:
        findings = Findings(connection, ACCOUNT)
        findings.see(odd)
        return retell(connection, ACCOUNT, news=findings.note_told(Cause))


def acknowledge(database: Database, alert: int) -> None:
    database.run(lambda connection: Alerts(connection, ACCOUNT).acknowledge([alert], by="ada"))


def told(database: Database) -> list[tuple[int, int]]:
    """(id, products named) of the open alerts that people are to hear of."""
    with database.transaction() as connection:
        return connection.execute(
            """
            select id, jsonb_array_length(facts->'findings') from untold_alert where resolved_at is null order by id
            """
        ).fetchall()


@pytest.mark.parametrize("mailed", [True, False])
def test_what_is_found_after_an_acknowledgement_is_told(database: Database, mailed: bool) -> None:
    """Whether its mail is out or not: an acknowledged alert takes no further findings in silence."""
    (first,) = found(database, "prod_1")
    if mailed:
        with database.transaction() as connection:
            connection.execute("update alert set mailed_at = now(), told_at = now()")
    acknowledge(database, first)
    (second,) = found(database, "prod_1", "prod_2")
    assert second != first
    assert told(database) == [(second, 2)]
    assert [one.id for one in database.run(lambda c: Alerts(c, ACCOUNT).still_open(10))] == [second]


def test_an_acknowledged_alert_stays_while_nothing_new_is_found(database: Database) -> None:
    """What is seen once more is no news: the acknowledgement holds."""
    (first,) = found(database, "prod_1")
    acknowledge(database, first)
    assert found(database, "prod_1") == []
    assert told(database) == []
    assert [one.id for one in database.run(lambda c: Alerts(c, ACCOUNT).still_open(10))] == [first]
