"""Pushes what can't wait, beside mail: each alert once, and no more often than the pace allows."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event

from services.notifier.audience import URGENT
from services.notifier.policy import Policy
from services.notifier.push import Pusher, brief
from shared import logs
from shared.database.pool import Database
from shared.outcomes import Outage
from shared.store import pushes

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Pushing:
    """One thread's work; an alert that a push could not carry goes with the next one, and its mail goes anyway."""

    database: Database
    pusher: Pusher
    policy: Policy

    def run(self, stop: Event) -> None:
        """Push until `stop` is set."""
        failures, wait = 0, self.policy.push_every
        while not stop.wait(wait):
            pushed = self._look()
            failures = failures + 1 if pushed is False else 0
            wait = self._pause(pushed, failures)

    def once(self) -> bool | None:
        """Push what waits; None where nothing does, False where it was not taken. Raises Outage."""
        alerts = self.database.run(lambda connection: pushes.take(connection, sorted(URGENT)))
        if not alerts:
            return None
        taken = self.pusher.push(brief(alerts, self.policy))
        if taken:
            log.info("alerts_pushed", alerts=len(alerts))
        else:
            self.database.run(lambda connection: pushes.give_back(connection, [one.id for one in alerts]))
            log.warning("push_postponed", alerts=len(alerts))
        return taken

    def _look(self) -> bool | None:
        try:
            return self.once()
        except Outage as outage:
            log.warning("pushing_postponed", reason=str(outage))
        except Exception as error:  # whatever it is, the next push must not be lost to it
            log.exception("pushing_broken", error=type(error).__name__)
        return False

    def _pause(self, pushed: bool | None, failures: int) -> float:
        if pushed is None:
            return self.policy.push_every
        if pushed:
            return self.policy.push_pause
        return self.policy.backoff[min(failures, len(self.policy.backoff)) - 1]
