"""A RabbitMQ node in a container, for machines with a Docker engine."""

from __future__ import annotations

import signal

from docker.models.containers import Container
from testcontainers.core.container import DockerContainer

from tests.support.ports import free_port
from tests.support.rabbitmq_local import answers
from tests.support.waiting import until

IMAGE = "rabbitmq:4-management"
START_SECONDS = 90.0


class ContainerNode:
    """One node; its port stays the same when it is killed and started again."""

    def __init__(self) -> None:
        self._port = free_port()
        login = {"RABBITMQ_DEFAULT_USER": "tests", "RABBITMQ_DEFAULT_PASS": "tests"}
        self._container = DockerContainer(IMAGE, env=login).with_bind_ports(5672, self._port)

    @property
    def url(self) -> str:
        """Its AMQP address."""
        return f"amqp://tests:tests@127.0.0.1:{self._port}/%2F"

    def start(self) -> None:
        """Start the node and return once it takes connections."""
        self._container.start()
        self._ready()

    def restart(self) -> None:
        """Kill -9 and start again on the same data."""
        self._engine().kill()
        self._engine().start()
        self._ready()

    def signal(self, number: int) -> None:
        """Freeze it with SIGSTOP, let it go on with SIGCONT."""
        {signal.SIGSTOP: self._engine().pause, signal.SIGCONT: self._engine().unpause}[
            signal.Signals(number)
        ]()

    def control(self, *arguments: str) -> None:
        """Run `rabbitmqctl` on the node."""
        code, output = self._engine().exec_run(["rabbitmqctl", "-q", *arguments])
        assert code == 0, output

    def kill(self) -> None:
        """Remove it."""
        self._container.stop()

    def _engine(self) -> Container:
        return self._container.get_wrapped_container()

    def _ready(self) -> None:
        until("RabbitMQ to start in its container", lambda: answers(self.url), START_SECONDS, look=0.2)
