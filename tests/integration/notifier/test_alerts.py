from __future__ import annotations

from shared.alerts import AlertKey, NewAlert, product_facts
from shared.database.pool import Database
from shared.store import mails
from shared.store.alerts import Alerts
from shared.store.mails import Letter
from shared.vocabulary import AlertKind, ProductId
from tests.integration.notifier.desk import ACCOUNT, all_due, low, oversold, raised

LOW = AlertKind.LOW_STOCK
LAPSED = 180


def test_one_open_alert_per_variant_and_kind(database: Database) -> None:
    """An alert that is open is not opened again; another kind or variant is."""
    assert len(raised(database, low(1), low(2), low(1, AlertKind.OUT_OF_STOCK))) == 3
    assert raised(database, low(1), low(2)) == []
    assert len(raised(database, low(3), low(3))) == 1


def test_resolving_arms_again(database: Database) -> None:
    """After a restock the next fall opens a new alert; only what is named is resolved."""
    first = raised(database, low(1), low(2))
    with database.transaction() as connection:
        assert Alerts(connection, ACCOUNT).resolve([low(1).key, AlertKey(LOW, "unknown")]) == 1
        assert Alerts(connection, ACCOUNT).open_alerts(["prod_1/M", "prod_2/M"]) == {(LOW, "prod_2/M")}
    (again,) = raised(database, low(1), low(2))
    assert again not in first


def test_a_further_oversold_sale_joins_the_open_alert(database: Database) -> None:
    """One open alert per variant takes in every oversold session, and is told again."""
    first, second = raised(database, oversold("cs_1")), raised(database, oversold("cs_2", "cs_3"))
    assert first == second
    with database.transaction() as connection:
        claim = mails.claim(connection, all_due(), abandoned_after=LAPSED, limit=10)
    assert claim is not None
    (alert,) = claim.alerts
    assert alert.facts["sales"] == [{"session": f"cs_{n}", "units": 1} for n in (1, 2, 3)]
    assert alert.revision == 2


def test_an_oversold_alert_names_the_newest_sales_and_counts_all(database: Database) -> None:
    """However many join it, an open alert names fifty sales, the newest last, and knows how many units are short."""
    for n in range(3):
        raised(database, oversold(*(f"cs_{n}_{m}" for m in range(40))))
    with database.transaction() as connection:
        (kept,) = Alerts(connection, ACCOUNT).still_open(10)
    newest = [f"cs_1_{m}" for m in range(30, 40)] + [f"cs_2_{m}" for m in range(40)]
    assert kept.facts["sales"] == [{"session": session, "units": 1} for session in newest]
    assert (kept.facts["short"], kept.facts["sold"]) == (120, 120)


def test_what_is_untold_of_a_product_is_read_from_an_index(database: Database) -> None:
    """Looking for hints that were lost does not read all alerts there ever were."""
    with database.transaction() as connection:
        connection.execute(
            """
            insert into alert (account, kind, subject, facts, mailed_at, resolved_at, over_told_at)
            select %s, 'low_stock', n::text, '{"product": "prod_1"}', now(), now(), now()
            from generate_series(1, 5000) n
            """,
            (ACCOUNT,),
        )
    (low_one,) = raised(database, low(1))
    with database.session() as connection:
        connection.execute("analyze alert")
        connection.execute("load 'auto_explain'")
        connection.execute("set auto_explain.log_min_duration = 0")
        connection.execute("set client_min_messages = log")
        plans: list[str] = []
        connection.add_notice_handler(lambda notice: plans.append(str(notice.message_primary)))
        assert Alerts(connection, ACCOUNT).untold(ProductId("prod_1")) == [low_one]
    assert "alert_untold" in "".join(plans)


def test_fault_74_what_postgresql_cannot_hold_is_left_out(database: Database) -> None:
    """NUL and lone surrogates in a name are no reason to lose an alert."""
    odd = NewAlert(ACCOUNT, LOW, "prod\0_9", product_facts("prod_9", "a\0b\ud800c" + "x" * 1_000_000))
    assert len(raised(database, odd)) == 1


def test_a_claim_is_exclusive_until_it_lapses(database: Database) -> None:
    """What one notifier has in hand no other gets, and a lapsed claim is taken over whole and alone."""
    ids = raised(database, low(1), low(2))
    with database.transaction() as connection:
        claim = mails.claim(connection, all_due(), abandoned_after=LAPSED, limit=10)
        assert claim is not None
        assert claim.ids == ids
    raised(database, low(3))
    with database.transaction() as connection:
        other = mails.claim(connection, all_due(), abandoned_after=LAPSED, limit=10)
        assert other is not None
        assert [alert.subject for alert in other.alerts] == ["prod_3/M"]
        connection.execute(
            "update alert set claimed_at = claimed_at - interval '1 hour' where id = any(%s)", (ids,)
        )
    raised(database, low(4))
    with database.transaction() as connection:
        taken_over = mails.claim(connection, all_due(), abandoned_after=LAPSED, limit=10)
        assert taken_over is not None
        assert taken_over.ids == ids
        assert taken_over.alerts[0].attempts == 2


def test_a_claim_that_was_lost_records_nothing(database: Database) -> None:
    """Who comes back after the claim was taken over can't mark, fail or free the alerts."""
    raised(database, low(1))
    with database.transaction() as connection:
        late = mails.claim(connection, all_due(), abandoned_after=LAPSED, limit=10)
        connection.execute("update alert set claimed_at = claimed_at - interval '1 hour'")
    with database.transaction() as connection:
        assert mails.claim(connection, all_due(), abandoned_after=LAPSED, limit=10) is not None
    assert late is not None
    with database.transaction() as connection:
        mails.mark_mailed(connection, late, Letter("<x@y>", "all", late.ids))
        mails.mark_failed(connection, late, error="")
        mails.mark_retry(connection, late, seconds=0, error="")
        assert mails.pending_count(connection) == 1
        assert mails.claim(connection, all_due(), abandoned_after=LAPSED, limit=10) is None


def test_waiting_counts_by_the_databases_clock(database: Database) -> None:
    """What waits, what is in hand, what was left and how long a back-off lasts are told apart."""
    raised(database, low(1))
    with database.transaction() as connection:
        empty = mails.waiting(connection, all_due(), abandoned_after=LAPSED)
        assert (empty.alerts, empty.abandoned, empty.since_last) == (1, 0, None)
        claim = mails.claim(connection, all_due(), abandoned_after=LAPSED, limit=10)
        assert claim is not None
        assert mails.waiting(connection, all_due(), abandoned_after=LAPSED).alerts == 0
        mails.mark_retry(connection, claim, seconds=100, error="away")
        assert 99 < mails.waiting(connection, all_due(), abandoned_after=LAPSED).retry_in <= 100
