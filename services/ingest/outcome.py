"""How a webhook can end: a closed vocabulary, each with its HTTP answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """What became of one POST; also the value of the metric's `outcome` label."""

    ACCEPTED = "accepted"
    IGNORED = "ignored"  # of no interest to stock, or not yet
    THIN_EVENT = "thin_event"  # a v2 event: it carries no object, and none of ours is one
    UNKNOWN_ACCOUNT = "unknown_account"
    SIG_MISSING = "sig_missing"
    SIG_INVALID = "sig_invalid"
    SIG_STALE = "sig_stale"
    NOT_JSON = "not_json"
    SURPRISING = "surprising"  # signed by Stripe, but not of the shape we know
    LIVEMODE_MISMATCH = "livemode_mismatch"
    BODY_INCOMPLETE = "body_incomplete"
    BODY_TOO_LARGE = "body_too_large"
    NO_ROOM = "no_room"  # too many large bodies at once
    PUBLISH_UNROUTABLE = "publish_unroutable"
    PUBLISH_REFUSED = "publish_refused"
    PUBLISH_UNCONFIRMED = "publish_unconfirmed"
    BROKER_DOWN = "broker_down"
    INTERNAL_ERROR = "internal_error"


class Turned(Exception):
    """The webhook is turned away; `detail` is for the log and names fields, never their contents."""

    def __init__(self, outcome: Outcome, detail: str = "") -> None:
        super().__init__(outcome.value)
        self.outcome = outcome
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and a tiny body; forgers learn nothing from it."""

    status: int
    body: bytes


_OK: Final = Answer(200, b"ok\n")
_UNSIGNED: Final = Answer(400, b"no valid signature\n")
_UNAVAILABLE: Final = Answer(503, b"try again later\n")

ANSWERS: Final[dict[Outcome, Answer]] = {
    Outcome.ACCEPTED: _OK,
    Outcome.IGNORED: _OK,
    Outcome.THIN_EVENT: _OK,
    Outcome.UNKNOWN_ACCOUNT: _OK,
    Outcome.SIG_MISSING: _UNSIGNED,
    Outcome.SIG_INVALID: _UNSIGNED,
    Outcome.SIG_STALE: _UNSIGNED,
    Outcome.NOT_JSON: Answer(400, b"not a JSON object\n"),
    Outcome.SURPRISING: Answer(400, b"unexpected schema\n"),
    Outcome.LIVEMODE_MISMATCH: Answer(400, b"wrong mode\n"),
    Outcome.BODY_INCOMPLETE: Answer(408, b"incomplete body\n"),
    Outcome.BODY_TOO_LARGE: Answer(413, b"too large\n"),
    Outcome.NO_ROOM: _UNAVAILABLE,
    Outcome.PUBLISH_UNROUTABLE: _UNAVAILABLE,
    Outcome.PUBLISH_REFUSED: _UNAVAILABLE,
    Outcome.PUBLISH_UNCONFIRMED: _UNAVAILABLE,
    Outcome.BROKER_DOWN: _UNAVAILABLE,
    Outcome.INTERNAL_ERROR: Answer(500, b"internal error\n"),
}
