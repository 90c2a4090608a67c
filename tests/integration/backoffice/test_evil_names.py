from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared import clock
from shared.alerts import NewAlert, product_facts
from shared.aliases import told
from shared.database.pool import Connection, Database
from shared.findings import Cause, NewFinding
from shared.store.alerts import Alerts
from shared.store.aliases import Aliases
from shared.store.findings import Findings
from shared.store.jobs import Jobs
from shared.store.products import Products
from shared.vocabulary import AlertKind, MovementKind, ProductId, Size
from tests.integration.reports.ledger import ACCOUNT, Entry, append, create
from tests.support.command import stocksync
from tests.support.postgres import fresh_database

EVIL = "Mug [/large][red]\x1b]0;owned\x07\x9b31m"
SHOWN = "Mug [/large][red]"
MUG, OTHER, M = ProductId("prod_1"), ProductId("prod_2"), Size("M")


@pytest.fixture(scope="module")
def dsn(postgres: str) -> Iterator[str]:
    """A ledger in which everything that has a name has one that markup and a terminal would obey."""
    with fresh_database(postgres) as address:
        database = Database(address, name="tests", size=2)
        create(database, {MUG: EVIL, OTHER: EVIL}, ("M",))
        moves = [(9, MovementKind.OPENING, None), (-1, MovementKind.SALE, "cs_1")]
        append(database, [Entry(MUG, M, delta, kind, clock.now(), session) for delta, kind, session in moves])
        database.run(_tell)
        database.close()
        yield address


def _tell(connection: Connection) -> None:
    """Something for each list."""
    Products(connection, ACCOUNT).set_state(OTHER, "quarantined", reason=EVIL)
    quarantine = NewAlert(ACCOUNT, AlertKind.QUARANTINE, OTHER, product_facts(OTHER, EVIL))
    alerts = Alerts(connection, ACCOUNT)
    alerts.acknowledge(alerts.raise_([quarantine]), by=EVIL)
    Findings(connection, ACCOUNT).see([NewFinding(Cause.NOT_A_NUMBER, MUG, M, EVIL, EVIL)])
    Jobs(connection, ACCOUNT).plan("recover", clock.now(), actor=EVIL, reason=EVIL)
    connection.execute(
        """
        insert into refund (account, refund_id, session_id, kind, likeness, amount, currency)
        values (%(account)s, 're_1', 'cs_1', 'full', 'all', 500, 'eur');
        """,
        {"account": ACCOUNT},
    )
    connection.execute(
        """
        insert into unplaced_sale
            (account, session_id, line_item_id, source_key, quantity, reason, line_name, size_hint)
        values (%s, 'cs_2', 'li_2', 'sale:2', 1, %s, %s, %s)
        """,
        (ACCOUNT, EVIL, EVIL, EVIL),
    )
    Aliases(connection, ACCOUNT).teach(told(None, EVIL, EVIL), MUG, M, EVIL)
    connection.execute(
        """
        insert into refund_line (account, refund_id, line_item_id, product_id, size, sold, proposed)
        values (%s, 're_1', 'li_1', %s, %s, 1, 1)
        """,
        (ACCOUNT, MUG, M),
    )


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("alerts list", 0),
        ("findings list", 0),
        ("refunds list", 0),
        ("unplaced list", 0),
        ("unplaced aliases", 0),
        ("jobs history", 0),
        ("stock", 0),
        ("trend prod_1", 0),
        ("trend Mug", 1),  # two products are called so
        ("report", 0),
        ("audit", 1),  # the sale of the movement is missing
        ("takeover --all", 1),  # nobody says yes
    ],
)
def test_names_are_shown_and_never_obeyed(dsn: str, command: str, code: int) -> None:
    """Brackets in a name are no markup, and what a terminal would obey does not reach it, in every list there is."""
    answer = stocksync(*command.split(), DATABASE_URL=dsn, COLUMNS="400")
    shown = answer.stdout + answer.stderr
    assert answer.returncode == code, shown
    assert SHOWN in shown
    assert not {"\x1b", "\x07", "\x9b"} & set(shown)
