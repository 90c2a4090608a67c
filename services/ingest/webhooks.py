"""The lean door: POST /webhooks/stripe, answered on the event loop without a web framework."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.ingest import body, strict_json
from services.ingest.decide import Decision, Policy, decide
from services.ingest.metrics import Metrics
from services.ingest.outcome import ANSWERS, Answer, Outcome, Turned
from services.ingest.publishing import Publisher
from services.ingest.rsgi import Exchange, Scope
from services.ingest.signature import Verifier
from shared import clock, logs
from shared.stripe_events import Surprising

_NOT_ALLOWED: Final = Answer(405, b"POST only\n")
_TEXT: Final = ("content-type", "text/plain")
_HEADERS: Final = {503: [_TEXT, ("retry-after", "1")]}

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """Takes the webhooks of one event loop."""

    verifier: Verifier
    policy: Policy
    publisher: Publisher
    metrics: Metrics
    room: body.Room

    async def answer(self, scope: Scope, exchange: Exchange) -> None:
        """Answer a request to `PATH`."""
        if scope.method != "POST":
            exchange.response_bytes(_NOT_ALLOWED.status, [_TEXT, ("allow", "POST")], _NOT_ALLOWED.body)
            return
        outcome = await self._outcome(scope, exchange)
        self.metrics.ended(outcome)
        answer = ANSWERS[outcome]
        exchange.response_bytes(answer.status, _HEADERS.get(answer.status, [_TEXT]), answer.body)

    async def _outcome(self, scope: Scope, exchange: Exchange) -> Outcome:
        try:
            return await self._accept(scope, exchange)
        except Turned as turned:
            log.info("webhook_turned_away", outcome=turned.outcome, detail=turned.detail)
            return turned.outcome
        except Surprising as surprising:
            log.error("webhook_surprising", field=str(surprising))  # noqa: TRY400 - a traceback quotes data
            return Outcome.SURPRISING
        except Exception as error:  # noqa: BLE001 - whatever it is, Stripe must try again
            log.error("webhook_failed", error=type(error).__name__)  # noqa: TRY400 - a traceback quotes data
            return Outcome.INTERNAL_ERROR

    async def _accept(self, scope: Scope, exchange: Exchange) -> Outcome:
        headers = scope.headers
        with self.room.share() as hold:
            raw = await body.read(headers, exchange, hold)
            self.verifier.check(headers.get("stripe-signature"), raw)
        event = strict_json.parse(raw)
        self.metrics.verified(event.get("type"))
        decision = decide(event, self.policy)
        if decision.messages:
            await self._publish(decision)
        if decision.outcome is Outcome.ACCEPTED:
            log.debug("webhook_accepted", event_id=decision.event)
        else:
            log.info("webhook_ended", outcome=decision.outcome, event_id=decision.event, note=decision.note)
        return decision.outcome

    async def _publish(self, decision: Decision) -> None:
        begun = clock.monotonic()
        await self.publisher.publish(decision.messages, decision.event)
        self.metrics.published(clock.monotonic() - begun)
