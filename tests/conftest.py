"""Fixtures that any test may ask for."""

from __future__ import annotations

import pytest

from tests.support.postgres import database, database_url, empty_database_url, postgres, queue, shelf
from tests.support.rabbitmq import rabbitmq


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--tour FOLDER` keeps the pictures of the tour there; docs/tour.md shows them."""
    parser.addoption("--tour", default="", metavar="FOLDER", help="keep the pictures of the tour in FOLDER")


__all__ = ["database", "database_url", "empty_database_url", "postgres", "queue", "rabbitmq", "shelf"]
