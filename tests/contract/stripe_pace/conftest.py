"""Both keepers of the pace: a process's own, and the one that processes share through the database."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.database.pool import Database
from shared.paced_stripe import SharedPace
from shared.stripe_api.governor import Governor
from shared.stripe_api.pace import Limits, Pace
from shared.vocabulary import AccountKey

MakePace = Callable[[Limits], Pace]


@pytest.fixture(params=["governor", "shared"])
def make_pace(request: pytest.FixtureRequest) -> MakePace:
    """Makes a pace with limits."""
    if request.param == "governor":
        return Governor
    database: Database = request.getfixturevalue("database")
    return lambda limits: SharedPace(database, AccountKey("self:test"), limits)
