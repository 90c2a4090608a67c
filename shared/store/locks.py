"""Session advisory locks: they keep workers out of each other's way; no correctness rests on them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import scalar_row

from shared.vocabulary import AccountKey, ProductId


@dataclass(frozen=True, slots=True)
class Locks:
    """An account's locks, held by one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def try_lock(self, product: ProductId) -> bool:
        """Take the product's lock on this connection; whether it was free."""
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            key = _key(self._account, product)
            return bool(cursor.execute("select pg_try_advisory_lock(%s)", (key,)).fetchone())

    def unlock(self, product: ProductId) -> None:
        """Let the product's lock go."""
        self._connection.execute("select pg_advisory_unlock(%s)", (_key(self._account, product),))


def _key(account: AccountKey, product: ProductId) -> int:
    digest = hashlib.blake2b(f"{account}\0{product}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
