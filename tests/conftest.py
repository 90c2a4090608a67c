"""Fixtures that any test may ask for."""

from __future__ import annotations

from tests.support.postgres import database, database_url, empty_database_url, postgres, queue, shelf
from tests.support.rabbitmq import rabbitmq

__all__ = ["database", "database_url", "empty_database_url", "postgres", "queue", "rabbitmq", "shelf"]
