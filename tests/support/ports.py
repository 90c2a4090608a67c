"""TCP ports of 127.0.0.1 that nobody uses now."""

from __future__ import annotations

from shared.free_ports import free_port

__all__ = ["free_port", "free_ports"]


def free_ports(count: int) -> list[int]:
    """So many of them, all different."""
    chosen: set[int] = set()
    while len(chosen) < count:
        chosen.add(free_port())
    return list(chosen)
