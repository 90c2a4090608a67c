"""A real PostgreSQL for the tests: the embedded one in a temporary folder, a fresh database for each test."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from testcontainers.community.postgres import PostgresContainer

from shared.database.embedded import EmbeddedPostgres
from shared.database.migrate import migrate
from shared.database.pool import Database
from tests.support.engine import has_image

IMAGE = "postgres:17"
TEMPLATE = "stocksync_template"


@contextmanager
def home_folder() -> Generator[Path]:
    """A STOCKSYNC_HOME that also the account PostgreSQL runs as can reach; pytest's own folders are private."""
    with tempfile.TemporaryDirectory(prefix="stocksync-tests-") as home:
        Path(home).chmod(0o755)
        yield Path(home)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a server that holds a migrated template database; its disk is not waited for."""
    with _server() as address:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("alter system set fsync = off")
            connection.execute("select pg_reload_conf()")
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
        migrate(named(address, TEMPLATE))
        yield address


@pytest.fixture
def empty_database_url(postgres: str) -> Iterator[str]:
    """A database of the test's own, without any table of ours."""
    yield from _fresh(postgres, "template1")


@pytest.fixture
def database_url(postgres: str) -> Iterator[str]:
    """A migrated database of the test's own."""
    yield from _fresh(postgres, TEMPLATE)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A pool on a migrated database of the test's own."""
    pool = Database(database_url, name="tests", size=20)
    yield pool
    pool.close()


@contextmanager
def fresh_database(postgres: str) -> Generator[str]:
    """A migrated database for as long as the block lasts, for fixtures that live longer than one test."""
    yield from _fresh(postgres, TEMPLATE)


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
        with home_folder() as home, EmbeddedPostgres(home) as address:
            yield address


def _fresh(address: str, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    ours, model = sql.Identifier(name), sql.Identifier(template)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template {}").format(ours, model))
        yield named(address, name)
        connection.execute(sql.SQL("drop database {} with (force)").format(ours))
