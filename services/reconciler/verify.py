"""The job `verify`: compare all products with the ledger, look twice at what differs, keep what is wrong."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.reconciler import anomalies, listing, telling
from services.reconciler.anomalies import EXAMINED, HEALS, Verdict
from services.reconciler.candidates import Candidates
from services.reconciler.jobs import Figures, Tools
from services.reconciler.looking import Looking
from shared import clock, logs
from shared.database.pool import Connection
from shared.findings import Cause, NewFinding
from shared.store.findings import Finding, Findings, retell
from shared.store.jobs import JobRun
from shared.store.products import Products
from shared.store.verifications import Stuck, Verifications
from shared.vocabulary import JobName, ProductId

MOST_LOOKED_AT: Final = 1000
"""Products that one run looks at more closely: reads of Stripe are not free. The next run goes on."""
MOST_NEW: Final = 250
"""Of products that the ledger has never seen: nothing is wrong with one before its first sale, which adopts it too."""
STUCK_SECONDS: Final = 1800.0
"""So long may a write be pending or a product dirty before people hear of it."""

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is wrong at the end of the looks, and the products of which nothing was learned."""

    verdict: Verdict
    found: tuple[NewFinding, ...]
    undecided: frozenset[ProductId]


def verify(started: JobRun, tools: Tools) -> Figures:
    """Find what does not add up, have a sync mend what it can, tell of the rest; raises as `listing` does."""
    since = started.started_at or clock.now()
    passed = Candidates(tools, since)
    passes = listing.whole(tools, passed.begin, passed.take)
    passed.close()
    looking = Looking(tools, secrets.token_hex(8))
    seen = _look_closer(passed, looking, tools)
    new, over = _keep(seen, tools)
    healed = _heal(seen, looking, tools)
    looking.forget()
    return {
        "products": passed.products,
        "sizes": passed.sizes,
        "candidates": len(passed.suspects),
        "confirmed": len(seen.found),
        "in_transit": seen.verdict.in_transit,
        "undecided": len(seen.undecided),
        "new": new,
        "healed": healed,
        "over": over,
        "passes": passes,
        **_tell(tools),
    }


def _look_closer(passed: Candidates, looking: Looking, tools: Tools) -> _Seen:
    """Two looks at each candidate, some time apart; the second only where the first saw anything."""
    asked = passed.chosen(MOST_LOOKED_AT, MOST_NEW)
    began = clock.monotonic()
    first = looking.look(1, asked)
    answered_in = clock.monotonic() - began
    odd = [product for product in asked if anomalies.anomalies(first.get(product))]
    if odd:
        looking.rest(answered_in)
    verdict = anomalies.weigh(asked, first, looking.look(2, odd))
    stuck = [_stuck(one) for one in _waiting(tools)]
    undecided = verdict.undecided | (passed.suspects.keys() - set(asked))
    return _Seen(verdict, (*verdict.confirmed, *stuck, *passed.altered), undecided)


def _waiting(tools: Tools) -> list[Stuck]:
    return tools.database.run(lambda c: Verifications(c, tools.account).stuck(STUCK_SECONDS))


def _stuck(one: Stuck) -> NewFinding:
    what = "a write has had no clear answer" if one.pending else "it has waited for a sync"
    return NewFinding(
        Cause.WRITE_LOST, one.product, name=one.name, detail=f"{what} for {one.seconds / 60:,.0f} minutes"
    )


def _keep(seen: _Seen, tools: Tools) -> tuple[int, int]:
    """Open what is new, end what is no longer seen, ask for syncs; how many of the first two."""

    def keep(connection: Connection) -> tuple[int, int]:
        findings = Findings(connection, tools.account)
        over = _end(findings, _over(findings.unresolved(EXAMINED), seen))
        new = findings.see(seen.found)
        Products(connection, tools.account).mark_dirty(_to_sync(seen))
        return len(new), over

    new, over = tools.database.run(keep)
    for one in seen.found:
        log.warning("finding_seen", product=one.product, size=one.size, cause=one.cause)
    return new, over


def _over(unresolved: Sequence[Finding], seen: _Seen) -> list[Finding]:
    """What the run would have seen, and did not. Of a product whose ledger is altered nothing else was looked at."""
    again = {(one.about, one.cause) for one in seen.found}
    unlooked = {str(product) for product in seen.undecided | _spoiled(seen)}
    return [
        one
        for one in unresolved
        if (one.subject, one.cause) not in again
        and (one.product not in unlooked or one.cause == Cause.LEDGER_ALTERED)
    ]


def _spoiled(seen: _Seen) -> set[ProductId]:
    return {one.product for one in seen.found if one.cause is Cause.LEDGER_ALTERED}


def _to_sync(seen: _Seen) -> list[ProductId]:
    """All that is wrong with a product, but for its ledger: a sync would write the wrong number."""
    return sorted({one.product for one in seen.found} - _spoiled(seen))


def _end(findings: Findings, over: Sequence[Finding]) -> int:
    followed = findings.movements_since([one.id for one in over])
    how = {one.id: anomalies.ending(one.cause, followed.get(one.id, ())) for one in over}
    return len(findings.resolve(how, JobName.VERIFY))


def _heal(seen: _Seen, looking: Looking, tools: Tools) -> int:
    """Have synced what is wrong, and end what that has mended; how many findings."""
    wanted = _to_sync(seen)
    looking.sync(wanted)
    mendable = {one.product for one in seen.found if one.cause in HEALS}
    third = looking.look(3, [product for product in wanted if product in mendable])
    stuck = {str(one.product) for one in _waiting(tools)}
    still = {
        (one.about, one.cause)
        for product, look in third.items()
        for one in anomalies.findings(product, look, anomalies.anomalies(look))
    }
    settled = {str(product) for product, look in third.items() if anomalies.is_settled(look)} - stuck

    def end(connection: Connection) -> int:
        findings = Findings(connection, tools.account)
        mended = [
            one
            for one in findings.unresolved(HEALS)
            if one.product in settled and (one.subject, one.cause) not in still
        ]
        return _end(findings, mended)

    return tools.database.run(end)


def _tell(tools: Tools) -> Figures:
    """Make the one alert say what is open, told again only where something is news; the figures of it."""

    def tell(connection: Connection) -> tuple[list[int], dict[str, int]]:
        findings = Findings(connection, tools.account)
        raised = retell(connection, tools.account, news=findings.note_told(Cause))
        waiting = Verifications(connection, tools.account).stuck(0)
        oldest = max([findings.oldest_seconds(), *(one.seconds for one in waiting)])
        figures = {"open": sum(findings.counts().values()), "oldest_unexplained_seconds": round(oldest)}
        return raised, figures

    raised, figures = tools.database.run(tell)
    telling.hint(tools.broker, raised)
    return figures
