"""A real PostgreSQL for the tests: the embedded one in a temporary folder, a fresh database for each test."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import uuid
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psycopg
import pytest
from psycopg import sql
from testcontainers.community.postgres import PostgresContainer

from shared.broker.embedded import EmbeddedBroker
from shared.database.migrate import migrate
from shared.database.pool import Database
from shared.topology import PIPELINE
from tests.support.engine import has_image
from tests.support.recycling import Pristine

IMAGE = "postgres:17"
TEMPLATE = "stocksync_template"
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def home_folder() -> Generator[Path]:
    """A STOCKSYNC_HOME that also the account PostgreSQL runs as can reach; pytest's own folders are private."""
    with tempfile.TemporaryDirectory(prefix="stocksync-tests-") as home:
        Path(home).chmod(0o755)
        yield Path(home)


@contextmanager
def held_server() -> Generator[tuple[Path, str]]:
    """The home and the address of an embedded server; both are gone after the block, and after our kill -9."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.postgres_holder"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for those who use the server
    ) as holder:
        assert holder.stdout is not None
        home, address = holder.stdout.readline().split()
        yield Path(home), address


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a server that holds a migrated template database; its disk is not waited for."""
    with _server() as address:
        with psycopg.connect(address, autocommit=True) as connection:
            for unwaited in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(sql.SQL("alter system set {} = off").format(sql.Identifier(unwaited)))
            connection.execute("select pg_reload_conf()")
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
        migrate(named(address, TEMPLATE))
        yield address


@pytest.fixture
def empty_database_url(postgres: str) -> Iterator[str]:
    """A database of the test's own, without any table of ours."""
    yield from _fresh(postgres, "template1")


@pytest.fixture(scope="session")
def shelf(postgres: str) -> Iterator[Shelf]:
    """Migrated databases that are ready before anybody asks."""
    with Shelf(postgres) as shelf:
        yield shelf


@pytest.fixture
def database_url(shelf: Shelf) -> Iterator[str]:
    """A migrated database of the test's own."""
    name = shelf.take()
    yield named(shelf.address, name)
    shelf.give_back(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A pool on a migrated database of the test's own."""
    pool = Database(database_url, name="tests", size=20)
    yield pool
    pool.close()


@pytest.fixture
def queue(database_url: str) -> Iterator[EmbeddedBroker]:
    """The queue in the test's database."""
    made = EmbeddedBroker(database_url, PIPELINE)
    made.declare()
    yield made
    made.close()


@contextmanager
def fresh_database(postgres: str) -> Generator[str]:
    """A migrated database for as long as the block lasts, for fixtures that live longer than one test."""
    yield from _fresh(postgres, TEMPLATE)


class Shelf:
    """Makes databases before anybody asks, and makes those that were used as new while the next test runs."""

    def __init__(self, address: str, ready: int = 2) -> None:
        self.address = address
        self._maker = ThreadPoolExecutor(1, "databases")
        self._connection = psycopg.connect(address, autocommit=True)
        self._pristine = Pristine.of(named(address, TEMPLATE))
        self._ready = deque(self._maker.submit(self._make) for _ in range(ready))

    def take(self) -> str:
        """The name of a database that is as if nobody had used it."""
        if not self._ready:
            self._ready.append(self._maker.submit(self._make))
        return self._ready.popleft().result()

    def give_back(self, name: str) -> None:
        """Have it made as new, whoever is still connected."""
        self._ready.append(self._maker.submit(self._again, name))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._maker.shutdown(wait=True)
        self._connection.close()
        for one in self._ready:
            one.result()

    def _make(self) -> str:
        name = _new_name()
        self._connection.execute(_create(name, TEMPLATE))
        return name

    def _again(self, name: str) -> str:
        if self._pristine.restore(named(self.address, name)):
            return name
        self._connection.execute(_drop(name))
        return self._make()


def named(address: str, name: str) -> str:
    """`address` with another database."""
    return f"{address.rpartition('/')[0]}/{name}"


@contextmanager
def _server() -> Generator[str]:
    """A container where there is an engine with the image, else the embedded server."""
    if has_image(IMAGE):
        with PostgresContainer(IMAGE, driver=None) as container:
            yield container.get_connection_url()
    else:
        with held_server() as (_, address):
            yield address


def _fresh(address: str, template: str) -> Iterator[str]:
    name = _new_name()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(_create(name, template))
        yield named(address, name)
        connection.execute(_drop(name))


def _new_name() -> str:
    return f"test_{uuid.uuid4().hex[:12]}"


def _create(name: str, template: str) -> sql.Composed:
    return sql.SQL("create database {} template {} strategy file_copy").format(
        sql.Identifier(name), sql.Identifier(template)
    )


def _drop(name: str) -> sql.Composed:
    return sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
