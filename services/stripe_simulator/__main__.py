"""`python -m services.stripe_simulator`: the simulator as a process of its own."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from services.stripe_simulator.settings import SimulatorSettings
from services.stripe_simulator.simulator import Simulator
from shared import logs
from shared.settings import load


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    settings = load(SimulatorSettings)
    logs.configure("stripe_simulator", settings.log_level)
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with Simulator.start(settings.options()):
        ended.wait()


if __name__ == "__main__":
    main()
