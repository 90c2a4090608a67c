"""Messages into the broker, confirmed within the time a webhook may take; what went wrong, as an outcome."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future
from typing import Final, Protocol

from services.ingest.outcome import Outcome, Turned
from shared import clock, logs
from shared.broker.port import AsyncPublisher, Outgoing, PublishError, Refused, Unroutable
from shared.messages import Message, ProblemNoticed, encode
from shared.outcomes import Outage
from shared.vocabulary import AccountKey, AlertKind, EventId

CONFIRM_WITHIN: Final = 4.0  # seconds; the webhook is answered within 5
_ALARM_EVERY: Final = 60.0  # seconds

log = logs.get(__name__)


class PublishingBroker(Protocol):
    """The part of a `Broker` that the door needs."""

    def on_loop(self, loop: AbstractEventLoop, *, within: float) -> AsyncPublisher:
        """A publisher for callers on `loop`, who are answered `within` seconds."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class Publisher:
    """Publishes an event's messages; when the broker refuses them, people are told, once a minute."""

    def __init__(self, broker: AsyncPublisher, account: AccountKey) -> None:
        self._broker = broker
        self._account = account
        self._alarm_after = 0.0

    async def publish(self, messages: tuple[Message, ...], event: EventId | None) -> None:
        """Return once all `messages` are confirmed; raises Turned, and then the event has to come again."""
        try:
            await self._broker.publish(*(_outgoing(message, event) for message in messages))
        except (Unroutable, Refused) as error:
            unroutable = isinstance(error, Unroutable)
            routes = sorted({message.type for message in messages})
            name = "publish_unroutable" if unroutable else "publish_refused"
            log.error(name, routes=routes, event_id=event)  # noqa: TRY400 - known; a traceback tells nothing
            self._alarm(", ".join(routes))
            raise Turned(Outcome.PUBLISH_UNROUTABLE if unroutable else Outcome.PUBLISH_REFUSED) from None
        except PublishError:
            raise Turned(Outcome.PUBLISH_UNCONFIRMED) from None
        except Outage:
            raise Turned(Outcome.BROKER_DOWN) from None

    def _alarm(self, routes: str) -> None:
        """Tell the notifier, whose queue may still take messages; where it does not, the log has said it."""
        if clock.monotonic() < self._alarm_after:
            return
        self._alarm_after = clock.monotonic() + _ALARM_EVERY
        problem = ProblemNoticed(account=self._account, kind=AlertKind.BROKER_REFUSED, subject=routes)
        self._broker.publish(_outgoing(problem, None)).add_done_callback(_note)


def _note(alarm: Future[None]) -> None:
    error = alarm.exception()
    if error is not None:
        log.warning("alarm_not_published", error=type(error).__name__)


def _outgoing(message: Message, event: EventId | None) -> Outgoing:
    return Outgoing(message.type, encode(message), event or message.type, event or "")
