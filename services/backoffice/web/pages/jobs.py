"""What runs by the clock: when, what became of it, and running one now."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, abort, render_template, request, url_for
from werkzeug.wrappers import Response

from services.backoffice.operations import jobs as operations
from services.backoffice.web import answers, marks, times
from services.backoffice.web.office import office, visit
from shared.store.jobs import JobRun
from shared.vocabulary import JobName

pages = Blueprint("jobs", __name__)
RUNS: Final = 50
"""Runs of one page."""
WORDS: Final = {
    JobName.RECOVER: "finds sales that no webhook told of",
    JobName.SNAPSHOT: "notes what Stripe shows of every product",
    JobName.VERIFY: "looks whether Stripe and the ledger say the same",
    JobName.REPORT: "mails the figures of the week",
    JobName.CANARY: "spoils a product on purpose, to see that it is noticed",
}
STATES: Final = {
    "done": ("done", "good"),
    "failed": ("failed", "bad"),
    "skipped": ("left out", "warn"),
    "running": ("runs", "odd"),
    "planned": ("about to begin", "odd"),
}


@pages.app_template_filter("ended")
def ended(run: JobRun) -> tuple[str, str]:
    """How a run stands, and its colour."""
    return STATES.get(run.state, (run.state, "odd"))


@pages.app_template_filter("times")
def spoken(expression: str) -> str:
    """When a job runs, in words."""
    return times.spoken(expression)


@pages.get("/jobs")
def listing() -> str:
    """All of them; alone, for a page that is open."""
    part = "jobs_list.html" if answers.is_part() else "jobs.html"
    return render_template(part, **_found())


@pages.get("/jobs/<job>")
def one(job: str) -> str:
    """The runs of one."""
    named, desk = _named(job), office()
    before = request.args.get("before")
    found = operations.history(
        desk.ledger.database,
        desk.ledger.account,
        named,
        RUNS + 1,
        before=marks.moment(before) if before else None,
    )
    older = found[RUNS - 1].planned_at.isoformat() if len(found) > RUNS else None
    return render_template(
        "job.html", job=named.value, what=WORDS[named], runs=found[:RUNS], older=older, first=not before
    )


@pages.post("/jobs/<job>/run")
def run(job: str) -> Response:
    """Have one run now."""
    named, desk = _named(job), office()
    asked = operations.run_now(
        desk.ledger.database, desk.broker, desk.ledger.account, named.value, actor=visit().person
    )
    later = "" if asked.hinted else " The queue does not answer; it begins within a minute or so."
    return answers.done(f"{named.value} is to run now.{later}", url_for("jobs.listing"))


def _named(job: str) -> JobName:
    if job not in set(JobName):
        abort(404, "there is no such job")
    return JobName(job)


def _found() -> dict[str, object]:
    desk = office()
    known = {one.job: one for one in operations.known(desk.ledger.database, desk.ledger.account)}
    listed = [(name.value, WORDS[name], known[name.value]) for name in JobName]
    live = any(one.latest and one.latest.finished_at is None for one in known.values())
    reconciled = any(one.planned or one.latest for one in known.values())
    return {"jobs": listed, "live": live, "reconciled": reconciled}
