"""The lean door: POST /webhooks/stripe answered before Flask's routing, everything else passed on to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from services.ingest import body, strict_json
from services.ingest.decide import Decision, Policy, decide
from services.ingest.metrics import Metrics
from services.ingest.outcome import ANSWERS, Answer, Outcome, Turned
from services.ingest.publishing import Publisher
from services.ingest.signature import Verifier
from services.ingest.translate import Surprising
from shared import clock, logs

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PATH: Final = "/webhooks/stripe"
_NOT_ALLOWED: Final = Answer("405 Method Not Allowed", b"POST only\n")

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """A WSGI application around another one; takes the webhooks and needs nothing of a web framework."""

    inner: WSGIApplication
    verifier: Verifier
    policy: Policy
    publisher: Publisher
    metrics: Metrics

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a webhook, or let the inner application answer."""
        if environ["PATH_INFO"] != PATH:
            return self.inner(environ, start_response)
        if environ["REQUEST_METHOD"] != "POST":
            return _respond(start_response, _NOT_ALLOWED, ("Allow", "POST"))
        outcome = self._outcome(environ)
        self.metrics.ended(outcome)
        return _respond(start_response, ANSWERS[outcome])

    def _outcome(self, environ: WSGIEnvironment) -> Outcome:
        try:
            return self._accept(environ)
        except Turned as turned:
            log.info("webhook_turned_away", outcome=turned.outcome, detail=turned.detail)
            return turned.outcome
        except Surprising as surprising:
            log.error("webhook_surprising", field=str(surprising))  # noqa: TRY400 - a traceback quotes data
            return Outcome.SURPRISING
        except Exception as error:  # noqa: BLE001 - whatever it is, Stripe must try again
            log.error("webhook_failed", error=type(error).__name__)  # noqa: TRY400 - a traceback quotes data
            return Outcome.INTERNAL_ERROR

    def _accept(self, environ: WSGIEnvironment) -> Outcome:
        raw = body.read(environ)
        self.verifier.check(environ.get("HTTP_STRIPE_SIGNATURE"), raw)
        event = strict_json.parse(raw)
        self.metrics.verified(event.get("type"))
        decision = decide(event, self.policy)
        if decision.messages:
            self._publish(decision)
        if decision.outcome is Outcome.ACCEPTED:
            log.debug("webhook_accepted", event_id=decision.event)
        else:
            log.info("webhook_ended", outcome=decision.outcome, event_id=decision.event, note=decision.note)
        return decision.outcome

    def _publish(self, decision: Decision) -> None:
        begun = clock.monotonic()
        self.publisher.publish(decision.messages, decision.event)
        self.metrics.published(clock.monotonic() - begun)


def _respond(start_response: StartResponse, answer: Answer, *more: tuple[str, str]) -> list[bytes]:
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(answer.body))), *more]
    start_response(answer.status, headers)
    return [answer.body]
