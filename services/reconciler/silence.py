"""Whether webhooks have stopped while Stripe shows sales: a pure decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.recovery.plan import CUT_OFF


class Webhooks(StrEnum):
    """What can be said of them."""

    COME = "come"
    SILENT = "silent"
    NOT_KNOWN = "not known"  # nobody was there to hear them, or nothing was sold


@dataclass(frozen=True, slots=True)
class Signs:
    """What the decision is made from.

    `heard` is when the last webhook of a sale was handled, `sold` when the newest session was made that was paid and is
    not in transit, `awake` since when this pipeline has been running,
    `unread` whether webhooks that came may wait to be handled.
    """

    now: datetime
    heard: datetime | None
    sold: datetime | None
    awake: datetime | None
    unread: bool = False


def judge(signs: Signs, patience: timedelta) -> Webhooks:
    """Silent where none came for `patience` though something was sold meanwhile, while the pipeline was running.

    A sale counts once it is older than a webhook takes, so that one at the edge is no silence. Where sales wait unread
    they may be what webhooks told.
    """
    since = signs.now - patience
    if signs.heard is not None and signs.heard >= since:
        return Webhooks.COME
    if signs.unread or signs.awake is None or signs.sold is None:
        return Webhooks.NOT_KNOWN
    return Webhooks.SILENT if signs.sold > max(since, signs.awake) + CUT_OFF else Webhooks.NOT_KNOWN
