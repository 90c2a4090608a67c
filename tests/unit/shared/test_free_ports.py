"""Ports for servers of this machine."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from shared import free_ports
from shared.free_ports import HIGHEST, LOWEST, free_port, is_free


def test_a_port_is_free_and_none_that_a_connection_may_be_given() -> None:
    """Where a client could be given the port of its own server it would meet itself."""
    given_to_connections = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    for _ in range(50):
        port = free_port()
        assert LOWEST <= port <= HIGHEST < int(given_to_connections[0])
        assert is_free("127.0.0.1", port)


def test_a_port_in_use_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody else has bound is never chosen."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port()))
        taken: int = other.getsockname()[1]
        assert not is_free("127.0.0.1", taken)
        monkeypatch.setattr(free_ports, "LOWEST", taken)
        monkeypatch.setattr(free_ports, "HIGHEST", taken)
        with pytest.raises(OSError, match="no free port found"):
            free_port()


def test_an_address_of_another_machine_is_no_matter_of_ports() -> None:
    """What no port would mend is not tried a hundred times."""
    with pytest.raises(OSError, match="assign"):
        free_port("203.0.113.7")
