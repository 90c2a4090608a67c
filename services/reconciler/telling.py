"""Hinting to the notifier that people are to be told of alerts."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from shared.broker import runtime
from shared.broker.port import Broker
from shared.messages import AlertOpened
from shared.outcomes import Outage


def hint(broker: Broker, alerts: Iterable[int]) -> None:
    """Publish that people are to be told of these alerts; where it can't be, the notifier finds them by itself."""
    hints = [runtime.outgoing(AlertOpened(alert=number)) for number in alerts]
    if hints:
        with suppress(Outage):
            broker.publish(*hints)
