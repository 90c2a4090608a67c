"""The measurement: rounds in turn, medians, ratios, and a check that every accepted webhook is in its queue."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pika
import psycopg
from rich.console import Console
from rich.table import Table

from bench.options import Options
from bench.results import WIDTH, keep
from bench.webhooks import contenders, load, node_packages
from bench.webhooks.contenders import CELERY, EMBEDDED, NAIVE, OURS, Contender, Queue
from bench.webhooks.processes import cpu_seconds, running
from shared.broker.embedded import EmbeddedBroker
from shared.broker.rabbitmq import RabbitBroker
from shared.database.embedded import EmbeddedPostgres
from shared.database.migrate import migrate
from shared.topology import PIPELINE, SALES
from shared.webhook_events import PATH
from tests.support.ports import free_port
from tests.support.rabbitmq_local import LocalNode

TARGETS: Final = {NAIVE: 5.0, CELERY: 6.0}
_WARM_UP: Final = 2  # seconds


@dataclass(frozen=True, slots=True)
class Runner:
    """A contender that runs as process `pid`."""

    contender: Contender
    pid: int


@dataclass(frozen=True, slots=True)
class Round:
    """Accepted webhooks per second, and the server's own CPU time for each, in microseconds."""

    rate: float
    cpu: float


Runs = dict[str, list[Round]]


def run(options: Options) -> bool:
    """Measure all contenders in turn; show and keep the table; whether targets were met."""
    rounds, seconds = options.rounds, options.seconds
    console = Console(width=max(WIDTH, Console().width))
    load.require()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stocksync-bench-")))
        folder.chmod(0o755)  # the database runs as another account where we are root
        field = stack.enter_context(_field(folder))
        runners: list[Runner] = []
        for one in field:
            log = folder / f"{one.port}.log"
            pid = stack.enter_context(running(one.command, one.environment, one.port, log))
            load.throw(one.port, PATH, _WARM_UP, folder)
            runners.append(Runner(one, pid))
        runs = _rounds(runners, rounds, seconds, folder)
    return _show(console, runs, seconds)


def _rounds(field: list[Runner], rounds: int, seconds: int, folder: Path) -> Runs:
    runs: Runs = {runner.contender.name: [] for runner in field}
    for number in range(rounds):
        for runner in field:
            one = _round(runner, seconds, folder)
            print(
                f"round {number + 1}: {runner.contender.name}: {one.rate:.0f}/s, {one.cpu:.0f} µs of CPU each"
            )
            runs[runner.contender.name].append(one)
    return runs


def _round(runner: Runner, seconds: int, folder: Path) -> Round:
    """One round on an empty queue; raises RuntimeError where an accepted webhook is not in it afterwards."""
    one = runner.contender
    one.empty()
    before = cpu_seconds(runner.pid)
    result = load.throw(one.port, PATH, seconds, folder)
    spent = cpu_seconds(runner.pid) - before
    queued = one.depth()
    if result.failed or queued < result.accepted:
        raise RuntimeError(f"{one.name} failed {result.failed} and lost {result.accepted - queued}")
    one.empty()
    return Round(result.rate, spent * 1e6 / result.accepted)


@contextmanager
def _field(folder: Path) -> Generator[list[Contender]]:
    """The contenders on one private RabbitMQ node and one embedded PostgreSQL."""
    with ExitStack() as stack:
        node = LocalNode(folder / "rabbitmq")
        node.start()
        stack.callback(node.kill)
        address = stack.enter_context(EmbeddedPostgres(folder / "embedded"))
        migrate(address)
        ours = RabbitBroker(node.url, PIPELINE)
        embedded = EmbeddedBroker(address, PIPELINE)
        for broker in (ours, embedded):
            broker.declare()
            stack.callback(broker.close)
        inside = Queue(SALES, lambda: embedded.depth(SALES).ready, lambda: _empty_embedded(address))
        field = [
            contenders.stocksync(
                OURS, free_port(), folder, _queue(node.url, f"{PIPELINE.prefix}.{SALES}"), AMQP_URL=node.url
            ),
            contenders.gunicorn(
                NAIVE, free_port(), "flask_pika", url=node.url, queue=_queue(node.url, "bench.pika")
            ),
            contenders.gunicorn(
                CELERY, free_port(), "flask_celery", url=node.url, queue=_queue(node.url, "bench.celery")
            ),
            contenders.stocksync(EMBEDDED, free_port(), folder, inside, DATABASE_URL=address),
        ]
        if node_packages.installed():
            field.append(contenders.express(free_port(), node.url, _queue(node.url, "bench.express")))
        yield field


def _queue(url: str, name: str) -> Queue:
    def depth() -> int:
        with pika.BlockingConnection(pika.URLParameters(url)) as connection:
            return connection.channel().queue_declare(name, passive=True).method.message_count

    def empty() -> None:
        with pika.BlockingConnection(pika.URLParameters(url)) as connection:
            connection.channel().queue_purge(name)

    return Queue(name, depth, empty)


def _empty_embedded(address: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("select pgmq.purge_queue(queue_name) from pgmq.meta")


def _show(console: Console, runs: Runs, seconds: int) -> bool:
    """Print the table, keep it in `results.md`; whether the targets were met."""
    rates = {name: statistics.median(one.rate for one in rounds) for name, rounds in runs.items()}
    table = Table(title="Webhooks accepted per second (durable, confirmed, quorum queue)")
    for column in ("", "per second", "rounds", "CPU µs each", "ours over it", "target"):
        table.add_column(column, justify="left" if not column else "right")
    met = True
    for name, rate in sorted(rates.items(), key=lambda pair: -pair[1]):
        ratio, target = rates[OURS] / rate, TARGETS.get(name)
        reached = target is None or ratio >= target
        met = met and reached
        wanted = "" if target is None else f"≥ {target:g}x {'met' if reached else 'MISSED'}"
        each = " ".join(f"{one.rate:.0f}" for one in runs[name])
        cpu = statistics.median(one.cpu for one in runs[name])
        table.add_row(name, f"{rate:.0f}", each, f"{cpu:.0f}", f"{ratio:.2f}x", wanted)
    console.print(table)
    keep(
        "webhooks",
        f"python -m bench webhooks --rounds {len(runs[OURS])} --seconds {seconds}",
        f"{load.CONNECTIONS} connections of wrk, server, broker and load on one machine, rounds in turn. "
        "Every accepted webhook was found in its queue.",
        table,
    )
    return met
