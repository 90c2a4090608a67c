"""Webhook delivery: signed, concurrent, retried with back-off, until an endpoint answers 2xx."""

from __future__ import annotations

import hashlib
import heapq
import hmac
import http.client
import itertools
import json
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from services.stripe_simulator import errors, events, ids
from services.stripe_simulator.faults import Rule
from services.stripe_simulator.params import text
from services.stripe_simulator.world import LISTENERS, Call, Obj, World
from shared import clock, logs

log = logs.get(__name__)

TIMEOUT = 20.0  # seconds an endpoint has to answer
KEPT = 50_000  # attempts in the log
DELIVERY_FAULTS = ("webhook_drop", "webhook_double", "webhook_delay")


@dataclass(order=True, slots=True)
class _Job:
    due: float
    number: int
    event: Obj = field(compare=False)
    endpoint: str = field(compare=False)
    attempt: int = field(compare=False, default=0)


def signature(secrets: list[str], body: bytes, timestamp: int) -> str:
    """The `Stripe-Signature` header, one `v1` for each secret."""
    signed = f"{timestamp}.".encode() + body
    marks = (hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join([f"t={timestamp}", *(f"v1={mark}" for mark in marks)])


class Deliveries:
    """A pool of threads that works off what is due."""

    def __init__(self, world: World, delays: tuple[float, ...]) -> None:
        self._world, self._delays = world, delays
        self._jobs: list[_Job] = []
        self._numbers = itertools.count()
        self._wake = threading.Condition()
        self._stopped = False
        self._held = False
        self._busy = 0
        self._threads: list[threading.Thread] = []
        self.log: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def start(self, threads: int) -> None:
        """Begin to deliver."""
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Deliver nothing more; what is on its way is finished."""
        with self._wake:
            self._stopped = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(TIMEOUT)

    def clear(self) -> None:
        """Drop what waits and the log of attempts; nothing is held any more."""
        with self._wake:
            self._held = False
            self._jobs.clear()
            self.log.clear()

    def hold(self, *, held: bool) -> None:
        """Let everything wait that is not on its way yet, or let it go again."""
        with self._wake:
            self._held = held
            self._wake.notify_all()

    def waiting(self) -> int:
        """How many deliveries wait or are on their way."""
        with self._wake:
            return len(self._jobs) + self._busy

    def saved(self) -> list[dict[str, Any]]:
        """What waits, as JSON values, for `restore`."""
        with self._wake:
            return [
                {"event": job.event["id"], "endpoint": job.endpoint, "attempt": job.attempt}
                for job in sorted(self._jobs)
            ]

    def restore(self, saved: list[dict[str, Any]]) -> None:
        """Have what waited when it was `saved` delivered now."""
        for job in saved:
            self.send(self._world.events[job["event"]], job["endpoint"], attempt=job["attempt"])

    def publish(self, event: Obj) -> None:
        """Send a new event to every endpoint that wants it, unless a fault has other plans."""
        wanting = [one["id"] for one in self._world.endpoints.values() if events.wants(one, event["type"])]
        if not wanting:
            return
        rule = self._world.faults.for_event(event["type"], DELIVERY_FAULTS)
        if rule and rule.kind == "webhook_drop":
            return
        delay = rule.seconds if rule and rule.kind == "webhook_delay" else 0.0
        for endpoint in wanting:
            for copy in self._copies(event, rule):
                self.send(copy, endpoint, delay)

    def _copies(self, event: Obj, rule: Rule | None) -> list[Obj]:
        if rule is None or rule.kind != "webhook_double":
            return [event]
        if not rule.new_id:
            return [event] * rule.copies
        twin = {**event, "id": ids.new("evt")}
        events.owe(self._world, twin)
        self._world.events[twin["id"]] = twin
        return [event, twin]

    def send(self, event: Obj, endpoint: str, delay: float = 0.0, attempt: int = 0) -> None:
        """Have `event` delivered to `endpoint` after `delay` seconds."""
        with self._wake:
            job = _Job(clock.monotonic() + delay, next(self._numbers), event, endpoint, attempt)
            heapq.heappush(self._jobs, job)
            self._wake.notify()

    def _work(self) -> None:
        while job := self._next():
            try:
                self._deliver(job)
            finally:
                with self._wake:
                    self._busy -= 1

    def _next(self) -> _Job | None:
        with self._wake:
            while not self._stopped:
                ready = self._jobs and not self._held
                wait = self._jobs[0].due - clock.monotonic() if ready else None
                if wait is not None and wait <= 0:
                    self._busy += 1
                    return heapq.heappop(self._jobs)
                self._wake.wait(wait)
        return None

    def _deliver(self, job: _Job) -> None:
        with self._world.lock:
            endpoint = self._world.endpoints.get(job.endpoint)
            secrets = self._world.secrets.get(job.endpoint)
            body = json.dumps(job.event, indent=2).encode()
        if endpoint is None or secrets is None or endpoint["status"] != "enabled":
            return
        status, problem = _post(endpoint["url"], body, signature(secrets, body, clock.epoch()))
        delivered = 200 <= status < 300  # noqa: PLR2004 - the 2xx class
        self._note(job, status, problem)
        if delivered:
            with self._world.lock:
                events.taken(self._world, job.event, job.endpoint)
        elif job.attempt < len(self._delays):
            self.send(job.event, job.endpoint, self._delays[job.attempt], job.attempt + 1)
        else:
            log.warning("webhook_given_up", event_id=job.event["id"], status=status)

    def _note(self, job: _Job, status: int, problem: str | None) -> None:
        with self._wake:
            self.log.append(
                {
                    "event": job.event["id"],
                    "type": job.event["type"],
                    "object": job.event["data"]["object"]["id"],
                    "endpoint": job.endpoint,
                    "attempt": job.attempt + 1,
                    "status": status,
                    "error": problem,
                    "at": clock.now().isoformat(),
                }
            )


def _post(url: str, body: bytes, signed: str) -> tuple[int, str | None]:
    """The status the endpoint answered with; 0 and why where it did not answer."""
    where = urlsplit(url)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    connection = kind(where.netloc, timeout=TIMEOUT)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signed,
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Connection": "close",
    }
    try:
        connection.request(
            "POST", f"{where.path or '/'}{'?' + where.query if where.query else ''}", body, headers
        )
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException) as problem:
        return 0, type(problem).__name__
    else:
        return response.status, None
    finally:
        connection.close()


def retry(world: World, call: Call) -> Obj:
    """Send an event again, to one endpoint, or to all that want it and all listeners."""
    event = world.get("events", call.args[0])
    chosen = text(call.params, "webhook_endpoint")
    if chosen and chosen not in world.endpoints:
        raise errors.no_such("webhook endpoint", chosen, "webhook_endpoint", 400)
    wanting = [one["id"] for one in world.endpoints.values() if events.wants(one, event["type"])]
    targets = [chosen] if chosen else [*wanting, LISTENERS]
    for target in targets:
        world.resend(event, target)
    return event
