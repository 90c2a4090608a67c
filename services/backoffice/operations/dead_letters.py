"""Messages that could not be handled and lie aside: looking at them, having them handled again, throwing them away."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from shared.broker.port import Broker, Parked
from shared.refusal import Refused
from shared.topology import PIPELINE

QUEUES = tuple(queue.name for queue in PIPELINE.queues)
LISTED = 50
"""The oldest of a queue, of which people are shown a list."""
MOST = 10_000
"""Dead letters of one queue that are looked through for those that were named."""


class NotParked(Refused):
    """No message with these ids lies aside; the text is fit for people."""


def parked(broker: Broker, queues: Sequence[str], limit: int) -> list[Parked]:
    """The oldest messages that lie aside in each of `queues` (none named: in all); raises BrokerDown."""
    return [letter for queue in queues or QUEUES for letter in broker.dead_letters(queue, limit)]


def named(broker: Broker, ids: Collection[str]) -> list[Parked]:
    """The messages with these ids, of whatever queue; raises NotParked, BrokerDown."""
    found = [letter for letter in parked(broker, (), MOST) if letter.message_id in ids]
    missing = sorted(set(ids) - {letter.message_id for letter in found})
    if missing:
        raise NotParked(f"no message lies aside with the id {', '.join(missing)}; nothing was changed")
    return found


def one(broker: Broker, queue: str, message: str) -> Parked:
    """The message with this id that lies aside in `queue`; raises NotParked, BrokerDown."""
    for many in (LISTED, MOST):  # it most likely is one of those that are listed
        for letter in broker.dead_letters(queue, many):
            if letter.message_id == message:
                return letter
    raise NotParked(f"no message lies aside in {queue} with the id {message}; it is handled, or gone")


def replay_one(broker: Broker, queue: str, message: str) -> int:
    """Have the message with this id of `queue` handled again; how many had it.

    Raises NotParked, BrokerDown, PublishError.
    """
    return _some(broker.replay(queue, only={message}) if message else 0)


def drop_one(broker: Broker, queue: str, message: str) -> int:
    """Throw the message with this id of `queue` away; how many had it. Raises NotParked, BrokerDown.

    Messages without an id can't be told apart: they are for whoever empties the queue.
    """
    return _some(broker.drop(queue, {message}) if message else 0)


def _some(count: int) -> int:
    if not count:
        raise NotParked("it does not lie aside any more; nothing was changed")
    return count


def replay(broker: Broker, ids: Collection[str]) -> int:
    """Have the messages with these ids handled again, from their first attempt; how many.

    Raises NotParked, BrokerDown, PublishError.
    """
    return sum(broker.replay(queue, only=some) for queue, some in _by_queue(broker, ids).items())


def replay_all(broker: Broker, queues: Sequence[str]) -> int:
    """Have all handled again that lie aside in `queues` (none named: in all); raises BrokerDown, PublishError."""
    return sum(broker.replay(queue, limit=MOST) for queue in queues or QUEUES)


def drop(broker: Broker, ids: Collection[str]) -> int:
    """Throw the messages with these ids away; how many. Raises NotParked, BrokerDown."""
    return sum(broker.drop(queue, some) for queue, some in _by_queue(broker, ids).items())


def _by_queue(broker: Broker, ids: Collection[str]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for letter in named(broker, ids):
        found.setdefault(letter.queue, set()).add(letter.message_id)
    return found
