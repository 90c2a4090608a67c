"""The log of API requests and their counters, for tests that ask what was really called."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import Any

from services.stripe_simulator.http import Request
from services.stripe_simulator.params import Params
from shared import clock

KEPT = 50_000  # requests


class Journal:
    """Every API request with its endpoint, parameters and status; 0 is no answer."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._counts: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._lock = threading.Lock()

    def arrived(self, request: Request, endpoint: str, params: Params) -> dict[str, Any]:
        """Note a request; the entry is completed with `answered`."""
        entry: dict[str, Any] = {
            "id": request.id,
            "at": clock.now().isoformat(),
            "method": request.method,
            "path": request.path,
            "endpoint": endpoint,
            "params": params,
            "idempotency_key": request.idempotency_key,
            "fault": None,
            "status": None,
        }
        with self._lock:
            self._entries.append(entry)
            self._counts[endpoint] += 1
        return entry

    def answered(self, entry: dict[str, Any], status: int) -> None:
        """Note the status a request was answered with."""
        with self._lock:
            entry["status"] = status
            self._statuses[str(status)] += 1

    def report(self, limit: int) -> dict[str, Any]:
        """Counters per endpoint and per status, and the latest `limit` requests in order of arrival."""
        with self._lock:
            latest = [dict(entry) for entry in list(self._entries)[-limit:]] if limit else []
            return {
                "total": self._counts.total(),
                "by_endpoint": dict(self._counts),
                "by_status": dict(self._statuses),
                "requests": latest,
            }

    def clear(self) -> None:
        """Start over."""
        with self._lock:
            self._entries.clear()
            self._counts.clear()
            self._statuses.clear()
