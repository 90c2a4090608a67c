"""A real PostgreSQL for the tests: the embedded one in a temporary folder, a fresh database for each test."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from shared.database.embedded import EmbeddedPostgres
from shared.database.migrate import migrate
from shared.database.pool import Database

TEMPLATE = "stocksync_template"


def _named(address: str, name: str) -> str:
    return f"{address.rpartition('/')[0]}/{name}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a server that holds a migrated template database."""
    with (
        tempfile.TemporaryDirectory(prefix="stocksync-tests-") as home,
        EmbeddedPostgres(Path(home)) as address,
    ):
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
        migrate(_named(address, TEMPLATE))
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


def _fresh(address: str, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    ours, model = sql.Identifier(name), sql.Identifier(template)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template {}").format(ours, model))
        yield _named(address, name)
        connection.execute(sql.SQL("drop database {} with (force)").format(ours))
