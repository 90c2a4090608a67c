"""Sees to it that people hear of dead letters: one alert for each queue that has some."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event
from typing import Final

from services.reconciler import telling
from services.reconciler.letters import dead_letter_facts, heard_of, tells_again
from shared import logs
from shared.alerts import AlertKey, Facts, NewAlert
from shared.broker.port import Broker
from shared.database.pool import Connection, Database
from shared.outcomes import Outage
from shared.store.alerts import Alerts
from shared.topology import PIPELINE, Topology
from shared.vocabulary import AccountKey, AlertKind

READ: Final = 200
"""Dead letters looked into; where there are more, the newest reason is that of the newest among the oldest."""

log = logs.get(__name__)


@dataclass(slots=True)
class ParkedLetters:
    """Looks every `seconds` into the queues; whoever parks a message, and however it ended, it is found."""

    database: Database
    broker: Broker
    account: AccountKey
    seconds: float = 60.0
    topology: Topology = PIPELINE
    _empty: set[str] = field(
        default_factory=set[str]
    )  # queues whose alert is open though the last look found none

    def run(self, stop: Event) -> None:
        """Look until `stop` is set; an outage costs a look, nothing else."""
        while not stop.wait(self.seconds):
            try:
                self.once()
            except Outage as outage:
                log.warning("dead_letters_unknown", reason=str(outage))

    def once(self) -> list[int]:
        """Raise, renew and end the alerts; ids of those that people must now be told of. Raises Outage."""
        opened = self.database.run(lambda c: Alerts(c, self.account).facts_of(AlertKind.DEAD_LETTER))
        news = [self._look(queue.name, opened.get(queue.name)) for queue in self.topology.queues]
        told = [number for number in news if number is not None]
        telling.hint(self.broker, told)
        return told

    def _look(self, queue: str, opened: Facts | None) -> int | None:
        dead = self.broker.depth(queue).dead
        if not dead:
            self._none(queue, opened)
            return None
        self._empty.discard(queue)
        if (
            opened is not None
            and opened.get("count") == dead
            and opened.get("heard") == heard_of(opened, dead)
        ):
            return None
        letters = self.broker.dead_letters(queue, READ)
        again = opened is None or tells_again(opened, dead)
        facts = dead_letter_facts(queue, dead, letters, None if again else opened)
        return self._raise(NewAlert(self.account, AlertKind.DEAD_LETTER, queue, facts), again=again)

    def _none(self, queue: str, opened: Facts | None) -> None:
        """End the alert at the second look that finds nothing.

        Whoever reads RabbitMQ's dead letters holds them for a moment.
        """
        if opened is None:
            return
        if queue not in self._empty:
            self._empty.add(queue)
            return
        self._empty.discard(queue)
        over = AlertKey(AlertKind.DEAD_LETTER, queue)
        self.database.run(lambda connection: Alerts(connection, self.account).resolve([over]))
        log.info("dead_letters_gone", queue=queue)

    def _raise(self, alert: NewAlert, *, again: bool) -> int | None:
        def renew(connection: Connection) -> list[int]:
            return Alerts(connection, self.account).renew(alert, again=again)

        numbers = self.database.run(renew)
        log.warning("dead_letters_found", queue=alert.subject, count=alert.facts["count"])
        return next(iter(numbers), None)
