"""Tells other programs of every movement: in order, at least once, and never in the way of the stock."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event
from typing import Final

from shared import logs, movement_feed
from shared.broker.port import Outgoing
from shared.broker.rabbitmq_topology import TopologyConflict
from shared.broker.topic import Topic
from shared.database.pool import Connection, Database
from shared.movement_feed import Recorded
from shared.outcomes import Outage
from shared.store.jobs import Jobs
from shared.store.movement_feed import Horizon, MovementFeed
from shared.vocabulary import AccountKey

FEED: Final = "movements"
AT_ONCE: Final = 500
CONFIRM_SECONDS: Final = 30.0
PATIENCE: Final = 10.0
"""Seconds until the next try, where something is away or somebody else announces."""

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Announcer:
    """Of any number of processes one announces, the others wait to take over."""

    database: Database
    topic: Topic
    account: AccountKey
    seconds: float = 0.5
    """Between two looks at a ledger where nothing was new."""

    def run(self, stop: Event) -> None:
        """Announce until `stop` is set; an outage costs time, nothing else."""
        try:
            while not stop.is_set():
                try:
                    self._in_turn(stop)
                except Outage as outage:
                    log.warning("feed_postponed", reason=str(outage))
                except TopologyConflict as conflict:
                    log.error("feed_impossible", conflict=str(conflict))  # noqa: TRY400 - the text says it all
                stop.wait(PATIENCE)
        finally:
            self.topic.close()

    def _in_turn(self, stop: Event) -> None:
        """Announce as long as nobody else does; the turn is the session's, and gone with it."""
        with (
            self.database.session() as connection,
            Jobs(connection, self.account).alone(f"feed {FEED}") as mine,
        ):
            if not mine:
                return
            self.topic.declare()
            horizon = Horizon()
            while not stop.is_set():
                if not self.once(connection, horizon):
                    stop.wait(self.seconds)

    def once(self, connection: Connection, horizon: Horizon) -> int:
        """Publish what is new and can't be preceded by anything any more, in order; how many. Raises Outage."""
        feed = MovementFeed(connection, self.account)
        upto = horizon.advance(connection)
        found = feed.between(feed.position(FEED), upto, limit=AT_ONCE)
        if found:
            self.topic.publish([_outgoing(movement) for movement in found], timeout=CONFIRM_SECONDS)
            feed.save_position(FEED, found[-1].id)
            log.debug("movements_announced", movements=len(found), last=found[-1].id)
        return len(found)


def _outgoing(movement: Recorded) -> Outgoing:
    return Outgoing(
        route=movement_feed.routing_key(movement),
        body=movement_feed.as_json(movement).encode("utf-8", "replace"),
        message_id=str(movement.id),
    )
