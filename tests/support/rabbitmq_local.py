"""A private RabbitMQ node from Debian's package, on free ports in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pika
import psutil
from pika.exceptions import AMQPError

from tests.support.ports import free_ports
from tests.support.waiting import until

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
CONTROL = Path("/usr/lib/rabbitmq/bin/rabbitmqctl")
START_SECONDS = 60.0
ROOT = Path(__file__).resolve().parents[2]


class LocalNode:
    """One node of its own Erlang world: nothing of it outlives `kill`, or this process by more than a moment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port, self._dist, self._epmd = free_ports(3)
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        _home(folder).mkdir(parents=True)
        (folder / "enabled_plugins").write_text("[].\n")
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.default = 127.0.0.1:{self._port}\n"
            "log.console = false\nlog.file.level = error\n"
            "disk_free_limit.absolute = 50MB\nvm_memory_high_watermark.absolute = 1GB\n"
        )

    @property
    def url(self) -> str:
        """Its AMQP address."""
        return f"amqp://guest:guest@127.0.0.1:{self._port}/%2F"

    def start(self) -> None:
        """Start the node and return once it takes connections."""
        if self._guard is None:
            self._guard = _guard(self._folder)
        self._process = subprocess.Popen(
            [str(SERVER)],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=(self._folder / "out.log").open("ab"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        until("RabbitMQ to start", self._is_up, START_SECONDS, look=0.2)

    def kill(self) -> None:
        """Kill -9 the node, epmd too."""
        kill_all(self._folder)
        for process in filter(None, (self._process, self._guard)):
            process.kill()
            process.communicate()
        self._process = self._guard = None

    def control(self, *arguments: str) -> None:
        """Run `rabbitmqctl` on the node."""
        subprocess.run([str(CONTROL), "-q", *arguments], env=self._environment(), check=True, timeout=60)

    def restart(self) -> None:
        """Kill -9 and start again on the same data."""
        self.kill()
        self.start()

    def signal(self, number: int) -> None:
        """Send a signal to every process of the node, such as SIGSTOP and SIGCONT."""
        if self._process is not None:
            family = psutil.Process(self._process.pid)
            for process in [*family.children(recursive=True), family]:
                with suppress(psutil.NoSuchProcess):  # the node's helpers come and go
                    process.send_signal(number)

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "out.log").read_text()[-2000:]
        return answers(self.url)

    def _environment(self) -> dict[str, str]:
        folder = self._folder
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(_home(folder)),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"stocksync{self._port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(self._dist),
            "RABBITMQ_MNESIA_BASE": str(folder / "db"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none +S 2:2 "
            "-kernel inet_dist_use_interface {127,0,0,1}",
        }


def answers(url: str) -> bool:
    """Whether a node takes connections at `url`."""
    try:
        pika.BlockingConnection(pika.URLParameters(url)).close()
    except (AMQPError, OSError):
        return False
    return True


def kill_all(folder: Path) -> None:
    """Kill -9 the node in `folder` with all its helpers; the port mapper detaches itself, so no parent tells."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # gone, or somebody else's
            if process.environ().get("HOME") == str(_home(folder)):
                process.kill()


def _home(folder: Path) -> Path:
    """What all processes of a node, and no others, have as HOME."""
    return folder / "home"


def _guard(folder: Path) -> subprocess.Popen[bytes]:
    """Kills the node and removes its folder once this process is gone."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.guard", str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
