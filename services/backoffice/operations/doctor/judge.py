"""What to make of what was seen: facts in, an opinion out; no I/O."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.backoffice.operations.doctor.finding import Opinion, failed, ok, warning
from shared import marker
from shared.vocabulary import ProductId

SKEW_WARNING: Final = 60.0  # seconds
SKEW_FAILED: Final = 240.0  # seconds; a webhook's signature is refused at 300
OLDEST_POSTGRES: Final = 150_000
LONG_QUEUE: Final = 1000
NAMED: Final = 3
"""How many products, queues and settings a sentence names before it says how many more there are."""
REFUSED_KEY: Final = 401
LACKING_PERMISSION: Final = 403
IN_HOURS_FROM: Final = 7200  # seconds


@dataclass(frozen=True, slots=True)
class Key:
    """What can be told of the API key and its surroundings without showing it."""

    live: bool = False
    restricted: bool = True
    base: str | None = None
    """STRIPE_API_BASE; None for Stripe itself."""
    secret: bool = True
    """Whether STRIPE_WEBHOOK_SECRET is set here."""
    simulators_secret: bool = False
    """Whether STRIPE_WEBHOOK_SECRET is the one that was made up for the simulator."""


def settings(complaints: Sequence[str], key: Key | None) -> Opinion:
    """`complaints` are what services say of their settings; `key` None: the simulator is used."""
    if complaints:
        return failed(f"correct {_some(complaints, '; ')}")
    if key is None:
        return ok("every service accepts its settings; STRIPE_API_KEY is unset, so the simulator is used")
    if key.live and (contradiction := _contradiction(key)):
        return failed(f"STRIPE_API_KEY is a live key, but {contradiction}")
    if not key.secret:
        return warning(
            "STRIPE_WEBHOOK_SECRET is unset here: fine on a machine without ingest, which can't start so"
        )
    if key.live and not key.restricted:
        return warning(
            "STRIPE_API_KEY is a secret key that may do anything: make a restricted one "
            "(Developers → API keys → Create restricted key)"
        )
    return ok(f"every service accepts its settings; a {'live' if key.live else 'test'} key is used")


def _contradiction(live: Key) -> str | None:
    """What does not belong beside a live key; None for nothing."""
    if live.base is not None:
        return "STRIPE_API_BASE sends it elsewhere: unset one of them"
    if live.simulators_secret:
        return (
            "STRIPE_WEBHOOK_SECRET is the simulator's: take the signing secret from the endpoint's page in "
            "Stripe (Developers → Webhooks)"
        )
    return None


def clocks(ours: datetime, theirs: datetime | None) -> Opinion:
    """Our time and Stripe's `Date` header of the same moment."""
    if theirs is None:
        return warning("the answer had no Date header to compare this machine's clock with")
    ahead = (ours - theirs).total_seconds()
    if abs(ahead) <= SKEW_WARNING:
        return ok(f"within {max(1, round(abs(ahead)))} s of Stripe's")
    text = (
        f"this machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Stripe's; from 300 s "
        "on every webhook is refused: let NTP set it"
    )
    return failed(text) if abs(ahead) > SKEW_FAILED else warning(text)


def server(version: int) -> Opinion:
    """PostgreSQL's version, 150004 for 15.4."""
    major, minor = divmod(version, 10_000)
    if version < OLDEST_POSTGRES:
        return failed(f"DATABASE_URL leads to PostgreSQL {major}; it takes 15 or newer")
    return ok(f"PostgreSQL {major}.{minor} answers and keeps its sessions")


def schema(pending: Sequence[str]) -> Opinion:
    """The migrations that were not applied."""
    if pending:
        return failed(f"the database lacks {_some(pending)}: run `stocksync migrate`")
    return ok("the tables are those of this version")


def queues(ready: Mapping[str, int], dead: Mapping[str, int]) -> Opinion:
    """How many messages wait in each queue, and how many were parked."""
    parked = [f"{count} in {queue}" for queue, count in dead.items() if count]
    if parked:
        return warning(
            f"messages that could not be handled are parked: {_some(parked)}; `stocksync dead-letters list` says why"
        )
    if long := [f"{count} in {queue}" for queue, count in ready.items() if count > LONG_QUEUE]:
        return warning(f"much work waits: {_some(long)}; are enough workers running?")
    return ok(f"publishing is confirmed; {_count(sum(ready.values()), 'message')} waiting, none parked")


def permissions(statuses: Mapping[str, int], *, live: bool) -> Opinion:
    """What Stripe answered to a harmless request for each permission, such as `Products: write`."""
    if REFUSED_KEY in statuses.values():
        return failed("Stripe does not accept STRIPE_API_KEY (401): has it been rolled or deleted?")
    if lacking := [name for name, status in statuses.items() if status == LACKING_PERMISSION]:
        return failed(
            f"the API key lacks {_some(lacking)}: edit it in Stripe (Developers → API keys; only what "
            "the README lists is needed)"
        )
    if odd := [f"{name} ({status})" for name, status in statuses.items() if status not in {200, 404}]:
        return warning(f"Stripe gave no clear answer on {_some(odd)}: try again in a minute")
    return ok(f"the {'live' if live else 'test'} key may do all that is needed")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook endpoint as Stripe lists it, its URL already found to be ours."""

    url: str
    enabled: bool
    live: bool
    events: frozenset[str]
    api_version: str | None


def endpoints(ours: Sequence[Endpoint], needed: Collection[str], *, live: bool, must_be: bool) -> Opinion:
    """The endpoints that lead to ingest; `must_be` False where `stripe listen` may stand in for one."""
    fitting = [endpoint for endpoint in ours if endpoint.enabled and endpoint.live is live]
    where = "in Stripe (Developers → Webhooks)"
    if not fitting and any(endpoint.live is live for endpoint in ours):
        return failed(f"the webhook endpoint {ours[0].url} is disabled: enable it {where}")
    if not fitting:
        text = f"no webhook endpoint for {'live' if live else 'test'} mode ends in /webhooks/stripe: add it {where}"
        return failed(text) if must_be else warning(f"{text}, unless `stripe listen` stands in for it")
    best = max(fitting, key=lambda endpoint: len(_heard(endpoint, needed)))
    if lacking := sorted(set(needed) - _heard(best, needed)):
        return failed(f"{best.url} does not get {', '.join(lacking)}: add them to it {where}")
    version = f"API version {best.api_version}" if best.api_version else "the account's API version"
    if len(fitting) > 1:
        return warning(
            f"{len(fitting)} endpoints lead here, so every event comes more than once: keep one {where}"
        )
    return ok(f"{best.url} gets all {len(needed)} event types ({version})")


def _heard(endpoint: Endpoint, needed: Collection[str]) -> set[str]:
    return set(needed) if "*" in endpoint.events else set(needed) & endpoint.events


def markers(
    found: Mapping[ProductId, str], ids: Sequence[str], quarantined: Mapping[ProductId, str]
) -> Opinion:
    """`found` is stock_rev by product, `ids` our installation's, the former ones too, `quarantined` the reasons."""
    ours = ids[0] if ids else None
    read = {product: marker.parse(text) for product, text in found.items()}
    foreign = {product: m.installation for product, m in read.items() if m and m.installation not in ids}
    if foreign:
        who = ", ".join(sorted(set(foreign.values())))
        look = "" if foreign.keys() <= quarantined.keys() else "run `stocksync jobs run verify`, then "
        return failed(
            f"another installation ({who}; this one is {ours or 'new'}) keeps {_some(sorted(foreign))}: stop it, "
            f"or, if it is gone for good, {look}check the numbers and run `stocksync takeover`"
        )
    if quarantined:
        first, reason = next(iter(quarantined.items()))
        return warning(
            f"{_count(len(quarantined), 'product')} in quarantine, nothing is written there: {first} ({reason})"
            + (f" and {len(quarantined) - 1} more" if len(quarantined) > 1 else "")
        )
    if garbled := sorted(product for product, m in read.items() if m is None):
        return warning(f"stock_rev was changed by hand in {_some(garbled)}: delete that key in Stripe")
    return ok(
        f"this installation is {ours or 'new'}; no other one marked any product ({len(found)} carry our mark)"
    )


def backlog(unsynced: tuple[int, float], unanswered: tuple[int, float]) -> Opinion:
    """(count, age of the oldest in seconds) of products that wait too long, and of writes without an answer."""
    if unanswered[0]:
        return warning(
            f"{_count(unanswered[0], 'write')} to Stripe not settled for up to {_time(unanswered[1])}: "
            "see `write_unanswered` in the stock worker's log"
        )
    if unsynced[0]:
        return warning(
            f"{_count(unsynced[0], 'product')} waiting for a new number for up to {_time(unsynced[1])}: "
            "is the stock worker running, and the reconciler?"
        )
    return ok("no product waits for its number, no write for its answer")


def alerts(late: int, refused: int, *, mails_are_files: bool) -> Opinion:
    """How many alerts nobody was told of in time, and how many the mail server refused."""
    if refused:
        return warning(
            f"the mail server refused {_count(refused, 'alert')} for good: look at MAIL_FROM and MAIL_TO"
        )
    if late:
        return warning(
            f"{_count(late, 'alert')} not mailed yet: is the notifier running, does SMTP_URL answer?"
            " In QUIET_HOURS most of them wait."
        )
    if mails_are_files:
        return ok("nothing is left to be told; SMTP_URL is unset, so mails are files in STOCKSYNC_HOME/mail")
    return ok("nothing is left to be told")


def _time(seconds: float) -> str:
    return f"{seconds / 3600:.0f} h" if seconds >= IN_HOURS_FROM else f"{max(1, seconds / 60):.0f} min"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _some(things: Sequence[str], separator: str = ", ") -> str:
    more = len(things) - NAMED
    return separator.join(things[:NAMED]) + (f" and {more} more" if more > 0 else "")
