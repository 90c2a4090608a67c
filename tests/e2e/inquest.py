"""Where units went that Stripe does not show: told by the delivery, the queue, the ledger or the last write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import requests
from psycopg.rows import dict_row

from bench.sync.stage import Stage
from shared.broker.port import Broker
from shared.topology import PIPELINE

KNOWN: tuple[LiteralString, ...] = (
    "select * from product where id = %s",
    "select size, on_hand, state from variant where product_id = %s",
    "select * from write where product_id = %s order by rev",
)
BOOKED = "select count(*) from sale"
LINES = 40  # of the log, its last that are more than information


def inquest(stage: Stage, broker: Broker, home: Path) -> str:
    """What each part of the pipeline knows about the sizes that are wrong, a line each."""
    return "\n".join([*_sizes(stage), *_undelivered(stage), *_queues(broker), *_log(home)])


def _sizes(stage: Stage) -> Iterator[str]:
    shown, intended = stage.shop.shown(), stage.shop.intended()
    wrong = [variant for variant in intended if shown.get(variant) != intended[variant]]
    with psycopg.connect(stage.database) as connection, connection.cursor(row_factory=dict_row) as cursor:
        for variant in wrong:
            yield f"{variant}: shown {shown.get(variant)}, intended {intended[variant]}"
        for product in sorted({variant.product for variant in wrong}):
            for what in KNOWN:
                rows = cursor.execute(what, [product]).fetchall()
                yield from (f"  {row}" for row in rows[-3:])
        yield f"booked: {cursor.execute(BOOKED).fetchone()}"
        for row in cursor.execute("select outcome, count(*) from delivery group by outcome"):
            yield f"  deliveries: {row}"


def _undelivered(stage: Stage) -> Iterator[str]:
    listed = requests.get(
        f"{stage.shop.simulator}/v1/events?delivery_success=false&limit=20",
        headers={"Authorization": "Bearer sk_test_inquest"},
        timeout=10,
    ).json()
    for event in listed["data"]:
        yield f"not delivered: {event['id']} {event['type']} {event['data']['object']['id']}"


def _queues(broker: Broker) -> Iterator[str]:
    for queue in PIPELINE.queues:
        yield f"{queue.name}: {broker.depth(queue.name)}"
        yield from (f"  parked: {parked}" for parked in broker.dead_letters(queue.name, 5))


def _log(home: Path) -> list[str]:
    said = (home / "up.log").read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in said if '"level": "info"' not in line][-LINES:]
