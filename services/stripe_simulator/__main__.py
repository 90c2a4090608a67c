"""`python -m services.stripe_simulator`: the simulator as a process of its own."""

from __future__ import annotations

from services.stripe_simulator.settings import SimulatorSettings
from services.stripe_simulator.simulator import Simulator
from shared import logs
from shared.process import stop_event
from shared.settings import load


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    settings = load(SimulatorSettings)
    logs.configure("stripe_simulator", settings.log_level)
    stop = stop_event()
    with Simulator.start(settings.options()):
        stop.wait()


if __name__ == "__main__":
    main()
