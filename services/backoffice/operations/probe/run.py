"""One run of the probe: where it may be run, its product, question after question, and tidying up."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from services.backoffice.operations.probe import events, keys, surroundings, values
from services.backoffice.operations.probe.question import Bench, Match, Question, Seen
from services.backoffice.settings import MachineSettings
from shared import clock
from shared.outcomes import Outage
from shared.stripe_api.answers import StripeUnavailable
from shared.stripe_api.plain import PlainApi

NAME: Final = "stocksync probe - may be deleted"
QUESTIONS: Final = (*keys.QUESTIONS, *values.QUESTIONS, *events.QUESTIONS, *surroundings.QUESTIONS)


class CannotProbe(Outage):
    """The probe's product can't be made or deleted; the text is fit for people."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A question and what was seen."""

    question: Question
    seen: Seen


def refusal(settings: MachineSettings, *, simulator: bool) -> str | None:
    """Why there must be no probe with these settings; None where it may be run."""
    if settings.livemode:
        return (
            "the probe never touches a live account: set STRIPE_API_KEY to a sandbox's sk_test_… or rk_test_…"
        )
    elsewhere = settings.uses_simulator or settings.stripe_api_base is not None
    if elsewhere and not simulator:
        return (
            "the probe is for a real sandbox: set STRIPE_API_KEY to its key and leave STRIPE_API_BASE unset, or "
            "try it on the simulator with --simulator"
        )
    if simulator and not elsewhere:
        return "--simulator was given, but STRIPE_API_KEY leads to Stripe: leave one of them out"
    return None


def probe(api: PlainApi) -> Generator[Reply]:
    """A reply to each question, as soon as it is there; raises CannotProbe, StripeUnavailable before the first."""
    with throw_away_product(api) as bench:
        for question in QUESTIONS:
            yield Reply(question, _asked(question, bench))


@contextmanager
def throw_away_product(api: PlainApi) -> Generator[Bench]:
    """A product without stock keys, so that no keeper of stock minds it; deleted, or else archived, at the end."""
    run = secrets.token_hex(6)
    made = api.post(
        "products", {"name": NAME, "active": "false", "metadata[probe]": run}, f"stocksync-probe-{run}"
    )
    if not made.done:
        raise CannotProbe(f"Stripe does not let the probe make a product: {made.status} {made.error}")
    product = str(made.body["id"])
    try:
        yield Bench(api, product, run, clock.epoch() - 120)
    finally:
        _tidy(api, product)


def _tidy(api: PlainApi, product: str) -> None:
    """Delete the product, or archive it; raises CannotProbe where neither can be done."""
    path = f"products/{product}"
    with suppress(StripeUnavailable):  # said below
        if api.delete(path).done or api.post(path, {"active": "false"}).done:
            return
    raise CannotProbe(f"the probe's product {product} could not be deleted: do it in the Dashboard")


def _asked(question: Question, bench: Bench) -> Seen:
    try:
        return question.ask(bench)
    except StripeUnavailable as error:
        return Seen(Match.NO, str(error))
