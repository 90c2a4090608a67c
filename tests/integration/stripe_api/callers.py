"""What one of several processes does in the tests of the shared pace."""

from __future__ import annotations

from shared.database.pool import Database
from shared.stripe_api.pace import Limits


def reserve(url: str, limits: Limits, endpoints: list[str]) -> list[tuple[str, float]]:
    """Take a turn for each of `endpoints` without resting; when each is due by the database's clock, in seconds."""
    database = Database(url, name="caller", size=1)
    dues: list[tuple[str, float]] = []
    for endpoint in endpoints:
        with database.session() as connection:
            row = connection.execute(
                """
                select extract(epoch from clock_timestamp())::float8 + wait
                from stripe_turn('self:test', %s, false, %s, %s, %s, %s)
                """,
                (endpoint, limits.per_endpoint, limits.overall, limits.burst, limits.probe_seconds),
            ).fetchone()
            dues.append((endpoint, float(row[0]) if row else 0.0))
    database.close()
    return dues
