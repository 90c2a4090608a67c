"""A shopping day on one machine, played against the simulator."""
