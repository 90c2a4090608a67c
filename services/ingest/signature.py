"""Whether Stripe signed these bytes, just now, with a secret of ours."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.ingest.outcome import Outcome, Turned
from shared import clock

LONGEST_HEADER: Final = 4096  # characters; Stripe sends about 100 for each secret
_TIME: Final = re.compile(r"0|[1-9][0-9]{0,11}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Verifier:
    """Checks `Stripe-Signature` on the raw bytes: `stripe.WebhookSignature.verify_header`, but stricter.

    Any of the `secrets` may have signed, so that one can be rolled. A time is refused `tolerance` seconds
    away in either direction (the SDK lets future ones pass), and where it is not written canonically
    (the SDK takes whatever `int()` takes).
    """

    secrets: Sequence[bytes]
    tolerance: int

    def check(self, header: str | None, body: bytes) -> None:
        """Return if `header` proves `body`; raises Turned with a `sig_…` outcome."""
        if not header:
            raise Turned(Outcome.SIG_MISSING)
        time, signatures = _parse(header)
        if not self._signed(b"%d.%b" % (time, body), signatures):
            raise Turned(Outcome.SIG_INVALID)
        if abs(clock.epoch() - time) > self.tolerance:
            raise Turned(Outcome.SIG_STALE)

    def _signed(self, payload: bytes, signatures: Sequence[str]) -> bool:
        expected = [hmac.digest(secret, payload, "sha256").hex() for secret in self.secrets]
        return any(hmac.compare_digest(good, given) for good in expected for given in signatures)


def _parse(header: str) -> tuple[int, list[str]]:
    """The time and the `v1` signatures in `t=…,v1=…[,v1=…]`; raises Turned."""
    if len(header) > LONGEST_HEADER or not header.isascii():
        raise Turned(Outcome.SIG_INVALID)
    pairs = [item.partition("=") for item in header.split(",")]
    time = next((value for name, _, value in pairs if name == "t"), "")
    signatures = [value for name, _, value in pairs if name == "v1"]
    if not signatures or not _TIME.fullmatch(time):
        raise Turned(Outcome.SIG_INVALID)
    return int(time), signatures
