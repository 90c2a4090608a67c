from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from shared.database.errors import DatabaseOutage, TryAgain, WrongDatabase
from shared.database.pool import ATTEMPTS, Connection, Database
from tests.integration.database.proxy import Proxy

SECRET = "swordfish"


@pytest.fixture
def counted(database: Database) -> Database:
    """A database with two counters."""
    with database.transaction() as connection:
        connection.execute("create table counter (name text primary key, n integer not null)")
        connection.execute("insert into counter values ('a', 0), ('b', 0)")
    return database


def total(database: Database) -> int:
    """The sum of both counters."""
    with database.transaction() as connection:
        row = connection.execute("select sum(n) from counter").fetchone()
    return int(row[0]) if row else 0


def add(connection: Connection, name: str) -> None:
    """Count `name` up."""
    connection.execute("update counter set n = n + 1 where name = %s", (name,))


def end(connection: Connection, other: Connection) -> None:
    """Let the server end the session of `other`, which then tries to work on."""
    connection.execute("select pg_terminate_backend(%s)", (other.info.backend_pid,))
    other.execute("select 1")


def idle(connection: Connection) -> None:
    """Count up, do nothing for longer than is allowed, and count up again."""
    connection.execute("set local idle_in_transaction_session_timeout = 200")
    add(connection, "a")
    threading.Event().wait(1)  # the idling is the input
    add(connection, "a")


def test_a_failed_transaction_leaves_nothing(counted: Database) -> None:
    """What happened before an exception in a transaction is undone, and the exception goes on."""

    def fail(connection: Connection) -> None:
        add(connection, "a")
        raise KeyError

    with pytest.raises(KeyError):
        counted.run(fail)
    assert total(counted) == 0


def test_a_session_keeps_its_locks_between_transactions(database: Database) -> None:
    """A session lock taken on a pinned connection holds over several transactions, and ends with the session."""
    with database.session() as one, database.session() as two:
        one.execute("select pg_advisory_lock(7)")
        with one.transaction():
            one.execute("select 1")
        assert two.execute("select pg_try_advisory_lock(7)").fetchone() == (False,)
    with database.session() as three:
        assert three.execute("select pg_try_advisory_lock(7)").fetchone() == (True,)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:9"])
def test_fault_63_a_database_that_is_away_is_an_outage_without_secrets(address: str) -> None:
    """Nobody listening is a DatabaseOutage whose text holds neither address nor password."""
    database = Database(f"postgresql://shop:{SECRET}@{address}/shop", timeout=0.5)
    with pytest.raises(DatabaseOutage) as caught:
        database.ping()
    assert SECRET not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
    database.close()


def test_fault_63_a_cut_at_commit_is_an_outage_and_the_commit_may_stand(
    counted: Database, database_url: str
) -> None:
    """When the answer to COMMIT is lost the caller hears of an outage, though the work was done: redo, idempotent."""
    with Proxy(database_url) as proxy:
        far = Database(proxy.address, timeout=5)
        far.ping()
        proxy.cut_answer_to = b"COMMIT"
        with pytest.raises(DatabaseOutage), far.transaction() as connection:
            add(connection, "a")
        proxy.cut_answer_to = None
        far.ping()
        far.close()
    assert total(counted) == 1


def test_fault_66_a_serialization_failure_runs_the_whole_work_again(counted: Database) -> None:
    """The work that lost is run again from its first read, so that both count."""
    both_have_read = threading.Barrier(2, timeout=10)
    reads: list[int] = []

    def work(connection: Connection) -> None:
        connection.execute("set transaction isolation level serializable")
        row = connection.execute("select sum(n) from counter").fetchone()
        assert row is not None
        reads.append(int(row[0]))
        if len(reads) <= 2:
            both_have_read.wait()
        connection.execute("update counter set n = %s where name = 'a'", (row[0] + 1,))

    race(lambda: counted.run(work), lambda: counted.run(work))
    assert len(reads) >= 3
    assert total(counted) == 2


def test_fault_66_a_deadlock_runs_the_loser_again(counted: Database) -> None:
    """Two transactions that wait for each other both succeed in the end, however often one of them is ended."""
    both_have_one = threading.Barrier(2, timeout=10)
    tries: list[str] = []

    def work(first: str, second: str) -> None:
        def locked(connection: Connection) -> None:
            tries.append(first)
            add(connection, first)
            if len(tries) <= 2:
                both_have_one.wait()
            add(connection, second)

        counted.run(locked)

    race(lambda: work("a", "b"), lambda: work("b", "a"))
    assert len(tries) >= 3
    assert total(counted) == 4


def test_work_that_always_loses_ends_as_an_outage(counted: Database) -> None:
    """Running again is bounded; after that the consumer pauses."""
    tries: list[int] = []

    def work(connection: Connection) -> None:
        tries.append(1)
        connection.execute("do $$ begin raise exception 'lost' using errcode = '40001'; end $$")

    with pytest.raises(TryAgain):
        counted.run(work)
    assert len(tries) == ATTEMPTS
    assert issubclass(TryAgain, DatabaseOutage)


@pytest.mark.parametrize("code", ["53100", "53300", "57014", "55P03", "57P01", "57P03", "25006"])
def test_fault_67_what_the_database_cannot_do_now_is_an_outage(counted: Database, code: str) -> None:
    """Disk full, too many connections, timeouts, shutdown, read-only: pause, and try the same again later."""
    with pytest.raises(DatabaseOutage, match=code), counted.transaction() as connection:
        connection.execute(f"do $$ begin raise exception 'private' using errcode = '{code}'; end $$".encode())
    counted.ping()


@pytest.mark.parametrize("code", ["23505", "22P02", "42P01"])
def test_a_mistake_is_no_outage(counted: Database, code: str) -> None:
    """A broken constraint or statement is not a reason to wait for the database."""
    with pytest.raises(psycopg.Error) as caught, counted.transaction() as connection:
        connection.execute(f"do $$ begin raise exception 'x' using errcode = '{code}'; end $$".encode())
    assert caught.value.sqlstate == code


def test_fault_67_a_standby_is_an_outage(database_url: str) -> None:
    """Writing to a database that only reads is an outage, as it is after a failover."""
    database = Database(make_conninfo(database_url, options="-c default_transaction_read_only=on"))
    with pytest.raises(DatabaseOutage, match="25006"), database.transaction() as connection:
        connection.execute("create table wanted (n integer)")
    database.close()


def test_fault_67_an_ended_session_is_an_outage_and_the_next_one_works(counted: Database) -> None:
    """A session that the server ends fails once; the pool replaces it."""
    with pytest.raises(DatabaseOutage), counted.session() as connection, counted.session() as other:
        end(other, connection)
    counted.ping()


def test_every_connection_has_deadlines(database: Database) -> None:
    """Statements, locks and idle transactions end by themselves, and the server shows whose they are."""
    with database.transaction() as connection:
        settings = dict(
            connection.execute(
                "select name, setting::text from pg_settings where name in ('statement_timeout', 'lock_timeout',"
                " 'idle_in_transaction_session_timeout', 'TimeZone', 'application_name')"
            ).fetchall()
        )
    assert settings == {
        "statement_timeout": "30000",
        "lock_timeout": "10000",
        "idle_in_transaction_session_timeout": "30000",
        "TimeZone": "UTC",
        "application_name": "tests",
    }


def test_fault_68_an_idle_transaction_ends_and_records_nothing(counted: Database) -> None:
    """A transaction that is left open too long is ended by the server, and nothing of it stays."""
    with pytest.raises(DatabaseOutage), counted.transaction() as connection:
        idle(connection)
    assert total(counted) == 0


def test_fault_69_real_sessions_are_accepted(database: Database) -> None:
    """A database that keeps sessions apart passes the check."""
    database.require_sessions()


def test_fault_69_a_pooler_in_transaction_mode_is_refused(database_url: str) -> None:
    """Where two sessions turn out to be one, starting is refused with a line that names the setting."""
    database = Pooled(database_url)
    with pytest.raises(WrongDatabase, match="DATABASE_URL: it leads to a pooler"):
        database.require_sessions()
    database.close()


class Pooled(Database):
    """A database behind a pooler in transaction mode: all clients meet in the same server session."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self._only = psycopg.connect(dsn, autocommit=True)

    @contextmanager
    def session(self) -> Generator[Connection]:
        """What every client is given."""
        yield self._only

    def close(self) -> None:
        """Let go of it."""
        self._only.close()
        super().close()


def race(*works: Callable[[], None]) -> None:
    """Run all at once; raise what the first of them raised."""
    with ThreadPoolExecutor(len(works)) as pool:
        for running in [pool.submit(work) for work in works]:
            running.result(timeout=30)
