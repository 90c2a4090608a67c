"""Stripe's errors, as one exception that knows its HTTP status and its body."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

INVALID = "invalid_request_error"
DOCUMENTATION = "https://stripe.com/docs/error-codes/"


@dataclass(slots=True)
class ApiError(Exception):
    """A refusal in Stripe's form."""

    status: int
    message: str
    kind: str = INVALID
    code: str | None = None
    param: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def body(self) -> dict[str, Any]:
        """The JSON body, `{"error": {…}}`."""
        error: dict[str, Any] = {"message": self.message, "type": self.kind}
        if self.code:
            error |= {"code": self.code, "doc_url": DOCUMENTATION + self.code.replace("_", "-")}
        if self.param:
            error["param"] = self.param
        return {"error": error}


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """400: the parameters make no sense."""
    return ApiError(400, message, code=code, param=param)


def missing_parameter(param: str) -> ApiError:
    """400: a parameter that must be there is not."""
    return invalid(f"Missing required param: {param}.", param, "parameter_missing")


def no_such(noun: str, identity: str, param: str = "id", status: int = 404) -> ApiError:
    """404 (400 where the id was a parameter): an id that names nothing."""
    return ApiError(status, f"No such {noun}: '{identity}'", code="resource_missing", param=param)


def unknown_url(method: str, path: str) -> ApiError:
    """404: a path that is none of Stripe's."""
    return ApiError(404, f"Unrecognized request URL ({method}: {path}).")


def unauthorized(key: str | None) -> ApiError:
    """401: no API key, or one that is not let in."""
    if key is None:
        return ApiError(401, "You did not provide an API key.")
    return ApiError(401, f"Invalid API Key provided: {key[:8]}***{key[-4:]}")


def key_reused(key: str) -> ApiError:
    """400: an idempotency key came back with other parameters."""
    return ApiError(
        400,
        "Keys for idempotent requests can only be used with the same parameters they were first used with."
        f" Try using a key other than '{key}' if you meant to execute a different request.",
        kind="idempotency_error",
    )


def key_in_use(key: str) -> ApiError:
    """409: the first request under this idempotency key is still running."""
    return ApiError(
        409,
        f"There is currently another in-progress request using this Idempotent Key: {key}.",
        kind="idempotency_error",
        code="idempotency_key_in_use",
        headers={"Stripe-Should-Retry": "true"},
    )


def rate_limited(reason: str | None) -> ApiError:
    """429: too many requests; `reason` is `global-rate`, `endpoint-rate` … or None for no header."""
    headers = {"Stripe-Should-Retry": "false"} | ({"Stripe-Rate-Limited-Reason": reason} if reason else {})
    return ApiError(429, "Request rate limit exceeded.", code="rate_limit", headers=headers)


def lock_timeout() -> ApiError:
    """429 without a rate limit reason: another request holds the object."""
    return ApiError(
        429,
        "This object cannot be accessed right now because another API request or Stripe process is"
        " currently accessing it.",
        code="lock_timeout",
        headers={"Stripe-Should-Retry": "true"},
    )


def broken() -> ApiError:
    """500: Stripe's own fault."""
    return ApiError(500, "An error occurred while processing this request.", kind="api_error")
