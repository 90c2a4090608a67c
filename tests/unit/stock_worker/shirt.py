"""A shirt in two sizes: its metadata, and what the ledger knows of it."""

from __future__ import annotations

from services.stock_worker.protocol.facts import Facts, Level, Owner
from shared.vocabulary import AccountKey, ProductId, Size

ACCOUNT = AccountKey("self:test")
SHIRT = ProductId("prod_shirt")
S, M = Size("S"), Size("M")


def metadata(s: str | int, m: str | int, **more: str) -> dict[str, str]:
    """A shirt's metadata in two sizes."""
    return {"sizes": "S, M", "stock_S": str(s), "stock_M": str(m), **more}


def facts(s: int = 10, m: int = 5, owner: Owner = Owner.NOBODY, rev: int = 0) -> Facts:
    """A shirt the ledger knows; `rev` is both observed and the highest landed."""
    levels = {S: Level(s, opened=True), M: Level(m, opened=True)}
    return Facts(ACCOUNT, SHIRT, "abc", 7, levels, owner, rev, rev, rev)
