"""Webhooks as a test sends them, and what the door counts."""

from __future__ import annotations

from tests.unit.ingest.support import PATH, Answer, Client, signed


def send(client: Client, body: bytes, **headers: str) -> Answer:
    """Post `body`, signed, with more `headers` (underscores become dashes)."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(PATH, data=body, headers={**signed(body), **more})


def counted(client: Client, outcome: str) -> bool:
    return f'stocksync_ingest_webhooks_total{{outcome="{outcome}"}} 1.0' in client.get("/metrics").text
