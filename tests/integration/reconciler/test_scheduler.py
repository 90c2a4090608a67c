from __future__ import annotations

from datetime import timedelta
from threading import Event, Thread
from zoneinfo import ZoneInfo

from services.reconciler.schedule import Schedule
from services.reconciler.scheduler import Scheduler
from services.reconciler.telling import hint
from shared import clock
from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Outgoing, Unconfirmed
from shared.database.pool import Database
from shared.store.jobs import Jobs, Planned
from shared.topology import ALERTS, JOBS, PIPELINE
from tests.integration.reconciler.runs import AT, LATER, history, planned
from tests.integration.stock_worker.shop import ACCOUNT


def scheduler(database: Database, broker: EmbeddedBroker) -> Scheduler:
    """One that knows a job of every quarter hour and a weekly one."""
    zone = ZoneInfo("Europe/Berlin")
    schedules = {"count": Schedule("*/15 * * * *", zone), "weekly": Schedule("0 6 * * 1", zone)}
    return Scheduler(database, broker, ACCOUNT, schedules, ("count",))


def test_fault_107_two_schedulers_plan_a_run_once(database: Database, queue: EmbeddedBroker) -> None:
    """Both look at the same time, and one message is published."""
    now = AT + timedelta(seconds=3)
    both = [scheduler(database, queue), scheduler(database, queue)]
    threads = [Thread(target=one.once, args=(now,)) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert history(database) == [(AT, "planned", "")]
    assert queue.depth(JOBS).ready == 1


def test_a_start_runs_what_runs_at_every_start(database: Database, queue: EmbeddedBroker) -> None:
    """At start-up the job is planned for now, and its next time is announced."""
    one = scheduler(database, queue)
    assert one.begin(AT + timedelta(minutes=5)) == 1
    assert history(database) == [(AT + timedelta(minutes=5), "planned", "")]
    assert one.once(AT + timedelta(minutes=6)) == 0
    with database.transaction() as connection:
        found = Jobs(connection, ACCOUNT).schedules()
    assert found[0] == Planned("count", "*/15 * * * *", "Europe/Berlin", LATER)
    assert [planned.job for planned in found] == ["count", "weekly"]


class Away(EmbeddedBroker):
    """A queue that takes nothing at first."""

    refusals = 3

    def publish(self, *messages: Outgoing, timeout: float = 5.0) -> None:
        """Publish, once it is there."""
        if self.refusals:
            self.refusals -= 1
            raise Unconfirmed("nobody answers")
        super().publish(*messages, timeout=timeout)


def test_a_start_while_the_queue_is_away_plans_one_run(database: Database, database_url: str) -> None:
    """However often the scheduler tries, what runs at every start is planned once."""
    broker = Away(database_url, PIPELINE)
    schedules = {"count": Schedule("0 0 1 1 *", ZoneInfo("UTC"))}
    one = Scheduler(database, broker, ACCOUNT, schedules, ("count",), seconds=1.1)
    stop = Event()
    looking = Thread(target=one.run, args=(stop,))
    looking.start()
    until = clock.monotonic() + 30
    while broker.refusals and clock.monotonic() < until:
        with database.transaction() as connection:
            connection.execute("update job_run set hinted_at = now() - interval '2 minutes'")
        stop.wait(0.1)
    stop.set()
    looking.join(30)
    broker.close()
    assert broker.refusals == 0
    assert [(state, error) for _, state, error in history(database)] == [("planned", "")]


def test_an_alert_whose_hint_is_lost_is_no_trouble(database_url: str) -> None:
    """The alert is on record, and the notifier looks there by itself: what raised it goes on."""
    broker = Away(database_url, PIPELINE)
    broker.declare()
    for _ in range(4):
        hint(broker, [1, 2])
    hint(broker, [])
    assert (broker.refusals, broker.depth(ALERTS).ready) == (0, 2)
    broker.close()


def test_a_clock_that_was_a_year_ahead_keeps_no_job_waiting(
    database: Database, queue: EmbeddedBroker
) -> None:
    """A run that was planned for the far future does not count as the last one; what is due now is planned."""
    now = clock.now()
    planned(database, now + timedelta(days=365))
    scheduler(database, queue).once(now.replace(minute=0, second=1))
    assert (now.replace(minute=0, second=0, microsecond=0), "planned", "") in history(database)


def test_a_run_whose_message_was_lost_is_told_of_again(database: Database, queue: EmbeddedBroker) -> None:
    """A run that nobody began is published once more after a minute."""
    planned(database)
    one = scheduler(database, queue)
    assert one.once(AT + timedelta(minutes=1)) == 0
    with database.transaction() as connection:
        connection.execute("update job_run set hinted_at = now() - interval '2 minutes'")
    assert one.once(AT + timedelta(minutes=1)) == 1
    assert one.once(AT + timedelta(minutes=1)) == 0
    assert queue.depth(JOBS).ready == 1
