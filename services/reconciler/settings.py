"""What the reconciler reads from its surroundings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.settings import BrokerSettings


class ReconcilerSettings(BrokerSettings):
    """The database, the queue, and how often lost work is looked for."""

    sweep_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 30
    """Seconds between two looks, and how long a product may wait before its hint counts as lost."""
