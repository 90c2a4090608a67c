"""Declaring again what went missing while we run: a queue deleted by hand, a broker that lost its volume."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from shared import clock, logs
from shared.broker.rabbitmq_topology import TopologyConflict
from shared.outcomes import Outage

PAUSE: Final = 1.0
"""Seconds between two tries; what is still missing then is asked for again."""

log = logs.get(__name__)


class Renewal:
    """Calls `declare` on a thread beside, one at a time; from any thread."""

    def __init__(self, declare: Callable[[], None]) -> None:
        self._declare = declare
        self._lock = threading.Lock()
        self._not_before = 0.0

    def begin(self) -> None:
        """Have everything declared soon, unless that is under way or was just done."""
        with self._lock:
            if clock.monotonic() < self._not_before:
                return
            self._not_before = float("inf")
        threading.Thread(target=self._renew, name="amqp-renewal", daemon=True).start()

    def _renew(self) -> None:
        try:
            self._declare()
            log.warning("broker_topology_renewed")
        except TopologyConflict:
            pass  # logged there, with what differs
        except Outage as outage:
            log.warning("broker_topology_missing", reason=str(outage))
        finally:
            self._not_before = clock.monotonic() + PAUSE
