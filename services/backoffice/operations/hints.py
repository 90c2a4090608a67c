"""Telling the stock worker of products to look at, as far as the queue is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.broker import runtime
from shared.broker.port import Broker
from shared.messages import Message, SyncRequested
from shared.outcomes import Outage
from shared.vocabulary import AccountKey, ProductId

AT_ONCE: Final = 200
"""Messages that one publish waits for."""
SECONDS: Final = 5.0
PER_MESSAGE: Final = 0.125
"""How long they may take: somebody waits for it."""


def publish(broker: Broker, messages: Sequence[Message]) -> None:
    """Publish `messages`, confirmed; raises an Outage where some may be missing."""
    for start in range(0, len(messages), AT_ONCE):
        some = [runtime.outgoing(message) for message in messages[start : start + AT_ONCE]]
        broker.publish(*some, timeout=SECONDS + PER_MESSAGE * len(some))


def hint(broker: Broker, account: AccountKey, products: Sequence[ProductId]) -> bool:
    """Ask for a sync of each; False where the queue is away: the reconciler finds dirty products then."""
    try:
        publish(broker, [SyncRequested(account=account, product=product) for product in products])
    except Outage:
        return False
    return True
