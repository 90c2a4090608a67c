"""Stripe's API call by call, for diagnosis: every answer as it came, refusals too, nothing sent twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, cast

import requests
import stripe

from shared.stripe_api.answers import StripeUnavailable

STRIPE: Final = "https://api.stripe.com"
TIMEOUT: Final = (3.0, 25.0)  # seconds to connect, to answer


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; header names are lower case, `body` is empty where it is no JSON object."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any] = field(repr=False)  # may quote people's data

    @property
    def done(self) -> bool:
        """Whether it was executed: 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the 2xx class

    @property
    def error(self) -> str:
        """Stripe's `type` or `type/code` of an error; '' where there is none."""
        found = cast("Mapping[str, Any]", self.body.get("error") or {})
        return "/".join(str(found[part]) for part in ("type", "code") if found.get(part))

    @property
    def date(self) -> datetime | None:
        """Stripe's clock, to the second; None where the header is missing or no date."""
        try:
            return parsedate_to_datetime(self.headers.get("date", ""))
        except ValueError:
            return None

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The objects of a list; empty for anything else."""
        data = self.body.get("data")
        return cast("list[dict[str, Any]]", data) if isinstance(data, list) else []


class PlainApi:
    """One account's API at `base`; a call answers whatever Stripe does, or raises StripeUnavailable. Thread-safe."""

    def __init__(self, key: str, base: str | None = None) -> None:
        self.base = base or STRIPE
        self._headers = {"Authorization": f"Bearer {key}", "Stripe-Version": stripe.api_version}

    def get(self, path: str, **params: str | int) -> Answer:
        """`GET /v1/{path}`."""
        return self._call("GET", path, {}, params=params)

    def post(self, path: str, body: Mapping[str, str], key: str = "") -> Answer:
        """`POST /v1/{path}` once with `body` (flat: `{"metadata[a]": "1"}`), under idempotency `key` if given."""
        return self._call("POST", path, {"Idempotency-Key": key} if key else {}, data=dict(body))

    def delete(self, path: str) -> Answer:
        """`DELETE /v1/{path}`."""
        return self._call("DELETE", path, {})

    def _call(self, method: str, path: str, headers: Mapping[str, str], **more: Any) -> Answer:  # noqa: ANN401 - requests'
        try:
            answer = requests.request(
                method,
                f"{self.base}/v1/{path}",
                headers={**self._headers, **headers},
                timeout=TIMEOUT,
                allow_redirects=False,
                **more,
            )
        except requests.RequestException as error:
            raise StripeUnavailable(f"Stripe can't be reached ({type(error).__name__})") from None
        return Answer(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, _object(answer))


def _object(answer: requests.Response) -> Mapping[str, Any]:
    try:
        body: object = answer.json()
    except ValueError:
        return {}
    return cast("Mapping[str, Any]", body) if isinstance(body, dict) else {}
