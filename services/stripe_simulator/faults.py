"""Fault rules: which request or webhook goes wrong, how, and how often."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable
from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.stripe_simulator import ids

ApiKind = Literal[
    "rate_limit",
    "lock_timeout",
    "error_before",
    "error_after",
    "timeout_before",
    "timeout_after",
    "late",
    "duplicate",
    "slow",
    "reset",
    "truncated",
    "status",
]
WebhookKind = Literal["webhook_drop", "webhook_double", "webhook_delay", "event_lost", "event_hidden"]
API_KINDS: Final[tuple[str, ...]] = get_args(ApiKind)
WEBHOOK_KINDS: Final[tuple[str, ...]] = get_args(WebhookKind)


def _pattern(text: str) -> str:
    re.compile(text)
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]


class Rule(BaseModel):
    """One rule; patterns are regular expressions that must match somewhere, `count` None is for ever.

    `seconds` is how long a timeout hangs, a late request lingers, a webhook or event is held back.
    """

    model_config = ConfigDict(extra="forbid")

    id: str = Field(default_factory=lambda: ids.new("fault"))
    kind: ApiKind | WebhookKind
    method: Pattern | None = None
    path: Pattern | None = None
    key: Pattern | None = None
    type: Pattern | None = None
    count: Annotated[int, Field(ge=0)] | None = 1
    skip: Annotated[int, Field(ge=0)] = 0
    copies: Annotated[int, Field(ge=2, le=10)] = 2  # of a doubled webhook
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    seconds: Annotated[float, Field(ge=0, le=3600)] = 1.0
    status: Annotated[int, Field(ge=400, le=599)] = 500
    code: str | None = None
    message: str = "A fault was asked for."
    stored: bool = True
    headers: dict[str, str] = Field(default_factory=dict)
    new_id: bool = False
    hits: int = 0

    def wants_request(self, method: str, path: str, key: str | None) -> bool:
        """Whether the rule is about this API request."""
        return (
            self.kind in API_KINDS
            and _found(self.method, method)
            and _found(self.path, path)
            and _found(self.key, key or "")
        )

    def wants_event(self, kind: str) -> bool:
        """Whether the rule is about events of this type."""
        return self.kind in WEBHOOK_KINDS and _found(self.type, kind)


def _found(pattern: str | None, text: str) -> bool:
    return pattern is None or re.search(pattern, text) is not None


class Faults:
    """The rules in force, first match first; each use counts one off."""

    def __init__(self, seed: int = 1) -> None:
        self._rules: list[Rule] = []
        self._random = random.Random(seed)  # noqa: S311 - chance for tests, repeatable by its seed
        self._lock = threading.Lock()

    def add(self, rule: Rule) -> None:
        """Put a rule in force, behind those that are."""
        with self._lock:
            self._rules.append(rule)

    def clear(self) -> None:
        """Drop every rule and start the chance over."""
        with self._lock:
            self._rules.clear()
            self._random.seed(1)

    def all(self) -> list[Rule]:
        """Every rule, used up or not."""
        with self._lock:
            return list(self._rules)

    def for_request(self, method: str, path: str, key: str | None) -> Rule | None:
        """The rule that spoils this API request, if any."""
        return self._take(lambda rule: rule.wants_request(method, path, key))

    def for_event(self, kind: str, among: tuple[str, ...]) -> Rule | None:
        """The rule of one of the kinds `among` that spoils this event, if any."""
        return self._take(lambda rule: rule.kind in among and rule.wants_event(kind))

    def _take(self, wants: Callable[[Rule], bool]) -> Rule | None:
        with self._lock:
            for rule in self._rules:
                if rule.count != 0 and wants(rule) and self._fires(rule):
                    return rule
        return None

    def _fires(self, rule: Rule) -> bool:
        if rule.skip:
            rule.skip -= 1
            return False
        if rule.probability < 1 and self._random.random() >= rule.probability:
            return False
        rule.hits += 1
        if rule.count is not None:
            rule.count -= 1
        return True
