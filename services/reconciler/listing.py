"""Every product of the account, page by page to the end, from the beginning again where a page fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from services.reconciler.jobs import JobFailed, Tools
from shared import logs
from shared.recovery.search import Stopped
from shared.stripe_api.answers import LostCursor, StripeFailed
from shared.stripe_api.objects import Product, SurprisingAnswer

PASSES: Final = 5
"""How often a list is begun before the job gives up."""

log = logs.get(__name__)


def whole(tools: Tools, begin: Callable[[], None], take: Callable[[Sequence[Product]], None]) -> int:
    """Hand every page to `take`; how many passes it took. Raises JobFailed, StripeFailed, an Outage.

    `begin` is called before each pass: what was taken before belongs to none that came to its end.
    """
    for number in range(1, PASSES + 1):
        begin()
        try:
            for page in tools.stripe.products():
                take(page)
        except StripeFailed as failure:
            log.warning("listing_restarted", reason=str(failure), pass_number=number)
            if number < PASSES and not isinstance(failure, LostCursor):
                _rest(tools, number)
        except SurprisingAnswer as surprise:
            raise JobFailed(f"Stripe listed a product that is not understood ({surprise})") from None
        else:
            return number
    raise StripeFailed(f"the list of products could not be read to its end in {PASSES} passes")


def _rest(tools: Tools, number: int) -> None:
    if tools.stop.wait(tools.rests[min(number, len(tools.rests)) - 1]):
        raise Stopped("the process stops")
