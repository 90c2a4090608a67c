"""Idempotency keys: the first answer is kept and given again, a 500 too."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from services.stripe_simulator import errors
from services.stripe_simulator.http import Answer
from services.stripe_simulator.params import Params

MAX_KEY = 255
SAVED: Final = 5_000
"""The latest keys that outlive the simulator's process, if it is to keep its account at all."""
UNSTORED = frozenset({400, 401, 403, 404, 409, 429})
"""Refusals that come before anything is executed are not kept."""


@dataclass(slots=True)
class _Kept:
    endpoint: str
    params: Params
    answer: Answer | None = None


class Keys:
    """Which key was used for what, and what was answered."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def once(self, key: str | None, endpoint: str, params: Params, execute: Callable[[], Answer]) -> Answer:
        """The answer of `execute`, or the kept one of the first time; 400 for a reused key, 409 in flight."""
        if key is None:
            return execute()
        if len(key) > MAX_KEY:
            raise errors.invalid(f"Idempotency keys can be up to {MAX_KEY} characters.")
        kept, first = self._claim(key, endpoint, params)
        if not first:
            return self._again(key, kept, endpoint, params)
        try:
            answer = execute()
        except BaseException:
            self._finish(key, kept, None)
            raise
        self._finish(key, kept, answer)
        return answer

    def _claim(self, key: str, endpoint: str, params: Params) -> tuple[_Kept, bool]:
        with self._lock:
            if key in self._kept:
                return self._kept[key], False
            kept = self._kept[key] = _Kept(endpoint, params)
            return kept, True

    def _again(self, key: str, kept: _Kept, endpoint: str, params: Params) -> Answer:
        with self._lock:
            if (kept.endpoint, kept.params) != (endpoint, params):
                raise errors.key_reused(key)
            if kept.answer is None:
                raise errors.key_in_use(key)
            return replace(kept.answer, headers={**kept.answer.headers, "Idempotent-Replayed": "true"})

    def _finish(self, key: str, kept: _Kept, answer: Answer | None) -> None:
        with self._lock:
            if answer is None or answer.status in UNSTORED:
                self._kept.pop(key, None)
            else:
                kept.answer = answer

    def saved(self) -> list[dict[str, Any]]:
        """The latest answered keys as JSON values, for `restore`."""
        with self._lock:
            latest = list(self._kept.items())[-SAVED:]
            return [
                {
                    "key": key,
                    "endpoint": kept.endpoint,
                    "params": kept.params,
                    "status": kept.answer.status,
                    "body": kept.answer.body.decode(),
                    "headers": dict(kept.answer.headers),
                }
                for key, kept in latest
                if kept.answer
            ]

    def restore(self, saved: list[dict[str, Any]]) -> None:
        """Know the keys that were `saved`."""
        with self._lock:
            for one in saved:
                given = Answer(one["status"], one["body"].encode(), one["headers"])
                self._kept[one["key"]] = _Kept(one["endpoint"], one["params"], given)

    def clear(self) -> None:
        """Forget every key, as Stripe does after a day."""
        with self._lock:
            self._kept.clear()
