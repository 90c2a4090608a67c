"""The JSON bodies that the control API takes."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Truth(_Body):
    """What one line of a cart really is."""

    product: str
    size: str = ""


class Payment(_Body):
    """How a session ends; `quantities` by line item id, `lines` (the truth) in the order of the cart."""

    outcome: Literal["paid", "unpaid", "async_succeed", "async_fail"] = "paid"
    quantities: dict[str, int] = Field(default_factory=dict[str, int])
    lines: list[Truth | None] | None = None


class Sale(_Body):
    """So many customers who each pay for one line: units of a product, by size where it has sizes."""

    product: str
    size: str = ""
    quantity: int = 1
    count: int = Field(default=1, ge=1, le=1000)


class Age(_Body):
    """How much earlier all that happened so far did happen."""

    seconds: int = Field(ge=0)


class Purchase(_Body):
    """What a customer fills in at a payment link; `quantities` in the order of the link's lines."""

    fields: dict[str, str] = Field(default_factory=dict[str, str])
    quantities: list[int] = Field(default_factory=list[int])
    lines: list[Truth | None] | None = None


DisputeStatus: TypeAlias = Literal[
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "needs_response",
    "under_review",
    "won",
    "lost",
    "prevented",
]


class Dispute(_Body):
    """What a bank does for a buyer who paid: a `session` or a payment intent; all that is left, or an `amount`."""

    session: str | None = None
    payment_intent: str | None = None
    amount: int | None = Field(default=None, ge=1)
    reason: str = "fraudulent"
    status: DisputeStatus = "needs_response"


class RefundMove(_Body):
    """What becomes of a refund at the buyer's bank."""

    status: Literal["pending", "succeeded", "failed", "canceled"]


class DisputeMove(_Body):
    """What becomes of a dispute."""

    status: DisputeStatus


class Declaration(_Body):
    """What the lines of a session really are, in order; null: nobody can say."""

    lines: list[Truth | None]


class Edit(_Body):
    """What a person does to a product in the Dashboard.

    `relative` adds units to metadata keys, `absolute` types values (empty unsets). With `form` (the metadata
    as the page had loaded it) or `whole_form` every key of the form is saved along, stale ones too.
    """

    relative: dict[str, int] = Field(default_factory=dict[str, int])
    absolute: dict[str, str] = Field(default_factory=dict[str, str])
    form: dict[str, str] | None = None
    whole_form: bool = False
    name: str | None = None
    active: bool | None = None


class Hold(_Body):
    """Whether webhooks wait."""

    held: bool


class Throttle(_Body):
    """Request limits per second; null is none."""

    per_endpoint: int | None = None
    overall: int | None = None


class Latency(_Body):
    """How long every API call sleeps."""

    ms: int = Field(ge=0, le=60_000)


class Roll(_Body):
    """Whether the old secret signs along."""

    keep_old: bool = True


class Reset(_Body):
    """What to forget besides objects, keys, logs and faults."""

    endpoints: bool = False
