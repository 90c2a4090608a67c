"""What becomes of a pending write: landed, sent again, fenced off, or given up."""

from __future__ import annotations

from enum import StrEnum

from services.stock_worker.protocol.facts import Observation
from shared.stripe_api.answers import WriteResult
from shared.writes import Write, WriteState


class Step(StrEnum):
    """The next thing to do about a pending write."""

    LANDED = "landed"  # its marker stands in Stripe
    RESEND = "resend"  # nothing changed since: the identical request is safe
    FENCE = "fence"  # somebody edited: spend its key on a harmless request, so that it can't execute any more
    GIVE_UP = "give_up"  # Stripe may have forgotten the key: never send it again


def step(write: Write, seen: Observation) -> Step:
    """What to do about the pending `write`, given what Stripe shows now."""
    if seen.marker == write.marker:
        return Step.LANDED
    if write.expired:
        return Step.GIVE_UP
    if seen.marker == write.base_marker and dict(seen.sheet.units) == dict(write.base_values):
        return Step.RESEND
    return Step.FENCE


_AFTER_SENDING = {
    WriteResult.APPLIED: WriteState.APPLIED,
    WriteResult.STORED_ERROR: WriteState.SETTLED,
    WriteResult.KEY_MISMATCH: WriteState.SETTLED,
    WriteResult.INVALID: WriteState.REJECTED,
    WriteResult.GONE: WriteState.SETTLED,
}

_AFTER_FENCING = {
    WriteResult.APPLIED: WriteState.CANCELLED,
    WriteResult.KEY_MISMATCH: WriteState.SETTLED,
    WriteResult.STORED_ERROR: WriteState.SETTLED,
    WriteResult.GONE: WriteState.SETTLED,
}


def after_sending(result: WriteResult) -> WriteState:
    """The write's state after its own request was answered; PENDING where it may yet execute."""
    return _AFTER_SENDING.get(result, WriteState.PENDING)


def after_fencing(result: WriteResult) -> WriteState:
    """The write's state after a fence was answered; PENDING where the fence itself is not known to stand."""
    return _AFTER_FENCING.get(result, WriteState.PENDING)
