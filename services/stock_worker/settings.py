"""What the stock worker reads from its surroundings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from services.stock_worker.returns import Policy
from services.stock_worker.stock_alerts import LOW_STOCK_THRESHOLD
from shared.settings import BrokerSettings, SellingSettings, StripeSettings


class StockWorkerSettings(StripeSettings, BrokerSettings, SellingSettings):
    """Stripe's key, the database, the queue, and when stock counts as low."""

    low_stock_threshold: Annotated[int, Field(ge=0, le=999_999)] = LOW_STOCK_THRESHOLD
    """Units at which a size is low, where neither it nor its product has a threshold of its own."""
    refund_restock: Policy = Policy.PROPOSE
    """What a refund leads to: a question to people; a full one may put everything back at once."""
    external_edits: Literal["adopt", "restore"] = "adopt"
    """What becomes of numbers that people edit in Stripe: taken over, or put back to the ledger's."""
    stock_worker_threads: Annotated[int, Field(ge=1, le=32)] = 6
    """Products synced at once."""
    keep_customer_details: bool = False
    """Keep names and mail addresses of buyers beside their sales."""
