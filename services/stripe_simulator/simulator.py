"""The composition root: one simulated Stripe account with its sockets and threads."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Self

from services.stripe_simulator import endpoints
from services.stripe_simulator.cli import Listeners
from services.stripe_simulator.control import Control, Desk
from services.stripe_simulator.delivery import Deliveries
from services.stripe_simulator.gateway import Gateway
from services.stripe_simulator.http import Answer, Request
from services.stripe_simulator.keeping import Keeping
from services.stripe_simulator.server import Server
from services.stripe_simulator.settings import Options
from services.stripe_simulator.world import LISTENERS, Obj, World
from shared import logs

log = logs.get(__name__)


class Simulator:
    """A running simulator; stop it, or use it in a `with`."""

    def __init__(self, options: Options) -> None:
        self.world = World()
        self.gateway = Gateway(self.world, options.api_key)
        self.gateway.latency = options.latency_ms / 1000
        self.deliveries = Deliveries(self.world, options.retry_delays)
        desk = Desk(self.gateway, self.deliveries)
        self._control = Control(desk)
        self._keeping = Keeping(options.account, desk) if options.account else None
        self._listeners = Listeners(self.world)
        self._options = options
        self._server = Server((options.host, options.port), self._answer)

    @classmethod
    def start(cls, options: Options | None = None, **changes: Any) -> Self:  # noqa: ANN401 - fields of Options
        """A simulator that answers from now on; `changes` are fields of `Options`."""
        simulator = cls(options or Options(**changes))
        simulator.run()
        return simulator

    @property
    def url(self) -> str:
        """The base address of the API, `http://127.0.0.1:PORT`."""
        host, port = self._server.server_address[:2]
        return f"http://{host}:{port}"

    def run(self) -> None:
        """Start every thread and say where the API is; raises UnusableAccount."""
        options, world = self._options, self.world
        if self._keeping:
            self._keeping.restore()
        if options.webhook_url and options.webhook_secret:
            chosen = list(options.webhook_events)
            endpoints.settle(world, options.webhook_url, options.webhook_secret, chosen)
        if self._keeping:
            self._keeping.start()
        port = self._listeners.start(options.host, options.listen_port)
        world.listen_url = f"ws://{options.host}:{port}/subscribe/acct_1StocksyncTest001"
        world.outlets += [self.deliveries.publish, self._listeners.publish]
        world.resend = self._resend
        self.deliveries.start(options.delivery_threads)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        log.info("simulator_ready", url=self.url, listen=world.listen_url)

    def _answer(self, request: Request) -> Answer:
        door = self._control if request.path.startswith("/_") else self.gateway
        given = door.answer(request)
        if self._keeping and request.method != "GET":
            self._keeping.changed()
        return given

    def _resend(self, event: Obj, target: str) -> None:
        if target == LISTENERS:
            self._listeners.publish(event)
        else:
            self.deliveries.send(event, target)

    def stop(self) -> None:
        """Stop answering and delivering; every connection is closed."""
        self.gateway.stopping.set()
        self._server.shutdown()
        self._server.close_all()
        self._server.server_close()
        self._listeners.stop()
        self.deliveries.stop()
        if self._keeping:
            self._keeping.stop()
        log.info("simulator_stopped")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
