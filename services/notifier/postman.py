"""The postman: mails what waits as soon as it is due, and looks by himself for what a lost hint left behind."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Event, Thread
from typing import Final

from services.notifier.mailing import Desk, mail_what_waits
from services.notifier.problems import end_past
from services.notifier.refused import bring_back
from services.notifier.report_mailing import mail_reports
from shared import logs
from shared.outcomes import Outage

ROUNDS: Final[tuple[Callable[[Desk], float], ...]] = (end_past, mail_what_waits, mail_reports)
"""Each does what is due, sends one mail at most, and says in how many seconds it is worth looking again."""

log = logs.get(__name__)


class Postman:
    """One thread's work: `run` mails until it is told to stop, `wake` says that something new waits."""

    def __init__(self, desk: Desk) -> None:
        """Mail from `desk`."""
        self._desk = desk
        self._news = Condition()
        self._woken = False
        self._begun = False

    def wake(self) -> None:
        """Look again now; from any thread."""
        with self._news:
            self._woken = True
            self._news.notify()

    def run(self, stop: Event) -> None:
        """Mail until `stop` is set; a mail that is being sent is finished."""
        Thread(target=self._wake_at, args=(stop,), name="postman-stop", daemon=True).start()
        while not stop.is_set():
            seconds = self._look()
            with self._news:
                self._news.wait_for(lambda: self._woken, seconds)
                self._woken = False

    def _look(self) -> float:
        if not self._begun:
            self._round(self._begin)
        return min(self._round(mail) for mail in ROUNDS)

    def _begin(self, desk: Desk) -> float:
        bring_back(desk)
        self._begun = True
        return 0

    def _round(self, mail: Callable[[Desk], float]) -> float:
        try:
            return mail(self._desk)
        except Outage as outage:
            log.warning("mailing_postponed", reason=str(outage))
        except Exception as error:  # whatever it is, the next mail must not be lost to it
            log.exception("mailing_broken", error=type(error).__name__)
        return self._desk.policy.backoff[0]

    def _wake_at(self, stop: Event) -> None:
        stop.wait()
        self.wake()
