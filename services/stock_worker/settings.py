"""What the stock worker reads from its surroundings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from services.stock_worker.stock_alerts import LOW_STOCK_THRESHOLD
from shared.settings import BrokerSettings, StripeSettings


class StockWorkerSettings(StripeSettings, BrokerSettings):
    """Stripe's key, the database, the queue, and when stock counts as low."""

    low_stock_threshold: Annotated[int, Field(ge=0, le=999_999)] = LOW_STOCK_THRESHOLD
    """Units at which a size is low, where neither it nor its product has a threshold of its own."""
    stock_worker_threads: Annotated[int, Field(ge=1, le=32)] = 6
    """Products synced at once."""
    keep_customer_details: bool = False
    """Keep names and mail addresses of buyers beside their sales."""
