from __future__ import annotations

from datetime import UTC, datetime

from shared.database.pool import Connection, Database
from shared.store import checkups, installations, repairs
from shared.store.products import Products
from shared.store.sales import Handled, Sales
from shared.vocabulary import AccountKey, EventId, ProductId

ACCOUNT, OTHER = AccountKey("self:test"), AccountKey("self:live")
SHIRT, MUG = ProductId("prod_shirt"), ProductId("prod_mug")


def test_the_installation_is_none_until_a_worker_made_it(database: Database) -> None:
    """The id is read, never made."""
    with database.transaction() as connection:
        assert installations.known(connection) == []
        installations.current(connection, "abc")
        installations.renew(connection, "def")
        assert installations.known(connection) == ["def", "abc"]
        assert checkups.server_version(connection) >= 150_000


def test_what_is_in_quarantine_is_told_with_its_reason(database: Database) -> None:
    """Only this account's products, only those in quarantine."""
    with database.transaction() as connection:
        for account in (ACCOUNT, OTHER):
            Products(connection, account).create(SHIRT, "Shirt")
        Products(connection, ACCOUNT).create(MUG, "Mug")
        Products(connection, ACCOUNT).set_state(SHIRT, "quarantined", reason="copied")
        assert [(one.id, one.reason) for one in repairs.quarantined(connection, ACCOUNT)] == [
            (SHIRT, "copied")
        ]
        assert repairs.quarantined(connection, OTHER) == []


def test_only_what_waits_too_long_is_counted(database: Database) -> None:
    """A product or write that is younger, of another account, or no longer waiting, does not count."""
    with database.transaction() as connection:
        for account, product, minutes in ((ACCOUNT, SHIRT, 90), (ACCOUNT, MUG, 1), (OTHER, SHIRT, 90)):
            Products(connection, account).create(product, "")
            _age(connection, account, product, minutes)
        late = checkups.unsynced(connection, ACCOUNT, longer_than=300)
        hanging = checkups.unanswered(connection, ACCOUNT, longer_than=600)
        assert (late.count, hanging.count) == (1, 1)
        assert 5400 <= late.oldest < 5500
        assert 5400 <= hanging.oldest < 5500
        Products(connection, ACCOUNT).mark_clean(SHIRT)
        connection.execute("update write set state = 'APPLIED'")
        assert checkups.unsynced(connection, ACCOUNT, longer_than=300) == checkups.Waiting(0, 0.0)
        assert checkups.unanswered(connection, ACCOUNT, longer_than=600) == checkups.Waiting(0, 0.0)


def _age(connection: Connection, account: AccountKey, product: ProductId, minutes: int) -> None:
    """Have the product wait for a sync, and for the answer to a write, for so many minutes."""
    connection.execute(
        "update product set dirty_since = now() - make_interval(mins => %s) where account = %s and id = %s",
        (minutes, account, product),
    )
    connection.execute(
        """
        insert into write (account, product_id, rev, installation, idempotency_key, body, marker, target,
                           base_marker, base_values, state, planned_at)
        values (%s, %s, 1, 'abc', %s, '{}', '', '{}', '', '{}', 'PENDING', now() - make_interval(mins => %s))
        """,
        (account, product, f"{account}:{product}", minutes),
    )


def test_alerts_are_late_or_refused_or_told(database: Database) -> None:
    """A mailed, dropped or fresh alert is neither late nor refused."""
    with database.transaction() as connection:
        for subject, minutes in (
            ("late", 90),
            ("refused", 90),
            ("mailed", 90),
            ("dropped", 90),
            ("fresh", 1),
        ):
            connection.execute(
                """
                insert into alert (account, kind, subject, facts, raised_at, failed_at, mailed_at, dropped_at)
                select %s, 'low_stock', subject, '{}', now() - make_interval(mins => %s),
                    case subject when 'refused' then now() end,
                    case subject when 'mailed' then now() end,
                    case subject when 'dropped' then now() end
                from (values (%s)) as told (subject)
                """,
                (ACCOUNT, minutes, subject),
            )
        assert checkups.untold(connection, ACCOUNT, longer_than=1200) == checkups.Untold(late=1, refused=1)
        assert checkups.untold(connection, OTHER, longer_than=1200) == checkups.Untold(late=0, refused=0)


def test_an_event_is_handled_once_it_is_in_the_delivery_log(database: Database) -> None:
    """Of this account, by its id."""
    event = EventId("evt_1")
    with database.transaction() as connection:
        assert not checkups.handled(connection, ACCOUNT, event)
        Sales(connection, ACCOUNT).log_deliveries([Handled(ACCOUNT, event, "x", "done", datetime.now(UTC))])
        assert checkups.handled(connection, ACCOUNT, event)
        assert not checkups.handled(connection, OTHER, event)
