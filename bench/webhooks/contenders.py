"""Who is measured: a command that serves the webhook door, and the queue its messages end in."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.webhooks import node_packages
from bench.webhooks.load import CONNECTIONS, SECRET
from bench.webhooks.processes import BIN
from shared.settings import child_environment

SERVERS = Path(__file__).parent / "servers"
GUNICORN_WORKERS = 2
OURS = "stocksync, RabbitMQ"
EMBEDDED = "stocksync, embedded queue"
NAIVE = "Flask + gunicorn + pika"
CELERY = "Flask + Celery"
EXPRESS = "express + amqplib"


@dataclass(frozen=True, slots=True)
class Contender:
    """`command` serves on `port`; `depth` counts the messages that it has queued."""

    name: str
    port: int
    command: tuple[str, ...]
    environment: Mapping[str, str]
    depth: Callable[[], int]
    empty: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue, looked at from outside."""

    name: str
    depth: Callable[[], int]
    empty: Callable[[], None]


def stocksync(name: str, port: int, home: Path, queue: Queue, **where: str) -> Contender:
    """Our ingest as `python -m services.ingest` starts it; `where` names the broker."""
    unset = dict.fromkeys(("AMQP_URL", "DATABASE_URL", "STRIPE_API_KEY", "STRIPE_LIVEMODE"))
    environment = child_environment(
        **{
            **unset,
            **where,
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "INGEST_BIND": f"127.0.0.1:{port}",
            "STOCKSYNC_HOME": str(home),
        }
    )
    command = (sys.executable, "-m", "services.ingest")
    return Contender(name, port, command, environment, queue.depth, queue.empty)


def gunicorn(name: str, port: int, module: str, *, url: str, queue: Queue) -> Contender:
    """One of the Flask applications, as many threads as there are connections."""
    command = (
        str(BIN / "gunicorn"),
        f"--bind=127.0.0.1:{port}",
        "--worker-class=gthread",
        f"--workers={GUNICORN_WORKERS}",
        f"--threads={CONNECTIONS // GUNICORN_WORKERS}",
        f"bench.webhooks.servers.{module}:create({url!r}, {queue.name!r}, {SECRET!r})",
    )
    return Contender(name, port, command, child_environment(), queue.depth, queue.empty)


def express(port: int, url: str, queue: Queue) -> Contender:
    """The Node.js application; its packages have to be installed."""
    command = (
        str(BIN / "node"),
        str(SERVERS / "express_amqplib.cjs"),
        str(port),
        url,
        queue.name,
        SECRET,
    )
    environment = child_environment(
        PATH=node_packages.search_path(),
        NODE_PATH=str(node_packages.FOLDER / "node_modules"),
        NODE_ENV="production",
    )
    return Contender(EXPRESS, port, command, environment, queue.depth, queue.empty)
