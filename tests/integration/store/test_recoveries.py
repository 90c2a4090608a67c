from __future__ import annotations

import pytest

from shared.database.pool import Database
from shared.store.alerts import Alerts
from shared.store.recoveries import Recoveries
from shared.vocabulary import AccountKey

ACCOUNT = AccountKey("self:test")


def missed(database: Database, *sessions: str) -> int | None:
    """Sales that no webhook told of are booked; the alert that people are to be told of."""
    with database.transaction() as connection:
        connection.execute(
            """
            insert into sale (account, session_id, origin, created_at, lines, reason, delay)
            select %s, session, 'recovery', now(), 1, 'lost', interval '1 hour' from unnest(%s::text[]) as session
            """,
            (ACCOUNT, list(sessions)),
        )
        return Recoveries(connection, ACCOUNT).tell()[1]


def nothing_missed(database: Database) -> None:
    """A run of the job finds nothing."""
    database.run(lambda connection: Recoveries(connection, ACCOUNT).over())


def acknowledge(database: Database, alert: int) -> None:
    database.run(lambda connection: Alerts(connection, ACCOUNT).acknowledge([alert], by="ada"))


def mailed(database: Database, hours_ago: float) -> None:
    """All alerts were mailed so long ago."""
    with database.transaction() as connection:
        connection.execute(
            "update alert set mailed_at = now() - make_interval(secs => %s)", (hours_ago * 3600,)
        )


def told(database: Database) -> list[tuple[int, int]]:
    """(id, recovered sales) of the alerts that people are to hear of."""
    with database.transaction() as connection:
        return connection.execute(
            "select id, (facts->>'recovered')::int from untold_alert order by id"
        ).fetchall()


def test_what_was_acknowledged_before_its_mail_ends_with_the_next_quiet_run(database: Database) -> None:
    """Nobody waits for a mail of it: it is over as soon as nothing is missed, and the next one is news."""
    first = missed(database, "cs_1")
    assert first is not None
    acknowledge(database, first)
    nothing_missed(database)
    with database.transaction() as connection:
        assert Alerts(connection, ACCOUNT).still_open(10) == []
    second = missed(database, "cs_2")
    assert second not in {None, first}
    assert told(database) == [(second, 1)]


@pytest.mark.parametrize("hours", [None, 1, 7])
def test_sales_missed_after_an_acknowledgement_are_told(database: Database, hours: float | None) -> None:
    """Whether its mail is out or not, and since when: an acknowledged alert takes no further sales in silence."""
    first = missed(database, "cs_1", "cs_2")
    assert first is not None
    if hours is not None:
        mailed(database, hours)
    acknowledge(database, first)
    second = missed(database, "cs_3")
    assert second not in {None, first}
    assert told(database)[-1] == (second, 1)
    assert [one.id for one in database.run(lambda c: Alerts(c, ACCOUNT).still_open(10))] == [second]
