from __future__ import annotations

import pytest

from bench.sync.requests_log import Call, RequestsLog, densest


def _log(*times: float, endpoint: str = "GET /v1/products/{id}", status: int = 200) -> RequestsLog:
    return RequestsLog(tuple(Call(at, endpoint, status) for at in times))


@pytest.mark.parametrize(
    ("times", "most"),
    [((), 0), ((5.0,), 1), ((0.0, 0.999, 1.0), 2), ((3.0, 0.5, 1.4, 0.6), 3), ((0.0, 1.0, 2.0), 1)],
)
def test_the_densest_second_slides(times: tuple[float, ...], most: int) -> None:
    """The fullest second may begin anywhere, and its end does not belong to it."""
    assert densest(times) == most


def test_endpoints_are_counted_apart_and_together() -> None:
    """A peak is of one endpoint or of all, and a refused call counts as one."""
    reads, writes = _log(0.0, 0.1, 0.2), _log(0.1, 0.3, endpoint="POST /v1/products/{id}", status=429)
    log = RequestsLog((*reads.calls, *writes.calls))
    assert log.busiest() == ("GET /v1/products/{id}", 3)
    assert (log.peak(), log.refused()) == (5, 2)
    assert log.by_endpoint() == {"GET /v1/products/{id}": 3, "POST /v1/products/{id}": 2}


def test_lists_and_single_objects_count_alike() -> None:
    """A read of many sessions is a read of sessions, however the shop's keeper asks."""
    log = RequestsLog(
        (Call(0, "GET /v1/checkout/sessions", 200), Call(1, "GET /v1/checkout/sessions/{id}", 200))
    )
    assert log.count("GET /v1/checkout/sessions") == 2


def test_calls_at_the_same_time_take_their_time_once() -> None:
    """Stripe's own time is when at least one call was under way, within the two moments asked for."""
    assert _log(0.0, 1.0, 1.05, 1.5, 9.0).under_way(0.9, 1.55, 0.1) == pytest.approx(0.2)
