"""Everything on the wire: a closed union of frozen, versioned messages that carry ids, not people's data."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.vocabulary import AccountKey, AlertKind, EventId, ProductId, RefundId, SessionId

StripeId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,255}$")]


class UndecodableMessage(ValueError):
    """The bytes are no message of this version; the text names fields, never their contents."""


class Wire(BaseModel):
    """What all messages share; `type` is also the routing key."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    v: Literal[1] = 1


class SessionPaid(Wire):
    """A Checkout Session may have been paid; the session itself decides. Consumed by the stock worker."""

    type: Literal["session.paid"] = "session.paid"
    account: AccountKey
    session: Annotated[SessionId, Field(pattern=r"^cs_[A-Za-z0-9_]{1,250}$")]
    event: EventId | None = None
    event_type: str = ""
    at: AwareDatetime
    origin: Literal["webhook", "recovery", "operator"] = "webhook"
    reason: str = Field(default="", max_length=200)  # why recovery had to tell of it


class ProductChanged(Wire):
    """A product was created, updated or deleted in Stripe, by anybody. Consumed by the stock worker."""

    type: Literal["product.changed"] = "product.changed"
    account: AccountKey
    product: Annotated[ProductId, Field(pattern=r"^[A-Za-z0-9_-]{1,255}$")]
    event: EventId
    change: Literal["created", "updated", "deleted"]
    at: AwareDatetime
    origin: Literal["webhook", "recovery"] = "webhook"
    idempotency_key: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    previous_metadata: dict[str, str | None] = Field(default_factory=dict)


class SyncRequested(Wire):
    """A product's metadata may differ from its ledger. Consumed by the stock worker."""

    type: Literal["product.sync"] = "product.sync"
    account: AccountKey
    product: ProductId


class ProductCheckRequested(Wire):
    """A verification asks what a sync would see of a product just now. Consumed by the stock worker."""

    type: Literal["product.check"] = "product.check"
    account: AccountKey
    product: Annotated[ProductId, Field(pattern=r"^[A-Za-z0-9_-]{1,255}$")]
    check: Annotated[str, Field(pattern=r"^[a-z0-9]{1,64}$")]
    look: Annotated[int, Field(ge=1, le=9)]


class CheckupRequested(Wire):
    """Somebody asks whether events get through; it goes the way of a sale. Consumed by the stock worker."""

    type: Literal["checkup.requested"] = "checkup.requested"
    account: AccountKey
    event: Annotated[EventId, Field(pattern=r"^evt_[A-Za-z0-9_]{1,250}$")]
    at: AwareDatetime


class RefundChanged(Wire):
    """Money went back, or was to: a refund, or a dispute by its id. Consumed by the stock worker."""

    type: Literal["refund.changed"] = "refund.changed"
    account: AccountKey
    refund: Annotated[RefundId, Field(pattern=r"^[a-z]{2,4}_[A-Za-z0-9_]{1,250}$")]
    event: EventId
    at: AwareDatetime


class AlertOpened(Wire):
    """An alert was committed and waits to be mailed. Consumed by the notifier."""

    type: Literal["alert.opened"] = "alert.opened"
    alert: int


class ReportMade(Wire):
    """A report was committed and waits to be mailed. Consumed by the notifier."""

    type: Literal["report.made"] = "report.made"
    report: int


class ProblemNoticed(Wire):
    """A process without a database saw something people must hear of. Consumed by the notifier."""

    type: Literal["problem.noticed"] = "problem.noticed"
    account: AccountKey
    kind: AlertKind
    subject: str = Field(max_length=200)


class JobDue(Wire):
    """A scheduled job is to run. Consumed by the reconciler."""

    type: Literal["job.due"] = "job.due"
    job: str
    planned_at: AwareDatetime


Message = (
    SessionPaid
    | ProductChanged
    | SyncRequested
    | ProductCheckRequested
    | CheckupRequested
    | RefundChanged
    | AlertOpened
    | ReportMade
    | ProblemNoticed
    | JobDue
)
MESSAGE_TYPES: tuple[type[Message], ...] = (
    SessionPaid,
    ProductChanged,
    SyncRequested,
    ProductCheckRequested,
    CheckupRequested,
    RefundChanged,
    AlertOpened,
    ReportMade,
    ProblemNoticed,
    JobDue,
)


class _Codec:
    adapter: ClassVar[TypeAdapter[Message]] = TypeAdapter(Annotated[Message, Field(discriminator="type")])


def encode(message: Message) -> bytes:
    """`message` as JSON bytes."""
    return message.model_dump_json().encode()


def decode(body: bytes) -> Message:
    """The message in `body`; raises UndecodableMessage."""
    try:
        return _Codec.adapter.validate_json(body)
    except ValidationError as error:
        where = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors()[:5])
        raise UndecodableMessage(where) from None
