"""An HTTP client that holds every answer of the simulator against Stripe's specification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeAlias

import requests

from tests.support.openapi import StripeSchemas

Json: TypeAlias = dict[str, Any]
Form: TypeAlias = Mapping[str, str | Sequence[str]]

RETRY = "POST /v1/events/{}/retry"
"""Stripe's command line tool calls it; the specification leaves it out. It answers the event."""


@dataclass(frozen=True)
class Checked:
    """Calls the API at `url`; an answer or a request that Stripe would not know fails the test."""

    url: str
    schemas: StripeSchemas
    session: requests.Session = field(default_factory=requests.Session)
    seen: set[str] = field(default_factory=set[str])
    """What was called, as `GET /v1/products/{}`."""

    def get(self, path: str, **query: str | Sequence[str]) -> Json:
        """The answer to a GET."""
        return self.call("GET", path, query)

    def post(self, path: str, form: Form | None = None, **headers: str) -> Json:
        """The answer to a POST."""
        return self.call("POST", path, form or {}, headers=headers)

    def delete(self, path: str) -> Json:
        """The answer to a DELETE."""
        return self.call("DELETE", path, {})

    def call(
        self,
        method: str,
        path: str,
        form: Form,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """The checked answer, which must have this status."""
        response = self.session.request(
            method,
            self.url + path,
            params=form if method == "GET" else None,
            data=form if method == "POST" else None,
            headers={"Authorization": "Bearer sk_test_contract", **(headers or {})},
            timeout=10,
        )
        body: Json = response.json()
        assert response.status_code == status, f"{method} {path}: {response.status_code} {body}"
        problem = self._problem(method, path, response, form)
        assert problem is None, f"{method} {path}: {problem}"
        return body

    def control(self, path: str, body: Json | None = None) -> Json:
        """What the customers, people and faults of the simulator are asked for; no part of Stripe's API."""
        response = self.session.post(self.url + path, json=body or {}, timeout=10)
        response.raise_for_status()
        answer: Json = response.json()
        return answer

    def _problem(self, method: str, path: str, response: requests.Response, form: Form) -> str | None:
        if path.endswith("/retry"):
            self.seen.add(RETRY)
            return self.schemas.object_problem("event", response.json())
        template = self.schemas.template(method, path)
        if template is None:
            return None if not response.ok else "Stripe documents no such endpoint"
        if response.ok:
            self.seen.add(f"{method} {anonymous(template)}")
            if unknown := self.schemas.unknown_parameters(method, template, form):
                return f"Stripe takes no {unknown}"
        return self.schemas.answer_problem(method, template, response.status_code, response.json())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.close()


def anonymous(template: str) -> str:
    """A path template without its parameters' names: `/v1/products/{}`."""
    return "/".join("{}" if part.startswith("{") else part for part in template.split("/"))
