"""`python -m services.stripe_simulator`: the simulator as a process of its own."""

from __future__ import annotations

import sys

from services.stripe_simulator.keeping import UnusableAccount
from services.stripe_simulator.settings import SimulatorSettings
from services.stripe_simulator.simulator import Simulator
from shared import logs
from shared.process import stop_event
from shared.settings import WRONG_SETTING, load


def main() -> None:
    """Serve until SIGTERM or Ctrl-C; an account that can't be kept is one line and exit code 2."""
    settings = load(SimulatorSettings)
    logs.configure("stripe_simulator", settings.log_level)
    stop = stop_event()
    try:
        simulator = Simulator.start(settings.options())
    except UnusableAccount as error:
        sys.stderr.write(f"stocksync: {error}\n")
        raise SystemExit(WRONG_SETTING) from None
    with simulator:
        stop.wait()


if __name__ == "__main__":
    main()
