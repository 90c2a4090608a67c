from __future__ import annotations

from collections.abc import Mapping
from threading import Event, Thread

import pytest

from services.reconciler.handlers import on_job
from services.reconciler.jobs import BEGUN_AGAIN, Figures, Job, JobFailed, Tools, run
from shared.database.pool import Database
from shared.messages import AlertOpened, JobDue, SyncRequested
from shared.outcomes import Done, Ignored, Outage, Reject, RetryLater
from shared.store.jobs import JobRun, Jobs
from shared.stripe_api.answers import StripeFailed, StripeRefused
from shared.vocabulary import ProductId
from tests.integration.reconciler.runs import AT, LATER, history, planned
from tests.integration.stock_worker.shop import ACCOUNT


def alerts(database: Database) -> list[tuple[str, str]]:
    """(kind, subject) of the open alerts."""
    with database.transaction() as connection:
        rows = connection.execute("select kind, subject from alert where resolved_at is null")
        return [(str(row[0]), str(row[1])) for row in rows]


def counting(calls: list[JobRun]) -> Mapping[str, Job]:
    """A job that only notes that it ran."""

    def count(started: JobRun, tools: Tools) -> Figures:
        del tools
        calls.append(started)
        return {"calls": len(calls)}

    return {"count": count}


def test_a_run_is_done_once_and_leaves_its_figures(database: Database, tools: Tools) -> None:
    """A job whose message comes twice runs once, and the history says what it did."""
    planned(database)
    calls: list[JobRun] = []
    due = JobDue(job="count", planned_at=AT)
    assert on_job(due, counting(calls), tools) == Done()
    assert isinstance(on_job(due, counting(calls), tools), Ignored)
    assert len(calls) == 1
    with database.transaction() as connection:
        (kept,) = Jobs(connection, ACCOUNT).history("count")
    assert (kept.state, kept.figures, kept.actor) == ("done", {"calls": 1}, "schedule")
    assert kept.started_at is not None
    assert kept.finished_at is not None


def test_what_nobody_planned_does_not_run(tools: Tools) -> None:
    """A message about a run that no row knows is ignored."""
    calls: list[JobRun] = []
    assert isinstance(run(counting(calls), "count", AT, tools), Ignored)
    assert calls == []


def test_what_is_no_job_is_rejected(tools: Tools) -> None:
    """A message of another kind that reached the queue of jobs is rejected with its kind."""
    stray = SyncRequested(account=ACCOUNT, product=ProductId("prod_1"))
    assert on_job(stray, {}, tools) == Reject("not a job: product.sync")


def test_fault_108_a_job_never_overlaps_itself(database: Database, tools: Tools) -> None:
    """A run that is due while the one before goes on is left out and says so; that one told of twice is not."""
    planned(database)
    planned(database, LATER)
    begun, go_on = Event(), Event()

    def slow(started: JobRun, tools: Tools) -> Figures:
        del started, tools
        begun.set()
        assert go_on.wait(30)
        return {}

    first = Thread(target=run, args=({"count": slow}, "count", AT, tools))
    first.start()
    assert begun.wait(30)
    assert isinstance(run({"count": slow}, "count", LATER, tools), Ignored)
    assert isinstance(run({"count": slow}, "count", AT, tools), Ignored)
    go_on.set()
    first.join(30)
    assert history(database) == [(LATER, "skipped", "the run before it was not over"), (AT, "done", "")]


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (JobFailed("the shop has no products"), "the shop has no products"),
        (KeyError("ada@example.com"), "an error nobody foresaw (KeyError)"),
    ],
)
def test_a_job_that_fails_says_why_and_people_are_told(
    trouble: Exception, why: str, database: Database, tools: Tools
) -> None:
    """A failed run is on record with its reason, opens one alert, and the next good run ends that."""

    def fail(started: JobRun, tools: Tools) -> Figures:
        del started, tools
        raise trouble

    planned(database)
    planned(database, LATER)
    outcome = run({"count": fail}, "count", AT, tools)
    assert isinstance(outcome, Done)
    assert [type(message) for message in outcome.then] == [AlertOpened]
    assert history(database)[1] == (AT, "failed", why)
    assert alerts(database) == [("job_failed", "count")]
    run(counting([]), "count", LATER, tools)
    assert alerts(database) == []


@pytest.mark.parametrize(
    "trouble", [StripeRefused("Stripe refused the API key (401)"), StripeFailed("Stripe answered 503")]
)
def test_a_run_that_stripe_keeps_from_its_work_begins_again_a_few_times(
    trouble: Exception, database: Database, tools: Tools
) -> None:
    """It counts as failed, and people are told, only once the retry ladder was climbed for a quarter of an hour."""

    def fail(started: JobRun, tools: Tools) -> Figures:
        del started, tools
        raise trouble

    planned(database)
    for _ in range(BEGUN_AGAIN):
        assert run({"count": fail}, "count", AT, tools) == RetryLater(str(trouble))
        assert history(database) == [(AT, "running", str(trouble))]
    assert alerts(database) == []
    assert isinstance(run({"count": fail}, "count", AT, tools), Done)
    assert history(database) == [(AT, "failed", str(trouble))]
    assert alerts(database) == [("job_failed", "count")]


def test_a_run_that_stripe_lets_work_the_second_time_is_done(database: Database, tools: Tools) -> None:
    """Trouble of a few seconds leaves no failure behind."""
    planned(database)
    answers = iter([StripeFailed("Stripe answered 503")])

    def work(started: JobRun, tools: Tools) -> Figures:
        del started, tools
        for trouble in answers:
            raise trouble
        return {"count": 1}

    assert isinstance(run({"count": work}, "count", AT, tools), RetryLater)
    assert isinstance(run({"count": work}, "count", AT, tools), Done)
    assert history(database) == [(AT, "done", "")]
    assert alerts(database) == []


def test_an_unknown_job_fails_by_name(database: Database, tools: Tools) -> None:
    """A job that this version does not have fails, instead of going round."""
    planned(database, job="tidy")
    run({}, "tidy", AT, tools)
    assert history(database) == [(AT, "failed", "nobody knows this job")]


def test_an_outage_leaves_the_run_to_be_done_again(database: Database, tools: Tools) -> None:
    """What can't be done now is no failure: the same run begins again when its message comes again."""
    planned(database)

    def away(started: JobRun, tools: Tools) -> Figures:
        del started, tools
        raise Outage("Stripe is away")

    with pytest.raises(Outage):
        run({"count": away}, "count", AT, tools)
    assert history(database) == [(AT, "running", "")]
    calls: list[JobRun] = []
    assert run(counting(calls), "count", AT, tools) == Done()
    assert history(database) == [(AT, "done", "")]
