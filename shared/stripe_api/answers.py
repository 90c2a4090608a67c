"""What Stripe's answer to a write means: was it executed, and may the key be used again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.outcomes import Outage


class StripeUnavailable(Outage):
    """Stripe can't be reached, or asks for fewer requests."""


class StripeRefused(Outage):
    """Stripe refuses the key (401), or a permission for the calls to `endpoint` is missing (403)."""

    def __init__(self, told: str, endpoint: str = "") -> None:
        """`endpoint` is empty where the key itself is refused."""
        super().__init__(told)
        self.endpoint = endpoint


class StripeFailed(Exception):
    """Stripe answered one read with an error of its own (5xx), or in a way nobody documented."""


class LostCursor(StripeFailed):
    """The object that a list was to go on after is gone: the list has to be read from its beginning."""


WRITING: Final = "POST products/id"


class WriteResult(StrEnum):
    """The rows of the protocol's table of answers."""

    APPLIED = "applied"  # 2xx
    UNKNOWN = "unknown"  # timeout, reset, or a broken answer: it may have been executed, now or later
    IN_FLIGHT = "in_flight"  # 409: a request with this key is running
    NOT_NOW = "not_now"  # 429: not executed
    STORED_ERROR = "stored_error"  # 5xx: executed or not, and stored under the key
    INVALID = "invalid"  # 400: never executed
    KEY_MISMATCH = "key_mismatch"  # 400: the first request under this key did start
    REFUSED = "refused"  # 401, 403: not executed
    GONE = "gone"  # 404


@dataclass(frozen=True, slots=True)
class WriteAnswer:
    """One answer; `metadata` is the product's after an applied write, `detail` Stripe's code or our words."""

    result: WriteResult
    metadata: Mapping[str, str] | None = None
    detail: str = ""

    @property
    def lacks(self) -> str:
        """The calls that a refused key has no permission for; empty where the key itself is refused."""
        return "" if self.detail.startswith("401") else WRITING


def classify(status: int | None, error_type: str | None, code: str | None) -> WriteAnswer:
    """What an error answer means; `status` is None where no answer came. Pure."""
    detail = ":".join(part for part in (str(status or "no answer"), error_type, code) if part)
    if error_type == "idempotency_error" and status == 400:  # noqa: PLR2004 - HTTP's own numbers read best
        return WriteAnswer(WriteResult.KEY_MISMATCH, detail=detail)
    return WriteAnswer(_BY_STATUS.get(status or 0) or _by_class(status), detail=detail)


_BY_STATUS = {
    400: WriteResult.INVALID,
    401: WriteResult.REFUSED,
    403: WriteResult.REFUSED,
    404: WriteResult.GONE,
    409: WriteResult.IN_FLIGHT,
    429: WriteResult.NOT_NOW,
}


def _by_class(status: int | None) -> WriteResult:
    if status is None or status < 400:  # noqa: PLR2004 - an answer that could not be read
        return WriteResult.UNKNOWN
    return WriteResult.STORED_ERROR if status >= 500 else WriteResult.INVALID  # noqa: PLR2004 - 5xx
