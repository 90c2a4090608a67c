from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from services.reconciler import canary
from services.reconciler.jobs import JobFailed
from shared.broker.embedded import EmbeddedBroker
from shared.database.pool import Database
from shared.store.jobs import JobRun
from shared.verification import Known, Listed
from shared.vocabulary import ProductId
from tests.integration.reconciler.stage import BEGAN, Stage, built

RUN = JobRun("canary", BEGAN, "running", "schedule", "", None, None, {}, "")


@pytest.fixture
def stage(database: Database, queue: EmbeddedBroker) -> Iterator[Stage]:
    """A shop with a canary."""
    with built(database, queue) as made:
        (shirt,) = made.shirts(1)
        made.tools = replace(made.tools, canary=shirt)
        yield made


def test_a_disturbed_product_is_noticed_and_nothing_of_it_stays(stage: Stage) -> None:
    """The canary sings: what is known of it was spoiled, the comparison noticed, and the database is as it was."""
    with stage.tools.database.transaction() as connection:
        before = connection.execute("select * from known_state order by id").fetchall()
    assert stage.job("canary").figures["noticed"] == "different"
    with stage.tools.database.transaction() as connection:
        assert connection.execute("select * from known_state order by id").fetchall() == before


def test_a_blind_comparison_fails_the_job(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with a comparison that suspects nothing, the canary says that verifications are blind."""

    def blind(shown: Listed, known: Known) -> None:
        del shown, known

    monkeypatch.setattr(canary, "suspicion", blind)
    with pytest.raises(JobFailed, match="blind"):
        canary.sing(RUN, stage.tools)


@pytest.mark.parametrize("product", [None, "prod_gone"])
def test_a_canary_that_is_not_there_fails_the_job(stage: Stage, product: str | None) -> None:
    """No setting, or a product that Stripe does not have: the reason is said."""
    nowhere = replace(stage.tools, canary=product and ProductId(product))
    with pytest.raises(JobFailed, match="CANARY_PRODUCT"):
        canary.sing(RUN, nowhere)


def test_a_canary_that_differs_by_itself_proves_nothing(stage: Stage) -> None:
    """A product that is suspected undisturbed can't show that the disturbance was noticed."""
    assert stage.tools.canary is not None
    stage.shop.dashboard(stage.tools.canary, stock_S="77")
    with pytest.raises(JobFailed, match="as it is"):
        canary.sing(RUN, stage.tools)
