from __future__ import annotations

from pathlib import Path

import pytest

from shared import own_pages
from shared.broker.embedded import EmbeddedBroker
from shared.topology import PIPELINE
from tests.integration.ingest.running import environment, running

NOWHERE = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:1")


def test_a_proxy_for_the_world_outside_is_not_asked_for_our_own_pages(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ingest finds itself ready, and whoever asks as the supervisor does finds it, although the proxy is dead."""
    broker = EmbeddedBroker(database_url, PIPELINE)
    broker.declare()
    broker.close()
    with running(
        environment(tmp_path, DATABASE_URL=database_url, NO_PROXY="", no_proxy="", **NOWHERE)
    ) as ingest:
        for name, value in NOWHERE.items():
            monkeypatch.setenv(name, value)
        assert own_pages.ready(f"{ingest.address}/readyz", within=5)
        assert not own_pages.ready("http://127.0.0.1:1/readyz", within=5)
