"""Whether a made-up event may be sent, and what ingest's answer to it means."""

from __future__ import annotations

from services.backoffice.operations.doctor.finding import Opinion, failed, skipped


def delivery(status: int, ingest: str) -> Opinion | None:
    """What is wrong where ingest answered the check-up with `status`; None for nothing."""
    match status:
        case 200:
            return None
        case 400:
            return failed(
                f"ingest at {ingest} refused an event signed with STRIPE_WEBHOOK_SECRET: it runs with "
                "another secret, another mode or a wrong clock"
            )
        case 503:
            return failed(f"ingest at {ingest} could not hand the event to the queue (503): see its log")
        case _:
            return failed(f"what answers at {ingest} is not ingest (HTTP {status}): correct INGEST_BIND")


def not_sent(*, live: bool, secret: bool) -> Opinion | None:
    """Why no check-up may be sent; None where it may."""
    if live:
        return skipped("no made-up event is sent in live mode")
    return None if secret else skipped("STRIPE_WEBHOOK_SECRET is unset, so no event can be signed")
